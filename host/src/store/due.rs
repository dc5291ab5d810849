//! What the rules must look at: rows that changed, and rows whose time has come. Nothing here scans the fleet: both come
//! from the index over `due_at`. What belongs to a company that is not looked after, because it or its reseller is disabled, waits.

use std::collections::HashSet;

use uuid::Uuid;

use super::bulk::{BulkStatement, Column, Type};
use super::list::Value;
use super::{StoreError, Tx, on, statements};
use crate::id::{AgentUid, CompanyUid, LocationUid, WorkloadUid};

// A value of each row rather than a condition: PostgreSQL would join the companies first, with all workloads that there are.
macro_rules! is_looked_after {
    ($of:literal) => {
        concat!(
            "coalesce((SELECT c.status = 'Active' AND coalesce(r.status = 'Active', TRUE) FROM companies c \
            LEFT JOIN resellers r ON r.uid = c.reseller_uid WHERE c.uid = ",
            $of,
            ".company_uid), TRUE)"
        )
    };
}

statements! {
    WORKLOADS = concat!(
        "SELECT w.uid, w.company_uid, a.location_uid, w.agent_uid, w.name, a.host_name, w.kind, \
        w.newest_restore_point, w.first_seen, w.restore_points, w.gone_at, m.revision \
        FROM workload_marks m JOIN workloads w ON w.uid = m.uid JOIN agents a ON a.uid = w.agent_uid \
        WHERE m.due_at <= $1 AND ",
        is_looked_after!("w"),
        " ORDER BY m.due_at NULLS LAST, m.uid LIMIT $2"
    );
    AGENTS = concat!(
        "SELECT uid, company_uid, location_uid, host_name, version, connected, last_heartbeat, enrolled_at, misuse_seen_at, \
        revision \
        FROM agents a WHERE due_at <= $1 AND ",
        is_looked_after!("a"),
        " ORDER BY due_at NULLS LAST, uid LIMIT $2"
    );
    ALL_WORKLOADS = "UPDATE workload_marks SET due_at = 0, revision = revision + 1";
    ALL_AGENTS = "UPDATE agents SET due_at = 0, revision = revision + 1";
    MARK_OF_AGENT = "UPDATE workload_marks SET due_at = $2, revision = revision + 1 \
        WHERE uid IN (SELECT w.uid FROM workloads w WHERE w.agent_uid = $1)";
}

const MARK: BulkStatement = BulkStatement {
    name: "store::due::MARK",
    fixed: &[("now", Type::Int)],
    columns: &[("uid", Type::Uuid)],
    text: "INSERT INTO workload_marks (uid, due_at, revision) \
        SELECT w.uid, :now, 0 FROM input JOIN workloads w ON w.uid = input.uid WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET due_at = excluded.due_at, revision = workload_marks.revision + 1",
};

// `input` is named once: PostgreSQL guesses how many rows it has, and joins it with itself row by row.
// A row that a session is changing right now is left alone, not waited for: it is due again anyway, and two writers that wait
// for each other's rows in different orders would deadlock.
const SETTLE_WORKLOADS: BulkStatement = BulkStatement {
    name: "store::due::SETTLE_WORKLOADS",
    fixed: &[],
    columns: &[("uid", Type::Uuid), ("revision", Type::Int), ("due_at", Type::Int)],
    text: "UPDATE workload_marks SET due_at = settled.due_at FROM (SELECT x.uid, input.due_at FROM input \
        JOIN workload_marks x ON x.uid = input.uid WHERE x.revision = input.revision {skip locked x}) settled \
        WHERE workload_marks.uid = settled.uid RETURNING workload_marks.uid AS uid",
};

const SETTLE_AGENTS: BulkStatement = BulkStatement {
    name: "store::due::SETTLE_AGENTS",
    fixed: &[],
    columns: &[("uid", Type::Uuid), ("revision", Type::Int), ("due_at", Type::Int)],
    text: "UPDATE agents SET due_at = settled.due_at FROM (SELECT x.uid, input.due_at FROM input \
        JOIN agents x ON x.uid = input.uid WHERE x.revision = input.revision {skip locked x}) settled \
        WHERE agents.uid = settled.uid RETURNING agents.uid AS uid",
};

pub(super) const BULK: &[BulkStatement] = &[MARK, SETTLE_WORKLOADS, SETTLE_AGENTS];

