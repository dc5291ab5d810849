//! What agents send: one batch, one transaction. The agent's offset moves in the same transaction, so that a batch counts
//! once however often it is sent.

use uuid::Uuid;

use super::bulk::{BulkStatement, Column, Type};
use super::list::Value;
use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{self, AgentUid, CompanyUid};

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
    SWEEP_COUNTS = "UPDATE workloads SET \
        newest_restore_point = (SELECT max(r.created_at) FROM restore_points r WHERE r.workload_uid = workloads.uid), \
        restore_points = (SELECT count(*) FROM restore_points r WHERE r.workload_uid = workloads.uid), \
        due_at = $2, revision = revision + 1 WHERE agent_uid = $1";
}

const PUT_SERVERS: BulkStatement = BulkStatement {
    name: "store::ingest::PUT_SERVERS",
    fixed: &[("agent", Type::Uuid), ("company", Type::Uuid), ("epoch", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("engine", Type::Text),
        ("version", Type::Text),
    ],
    text: "INSERT INTO backup_servers (uid, agent_uid, company_uid, name, name_folded, key, engine, version, epoch) \
        SELECT uid, :agent, :company, name, name_folded, key, engine, version, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
        engine = excluded.engine, version = excluded.version, epoch = excluded.epoch",
};

const PUT_WORKLOADS: BulkStatement = BulkStatement {
    name: "store::ingest::PUT_WORKLOADS",
    fixed: &[("agent", Type::Uuid), ("company", Type::Uuid), ("epoch", Type::Int), ("now", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("kind", Type::Text),
        ("operation_mode", Type::Text),
        ("backed_up_items", Type::Text),
    ],
    text: "INSERT INTO workloads (uid, server_uid, agent_uid, company_uid, key, name, name_folded, kind, \
        operation_mode, backed_up_items, first_seen, restore_points, epoch, due_at, revision) \
        SELECT uid, server_uid, :agent, :company, key, name, name_folded, kind, operation_mode, backed_up_items, \
        :now, 0, :epoch, :now, 0 FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
        kind = excluded.kind, operation_mode = excluded.operation_mode, backed_up_items = excluded.backed_up_items, \
        epoch = excluded.epoch, gone_at = NULL, due_at = :now, revision = workloads.revision + 1",
};

const PUT_POINTS: BulkStatement = BulkStatement {
    name: "store::ingest::PUT_POINTS",
    fixed: &[("epoch", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("workload_uid", Type::Uuid),
        ("key", Type::Text),
        ("created_at", Type::Int),
        ("size", Type::Int),
        ("source_size", Type::Int),
        ("destination", Type::Text),
    ],
    text: "INSERT INTO restore_points (uid, workload_uid, key, created_at, size, source_size, destination, epoch) \
        SELECT uid, workload_uid, key, created_at, size, source_size, destination, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (workload_uid, key) DO UPDATE SET created_at = excluded.created_at, size = excluded.size, \
        source_size = excluded.source_size, destination = excluded.destination, epoch = excluded.epoch",
};

const DROP_POINTS: BulkStatement = BulkStatement {
    name: "store::ingest::DROP_POINTS",
    fixed: &[],
    columns: &[("workload_uid", Type::Uuid), ("key", Type::Text)],
    text: "DELETE FROM restore_points WHERE (workload_uid, key) IN (SELECT workload_uid, key FROM input)",
};

const CLEAR_POINTS: BulkStatement = BulkStatement {
    name: "store::ingest::CLEAR_POINTS",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM restore_points WHERE workload_uid IN (SELECT uid FROM input)",
};

const MARK_GONE: BulkStatement = BulkStatement {
    name: "store::ingest::MARK_GONE",
    fixed: &[("now", Type::Int)],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE workloads SET gone_at = :now, due_at = :now, revision = revision + 1 \
        WHERE uid IN (SELECT uid FROM input) AND gone_at IS NULL",
};

/// The newest restore point is read back, not remembered: right whatever was added or removed, one index look-up each.
const REFRESH: BulkStatement = BulkStatement {
    name: "store::ingest::REFRESH",
    fixed: &[("now", Type::Int)],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE workloads SET \
        newest_restore_point = (SELECT max(r.created_at) FROM restore_points r WHERE r.workload_uid = workloads.uid), \
        restore_points = (SELECT count(*) FROM restore_points r WHERE r.workload_uid = workloads.uid), \
        due_at = :now, revision = revision + 1 WHERE uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] =
    &[PUT_SERVERS, PUT_WORKLOADS, PUT_POINTS, DROP_POINTS, CLEAR_POINTS, MARK_GONE, REFRESH];

/// Where an agent's stream of batches stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Offset {
    /// Grows each time the agent starts over.
    pub epoch: i64,
    /// From 1 in each epoch; 0 before the first.
    pub sequence: i64,
}

/// A server, as reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFact {
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// `restic`, …
    pub engine: String,
    /// The engine's.
    pub version: String,
}

/// A workload, as reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadFact {
    /// The server's key.
    pub server: String,
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// `computer`, …
    pub kind: String,
    /// `Server`, `Workstation`, `Unknown`.
    pub operation_mode: String,
    /// In words.
    pub backed_up_items: String,
}

