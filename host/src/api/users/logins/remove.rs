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
    let id = change.ask.number("userLoginId")?;
    if user.uid == change.ask.caller.uid {
        must_be_free(&mut tx, user.uid, id).await?;
    }
    tx.credentials().revoke_login(change.ask.state.clock(), user.uid, id).await?;
    tx.logins().delete(uid).await?;
    let description = before.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
    change.note(&object(&user, uid, description), Some(&before), None);
    change.commit(tx).await?;
    done()
}

/// Whoever must have a second factor keeps one that counts: the login goes, or is switched off, only if it is none of
/// those that count now, or not the only one.
pub(super) async fn must_be_free(tx: &mut Tx, user: UserUid, login: i64) -> Result<(), ApiError> {
    let counting = tx.logins().totps(user).await?;
    let is_last = counting.iter().any(|factor| factor.id == login) && counting.len() == 1;
    if !is_last || !tx.accounts().must_have_factor(user).await? {
        return Ok(());
    }
    Err(ApiError::conflict(
        "an administrator wants you to have a second factor; add another one before you give this one up",
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
