//! `POST /organizations/{organizationUid}/configuration/refreshsecuritytoken`.

use axum::response::Response;
use serde_json::json;

use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::organizations::organization;
use crate::id::CompanyUid;
use crate::store::ORGANIZATIONS;

/// Revokes every join token of the organisation that still has a use: who has one enrols no agent any more. Agents that are
/// enrolled stay.
pub(super) async fn refresh(mut change: Change) -> Result<Response, ApiError> {
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    let revoked = tx.join_tokens().revoke(change.ask.state.clock(), CompanyUid(uid)).await?;
    let object = Object { kind: ORGANIZATIONS.name, uid, name: &name, organization: Some(uid) };
    change.note(&object, Some(&json!({ "joinTokens": revoked })), Some(&json!({ "joinTokens": 0 })));
    change.commit(tx).await?;
    Ok(envelope::empty())
}
