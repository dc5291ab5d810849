//! `DELETE /users/{userUid}`.

use axum::response::Response;
use serde_json::json;

use super::{authority, role_word, subtenant};
use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::UserUid;
use crate::model::{Role, User};
use crate::store::{Tx, USERS};

/// A user goes, and with them all that lets them in.
pub(super) async fn remove(mut change: Change) -> Result<Response, ApiError> {
    let user = UserUid(change.ask.object()?.1);
    let mut tx = change.begin().await?;
    let (user, role) = authority::changeable(&change.ask, &mut tx, user).await?;
    authority::refuse_actor(&change.ask.caller)?;
    if user.uid == change.ask.caller.uid {
        return Err(ApiError::forbidden("nobody takes themselves away; ask another administrator"));
    }
    if role.is_owner() {
        let word = role_word(role);
        return Err(ApiError::conflict(format!("a {word} goes only with the organisation")));
    }
    must_not_be_last(&mut tx, &user, role).await?;
    let organization = Some(user.organization_uid);
    let object = Object { kind: USERS.name, uid: user.uid.0, name: &user.name, organization };
    let before = json!({"userName": user.name, "role": role_word(role)});
    change.note(&object, Some(&before), None);
    subtenant::take(&change, &mut tx, &user).await?;
    tx.accounts().delete(user.uid).await?;
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// Without a portal administrator who may sign in nobody could make one.
pub(super) async fn must_not_be_last(tx: &mut Tx, user: &User, role: Role) -> Result<(), ApiError> {
    let matters = role == Role::PortalAdministrator && user.enabled;
    if matters && tx.accounts().is_last(user.uid, role, user.organization_uid).await? {
        let message = "this is the last portal administrator who may sign in; make another one first";
        return Err(ApiError::conflict(message));
    }
    Ok(())
}
