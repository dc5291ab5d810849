//! What agents send: batches of many agents, one transaction. The agent's offset moves in the same transaction, so that a batch counts
//! once however often it is sent.

use std::collections::HashSet;

use uuid::Uuid;

use super::bulk::{BulkStatement, Type, columns};
use super::infrastructure::{
    self, BackupFact, BackupKey, BackupRepositoryFact, ComputerFact, JobFact, LicenseFact, Of,
    RestorePointFact, ServerFact, SessionFact, Source, Vb365Fact, WorkloadFact,
};
use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::AgentUid;

mod vanished;

statements! {
    MARK_GAP = "UPDATE agents SET gap_seen_at = $2, gap_reason = $3 WHERE uid = $1";
    OFFSET = "SELECT epoch, sequence FROM agents WHERE uid = $1";
    SWEEP_WORKLOADS = "UPDATE workloads SET gone_at = $3 WHERE agent_uid = $1 AND epoch < $2 AND gone_at IS NULL";
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

const ADVANCE: BulkStatement = BulkStatement {
    name: "store::ingest::ADVANCE",
    fixed: &[],
    columns: &[("uid", Type::Uuid), ("epoch", Type::Int), ("after", Type::Int), ("sequence", Type::Int)],
    text: "UPDATE agents SET epoch = input.epoch, sequence = input.sequence FROM input WHERE agents.uid = input.uid \
        AND ((agents.epoch < input.epoch AND input.after = 0) \
        OR (agents.epoch = input.epoch AND agents.sequence = input.after)) RETURNING agents.uid",
};

pub(super) const BULK: &[BulkStatement] = &[ADVANCE];

/// All statements of this area.
pub(super) const ALL: [&[(&str, &str)]; 2] = [STATEMENTS, vanished::STATEMENTS];

/// An agent's step: one batch, or several that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Whose.
    pub agent: AgentUid,
    /// The sequence before the first of them; 0 at the beginning of an epoch.
    pub after: i64,
    /// The last of them.
    pub to: Offset,
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
    /// What the agent told this database before and cannot tell again, in words.
    pub gap: Option<String>,
    /// The epoch's inventory is whole: what it did not mention is no more.
    pub complete: bool,
}

impl Facts {
    /// How many there are.
    pub fn len(&self) -> usize {
        let present = self.servers.len()
            + self.licenses.len()
            + self.repositories.len()
            + self.jobs.len()
            + self.sessions.len()
            + self.workloads.len()
            + self.backups.len()
            + self.restore_points.len()
            + self.vb365_objects.len();
        let gone = self.licenses_gone.len()
            + self.repositories_gone.len()
            + self.jobs_gone.len()
            + self.workloads_cleared.len()
            + self.backups_gone.len()
            + self.restore_points_gone.len()
            + self.vb365_objects_gone.len();
        present + gone
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.computer.is_none() && self.gap.is_none() && !self.complete
    }
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

    /// Moves the agents' offsets, where that is what comes next; those that were moved. Each agent is named once.
    pub async fn advance(&mut self, steps: &[Move]) -> Result<HashSet<AgentUid>, StoreError> {
        let columns = columns!(steps, to => {
            Uuid to.agent.0,
            Int to.to.epoch,
            Int to.after,
            Int to.to.sequence,
        });
        let moved: Vec<(AgentUid,)> = ADVANCE.fetch(self.0, &[], &columns).await?;
        Ok(moved.into_iter().map(|(agent,)| agent).collect())
    }

    /// Asks agents once more for what was gone at once, when it was held for long enough.
    pub async fn ask_for_the_vanished(&mut self, clock: &dyn Clock) -> Result<(), StoreError> {
        vanished::ask_again(self.0, clock).await
    }

