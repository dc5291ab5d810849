//! A workload's backups, as reported: one for each job and repository that keeps restore points of it.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::{Of, Source, known};

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::backups::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("workload_uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("object_uid", Type::Uuid),
        ("job_uid", Type::Uuid),
        ("job_name", Type::Text),
        ("job_kind", Type::Text),
        ("backup_type", Type::Text),
        ("repository_uid", Type::Uuid),
        ("target_type", Type::Text),
        ("tier", Type::Text),
        ("malware_state", Type::Text),
        ("immutable", Type::Flag),
        ("provisioned_size", Type::Int),
        ("used_size", Type::Int),
    ],
    // A backup of a workload that was never reported fails on the reference, as a restore point does.
    text: "INSERT INTO workload_backups (uid, workload_uid, server_uid, agent_uid, company_uid, account_uid, kind, key, \
        object_uid, job_uid, job_name, job_kind, backup_type, repository_uid, target_type, tier, malware_state, immutable, \
        provisioned_size, used_size, restore_points, epoch) \
        SELECT input.uid, input.workload_uid, input.server_uid, input.agent_uid, coalesce(w.company_uid, input.company_uid), w.account_uid, \
        coalesce(w.kind, ''), input.key, input.object_uid, input.job_uid, input.job_name, input.job_kind, \
        input.backup_type, input.repository_uid, input.target_type, input.tier, input.malware_state, input.immutable, \
        input.provisioned_size, input.used_size, 0, input.epoch \
        FROM input LEFT JOIN workloads w ON w.uid = input.workload_uid WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET object_uid = excluded.object_uid, job_uid = excluded.job_uid, \
        job_name = excluded.job_name, job_kind = excluded.job_kind, backup_type = excluded.backup_type, \
        repository_uid = excluded.repository_uid, target_type = excluded.target_type, tier = excluded.tier, \
        malware_state = excluded.malware_state, immutable = excluded.immutable, \
        provisioned_size = excluded.provisioned_size, used_size = excluded.used_size, epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::backups::DROP",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM workload_backups WHERE uid IN (SELECT uid FROM input)",
};

const CLEAR: BulkStatement = BulkStatement {
    name: "store::infrastructure::backups::CLEAR",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM workload_backups WHERE workload_uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP, CLEAR];

/// A backup, named by its server's, its workload's and its own key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BackupKey {
    /// The server's key.
    pub server: String,
    /// The workload's key.
    pub workload: String,
    /// The engine's own id.
    pub key: String,
}

/// A backup, as reported. Counts and sizes of its restore points are the host's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupFact {
    /// Which one.
    pub key: BackupKey,
    /// The key of what it holds, as the backup names it.
    pub object: Option<String>,
    /// The key of the job that writes it.
    pub job: Option<String>,
    /// That job's name.
    pub job_name: String,
    /// `Backup` or `Copy`; empty: unknown.
    pub job_kind: String,
    /// `Backup`, `Replication`, `BackupCopy`, `BackupToTape`, `Orphaned`; empty: unknown.
    pub backup_type: String,
    /// The key of the repository that it lies in.
    pub repository: Option<String>,
    /// `Local` or `Cloud`; empty: unknown.
    pub target_type: String,
    /// A word of the API's `SobrRepositoryTier`; empty: unknown.
    pub tier: String,
    /// A word of the API's `MalwareState`; empty: unknown.
    pub malware_state: String,
    /// It cannot be changed for a time.
    pub immutable: bool,
    /// Bytes that the workload was given.
    pub provisioned_size: Option<i64>,
    /// Bytes that it uses.
    pub used_size: Option<i64>,
}

fn uid(source: &Source, key: &BackupKey) -> Uuid {
    source.backup(&key.server, &key.workload, &key.key)
}

/// Stores new or changed backups; the workloads they are of.
pub(in crate::store) async fn put(
    tx: &mut Tx,
    facts: &[Of<'_, BackupFact>],
) -> Result<Vec<Uuid>, StoreError> {
    let workload = |of: &Of<'_, BackupFact>| of.source.workload(&of.fact.key.server, &of.fact.key.workload);
    let columns = columns!(facts, of @ Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid uid(source, &fact.key),
        Uuid workload(of),
        Uuid source.server(&fact.key.server),
        Text fact.key.key.clone(),
        MaybeUuid fact.object.as_deref().map(|key| source.part(&fact.key.server, "object", key)),
        MaybeUuid fact.job.as_deref().map(|key| source.job(&fact.key.server, key)),
        Text fact.job_name.clone(),
        Text known(&fact.job_kind),
        Text known(&fact.backup_type),
        MaybeUuid fact.repository.as_deref().map(|key| source.repository(&fact.key.server, key)),
        Text known(&fact.target_type),
        Text known(&fact.tier),
        Text known(&fact.malware_state),
        Flag fact.immutable,
        MaybeInt fact.provisioned_size,
        MaybeInt fact.used_size,
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(facts.iter().map(workload).collect())
}

/// Forgets backups.
pub(in crate::store) async fn forget(tx: &mut Tx, gone: &[Of<'_, BackupKey>]) -> Result<(), StoreError> {
    let uids = gone.iter().map(|Of { source, fact }| uid(source, fact)).collect();
    DROP.execute(tx, &[], &[Column::Uuid(uids)]).await?;
    Ok(())
}

/// Forgets all backups of these workloads.
pub(in crate::store) async fn clear(tx: &mut Tx, workloads: Vec<Uuid>) -> Result<(), StoreError> {
    CLEAR.execute(tx, &[], &[Column::Uuid(workloads)]).await?;
    Ok(())
}
