//! `PATCH /organizations/{organizationUid}/configuration/notification`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::organizations::{organization, refuse_unknown};
use crate::api::patch::{JsonPatch, Patched};
use crate::mail;
use crate::model::{NotificationSettings, SmtpSettings};
use crate::store::{NOTIFICATION, SmtpRow, Tx};

/// Where one address stands.
const SENDERS: &[&str] = &["defaultFrom", "alarms.from", "billing.from", "discovery.from", "license.from"];
/// Where several may stand.
const RECIPIENTS: &[&str] = &["alarms.to", "discovery.to", "license.to"];
/// Where a time of day stands.
const TIMES: &[&str] = &["alarms.dailyTime", "discovery.dailyTime"];
/// What can be written and is never read: only where a patch may name it, that is, where what it is in is there.
const SECRETS: &[(&str, &[&str])] = &[
    ("passwordCredential", &["smtp.passwordCredential.password"]),
    ("oAuth2Credential", &["smtp.oAuth2Credential.clientSettings.clientSecret"]),
];

/// Changes what an organisation is told by mail, and through which server. Secrets that are not given again stay, as long as
/// they go where they went before, over a line that is no weaker.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    let old = tx.notifications().smtp_of(uid).await?;
    let extra = writable_secrets(old.as_ref());
    let patched = change.patched(&mut tx, &NOTIFICATION, uid, &steps, &extra).await?;
    refuse_unknown(&patched, &["level", "alarms.dailySorting"])?;
    check_addresses(&patched)?;
    check_times(&patched)?;
    let mut settings: NotificationSettings = serde_json::from_value(patched.after.clone())
        .map_err(|error| ApiError::bad_request(format!("the settings do not fit: {error}")))?;
    if let Some(smtp) = &mut settings.smtp {
        smtp.check().map_err(|bad| ApiError::property(&format!("smtp.{}", bad.property), bad.message))?;
        keep_secrets(&change, smtp, old.as_ref())?;
        check_tokens(smtp)?;
    }
    let seal = change.ask.state.mailer().seal().clone();
    tx.notifications().put(&seal, uid, &settings).await?;
    note(&mut change, &patched, uid, &name, &settings, old.as_ref());
    change.commit(tx).await?;
    change.reply(&NOTIFICATION, uid).await
}

fn writable_secrets(old: Option<&SmtpRow>) -> Vec<&'static str> {
    let smtp: Value = old.and_then(|row| serde_json::from_str(&row.smtp).ok()).unwrap_or_default();
    let there = SECRETS.iter().filter(|(parent, _)| smtp.get(parent).is_some_and(Value::is_object));
    there.flat_map(|(_, names)| names.iter().copied()).collect()
}

fn check_addresses(patched: &Patched) -> Result<(), ApiError> {
    for name in SENDERS {
        if let Some(Value::String(address)) = patched.changed(name) {
            mail::check_address(address).map_err(|error| ApiError::property(name, error.to_string()))?;
        }
    }
    for name in RECIPIENTS {
        if let Some(Value::String(list)) = patched.changed(name) {
            mail::check_recipients(list).map_err(|error| ApiError::property(name, error.to_string()))?;
        }
    }
    Ok(())
}

fn check_times(patched: &Patched) -> Result<(), ApiError> {
    for name in TIMES {
        if let Some(Value::String(time)) = patched.changed(name)
            && !is_time_of_day(time)
        {
            return Err(ApiError::property(
                name,
                format!("{name} must be a time of day such as 9:00 or 21:30"),
            ));
        }
    }
    Ok(())
}

fn is_time_of_day(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let below = |part: &str, limit: u32, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|number| number < limit)
    };
    match parts.as_slice() {
        [hours, minutes] => below(hours, 24, 1..=2) && below(minutes, 60, 2..=2),
        [hours, minutes, seconds] => {
            below(hours, 24, 1..=2) && below(minutes, 60, 2..=2) && below(seconds, 60, 2..=2)
        }
        _ => false,
    }
}

fn keep_secrets(change: &Change, smtp: &mut SmtpSettings, old: Option<&SmtpRow>) -> Result<(), ApiError> {
    let Some(row) = old else { return Ok(()) };
    let before = row.settings().map_err(ApiError::internal)?;
    if smtp.keeps_secrets_of(&before) {
        smtp.put_secrets(&row.secrets(change.ask.state.mailer().seal()).map_err(ApiError::internal)?);
    }
    Ok(())
}

/// A mailbox without any token cannot be used, and only a browser gets one.
fn check_tokens(smtp: &SmtpSettings) -> Result<(), ApiError> {
    let Some(credential) = &smtp.oauth2_credential else { return Ok(()) };
    if credential.refresh_token.reveal().is_some() || credential.access_token.reveal().is_some() {
        return Ok(());
    }
    Err(ApiError::property(
        "smtp.oAuth2Credential.refreshToken",
        "the mailbox has no token: sign in at the identity provider in a browser, which the host cannot do for you, and give the \
         refresh token that it returns",
    ))
}

/// Notes what changed; of a secret only that it did.
fn note(
    change: &mut Change,
    patched: &Patched,
    uid: Uuid,
    name: &str,
    settings: &NotificationSettings,
    old: Option<&SmtpRow>,
) {
    let (mut before, mut after) = patched.difference();
    let mut shown = settings.smtp.clone();
    let secrets = shown.as_mut().map(SmtpSettings::take_secrets);
    let kept = old.and_then(|row| row.secrets(change.ask.state.mailer().seal()).ok());
    if let Some(members) = after.as_object_mut() {
        let secrets_changed = secrets != kept;
        if members.contains_key("smtp") || secrets_changed {
            members.insert("smtp".to_owned(), json!(shown));
            members.insert("smtp.secretsChanged".to_owned(), json!(secrets_changed));
        }
        members.retain(|key, _| !SECRETS.iter().any(|(_, names)| names.contains(&key.as_str())));
    }
    if let Some(members) = before.as_object_mut() {
        members.retain(|key, _| !SECRETS.iter().any(|(_, names)| names.contains(&key.as_str())));
    }
    let object = Object { kind: NOTIFICATION.name, uid, name, organization: Some(uid) };
    change.note(&object, Some(&before), Some(&after));
}

/// The mail server that sends an organisation's mails; without one nothing can be sent, and who could change that.
pub(in crate::api) async fn must_have_smtp(tx: &mut Tx, organization: Uuid) -> Result<SmtpRow, ApiError> {
    let row = tx.notifications().smtp_for(organization).await?;
    row.ok_or_else(|| {
        ApiError::conflict(
            "no mail server is configured for this organization, its reseller or the provider; set smtp with PATCH \
             /organizations/{organizationUid}/configuration/notification first",
        )
    })
}
