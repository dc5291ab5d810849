//! `POST /eventLogs/managementAgentTasks/{taskUid}/cancel`, ours: what an agent has not been told yet it need not be told.

use axum::response::Response;
use serde_json::json;

use crate::api::change::{Change, Object};
use crate::api::envelope::{self, EmptyResponse};
use crate::api::error::ApiError;
use crate::id::CommandUid;
use crate::store::AGENT_TASKS;

/// Takes a task back that has not gone out to its agent.
#[utoipa::path(
    post, path = "/eventLogs/managementAgentTasks/{taskUid}/cancel", operation_id = "CancelManagementAgentTask",
    params(("taskUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "It will not be done", body = EmptyResponse)),
)]
pub(super) async fn cancel(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("taskUid")?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &AGENT_TASKS, uid).await?;
    let command = tx.commands().get(CommandUid(uid)).await?;
    let command = command.ok_or_else(|| ApiError::absent(AGENT_TASKS.name, uid))?;
    if !tx.commands().cancel(change.ask.state.clock(), command.uid).await? {
        return Err(ApiError::conflict(format!(
            "the task \"{}\" cannot be cancelled any more: it is {}",
            command.description, command.state
        )));
    }
    let object = Object { kind: AGENT_TASKS.name, uid, name: &command.description, organization: None };
    change.note(&object, Some(&json!({"status": "Scheduled"})), Some(&json!({"status": "Canceled"})));
    change.commit(tx).await?;
    Ok(envelope::empty())
}
