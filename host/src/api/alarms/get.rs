//! `GET /alarms/active/{activeAlarmUid}`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{ACTIVE, ActiveAlarm};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::PathUid;
use crate::api::query::Shape;
use crate::id::AlarmUid;

/// One alarm.
#[utoipa::path(
    get, path = "/alarms/active/{activeAlarmUid}", operation_id = "GetActiveAlarm",
    params(("activeAlarmUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "The alarm", body = Envelope<ActiveAlarm>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    caller: Caller,
    PathUid(uid): PathUid<AlarmUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), ACTIVE)?;
    let alarm = state.store().read().await?.alarms().get(&caller.scope, uid).await?;
    let alarm = alarm.ok_or_else(|| ApiError::absent("alarm", uid))?;
    envelope::one(&ActiveAlarm::from(alarm), &shape)
}
