//! What agents send: one batch, one transaction. The agent's offset moves in the same transaction, so that a batch counts
//! once however often it is sent.

use uuid::Uuid;

use super::infrastructure::{
    self, BackupFact, BackupKey, BackupRepositoryFact, ComputerFact, JobFact, LicenseFact, RestorePointFact,
    ServerFact, SessionFact, Source, Vb365Fact, WorkloadFact,
};
use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{AgentUid, CompanyUid};

statements! {
    ADVANCE = "UPDATE agents SET epoch = $2, sequence = $3 \
        WHERE uid = $1 AND ((epoch < $2 AND $3 = 1) OR (epoch = $2 AND sequence = $3 - 1))";
    OFFSET = "SELECT epoch, sequence FROM agents WHERE uid = $1";
    SWEEP_WORKLOADS = "UPDATE workloads SET gone_at = $3, due_at = $3, revision = revision + 1 \
        WHERE agent_uid = $1 AND epoch < $2 AND gone_at IS NULL";
    SWEEP_POINTS = "DELETE FROM restore_points WHERE epoch < $2 \
        AND workload_uid IN (SELECT uid FROM workloads WHERE agent_uid = $1)";
    SWEEP_SERVERS = "DELETE FROM backup_servers WHERE agent_uid = $1 AND epoch < $2 \
        AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.server_uid = backup_servers.uid)";
    SWEEP_BACKUPS = "DELETE FROM workload_backups WHERE agent_uid = $1 AND epoch < $2";
    SWEEP_JOBS = "DELETE FROM backup_jobs WHERE agent_uid = $1 AND epoch < $2";
    SWEEP_LICENSES = "DELETE FROM server_licenses WHERE agent_uid = $1 AND epoch < $2";
    SWEEP_REPOSITORIES = "DELETE FROM backup_repositories WHERE agent_uid = $1 AND epoch < $2";
    SWEEP_VB365 = "DELETE FROM vb365_objects WHERE agent_uid = $1 AND epoch < $2";
}

/// Where an agent's stream of batches stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Offset {
    /// Grows each time the agent starts over.
    pub epoch: i64,
    /// From 1 in each epoch; 0 before the first.
    pub sequence: i64,
}

/// The net effect of one batch: each key at most once in each list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The machine, where the agent says more of it than its name.
    pub computer: Option<ComputerFact>,
    /// New or changed.
    pub servers: Vec<ServerFact>,
    /// New or changed.
    pub licenses: Vec<LicenseFact>,
    /// New or changed.
    pub repositories: Vec<BackupRepositoryFact>,
    /// New or changed.
    pub jobs: Vec<JobFact>,
    /// New or changed.
    pub sessions: Vec<SessionFact>,
    /// New or changed.
    pub workloads: Vec<WorkloadFact>,
    /// New or changed.
    pub backups: Vec<BackupFact>,
    /// New or changed.
    pub restore_points: Vec<RestorePointFact>,
    /// New or changed.
    pub vb365_objects: Vec<Vb365Fact>,
    /// Keys of servers that have no licence any more.
    pub licenses_gone: Vec<String>,
    /// (server, key) of repositories that are no more.
    pub repositories_gone: Vec<(String, String)>,
    /// (server, key) of jobs that are no more.
    pub jobs_gone: Vec<(String, String)>,
    /// (server, key) of workloads that ceased to be at some time, whether or not they came back: their backups and restore
    /// points of before are no more.
    pub workloads_cleared: Vec<(String, String)>,
    /// (server, key) of workloads that are no more.
    pub workloads_gone: Vec<(String, String)>,
    /// Backups that are no more.
    pub backups_gone: Vec<BackupKey>,
    /// (server, workload, key) of restore points that are no more.
    pub restore_points_gone: Vec<(String, String, String)>,
    /// Keys of Microsoft 365 objects that are no more.
    pub vb365_objects_gone: Vec<String>,
    /// The epoch's inventory is whole: what it did not mention is no more.
    pub complete: bool,
}

/// What agents send, seen through a transaction.
#[derive(Debug)]
pub struct Ingest<'t>(pub(super) &'t mut Tx);

