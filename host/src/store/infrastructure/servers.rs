//! Backup servers, as reported.

use super::super::bulk::{BulkStatement, Type, columns};
use super::super::{StoreError, Tx};
use super::Of;

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::servers::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("engine", Type::Text),
        ("version", Type::Text),
        ("installation_uid", Type::Text),
        ("display_version", Type::Text),
        ("label", Type::Text),
        ("clustered", Type::Flag),
        ("status", Type::Text),
    ],
    text: "INSERT INTO backup_servers (uid, agent_uid, company_uid, name, name_folded, key, engine, version, \
        installation_uid, display_version, label, clustered, status, epoch) \
        SELECT uid, input.agent_uid, input.company_uid, name, name_folded, key, engine, version, installation_uid, display_version, label, \
        clustered, coalesce(status, 'Healthy'), input.epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
        engine = excluded.engine, version = excluded.version, installation_uid = excluded.installation_uid, \
        display_version = excluded.display_version, label = excluded.label, clustered = excluded.clustered, \
        status = excluded.status, epoch = excluded.epoch",
};

pub(super) const BULK: &[BulkStatement] = &[PUT];

/// A server, as reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFact {
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// `restic`, …
    pub engine: String,
    /// The engine's.
    pub version: String,
    /// What only some engines know.
    pub details: ServerDetails,
}

/// What only some engines know of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerDetails {
    /// The engine's id of its installation, if that is not its key.
    pub installation_uid: Option<String>,
    /// The version as people say it, if that is not the version.
    pub display_version: Option<String>,
    /// The operator's own.
    pub label: Option<String>,
    /// It is a node of a high-availability cluster.
    pub clustered: bool,
    /// A word of the API's `BackupServerStatus`; absent: healthy.
    pub status: Option<String>,
}

/// Stores new or changed servers.
pub(in crate::store) async fn put(tx: &mut Tx, facts: &[Of<'_, ServerFact>]) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.server(&fact.key),
        Text fact.key.clone(),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.engine.clone(),
        Text fact.version.clone(),
        MaybeText fact.details.installation_uid.clone(),
        MaybeText fact.details.display_version.clone(),
        MaybeText fact.details.label.clone(),
        Flag fact.details.clustered,
        MaybeText fact.details.status.clone(),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}
