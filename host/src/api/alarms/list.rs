//! `GET /alarms/active`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{ACTIVE, ActiveAlarm};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::ALARMS;

/// Lists the alarms that the caller sees, resolved ones too: filter by `lastActivation.status`.
#[utoipa::path(
    get, path = "/alarms/active", operation_id = "GetActiveAlarms",
    responses((status = 200, description = "A page of alarms", body = Envelope<Vec<ActiveAlarm>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &ALARMS, ACTIVE)?;
    let page = state.store().read().await?.alarms().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, ActiveAlarm::from)
}
