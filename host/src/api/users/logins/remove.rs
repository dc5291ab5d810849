//! Taking back: a login with all that it let in, or the tokens of a user.

use axum::response::Response;
use serde_json::json;

use super::{done, login, object, shown};
use crate::api::change::{Change, Object};
use crate::api::error::ApiError;
use crate::api::users::authority;
use crate::id::UserUid;
use crate::store::{LOGINS, Tx, USERS};

/// A login goes, and the tokens that it helped to get.
pub(super) async fn remove(mut change: Change) -> Result<Response, ApiError> {
    let mut tx = change.begin().await?;
    let (user, uid) = login(&change.ask, &mut tx).await?;
    authority::refuse_actor(&change.ask.caller)?;
    let before = shown(&mut tx, uid).await?;
    if before.get("identityProviderName").is_some_and(|name| name == "TOTP")
        && user.uid == change.ask.caller.uid
    {
        must_be_free(&mut tx, user.uid).await?;
    }
    tx.credentials()
        .revoke_login(change.ask.state.clock(), user.uid, change.ask.number("userLoginId")?)
        .await?;
    tx.logins().delete(uid).await?;
    let description = before.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
    change.note(&object(&user, uid, description), Some(&before), None);
    change.commit(tx).await?;
    done()
}

/// Whoever must have a second factor keeps one.
async fn must_be_free(tx: &mut Tx, user: UserUid) -> Result<(), ApiError> {
    if !tx.accounts().must_have_factor(user).await? || tx.logins().totps(user).await?.len() > 1 {
        return Ok(());
    }
    Err(ApiError::conflict(
        "an administrator wants you to have a second factor; add another one before you delete this",
    ))
}

/// Tokens end: all of a user, or those that one login helped to get.
pub(super) async fn revoke(mut change: Change) -> Result<Response, ApiError> {
    let login = change.ask.number_parameter("userLoginId")?;
    let mut tx = change.begin().await?;
    let user = authority::over_logins(&change.ask, &mut tx, UserUid(change.ask.uid("userUid")?)).await?;
    let clock = change.ask.state.clock();
    let ended = match login {
        None => tx.credentials().revoke_user(clock, user.uid).await?,
        Some(id) => {
            if tx.logins().uid(user.uid, id).await?.is_none() {
                return Err(ApiError::absent(LOGINS.name, id));
            }
            tx.credentials().revoke_login(clock, user.uid, id).await?
        }
    };
    let organization = Some(user.organization_uid);
    let object = Object { kind: USERS.name, uid: user.uid.0, name: &user.name, organization };
    change.note(&object, Some(&json!({"tokens": ended})), Some(&json!({"tokens": 0})));
    change.commit(tx).await?;
    done()
}
