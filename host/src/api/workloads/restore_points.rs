//! `GET /protectedWorkloads/computersManagedByConsole/restorePoints`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{ProtectedComputerManagedByConsoleRestorePoint, RESTORE_POINT};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::RESTORE_POINTS;

/// Lists restore points of the computers that the caller sees.
#[utoipa::path(
    get, path = "/protectedWorkloads/computersManagedByConsole/restorePoints", operation_id = "GetProtectedComputersManagedByConsoleRestorePoints",
    responses((status = 200, description = "A page of restore points", body = Envelope<Vec<ProtectedComputerManagedByConsoleRestorePoint>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &RESTORE_POINTS, RESTORE_POINT)?;
    let page = state.store().read().await?.restore_points().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, ProtectedComputerManagedByConsoleRestorePoint::from)
}
