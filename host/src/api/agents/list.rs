//! `GET /infrastructure/managementAgents`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{ManagementAgent, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::AGENTS;

/// Lists the management agents that the caller sees.
#[utoipa::path(
    get, path = "/infrastructure/managementAgents", operation_id = "GetManagementAgents",
    responses((status = 200, description = "A page of agents", body = Envelope<Vec<ManagementAgent>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &AGENTS, OFFER)?;
    let page = state.store().read().await?.agents().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, ManagementAgent::from)
}
