//! `POST /organizations/{organizationUid}/configuration/notification/smtp/test`.

use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::api::change::{Change, Input, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::organizations::organization;
use crate::mail::{ServerCertificate, TestResult, Tested};
use crate::model::{OrganizationKind, SmtpSettings};
use crate::store::{SmtpOwner, Tx};

const SCHEMA: &str = "TestSmtpSettingsResponse";
/// The API's number for what is not possible now.
const NOT_NOW: u16 = 1000;

/// What the test found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_certificate: Option<Certificate>,
    /// As they were tried; without secrets.
    smtp_settings: SmtpSettings,
}

#[derive(Debug, Serialize)]
struct Trouble {
    r#type: &'static str,
    code: u16,
    message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    friendly_name: String,
    issuer_name: String,
    subject_name: String,
    serial_number: String,
    hash: String,
    signature_algorithm: String,
    not_before: String,
    not_after: String,
    is_valid: bool,
}

/// Tries a mail server before anybody relies on it: connects, encrypts, signs in. A stored secret is used only for the very
/// line it was stored for: to any other one a test would carry it to whoever asks for the test.
pub(super) async fn test(
    mut change: Change,
    Input(mut smtp): Input<SmtpSettings>,
) -> Result<Response, ApiError> {
    let shape = change.ask.shape(SCHEMA)?;
    smtp.check().map_err(|bad| ApiError::property(bad.property, bad.message))?;
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    let owner = owner(&mut tx, uid).await?;
    complete(&change, &mut tx, &mut smtp, uid).await?;
    let object = Object { kind: "SmtpSettings", uid, name: &name, organization: Some(uid) };
    let tried = json!({ "tested": smtp.server_address, "tlsMode": smtp.tls_mode });
    change.note(&object, Some(&json!({})), Some(&tried));
    change.commit(tx).await?;
    let tested = change.ask.state.mailer().test(smtp.clone(), owner).await;
    smtp.take_secrets();
    envelope::one(&answer(tested, smtp), &shape)
}

async fn owner(tx: &mut Tx, organization: Uuid) -> Result<SmtpOwner, ApiError> {
    let kind = tx.organizations().kind(organization).await?;
    Ok(if kind == Some(OrganizationKind::Provider) { SmtpOwner::Provider } else { SmtpOwner::Tenant })
}

async fn complete(
    change: &Change,
    tx: &mut Tx,
    smtp: &mut SmtpSettings,
    organization: Uuid,
) -> Result<(), ApiError> {
    let Some(row) = tx.notifications().smtp_of(organization).await? else { return Ok(()) };
    if smtp.same_line(&row.settings().map_err(ApiError::internal)?) {
        smtp.put_secrets(&row.secrets(change.ask.state.mailer().seal()).map_err(ApiError::internal)?);
    }
    Ok(())
}

fn answer(tested: Tested, smtp_settings: SmtpSettings) -> Answer {
    let (result, kind) = match tested.result {
        TestResult::Ok => ("Ok", "unspecified"),
        TestResult::ConnectionError => ("ConnectionError", "transport"),
        TestResult::AuthenticationError => ("AuthenticationError", "security"),
    };
    let error = tested.error.map(|error| Trouble { r#type: kind, code: NOT_NOW, message: error.to_string() });
    Answer { result, error, server_certificate: tested.certificate.map(certificate), smtp_settings }
}

fn certificate(shown: ServerCertificate) -> Certificate {
    Certificate {
        friendly_name: shown.friendly_name,
        issuer_name: shown.issuer_name,
        subject_name: shown.subject_name,
        serial_number: shown.serial_number,
        hash: shown.hash,
        signature_algorithm: shown.signature_algorithm,
        not_before: shown.not_before.date().to_string(),
        not_after: shown.not_after.date().to_string(),
        is_valid: shown.valid,
    }
}
