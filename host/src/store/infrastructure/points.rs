//! Restore points, as reported.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::{Of, Source, json_list, known};
use crate::clock::Clock;
use crate::id;

// Most points that come are the newest of their workload. Those have the mark from the beginning, beside the former newest: to write
// it afterwards costs as much as the whole row. `newest.rs` puts right what is left.
macro_rules! is_latest {
    () => {
        "input.newest AND NOT EXISTS (SELECT 1 FROM restore_points r WHERE r.workload_uid = input.workload_uid AND r.latest \
        AND (r.created_at > input.created_at OR (r.created_at = input.created_at AND r.uid > input.uid)))"
    };
}

// Owner, account and kind are the workload's; one that was never reported fails on the reference.
const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::points::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("workload_uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("created_at", Type::Int),
        ("size", Type::Int),
        ("source_size", Type::Int),
        ("destination", Type::Text),
        ("newest", Type::Flag),
    ],
    text: concat!(
        "INSERT INTO restore_points (uid, workload_uid, server_uid, agent_uid, company_uid, account_uid, kind, key, \
        created_at, size, source_size, destination, latest, epoch) \
        SELECT input.uid, input.workload_uid, input.server_uid, input.agent_uid, coalesce(w.company_uid, input.company_uid), w.account_uid, \
        coalesce(w.kind, ''), input.key, input.created_at, input.size, input.source_size, input.destination, ",
        is_latest!(),
        ", input.epoch \
        FROM input LEFT JOIN workloads w ON w.uid = input.workload_uid WHERE 1 = 1 \
        ON CONFLICT (workload_uid, key) DO UPDATE SET created_at = excluded.created_at, size = excluded.size, \
        source_size = excluded.source_size, destination = excluded.destination, epoch = excluded.epoch"
    ),
};

const PUT_DETAILED: BulkStatement = BulkStatement {
    name: "store::infrastructure::points::PUT_DETAILED",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("workload_uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("created_at", Type::Int),
        ("size", Type::Int),
        ("source_size", Type::Int),
        ("destination", Type::Text),
        ("backup_uid", Type::Uuid),
        ("job_uid", Type::Uuid),
        ("repository_uid", Type::Uuid),
        ("target_type", Type::Text),
        ("tier", Type::Text),
        ("file_path", Type::Text),
        ("file_created_at", Type::Int),
        ("gfs", Type::Text),
        ("immutable_till", Type::Int),
        ("consistent", Type::Flag),
        ("cpu_cores", Type::Int),
        ("memory", Type::Int),
        ("increment_size", Type::Int),
        ("provisioned_size", Type::Int),
        ("used_size", Type::Int),
        ("archive", Type::Flag),
        ("malware_state", Type::Text),
        ("newest", Type::Flag),
    ],
    text: concat!(
        "INSERT INTO restore_points (uid, workload_uid, server_uid, agent_uid, company_uid, account_uid, kind, key, \
        created_at, size, source_size, destination, backup_uid, job_uid, repository_uid, target_type, tier, file_path, \
        file_created_at, gfs, immutable_till, consistent, cpu_cores, memory, increment_size, provisioned_size, used_size, \
        archive, malware_state, latest, epoch) \
        SELECT input.uid, input.workload_uid, input.server_uid, input.agent_uid, coalesce(w.company_uid, input.company_uid), w.account_uid, \
        coalesce(w.kind, ''), input.key, input.created_at, input.size, input.source_size, input.destination, \
        input.backup_uid, input.job_uid, input.repository_uid, input.target_type, input.tier, input.file_path, \
        input.file_created_at, input.gfs, input.immutable_till, input.consistent, input.cpu_cores, input.memory, \
        input.increment_size, input.provisioned_size, input.used_size, input.archive, input.malware_state, ",
        is_latest!(),
        ", input.epoch \
        FROM input LEFT JOIN workloads w ON w.uid = input.workload_uid WHERE 1 = 1 \
        ON CONFLICT (workload_uid, key) DO UPDATE SET created_at = excluded.created_at, size = excluded.size, \
        source_size = excluded.source_size, destination = excluded.destination, backup_uid = excluded.backup_uid, \
        job_uid = excluded.job_uid, repository_uid = excluded.repository_uid, target_type = excluded.target_type, \
        tier = excluded.tier, file_path = excluded.file_path, file_created_at = excluded.file_created_at, \
        gfs = excluded.gfs, immutable_till = excluded.immutable_till, consistent = excluded.consistent, \
        cpu_cores = excluded.cpu_cores, memory = excluded.memory, increment_size = excluded.increment_size, \
        provisioned_size = excluded.provisioned_size, used_size = excluded.used_size, archive = excluded.archive, \
        malware_state = excluded.malware_state, epoch = excluded.epoch"
    ),
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::points::DROP",
    fixed: &[],
    columns: &[("workload_uid", Type::Uuid), ("key", Type::Text)],
    text: "DELETE FROM restore_points WHERE (workload_uid, key) IN (SELECT workload_uid, key FROM input)",
};

const CLEAR: BulkStatement = BulkStatement {
    name: "store::infrastructure::points::CLEAR",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM restore_points WHERE workload_uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, PUT_DETAILED, DROP, CLEAR];

/// A restore point, as reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// What only some engines know.
    pub details: Option<Box<PointDetails>>,
}