/// A restore point, as reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePointFact {
    /// The server's key.
    pub server: String,
    /// The workload's key.
    pub workload: String,
    /// The engine's own id.
    pub key: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Bytes stored.
    pub size: Option<i64>,
    /// Bytes protected.
    pub source_size: Option<i64>,
    /// Where it lies.
    pub destination: String,
}

/// The net effect of one batch: each key at most once in each list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// New or changed.
    pub servers: Vec<ServerFact>,
    /// New or changed.
    pub workloads: Vec<WorkloadFact>,
    /// New or changed.
    pub restore_points: Vec<RestorePointFact>,
    /// (server, key) of workloads that ceased to be at some time, whether or not they came back: their restore points of
    /// before are no more.
    pub workloads_cleared: Vec<(String, String)>,
    /// (server, key) of workloads that are no more.
    pub workloads_gone: Vec<(String, String)>,
    /// (server, workload, key) of restore points that are no more.
    pub restore_points_gone: Vec<(String, String, String)>,
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
        let writer = Writer { agent: agent.0.0, company: agent.1.0 };
        let mut touched = writer.clear_points(self.0, &facts.workloads_cleared).await?;
        writer.put_servers(self.0, epoch, &facts.servers).await?;
        writer.put_workloads(self.0, epoch, clock.now_ms(), &facts.workloads).await?;
        touched.extend(writer.put_points(self.0, clock, epoch, &facts.restore_points).await?);
        touched.extend(writer.drop_points(self.0, &facts.restore_points_gone).await?);
        touched.sort_unstable();
        touched.dedup();
        REFRESH.execute(self.0, &[Value::Integer(clock.now_ms())], &[Column::Uuid(touched)]).await?;
        writer.mark_gone(self.0, clock.now_ms(), &facts.workloads_gone).await?;
        if facts.complete {
            writer.sweep(self.0, clock.now_ms(), epoch).await?;
        }
        Ok(())
    }
}

/// Whose facts are being written.
struct Writer {
    agent: Uuid,
    company: Uuid,
}

impl Writer {
    fn server(&self, key: &str) -> Uuid {
        id::derived(self.agent, key)
    }

    fn workload(&self, server: &str, key: &str) -> Uuid {
        id::derived(self.server(server), key)
    }

    async fn put_servers(&self, tx: &mut Tx, epoch: i64, facts: &[ServerFact]) -> Result<(), StoreError> {
        let text = |of: fn(&ServerFact) -> String| Column::Text(facts.iter().map(of).collect());
        let columns = [
            Column::Uuid(facts.iter().map(|fact| self.server(&fact.key)).collect()),
            text(|fact| fact.key.clone()),
            text(|fact| fact.name.clone()),
            text(|fact| fact.name.to_lowercase()),
            text(|fact| fact.engine.clone()),
            text(|fact| fact.version.clone()),
        ];
        let fixed = [Value::Uuid(self.agent), Value::Uuid(self.company), Value::Integer(epoch)];
        PUT_SERVERS.execute(tx, &fixed, &columns).await?;
        Ok(())
    }

