//! `POST /organizations/{organizationUid}/configuration/notification/test`.

use std::time::Duration;

use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::notification::must_have_smtp;
use crate::api::change::{Change, Input, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::organizations::organization;
use crate::id::MailUid;
use crate::mail::{self, texts};
use crate::model::{MailKind, MailState, NewMail};
use crate::store::{ORGANIZATIONS, SmtpRow, Tx};

/// How long a client waits to hear what became of the mail.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often to look.
const LOOK: Duration = Duration::from_millis(200);

/// To whom, and from whom.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestEmailOptions {
    from: String,
    #[serde(default)]
    sender_name: Option<String>,
    to: String,
}

/// Sends a mail through the organisation's mail server, once, and tells what became of it.
pub(super) async fn send(
    mut change: Change,
    Input(input): Input<TestEmailOptions>,
) -> Result<Response, ApiError> {
    mail::check_address(&input.from).map_err(|error| ApiError::property("from", error.to_string()))?;
    mail::check_recipients(&input.to).map_err(|error| ApiError::property("to", error.to_string()))?;
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    let row = must_have_smtp(&mut tx, uid).await?;
    check_sender(&change, &mut tx, &row, &input.from).await?;
    let object = Object { kind: ORGANIZATIONS.name, uid, name: &name, organization: Some(uid) };
    change.note(
        &object,
        Some(&json!({})),
        Some(&json!({ "testMail": { "from": input.from, "to": input.to } })),
    );
    let server = row.settings().map_err(ApiError::internal)?.server_address;
    let mail = new_mail(uid, &input, texts::test(&name, &server));
    let seal = change.ask.state.mailer().seal().clone();
    let queued = tx.mails().queue(change.ask.state.clock(), &seal, &mail).await?;
    change.commit(tx).await?;
    outcome(&change, queued).await
}

/// Through a mail server of somebody else's nobody sends in any name but that server's own.
async fn check_sender(change: &Change, tx: &mut Tx, row: &SmtpRow, from: &str) -> Result<(), ApiError> {
    let own = row.default_from.as_deref();
    if own.is_some_and(|own| own.trim().eq_ignore_ascii_case(from.trim()))
        || tx.sees(&ORGANIZATIONS, &change.ask.caller.scope, row.organization_uid).await?
    {
        return Ok(());
    }
    let named = own.map_or_else(String::new, |own| format!(": {own}"));
    Err(ApiError::property(
        "from",
        format!(
            "the mail goes through the manager's mail server, which sends only in the manager's name{named}; use that address, or \
             set a mail server of your own"
        ),
    ))
}

fn new_mail(organization: Uuid, input: &TestEmailOptions, words: texts::Words) -> NewMail {
    NewMail {
        organization_uid: organization,
        kind: MailKind::Test,
        to: input.to.clone(),
        from: Some(input.from.clone()),
        sender_name: input.sender_name.clone(),
        subject: words.subject,
        text: words.text,
        html: words.html,
        max_attempts: Some(1),
    }
}

async fn outcome(change: &Change, mail: MailUid) -> Result<Response, ApiError> {
    let settled = tokio::time::timeout(PATIENCE, settled(change, mail)).await;
    let Ok(state) = settled else {
        return Err(ApiError::conflict(
            "the mail is queued, but the mail server has not taken it yet; check its address and its timeout",
        ));
    };
    let state = state?;
    if state.status == "Sent" {
        return Ok(envelope::empty());
    }
    let why = state.last_error.unwrap_or_default();
    Err(ApiError::conflict(format!("the mail did not go out: {why}")))
}

async fn settled(change: &Change, mail: MailUid) -> Result<MailState, ApiError> {
    loop {
        let state = change.ask.state.store().read().await?.mails().state(mail).await?;
        match state {
            Some(state) if state.status != "Queued" => return Ok(state),
            Some(_) => tokio::time::sleep(LOOK).await,
            None => return Err(ApiError::conflict("the organization was deleted meanwhile")),
        }
    }
}
