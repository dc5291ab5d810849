//! `/infrastructure/backupServers/jobs/{jobUid}/sessions`, ours: what a job did, run by run.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::envelope::{Envelope, Rendered};
use crate::api::error::ApiError;
use crate::store::list::Condition;
use crate::store::{JOB_SESSIONS, JOBS};

/// One run of a job. Sessions are kept for 32 days.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupServerJobSession {
    /// Its id.
    instance_uid: Uuid,
    /// The job's id.
    job_uid: Uuid,
    /// The job's name when it ran.
    job_name: String,
    /// A word of `BackupServerJobType`.
    job_type: String,
    /// The server's id.
    backup_server_uid: Uuid,
    /// Whose server it is.
    organization_uid: Uuid,
    /// A word of `BackupServerJobStatus`.
    status: String,
    /// When it began.
    #[schema(format = DateTime)]
    start_time: String,
    /// When it was over.
    #[schema(format = DateTime)]
    end_time: Option<String>,
    /// Seconds.
    duration: Option<i64>,
    /// What went wrong.
    failure_message: Option<String>,
    /// What it did to each object: `BackupServerJobSessionTask`s.
    tasks: Vec<Value>,
}

/// What a job did, run by run.
#[utoipa::path(
    get, path = "/infrastructure/backupServers/jobs/{jobUid}/sessions", operation_id = "GetBackupServerJobSessions",
    params(("jobUid" = Uuid, Path)),
    responses((status = 200, description = "Its sessions", body = Envelope<Vec<BackupServerJobSession>>)),
)]
pub(super) async fn list(ask: Ask) -> Result<Rendered, ApiError> {
    let job = ask.uid("jobUid")?;
    let mut tx = ask.state.store().read().await?;
    // Whoever sees the job sees what it did, also one that is mapped to a company on another's server.
    ask.must_see(&mut tx, &JOBS, job).await?;
    let of = ask.belongs(&JOB_SESSIONS, "jobUid", "jobUid")?;
    ask.page(&mut tx, &JOB_SESSIONS, &Condition::All(vec![of])).await
}
