//! `GET /alarms/templates/{alarmUid}`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{Alarm, TEMPLATE};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::PathUid;
use crate::api::query::Shape;
use crate::id::AlarmTemplateUid;

/// One alarm template.
#[utoipa::path(
    get, path = "/alarms/templates/{alarmUid}", operation_id = "GetAlarm",
    params(("alarmUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "The alarm template", body = Envelope<Alarm>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    caller: Caller,
    PathUid(uid): PathUid<AlarmTemplateUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), TEMPLATE)?;
    let template = state.store().read().await?.templates().get(&caller.scope, uid).await?;
    let template = template.ok_or_else(|| ApiError::absent("alarm template", uid))?;
    envelope::one(&Alarm::from(template), &shape)
}
