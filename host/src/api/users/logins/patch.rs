//! `PATCH /users/{userUid}/logins/{userLoginId}`.

use serde_json::Value;

use super::{login, remove};
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::api::users::authority;
use crate::model::Scope;
use crate::store::LOGINS;

/// Changes what a login is for, whether it only reads, and whether it may be used.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let (user, uid) = login(&change.ask, &mut tx).await?;
    authority::refuse_actor(&change.ask.caller)?;
    // Whoever decides over a login sees it.
    change.ask.caller.scope = Scope::Provider;
    let patched = change.patched(&mut tx, &LOGINS, uid.0, &steps, &["status"]).await?;
    if let Some(description) = patched.changed("description") {
        super::check_description(description.as_str().unwrap_or_default())
            .map_err(|message| ApiError::property("description", message))?;
    }
    check_kind(&patched)?;
    if let Some(status) = patched.changed("status") {
        let (id, enabled) = (change.ask.number("userLoginId")?, enabled(status)?);
        if !enabled && user.uid == change.ask.caller.uid {
            remove::must_be_free(&mut tx, user.uid, id).await?;
        }
        tx.logins().enable(uid, enabled).await?;
        tx.credentials().revoke_login(change.ask.state.clock(), user.uid, id).await?;
    }
    let name = patched.text("description").to_owned();
    change.write(&mut tx, uid.0, &patched, &name, Some(user.organization_uid)).await?;
    change.commit(tx).await?;
    change.reply(&LOGINS, uid.0).await
}

fn enabled(status: &Value) -> Result<bool, ApiError> {
    match status.as_str() {
        Some("enabled") => Ok(true),
        Some("disabled") => Ok(false),
        _ => Err(ApiError::property("status", "status is set to enabled or disabled")),
    }
}

fn check_kind(patched: &Patched) -> Result<(), ApiError> {
    const NAME: &str = "isReadAccessOnly";
    if patched.changed(NAME).is_some() && patched.text("identityProviderName") != "AK" {
        return Err(ApiError::property(
            NAME,
            "isReadAccessOnly is for API keys; a second factor opens nothing by itself",
        ));
    }
    Ok(())
}