impl Ingest<'_> {
    /// Where the agent's stream stands.
    pub async fn offset(&mut self, agent: AgentUid) -> Result<Option<Offset>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(OFFSET).bind(agent).fetch_optional(db).await?);
        Ok(row)
    }

    /// Moves the agent's offset to `to`, if that is what comes next; false leaves everything as it was.
    pub async fn advance(&mut self, agent: AgentUid, to: Offset) -> Result<bool, StoreError> {
        let moved = on!(self.0, db => sqlx::query(ADVANCE)
            .bind(agent)
            .bind(to.epoch)
            .bind(to.sequence)
            .execute(db)
            .await?
            .rows_affected());
        Ok(moved == 1)
    }

    /// Stores the facts of a batch of `epoch`.
    pub async fn store(
        &mut self,
        clock: &dyn Clock,
        agent: (AgentUid, CompanyUid),
        epoch: i64,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        let source = Source { agent: agent.0, company: agent.1, epoch };
        let now = clock.now_ms();
        if let Some(computer) = &facts.computer {
            self.0.infrastructure().put_computers(&[(agent.0, computer.clone())]).await?;
        }
        put_servers(self.0, &source, facts).await?;
        let mut touched = put_workloads(self.0, clock, &source, facts).await?;
        infrastructure::vb365::put(self.0, &source, &facts.vb365_objects).await?;
        infrastructure::vb365::forget(self.0, &source, &facts.vb365_objects_gone).await?;
        touched.sort_unstable();
        touched.dedup();
        infrastructure::newest::refresh(self.0, now, touched).await?;
        infrastructure::workloads::mark_gone(self.0, &source, now, &facts.workloads_gone).await?;
        if facts.complete {
            sweep(self.0, now, &source).await?;
        }
        Ok(())
    }
}

/// Servers, and what belongs to a server alone.
async fn put_servers(tx: &mut Tx, source: &Source, facts: &Facts) -> Result<(), StoreError> {
    infrastructure::servers::put(tx, source, &facts.servers).await?;
    infrastructure::licenses::forget(tx, source, &facts.licenses_gone).await?;
    infrastructure::licenses::put(tx, source, &facts.licenses).await?;
    infrastructure::repositories::forget(tx, source, &facts.repositories_gone).await?;
    infrastructure::repositories::put(tx, source, &facts.repositories).await?;
    infrastructure::jobs::forget(tx, source, &facts.jobs_gone).await?;
    infrastructure::jobs::put(tx, source, &facts.jobs).await?;
    infrastructure::sessions::put(tx, source, &facts.sessions).await
}

/// Workloads and what hangs on them; the workloads whose newest restore point may be another one now.
async fn put_workloads(
    tx: &mut Tx,
    clock: &dyn Clock,
    source: &Source,
    facts: &Facts,
) -> Result<Vec<Uuid>, StoreError> {
    let cleared = facts.workloads_cleared.iter().map(|(server, key)| source.workload(server, key));
    let mut touched: Vec<Uuid> = cleared.collect();
    infrastructure::points::clear(tx, touched.clone()).await?;
    infrastructure::backups::clear(tx, touched.clone()).await?;
    infrastructure::workloads::put(tx, source, clock.now_ms(), &facts.workloads).await?;
    infrastructure::backups::forget(tx, source, &facts.backups_gone).await?;
    touched.extend(infrastructure::backups::put(tx, source, &facts.backups).await?);
    touched.extend(infrastructure::points::put(tx, clock, source, &facts.restore_points).await?);
    touched.extend(infrastructure::points::forget(tx, source, &facts.restore_points_gone).await?);
    Ok(touched)
}

/// The inventory is whole: what it did not mention is no more.
async fn sweep(tx: &mut Tx, now: i64, source: &Source) -> Result<(), StoreError> {
    on!(tx, db => sqlx::query(SWEEP_WORKLOADS)
        .bind(source.agent)
        .bind(source.epoch)
        .bind(now)
        .execute(db)
        .await?
        .rows_affected());
    let statements = [
        SWEEP_POINTS,
        SWEEP_BACKUPS,
        SWEEP_JOBS,
        SWEEP_LICENSES,
        SWEEP_REPOSITORIES,
        SWEEP_VB365,
        SWEEP_SERVERS,
    ];
    for statement in statements {
        on!(tx, db => sqlx::query(statement)
            .bind(source.agent)
            .bind(source.epoch)
            .execute(db)
            .await?
            .rows_affected());
    }
    infrastructure::newest::refresh_agent(tx, now, source.agent).await
}
