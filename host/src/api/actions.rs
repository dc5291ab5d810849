//! Requests that are remembered: those that a client gave an id (`X-Request-id`), so that a repeat does not act twice, and
//! those that take long and are answered with 202 while they go on.
//!
//! **Cast.** `perform` stands between the guard of every operation and its handler. It writes the row of a change that
//! came with an id before the handler acts, runs it as a task of its own, so that a client that hangs up finds its answer
//! later, and answers a repeat from memory or from the row. A change that takes longer than [`Actions`] has patience for, and one
//! that was sent with `Prefer: respond-async`, is answered with 202 and `Location`. Every commit passes the request's
//! [`CommitPoint`](crate::store::CommitPoint): before it an action can be cancelled, by dropping it, and after it not.
//! `upkeep` keeps the leases of what runs, fails what a dead host left behind, and forgets what is old.
//!
//! **Secrets.** What was answered (an API key, say) and the fingerprint of what was asked are sealed; what is shown of
//! query and body has its secrets struck out. What a change answered is not for credentials that change nothing, nor for
//! whoever acts in the user's place: neither by asking for it nor by sending the request again.
//!
//! **Crash.** A row that says "running" and whose lease has run out belongs to a host that died. The commit of the change
//! itself has noted whether it took effect, so that the failure can say so.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::context::Caller;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::operations::{self, Operation, Routes};
use crate::model::{Action, ActionKey, ActionStatus};

mod answer;
mod asked;
mod perform;
mod redact;
mod registry;
mod run;
mod upkeep;

pub(crate) use perform::perform;
pub(crate) use registry::Actions;
#[cfg(test)]
pub(crate) use upkeep::round as upkeep_round;
pub(crate) use upkeep::upkeep;

const SCHEMA: &str = "AsyncActionInfo";
/// The operations about actions are none themselves.
const TAG: &str = "AsyncActions";

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetAsyncActionsInfo", list)
        .add("GetAsyncActionInfo", get)
        .add("GetAsyncActionResult", result)
        .add("CancelAsyncAction", cancel)
}

/// A request that is remembered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AsyncActionInfo {
    /// The `X-Request-id`.
    id: Uuid,
    initiator_uid: Uuid,
    /// The operationId.
    action_name: String,
    status: &'static str,
    /// JSON, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<String>,
    /// Without secrets.
    query_parameters: Value,
}

impl From<Action> for AsyncActionInfo {
    fn from(action: Action) -> Self {
        Self {
            id: action.id,
            initiator_uid: action.user_uid.0,
            status: action.status().name(),
            action_name: action.operation,
            request_body: action.body,
            query_parameters: serde_json::from_str(&action.query).unwrap_or_default(),
        }
    }
}

/// The caller's actions, the latest first.
async fn list(ask: Ask) -> Result<Response, ApiError> {
    let shape = ask.shape(SCHEMA)?;
    let mut tx = ask.state.store().read().await?;
    let actions = tx.actions().of_user(ask.state.clock(), ask.caller.uid).await?;
    let actions: Vec<_> = actions.into_iter().map(AsyncActionInfo::from).collect();
    envelope::all(&actions, &shape)
}

/// One action of the caller's.
async fn get(ask: Ask) -> Result<Response, ApiError> {
    let shape = ask.shape(SCHEMA)?;
    envelope::one(&AsyncActionInfo::from(find(&ask).await?), &shape)
}

/// What the action would have answered, had it been waited for.
async fn result(ask: Ask) -> Result<Response, ApiError> {
    let action = find(&ask).await?;
    must_be_theirs(&ask.caller, &action)?;
    if action.status() == ActionStatus::Running {
        let id = action.id;
        return Err(ApiError::conflict(format!(
            "the action {id} still runs; ask GET /asyncActions/{id} until its status is another"
        )));
    }
    Ok(ask.state.actions().answer_of(&action))
}

/// Refuses the answer of a change to a credential that could not have made it, or that is somebody else's hands.
fn must_be_theirs(caller: &Caller, action: &Action) -> Result<(), ApiError> {
    let may_let_in = operations::find(&action.operation).is_none_or(Operation::may_let_in);
    if may_let_in && (caller.read_only || caller.actor.is_some()) {
        return Err(ApiError::forbidden(format!(
            "what {} answered is for the user themselves, with a key or session that may change something",
            action.operation
        )));
    }
    Ok(())
}

/// Ends an action that has not taken effect.
async fn cancel(ask: Ask) -> Result<Response, ApiError> {
    let action = find(&ask).await?;
    let id = action.id;
    if action.status() != ActionStatus::Running {
        return Err(ended(id));
    }
    if !ask.state.actions().cancel(action.key()).await? {
        return Err(ApiError::conflict(format!(
            "the action {id} has taken effect already and cannot be cancelled; undo its change instead"
        )));
    }
    match find(&ask).await?.status() {
        ActionStatus::Canceled => Ok(envelope::empty()),
        _ => Err(ended(id)),
    }
}

fn ended(id: Uuid) -> ApiError {
    ApiError::conflict(format!(
        "the action {id} has ended already; GET /asyncActions/{id}/result has its answer"
    ))
}

/// An action of the caller's own; others' do not exist.
async fn find(ask: &Ask) -> Result<Action, ApiError> {
    let (_, id) = ask.object()?;
    let key = ActionKey { user: ask.caller.uid, id };
    let action = ask.state.store().read().await?.actions().get(ask.state.clock(), key).await?;
    action.ok_or_else(|| ApiError::absent("action", id))
}