/// What only some engines know of a restore point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PointDetails {
    /// The key of the backup that it is part of.
    pub backup: Option<String>,
    /// The key of the job that made it.
    pub job: Option<String>,
    /// The key of the repository that it lies in.
    pub repository: Option<String>,
    /// `Local` or `Cloud`; empty: unknown.
    pub target_type: String,
    /// A word of the API's `SobrRepositoryTier`; empty: unknown.
    pub tier: String,
    /// Its file in the repository.
    pub file_path: Option<String>,
    /// When that file was made; Unix milliseconds.
    pub file_created_at: Option<i64>,
    /// What it is kept for: words of the API's `RestorePointGfsType`.
    pub gfs: Vec<String>,
    /// Until when it cannot be changed; Unix milliseconds.
    pub immutable_till: Option<i64>,
    /// Whether the machine was at rest.
    pub consistent: Option<bool>,
    /// Of the machine.
    pub cpu_cores: Option<i64>,
    /// Bytes of the machine's memory.
    pub memory: Option<i64>,
    /// Bytes read for it.
    pub increment_size: Option<i64>,
    /// Bytes that the machine was given.
    pub provisioned_size: Option<i64>,
    /// Bytes that it used.
    pub used_size: Option<i64>,
    /// It lies in an archive repository.
    pub archive: bool,
    /// A word of the API's `MalwareState`; empty: unknown.
    pub malware_state: String,
}

/// Stores new or changed restore points; the workloads they are of.
pub(in crate::store) async fn put(
    tx: &mut Tx,
    clock: &dyn Clock,
    facts: &[Of<'_, RestorePointFact>],
) -> Result<Vec<Uuid>, StoreError> {
    let points = identified(clock, facts);
    let plain: Vec<_> = points.iter().filter(|point| point.fact.details.is_none()).collect();
    let columns = columns!(plain, &Point { source, fact, uid, workload, newest } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid *uid,
        Uuid *workload,
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        Int fact.created_at,
        MaybeInt fact.size,
        MaybeInt fact.source_size,
        Text fact.destination.clone(),
        Flag *newest,
    });
    PUT.execute(tx, &[], &columns).await?;
    let detailed: Vec<_> = points
        .iter()
        .filter_map(|point| point.fact.details.as_deref().map(|details| (point, details)))
        .collect();
    put_detailed(tx, &detailed).await?;
    Ok(points.iter().map(|point| point.workload).collect())
}

/// A reported point with its identity, should it be new.
struct Point<'f> {
    source: Source,
    fact: &'f RestorePointFact,
    uid: Uuid,
    workload: Uuid,
    /// Of those of its workload that are reported with it.
    newest: bool,
}

fn identified<'f>(clock: &dyn Clock, facts: &[Of<'f, RestorePointFact>]) -> Vec<Point<'f>> {
    let points = facts.iter().map(|Of { source, fact }| {
        let workload = source.workload(&fact.server, &fact.workload);
        Point { source: *source, fact, uid: id::fresh(clock), workload, newest: false }
    });
    let mut points: Vec<_> = points.collect();
    let mut newest: HashMap<Uuid, (i64, Uuid)> = HashMap::new();
    for point in &points {
        let this = (point.fact.created_at, point.uid);
        newest.entry(point.workload).and_modify(|other| *other = this.max(*other)).or_insert(this);
    }
    for point in &mut points {
        point.newest = newest.get(&point.workload) == Some(&(point.fact.created_at, point.uid));
    }
    points
}

#[expect(clippy::cognitive_complexity, reason = "a line a column, and no decision")]
async fn put_detailed(tx: &mut Tx, points: &[(&Point<'_>, &PointDetails)]) -> Result<(), StoreError> {
    let columns = columns!(points, (Point { source, fact, uid, workload, newest }, details) => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid *uid,
        Uuid *workload,
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        Int fact.created_at,
        MaybeInt fact.size,
        MaybeInt fact.source_size,
        Text fact.destination.clone(),
        MaybeUuid details.backup.as_deref().map(|key| source.backup(&fact.server, &fact.workload, key)),
        MaybeUuid details.job.as_deref().map(|key| source.job(&fact.server, key)),
        MaybeUuid details.repository.as_deref().map(|key| source.repository(&fact.server, key)),
        Text known(&details.target_type),
        Text known(&details.tier),
        MaybeText details.file_path.clone(),
        MaybeInt details.file_created_at,
        Text json_list(&details.gfs),
        MaybeInt details.immutable_till,
        MaybeFlag details.consistent,
        MaybeInt details.cpu_cores,
        MaybeInt details.memory,
        MaybeInt details.increment_size,
        MaybeInt details.provisioned_size,
        MaybeInt details.used_size,
        Flag details.archive,
        Text known(&details.malware_state),
        Flag *newest,
    });
    PUT_DETAILED.execute(tx, &[], &columns).await?;
    Ok(())
}

/// Forgets restore points: (server, workload, key); the workloads they were of.
pub(in crate::store) async fn forget(
    tx: &mut Tx,
    gone: &[Of<'_, (String, String, String)>],
) -> Result<Vec<Uuid>, StoreError> {
    let workloads: Vec<Uuid> = gone.iter().map(|of| of.source.workload(&of.fact.0, &of.fact.1)).collect();
    let keys = gone.iter().map(|of| of.fact.2.clone()).collect();
    DROP.execute(tx, &[], &[Column::Uuid(workloads.clone()), Column::Text(keys)]).await?;
    Ok(workloads)
}

/// Forgets all restore points of these workloads.
pub(in crate::store) async fn clear(tx: &mut Tx, workloads: Vec<Uuid>) -> Result<(), StoreError> {
    CLEAR.execute(tx, &[], &[Column::Uuid(workloads)]).await?;
    Ok(())
}