/// A workload that is due, with the facts that rules may ask for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DueWorkload {
    /// Its id.
    pub uid: WorkloadUid,
    /// Whose it is.
    pub company_uid: CompanyUid,
    /// Where it stands.
    pub location_uid: LocationUid,
    /// Who reports it.
    pub agent_uid: AgentUid,
    /// For people.
    pub name: String,
    /// The agent's machine.
    pub host_name: String,
    /// `computer`, …
    pub kind: String,
    /// Absent: never backed up.
    pub newest_restore_point: Option<i64>,
    /// When the host heard of it first.
    pub first_seen: i64,
    /// How many there are.
    pub restore_points: i64,
    /// Its agent no longer reports it.
    pub gone_at: Option<i64>,
    /// To be handed back to [`Due::settle_workloads`].
    pub revision: i64,
}

/// An agent that is due, with the facts that rules may ask for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DueAgent {
    /// Its id.
    pub uid: AgentUid,
    /// Whose it is.
    pub company_uid: CompanyUid,
    /// Where it stands.
    pub location_uid: LocationUid,
    /// Its machine.
    pub host_name: String,
    /// The agent's.
    pub version: String,
    /// Whether a session is open.
    pub connected: bool,
    /// Unix milliseconds.
    pub last_heartbeat: i64,
    /// Unix milliseconds.
    pub enrolled_at: i64,
    /// When it was last seen to reach for what is another's.
    pub misuse_seen_at: Option<i64>,
    /// To be handed back to [`Due::settle_agents`].
    pub revision: i64,
}

/// (id, revision that was looked at, when to look again).
pub type Settled = (Uuid, i64, Option<i64>);

/// What is due, seen through a transaction.
#[derive(Debug)]
pub struct Due<'t>(pub(super) &'t mut Tx);

impl Due<'_> {
    /// Workloads whose time has come, the longest due first.
    pub async fn workloads(&mut self, now: i64, limit: i64) -> Result<Vec<DueWorkload>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(WORKLOADS).bind(now).bind(limit).fetch_all(db).await?);
        Ok(rows)
    }

    /// Agents whose time has come, the longest due first.
    pub async fn agents(&mut self, now: i64, limit: i64) -> Result<Vec<DueAgent>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(AGENTS).bind(now).bind(limit).fetch_all(db).await?);
        Ok(rows)
    }

    /// These workloads, each named once, have changed. The last thing that a transaction does to them: whoever settles one waits
    /// for nobody.
    pub(super) async fn mark(&mut self, now: i64, workloads: Vec<Uuid>) -> Result<(), StoreError> {
        MARK.execute(self.0, &[Value::Integer(now)], &[Column::Uuid(workloads)]).await?;
        Ok(())
    }

    /// All workloads of an agent may have changed.
    pub(super) async fn mark_agent(&mut self, now: i64, agent: AgentUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(MARK_OF_AGENT).bind(agent).bind(now).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Notes when to look at these workloads again; those it noted. One that changed in between is not among them and
    /// stays due: what was found out about it is out of date.
    pub async fn settle_workloads(&mut self, settled: &[Settled]) -> Result<HashSet<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = SETTLE_WORKLOADS.fetch(self.0, &[], &columns(settled)).await?;
        Ok(rows.into_iter().map(|(uid,)| uid).collect())
    }

    /// The same for agents.
    pub async fn settle_agents(&mut self, settled: &[Settled]) -> Result<HashSet<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = SETTLE_AGENTS.fetch(self.0, &[], &columns(settled)).await?;
        Ok(rows.into_iter().map(|(uid,)| uid).collect())
    }

    /// Everything is due: a rule, or its parameters, changed.
    pub async fn mark_all(&mut self) -> Result<(), StoreError> {
        for statement in [ALL_WORKLOADS, ALL_AGENTS] {
            on!(self.0, db => sqlx::query(statement).execute(db).await?.rows_affected());
        }
        Ok(())
    }
}

fn columns(settled: &[Settled]) -> [Column; 3] {
    [
        Column::Uuid(settled.iter().map(|(uid, ..)| *uid).collect()),
        Column::Int(settled.iter().map(|(_, revision, _)| *revision).collect()),
        Column::MaybeInt(settled.iter().map(|(.., due_at)| *due_at).collect()),
    ]
}
