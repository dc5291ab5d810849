//! New logins. What a key is, its owner sees once; what a second factor's secret is, the host gave out before and keeps
//! only when a code proves that it arrived.

use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::{Given, must_have_room, object, shown};
use crate::api::ask::Ask;
use crate::api::change::Change;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::token::secret::{Secret, SecretKind};
use crate::api::token::totp::Factor;
use crate::api::users::authority;
use crate::id::UserUid;
use crate::model::{NewApiKey, NewTotpLogin};
use crate::store::LOGINS;

/// What a user puts into an authenticator.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TotpSecret {
    secret: String,
    secret_url: String,
}

/// A secret for a second factor. Nothing is kept of it until `AddTotpLogin` brings it back with a code.
pub(super) async fn secret(ask: Ask) -> Result<Response, ApiError> {
    let shape = ask.shape("TotpSecret")?;
    let factor = Factor::generate(&ask.caller.name).map_err(ApiError::internal)?;
    let secret_url = factor.url().map_err(ApiError::internal)?;
    let mut response = envelope::one(&TotpSecret { secret: factor.secret(), secret_url }, &shape)?;
    no_store(&mut response);
    Ok(response)
}

/// Makes an API key.
pub(super) async fn key(mut change: Change) -> Result<Response, ApiError> {
    let (ask, given) = (&change.ask, Given::read(&change.ask)?);
    authority::refuse_actor(&ask.caller)?;
    let read_only = ask.flag_parameter("isReadAccessOnly")?.unwrap_or_default();
    let shape = ask.shape(LOGINS.name)?;
    let secret = Secret::generate(SecretKind::ApiKey);
    let mut tx = change.begin().await?;
    let user = authority::over_logins(ask, &mut tx, UserUid(ask.uid("userUid")?)).await?;
    authority::refuse_peer(&ask.caller, &user)?;
    must_have_room(&mut tx, user.uid).await?;
    let new = NewApiKey {
        user_uid: user.uid,
        hash: secret.hash(),
        identifier: secret.identifier(),
        description: given.description,
        scopes: given.scopes,
        read_only,
        expires_at: None,
    };
    let uid = tx.logins().add_key(ask.state.clock(), &new).await?;
    let mut login = shown(&mut tx, uid).await?;
    change.note(&object(&user, uid, &new.description), None, Some(&login));
    change.commit(tx).await?;
    if let Some(members) = login.as_object_mut() {
        members.insert("parameters".to_owned(), json!(secret.reveal()));
    }
    let mut response = envelope::one(&login, &shape)?;
    no_store(&mut response);
    Ok(response)
}

/// Adds a second factor: from now on the password alone lets nobody in.
pub(super) async fn totp(mut change: Change) -> Result<Response, ApiError> {
    let (ask, given) = (&change.ask, Given::read(&change.ask)?);
    authority::refuse_actor(&ask.caller)?;
    let shape = ask.shape(LOGINS.name)?;
    let (factor, step) = proven(ask)?;
    let mut tx = change.begin().await?;
    let user = authority::over_logins(ask, &mut tx, UserUid(ask.uid("userUid")?)).await?;
    must_have_room(&mut tx, user.uid).await?;
    let new = NewTotpLogin {
        user_uid: user.uid,
        identifier: factor.label(),
        secret: factor.seal(ask.state.seal(), user.uid)?,
        last_step: step,
        description: given.description,
        scopes: given.scopes,
    };
    let uid = tx.logins().add_totp(ask.state.clock(), &new).await?;
    let login = shown(&mut tx, uid).await?;
    change.note(&object(&user, uid, &new.description), None, Some(&login));
    change.commit(tx).await?;
    envelope::one(&login, &shape)
}

/// The factor of the request, and the step of the code that proves it.
fn proven(ask: &Ask) -> Result<(Factor, i64), ApiError> {
    let given = |name| {
        let missing = || ApiError::parameter(name, format!("{name} is missing"));
        ask.parameter(name)?.ok_or_else(missing)
    };
    let factor = Factor::parse(given("secretUrl")?)
        .map_err(|error| ApiError::parameter("secretUrl", format!("secretUrl: {error}")))?;
    let step = factor.step_of(given("code")?, ask.state.clock()).ok_or_else(|| {
        let message = "code is not what the authenticator shows for this secret now; check both clocks";
        ApiError::parameter("code", message)
    })?;
    Ok((factor, step))
}

fn no_store(response: &mut Response) {
    let value = http::HeaderValue::from_static("no-store");
    response.headers_mut().insert(http::header::CACHE_CONTROL, value);
}
