//! Backup repositories, as reported.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::{Of, json_list};

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::repositories::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("type", Type::Text),
        ("status", Type::Text),
        ("host_name", Type::Text),
        ("host_uid", Type::Uuid),
        ("path", Type::Text),
        ("capacity", Type::Int),
        ("free_space", Type::Int),
        ("used_space", Type::Int),
        ("backup_size", Type::Int),
        ("cloud", Type::Flag),
        ("cloud_repository_uid", Type::Uuid),
        ("parent_uid", Type::Uuid),
        ("immutability_enabled", Type::Flag),
        ("immutability_interval", Type::Int),
        ("out_of_date", Type::Flag),
        ("per_vm_files", Type::Flag),
        ("label_target_uid", Type::Uuid),
        ("labels", Type::Text),
    ],
    text: "INSERT INTO backup_repositories (uid, server_uid, agent_uid, company_uid, key, name, name_folded, type, status, \
        host_name, host_uid, path, capacity, free_space, used_space, backup_size, cloud, cloud_repository_uid, parent_uid, \
        immutability_enabled, immutability_interval, out_of_date, per_vm_files, label_target_uid, labels, epoch) \
        SELECT uid, server_uid, input.agent_uid, input.company_uid, key, name, name_folded, type, status, host_name, host_uid, path, capacity, \
        free_space, used_space, backup_size, cloud, cloud_repository_uid, parent_uid, immutability_enabled, \
        immutability_interval, out_of_date, per_vm_files, label_target_uid, labels, input.epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, type = excluded.type, \
        status = excluded.status, host_name = excluded.host_name, host_uid = excluded.host_uid, path = excluded.path, \
        capacity = excluded.capacity, free_space = excluded.free_space, used_space = excluded.used_space, \
        backup_size = excluded.backup_size, cloud = excluded.cloud, cloud_repository_uid = excluded.cloud_repository_uid, \
        parent_uid = excluded.parent_uid, immutability_enabled = excluded.immutability_enabled, \
        immutability_interval = excluded.immutability_interval, out_of_date = excluded.out_of_date, \
        per_vm_files = excluded.per_vm_files, label_target_uid = excluded.label_target_uid, labels = excluded.labels, \
        epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::repositories::DROP",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM backup_repositories WHERE uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP];

/// A repository, as reported. Sizes are bytes; absent: the engine does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupRepositoryFact {
    /// The server's key.
    pub server: String,
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// A word of the API's `BackupRepositoryType`.
    pub kind: String,
    /// A word of the API's `BackupRepositoryStatus`.
    pub status: String,
    /// The machine that it is on.
    pub host_name: Option<String>,
    /// That machine's key.
    pub host: Option<String>,
    /// Where on the machine.
    pub path: Option<String>,
    /// Room in all.
    pub capacity: Option<i64>,
    /// Room left.
    pub free_space: Option<i64>,
    /// Room taken, by whatever.
    pub used_space: Option<i64>,
    /// Room taken by backups.
    pub backup_size: Option<i64>,
    /// It is a provider's, reached through a gateway.
    pub cloud: bool,
    /// The provider's id of it.
    pub cloud_repository: Option<Uuid>,
    /// The key of the scale-out repository that it is an extent of.
    pub parent: Option<String>,
    /// Whether backups cannot be changed for a time.
    pub immutability_enabled: Option<bool>,
    /// For how many days.
    pub immutability_interval: Option<i64>,
    /// Its components are older than the server's.
    pub out_of_date: bool,
    /// A file for each machine.
    pub per_vm_files: Option<bool>,
    /// The operator's own.
    pub labels: Vec<String>,
}

/// Stores new or changed repositories.
pub(in crate::store) async fn put(
    tx: &mut Tx,
    facts: &[Of<'_, BackupRepositoryFact>],
) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.repository(&fact.server, &fact.key),
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.kind.clone(),
        Text fact.status.clone(),
        MaybeText fact.host_name.clone(),
        MaybeUuid fact.host.as_deref().map(|host| source.part(&fact.server, "host", host)),
        MaybeText fact.path.clone(),
        MaybeInt fact.capacity,
        MaybeInt fact.free_space,
        MaybeInt fact.used_space,
        MaybeInt fact.backup_size,
        Flag fact.cloud,
        MaybeUuid fact.cloud_repository,
        MaybeUuid fact.parent.as_deref().map(|parent| source.repository(&fact.server, parent)),
        MaybeFlag fact.immutability_enabled,
        MaybeInt fact.immutability_interval,
        Flag fact.out_of_date,
        MaybeFlag fact.per_vm_files,
        Uuid source.part(&fact.server, "label", &fact.key),
        Text json_list(&fact.labels),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}

/// Forgets repositories: (server, key).
pub(in crate::store) async fn forget(
    tx: &mut Tx,
    gone: &[Of<'_, (String, String)>],
) -> Result<(), StoreError> {
    let uids = gone.iter().map(|Of { source, fact: (server, key) }| source.repository(server, key)).collect();
    DROP.execute(tx, &[], &[Column::Uuid(uids)]).await?;
    Ok(())
}