    async fn put_workloads(
        &self,
        tx: &mut Tx,
        epoch: i64,
        now: i64,
        facts: &[WorkloadFact],
    ) -> Result<(), StoreError> {
        let text = |of: fn(&WorkloadFact) -> String| Column::Text(facts.iter().map(of).collect());
        let columns = [
            Column::Uuid(facts.iter().map(|fact| self.workload(&fact.server, &fact.key)).collect()),
            Column::Uuid(facts.iter().map(|fact| self.server(&fact.server)).collect()),
            text(|fact| fact.key.clone()),
            text(|fact| fact.name.clone()),
            text(|fact| fact.name.to_lowercase()),
            text(|fact| fact.kind.clone()),
            text(|fact| fact.operation_mode.clone()),
            text(|fact| fact.backed_up_items.clone()),
        ];
        let fixed =
            [Value::Uuid(self.agent), Value::Uuid(self.company), Value::Integer(epoch), Value::Integer(now)];
        PUT_WORKLOADS.execute(tx, &fixed, &columns).await?;
        Ok(())
    }

    async fn put_points(
        &self,
        tx: &mut Tx,
        clock: &dyn Clock,
        epoch: i64,
        facts: &[RestorePointFact],
    ) -> Result<Vec<Uuid>, StoreError> {
        let workloads: Vec<Uuid> =
            facts.iter().map(|fact| self.workload(&fact.server, &fact.workload)).collect();
        let columns = [
            Column::Uuid(facts.iter().map(|_| id::fresh(clock)).collect()),
            Column::Uuid(workloads.clone()),
            Column::Text(facts.iter().map(|fact| fact.key.clone()).collect()),
            Column::Int(facts.iter().map(|fact| fact.created_at).collect()),
            Column::MaybeInt(facts.iter().map(|fact| fact.size).collect()),
            Column::MaybeInt(facts.iter().map(|fact| fact.source_size).collect()),
            Column::Text(facts.iter().map(|fact| fact.destination.clone()).collect()),
        ];
        PUT_POINTS.execute(tx, &[Value::Integer(epoch)], &columns).await?;
        Ok(workloads)
    }

    async fn drop_points(
        &self,
        tx: &mut Tx,
        gone: &[(String, String, String)],
    ) -> Result<Vec<Uuid>, StoreError> {
        let workloads: Vec<Uuid> =
            gone.iter().map(|(server, workload, _)| self.workload(server, workload)).collect();
        let keys = gone.iter().map(|(_, _, key)| key.clone()).collect();
        DROP_POINTS.execute(tx, &[], &[Column::Uuid(workloads.clone()), Column::Text(keys)]).await?;
        Ok(workloads)
    }

    async fn clear_points(
        &self,
        tx: &mut Tx,
        workloads: &[(String, String)],
    ) -> Result<Vec<Uuid>, StoreError> {
        let workloads: Vec<Uuid> = workloads.iter().map(|(server, key)| self.workload(server, key)).collect();
        CLEAR_POINTS.execute(tx, &[], &[Column::Uuid(workloads.clone())]).await?;
        Ok(workloads)
    }

    async fn mark_gone(&self, tx: &mut Tx, now: i64, gone: &[(String, String)]) -> Result<(), StoreError> {
        let workloads = gone.iter().map(|(server, key)| self.workload(server, key)).collect();
        MARK_GONE.execute(tx, &[Value::Integer(now)], &[Column::Uuid(workloads)]).await?;
        Ok(())
    }

    async fn sweep(&self, tx: &mut Tx, now: i64, epoch: i64) -> Result<(), StoreError> {
        on!(tx, db => sqlx::query(SWEEP_WORKLOADS)
            .bind(self.agent)
            .bind(epoch)
            .bind(now)
            .execute(db)
            .await?
            .rows_affected());
        for statement in [SWEEP_POINTS, SWEEP_SERVERS] {
            on!(tx, db => sqlx::query(statement).bind(self.agent).bind(epoch).execute(db).await?.rows_affected());
        }
        on!(tx, db => sqlx::query(SWEEP_COUNTS).bind(self.agent).bind(now).execute(db).await?.rows_affected());
        Ok(())
    }
}
