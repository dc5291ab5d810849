//! What a driver found, and what of it the host does not know yet.
//!
//! A driver answers with the engine's whole state each time; only the difference against what was spooled goes up.
//! `delta` finds it, `batch` cuts it into batches that the protocol allows.

mod batch;
mod delta;

use keelson_proto::v1::{BackupServer, Job, Repository, RestorePoint, Workload};

pub use batch::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS};
pub use delta::{Addition, Digest, Known, ObjectId, addition};

/// The full state of a backup server, as its engine tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// The server itself.
    pub server: BackupServer,
    /// Where it keeps backups.
    pub repositories: Vec<Repository>,
    /// What it runs.
    pub jobs: Vec<Job>,
    /// Each of them has this server's key.
    pub workloads: Vec<Workload>,
    /// Each of them belongs to one of the workloads.
    pub restore_points: Vec<RestorePoint>,
}
