//! `POST /organizations/companies/{companyUid}/welcomeEmail`.

use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::must_stay;
use crate::api::change::{Change, Input, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::organizations::must_have_smtp;
use crate::clock::DAY;
use crate::id::CompanyUid;
use crate::mail::texts::{Enrolment, Welcome, Words};
use crate::model::{Door, MailKind, NewMail};
use crate::store::list::{Condition, Shown};
use crate::store::{BRANDING, COMPANIES, NewJoinToken, Tx};

/// How long what the mail holds enrols agents.
const TOKEN_DAYS: i64 = 2;
/// How many.
const TOKEN_USES: u32 = 25;

/// What goes into the mail beside what the host knows.
#[derive(Deserialize)]
pub(super) struct WelcomeEmailOptions {
    password: Option<String>,
}

/// Queues the mail that tells a company's owner where to sign in and how to connect backup servers.
pub(super) async fn send(
    mut change: Change,
    Input(input): Input<WelcomeEmailOptions>,
) -> Result<Response, ApiError> {
    let uid = change.ask.uid("companyUid")?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &COMPANIES, uid).await?;
    must_stay(&mut tx, uid).await?;
    must_have_smtp(&mut tx, uid).await?;
    let to = tx.settings().owner_email(uid).await?.ok_or_else(|| {
        ApiError::conflict(
            "nobody knows the owner's e-mail address; set email of the company's organization or of its owner's profile first",
        )
    })?;
    let words = words(&change, &mut tx, uid, input.password.as_deref()).await?;
    let company = tx.organizations().name(uid).await?.unwrap_or_default();
    let mail = NewMail {
        organization_uid: uid,
        kind: MailKind::Welcome,
        to: to.clone(),
        from: None,
        sender_name: None,
        subject: words.subject,
        text: words.text,
        html: words.html,
        max_attempts: None,
    };
    let seal = change.ask.state.mailer().seal().clone();
    tx.mails().queue(change.ask.state.clock(), &seal, &mail).await?;
    let object = Object { kind: COMPANIES.name, uid, name: &company, organization: Some(uid) };
    let sent = json!({ "welcomeMail": { "to": to, "withPassword": input.password.is_some() } });
    change.note(&object, Some(&json!({})), Some(&sent));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

async fn words(change: &Change, tx: &mut Tx, uid: Uuid, password: Option<&str>) -> Result<Words, ApiError> {
    let absent = || ApiError::absent(COMPANIES.name, uid);
    let company = tx.companies().get(CompanyUid(uid)).await?.ok_or_else(absent)?;
    let manager = tx.settings().manager(uid).await?.ok_or_else(absent)?;
    let portal = portal(change, tx, uid).await?;
    let token = join_token(change, tx, company.uid).await?;
    let enrolment = token.as_deref().map(|token| Enrolment { token, days: TOKEN_DAYS });
    let (company_name, manager) = (company.name.as_str(), manager.name.as_str());
    let welcome = Welcome {
        company: company_name,
        manager,
        user_name: &company.owner_name,
        password,
        portal: &portal,
        enrolment,
    };
    Ok(welcome.words())
}

/// Where the company's users find the portal: as its branding, or its manager's, says.
async fn portal(change: &Change, tx: &mut Tx, company: Uuid) -> Result<String, ApiError> {
    let uri = BRANDING.property("webUri").ok_or_else(|| ApiError::internal("branding has no webUri"))?;
    let shown = [Shown { property: *uri, unknown: &[] }];
    let all = Condition::All(Vec::new());
    let found = tx.find(&BRANDING, &change.ask.caller.scope, &all, company, &shown).await?;
    let found = found.map(|found| found.value()).unwrap_or_default();
    Ok(found.get("webUri").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
}

/// A token for the company's own backup servers, at its default location; none where it has no location.
async fn join_token(
    change: &Change,
    tx: &mut Tx,
    company_uid: CompanyUid,
) -> Result<Option<String>, ApiError> {
    let Some(location_uid) = tx.companies().default_location(company_uid).await? else { return Ok(None) };
    let clock = change.ask.state.clock();
    let token = change.ask.state.agents().token(Door::Remote);
    let new = NewJoinToken {
        company_uid,
        location_uid,
        account_uid: None,
        hash: token.hash,
        door: Door::Remote,
        uses: TOKEN_USES,
        expires_at: clock.now_ms().saturating_add(TOKEN_DAYS * DAY),
    };
    tx.join_tokens().create(clock, &new).await?;
    Ok(Some(token.text))
}
