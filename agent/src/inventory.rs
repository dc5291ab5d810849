//! What a driver found, and what of it the host does not know yet.
//!
//! A driver answers with the engine's whole state each time; only the difference against what was spooled goes up.
//! `delta` finds it, `batch` cuts it into batches that the protocol allows.

mod batch;
mod delta;
mod fit;
pub(crate) mod object;

use keelson_proto::v1::{
    Backup, BackupServer, Cloud, Job, JobSession, License, Machine, Repository, RestorePoint, Vb365Object,
    Workload,
};

pub use batch::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS};
pub use delta::{Addition, Digest, Known, addition};
pub use object::{CloudKind, ObjectId};

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
    pub backups: Vec<Backup>,
    /// Each of them belongs to one of the workloads.
    pub restore_points: Vec<RestorePoint>,
    /// What its jobs did lately. One that is left out later was not undone: the host keeps what it was told.
    pub sessions: Vec<JobSession>,
    /// The server's licence, if it has one.
    pub license: Option<License>,
    /// The machine, where there is more to say of it than its name.
    pub machine: Option<Machine>,
    /// What a Microsoft 365 server protects.
    pub vb365_objects: Vec<Vb365Object>,
    /// What a Cloud Connect server has; what others refer to comes before them.
    pub cloud: Vec<Cloud>,
}
