//! `GET /infrastructure/backupServers`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{BackupServer, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::BACKUP_SERVERS;

/// Lists the backup servers that the caller sees.
#[utoipa::path(
    get, path = "/infrastructure/backupServers", operation_id = "GetBackupServers",
    responses((status = 200, description = "A page of backup servers", body = Envelope<Vec<BackupServer>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &BACKUP_SERVERS, OFFER)?;
    let page = state.store().read().await?.servers().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, BackupServer::from)
}
