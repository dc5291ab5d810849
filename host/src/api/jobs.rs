//! Jobs of backup servers: what they are, and what people may have them do.

use utoipa::OpenApi;

use crate::api::ask::under;
use crate::api::operations::Routes;
use crate::store::{AGENT_JOBS, BACKUP_SERVERS, COPY_JOBS, FILE_SHARE_JOBS, JOBS, REPLICATION_JOBS, VM_JOBS};

mod act;
mod assign;
mod patch;
mod sessions;

pub(crate) use act::stop_all;

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(sessions::list))]
pub(crate) struct Docs;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    let of_server = under("backupServerUid", &BACKUP_SERVERS);
    Routes::default()
        .list("GetBackupServerJobs", &JOBS)
        .get("GetBackupServerJob", &JOBS)
        .list("GetBackupServerBackupVmJobs", &VM_JOBS)
        .get("GetBackupServerBackupVmJob", &VM_JOBS)
        .list("GetBackupServerAgentJobs", &AGENT_JOBS)
        .list("GetBackupServerBackupCopyJobs", &COPY_JOBS)
        .list("GetBackupServerFileShareJobs", &FILE_SHARE_JOBS)
        .list("GetBackupServerReplicationVmJobs", &REPLICATION_JOBS)
        .list_under("GetBackupServerJobByServer", &JOBS, &[of_server])
        .list_under(
            "GetBackupServerBackupVmJobsByServer",
            &VM_JOBS,
            &[of_server.as_property("_embedded.backupServerJob.backupServerUid")],
        )
        .add("GetBackupServerJobSessions", sessions::list)
        .add("PatchBackupServerJob", patch::patch)
        .add("StartBackupServerJob", act::start)
        .add("StopBackupServerJob", act::stop)
        .add("RetryBackupServerJob", act::retry)
        .add("AssignBackupServerJob", assign::assign)
        .add("UnassignBackupServerJob", assign::unassign)
}
