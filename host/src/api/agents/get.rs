//! `GET /infrastructure/managementAgents/{managementAgentUid}`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{ManagementAgent, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::PathUid;
use crate::api::query::Shape;
use crate::id::AgentUid;

/// One management agent.
#[utoipa::path(
    get, path = "/infrastructure/managementAgents/{managementAgentUid}", operation_id = "GetManagementAgent",
    params(("managementAgentUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "The agent", body = Envelope<ManagementAgent>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    caller: Caller,
    PathUid(uid): PathUid<AgentUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let agent = state.store().read().await?.agents().get(&caller.scope, uid).await?;
    let agent = agent.ok_or_else(|| ApiError::absent("management agent", uid))?;
    envelope::one(&ManagementAgent::from(agent), &shape)
}