    /// Stores the facts of batches, each of an agent of its own: as many statements as one batch needs.
    pub async fn store(&mut self, clock: &dyn Clock, parts: &[(Source, &Facts)]) -> Result<(), StoreError> {
        let now = clock.now_ms();
        let machines =
            parts.iter().filter_map(|(source, facts)| Some((source.agent, facts.computer.clone()?)));
        self.0.infrastructure().put_computers(&machines.collect::<Vec<_>>()).await?;
        put_servers(self.0, parts).await?;
        let Changed { mut marked, mut touched } = put_workloads(self.0, clock, parts).await?;
        infrastructure::vb365::put(self.0, &of(parts, |facts| &facts.vb365_objects)).await?;
        infrastructure::vb365::forget(self.0, &of(parts, |facts| &facts.vb365_objects_gone)).await?;
        touched.sort_unstable();
        touched.dedup();
        infrastructure::newest::refresh(self.0, touched.clone()).await?;
        let gone = of(parts, |facts| &facts.workloads_gone);
        marked.extend(infrastructure::workloads::mark_gone(self.0, now, &gone).await?);
        marked.extend(touched);
        marked.sort_unstable();
        marked.dedup();
        self.0.due().mark(now, marked).await?;
        for (source, facts) in parts {
            if let Some(reason) = &facts.gap {
                mark_gap(self.0, now, source, reason).await?;
            }
            if facts.complete {
                sweep(self.0, now, source).await?;
            }
        }
        Ok(())
    }
}

async fn mark_gap(tx: &mut Tx, now: i64, source: &Source, reason: &str) -> Result<(), StoreError> {
    on!(tx, db => sqlx::query(MARK_GAP)
        .bind(source.agent)
        .bind(now)
        .bind(reason)
        .execute(db)
        .await?
        .rows_affected());
    Ok(())
}

/// The facts of one kind of all batches.
fn of<'f, F>(parts: &[(Source, &'f Facts)], kind: impl Fn(&'f Facts) -> &'f Vec<F>) -> Vec<Of<'f, F>> {
    let all =
        parts.iter().flat_map(|(source, facts)| kind(facts).iter().map(|fact| Of { source: *source, fact }));
    all.collect()
}

/// Servers, and what belongs to a server alone.
async fn put_servers(tx: &mut Tx, parts: &[(Source, &Facts)]) -> Result<(), StoreError> {
    infrastructure::servers::put(tx, &of(parts, |facts| &facts.servers)).await?;
    infrastructure::licenses::forget(tx, &of(parts, |facts| &facts.licenses_gone)).await?;
    infrastructure::licenses::put(tx, &of(parts, |facts| &facts.licenses)).await?;
    infrastructure::repositories::forget(tx, &of(parts, |facts| &facts.repositories_gone)).await?;
    infrastructure::repositories::put(tx, &of(parts, |facts| &facts.repositories)).await?;
    infrastructure::jobs::forget(tx, &of(parts, |facts| &facts.jobs_gone)).await?;
    infrastructure::jobs::put(tx, &of(parts, |facts| &facts.jobs)).await?;
    infrastructure::sessions::put(tx, &of(parts, |facts| &facts.sessions)).await
}

/// Workloads of which something was said.
struct Changed {
    /// Of themselves.
    marked: Vec<Uuid>,
    /// Of their restore points: the newest may be another one now.
    touched: Vec<Uuid>,
}

/// Workloads and what hangs on them.
async fn put_workloads(
    tx: &mut Tx,
    clock: &dyn Clock,
    parts: &[(Source, &Facts)],
) -> Result<Changed, StoreError> {
    let cleared = of(parts, |facts| &facts.workloads_cleared);
    let cleared = cleared.iter().map(|Of { source, fact: (server, key) }| source.workload(server, key));
    let mut touched: Vec<Uuid> = cleared.collect();
    infrastructure::points::clear(tx, touched.clone()).await?;
    infrastructure::backups::clear(tx, touched.clone()).await?;
    let workloads = of(parts, |facts| &facts.workloads);
    let marked = infrastructure::workloads::put(tx, clock.now_ms(), &workloads).await?;
    infrastructure::backups::forget(tx, &of(parts, |facts| &facts.backups_gone)).await?;
    touched.extend(infrastructure::backups::put(tx, &of(parts, |facts| &facts.backups)).await?);
    let points = of(parts, |facts| &facts.restore_points);
    touched.extend(infrastructure::points::put(tx, clock, &points).await?);
    let gone = of(parts, |facts| &facts.restore_points_gone);
    touched.extend(infrastructure::points::forget(tx, &gone).await?);
    Ok(Changed { marked, touched })
}

/// The inventory is whole: what it did not mention is no more, unless that is most of all.
async fn sweep(tx: &mut Tx, now: i64, source: &Source) -> Result<(), StoreError> {
    if vanished::is_held(tx, now, source).await? {
        return Ok(());
    }
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
    infrastructure::newest::refresh_agent(tx, source.agent).await?;
    tx.due().mark_agent(now, source.agent).await
}
