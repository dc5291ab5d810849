//! `GET /infrastructure/backupServers/{backupServerUid}`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{BackupServer, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::PathUid;
use crate::api::query::Shape;
use crate::id::BackupServerUid;

/// One backup server.
#[utoipa::path(
    get, path = "/infrastructure/backupServers/{backupServerUid}", operation_id = "GetBackupServer",
    params(("backupServerUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "The backup server", body = Envelope<BackupServer>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    caller: Caller,
    PathUid(uid): PathUid<BackupServerUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let server = state.store().read().await?.servers().get(&caller.scope, uid).await?;
    let server = server.ok_or_else(|| ApiError::absent("backup server", uid))?;
    envelope::one(&BackupServer::from(server), &shape)
}
