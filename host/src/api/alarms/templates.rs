//! `GET /alarms/templates`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{Alarm, TEMPLATE};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::ALARM_TEMPLATES;

/// Lists the alarm templates.
#[utoipa::path(
    get, path = "/alarms/templates", operation_id = "GetAlarms",
    responses((status = 200, description = "A page of alarm templates", body = Envelope<Vec<Alarm>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &ALARM_TEMPLATES, TEMPLATE)?;
    let page = state.store().read().await?.templates().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, Alarm::from)
}
