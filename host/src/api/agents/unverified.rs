//! `POST …/unverifiedAgents/{unverifiedAgentUid}/accept`, and ours, `reject`.

use axum::response::Response;
use serde_json::json;

use super::place;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, EmptyResponse};
use crate::api::error::ApiError;
use crate::store::{Tx, UNVERIFIED_AGENTS, UnverifiedAgent};

/// Lets a machine in: it is enrolled when it comes next.
pub(super) async fn accept(mut change: Change) -> Result<Response, ApiError> {
    let mut tx = change.begin().await?;
    let waiting = waiting(&change, &mut tx).await?;
    let place = place::read(&change.ask, &mut tx, waiting.company_uid.map(|company| company.0)).await?;
    let account = place.account.or(waiting.account_uid);
    tx.unverified_agents().accept(waiting.uid, (place.organization, place.location), account).await?;
    note(&mut change, &waiting, "Accepted", Some(place.organization.0));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// Keeps a machine out until its token is forgotten.
#[utoipa::path(
    post, path = "/infrastructure/unverifiedAgents/{unverifiedAgentUid}/reject", operation_id = "RejectUnverifiedAgent",
    params(
        ("unverifiedAgentUid" = uuid::Uuid, Path),
        ("reason" = Option<String>, Query, description = "Shown beside the agent"),
    ),
    responses((status = 200, description = "It is kept out", body = EmptyResponse)),
)]
pub(super) async fn reject(mut change: Change) -> Result<Response, ApiError> {
    let mut tx = change.begin().await?;
    let waiting = waiting(&change, &mut tx).await?;
    let reason = change.ask.parameter("reason")?.unwrap_or("an operator keeps it out");
    if reason.len() > 512 || reason.contains('\0') {
        return Err(ApiError::parameter("reason", "reason must have at most 512 bytes and no NUL"));
    }
    tx.unverified_agents().reject(waiting.uid, reason).await?;
    note(&mut change, &waiting, "Rejected", waiting.company_uid.map(|company| company.0));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

async fn waiting(change: &Change, tx: &mut Tx) -> Result<UnverifiedAgent, ApiError> {
    let uid = change.ask.uid("unverifiedAgentUid")?;
    change.ask.must_see(tx, &UNVERIFIED_AGENTS, uid).await?;
    let waiting = tx.unverified_agents().get(uid).await?;
    waiting.ok_or_else(|| ApiError::absent(UNVERIFIED_AGENTS.name, uid))
}

fn note(change: &mut Change, waiting: &UnverifiedAgent, status: &str, organization: Option<uuid::Uuid>) {
    let object =
        Object { kind: UNVERIFIED_AGENTS.name, uid: waiting.uid, name: &waiting.host_name, organization };
    let after = json!({"status": status, "organizationUid": organization});
    change.note(&object, Some(&json!({"status": waiting.status})), Some(&after));
}
