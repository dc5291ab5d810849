//! What stands in tenants' networks and what agents say of it: machines, backup servers, repositories, jobs, workloads, their
//! backups and restore points.
//!
//! **Cast.** `Ingest` (`ingest.rs`) takes an agent's batch apart and hands each kind of fact to its file here, which turns the
//! facts into rows of one bulk statement; the seed generator comes the same way. [`Infrastructure`] is what people change:
//! a job's company, an agent's end. Resources of the API (`store/resources`) read the same tables.
//!
//! **Rows.** Each row carries the agent that reports it and the organisation that sees it, so that no list needs a join to
//! know whose a row is. Ids are derived from the agent's ([`Source`]); what one fact says of another, it says by the engine's
//! keys, so that no agent can point at another's rows.
//!
//! **Detail.** A workload or restore point of a plain engine has few columns and a statement of its own; what only some
//! engines know stands in `details` and comes by a wider statement. The narrow one is what decides the speed of ingest.
//!
//! **Newest.** A workload's newest restore point, count and sizes are read back after each batch (`newest.rs`), and the newest
//! point itself carries a mark: no list looks for a maximum.

use uuid::Uuid;

use super::bulk::BulkStatement;
use super::{StoreError, Tx};
use crate::id::{self, AgentUid, CompanyUid};

mod assignment;
pub(super) mod backups;
mod computers;
pub(super) mod jobs;
pub(super) mod licenses;
pub(super) mod newest;
pub(super) mod points;
mod removal;
pub(super) mod repositories;
pub(super) mod servers;
pub(super) mod sessions;
mod typed_jobs;
pub(super) mod vb365;
pub(super) mod workloads;

pub use assignment::{ServerJob, ServerRole};
pub use backups::{BackupFact, BackupKey};
pub use computers::ComputerFact;
pub use jobs::JobFact;
pub use licenses::LicenseFact;
pub use points::{PointDetails, RestorePointFact};
pub use removal::RemovedAgent;
pub use repositories::BackupRepositoryFact;
pub use servers::{ServerDetails, ServerFact};
pub use sessions::{KEPT as SESSIONS_KEPT, SessionFact};
pub use typed_jobs::{
    AgentJobFact, CopyJobFact, FileShareJobFact, JobDetails, ReplicationJobFact, VmJobFact,
};
pub use vb365::Vb365Fact;
pub use workloads::{WorkloadDetails, WorkloadFact};

/// Every statement with a fixed text.
pub(super) const STATEMENTS: &[&[(&str, &str)]] =
    &[assignment::STATEMENTS, newest::STATEMENTS, removal::STATEMENTS, sessions::STATEMENTS];

/// Every bulk statement.
pub(super) const BULK: &[&[BulkStatement]] = &[
    backups::BULK,
    computers::BULK,
    jobs::BULK,
    licenses::BULK,
    newest::BULK,
    points::BULK,
    repositories::BULK,
    servers::BULK,
    sessions::BULK,
    typed_jobs::BULK,
    vb365::BULK,
    workloads::BULK,
];

/// Who reports: the ids of all that an agent speaks of are made of its own.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The agent.
    pub agent: AgentUid,
    /// The organisation it belongs to.
    pub company: CompanyUid,
    /// Of the batch.
    pub epoch: i64,
}

impl Source {
    /// The backup server with this key.
    pub fn server(&self, key: &str) -> Uuid {
        id::derived(self.agent.0, key)
    }

    /// A server's workload.
    pub fn workload(&self, server: &str, key: &str) -> Uuid {
        id::derived(self.server(server), key)
    }

    /// A workload's backup.
    pub fn backup(&self, server: &str, workload: &str, key: &str) -> Uuid {
        id::derived(self.workload(server, workload), &format!("\0backup\0{key}"))
    }

    /// A server's repository.
    pub fn repository(&self, server: &str, key: &str) -> Uuid {
        self.part(server, "repository", key)
    }

    /// A server's job.
    pub fn job(&self, server: &str, key: &str) -> Uuid {
        self.part(server, "job", key)
    }

    /// Something else of a server that others refer to: a host, a WAN accelerator, an object of its inventory. No key that an
    /// agent sends holds a NUL, so no workload's id is a part's.
    pub fn part(&self, server: &str, kind: &str, key: &str) -> Uuid {
        id::derived(self.server(server), &format!("\0{kind}\0{key}"))
    }

    /// An object of a Microsoft 365 server.
    pub fn vb365(&self, kind: &str, key: &str) -> Uuid {
        id::derived(self.agent.0, &format!("\0vb365\0{kind}\0{key}"))
    }
}

/// Something that an agent said: batches of many agents go into one statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'f, F> {
    pub(super) source: Source,
    pub(super) fact: &'f F,
}

/// A list of words or ids as the database keeps it.
pub(super) fn json_list<T: serde::Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

/// A word of the API, or the API's word for none.
fn known(word: &str) -> String {
    if word.is_empty() { "Unknown".to_owned() } else { word.to_owned() }
}

/// What people change, seen through a transaction.
#[derive(Debug)]
pub struct Infrastructure<'t>(pub(super) &'t mut Tx);

impl Tx {
    /// Machines, backup servers, jobs.
    pub fn infrastructure(&mut self) -> Infrastructure<'_> {
        Infrastructure(self)
    }
}

impl Infrastructure<'_> {
    /// What agents say of their machines.
    pub async fn put_computers(&mut self, computers: &[(AgentUid, ComputerFact)]) -> Result<(), StoreError> {
        computers::put(self.0, computers).await
    }
}
