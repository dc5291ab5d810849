//! `GET /protectedWorkloads/computersManagedByConsole`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{COMPUTER, ProtectedComputerManagedByConsole};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::COMPUTERS;

/// Lists the protected computers that the caller sees.
#[utoipa::path(
    get, path = "/protectedWorkloads/computersManagedByConsole", operation_id = "GetProtectedComputersManagedByConsole",
    responses((status = 200, description = "A page of computers", body = Envelope<Vec<ProtectedComputerManagedByConsole>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &COMPUTERS, COMPUTER)?;
    let page = state.store().read().await?.workloads().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, ProtectedComputerManagedByConsole::from)
}
