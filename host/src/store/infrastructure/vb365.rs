//! Objects that Microsoft 365 servers protect, as reported: users, groups, sites, teams.

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::Of;

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::vb365::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("key", Type::Text),
        ("id", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("type", Type::Text),
        ("server_uid", Type::Uuid),
        ("server_name", Type::Text),
        ("organization_uid", Type::Uuid),
        ("organization_name", Type::Text),
        ("repository_uid", Type::Uuid),
        ("repository_name", Type::Text),
        ("archive_repository_uid", Type::Uuid),
        ("archive_repository_name", Type::Text),
        ("restore_points", Type::Int),
        ("archive_restore_points", Type::Int),
        ("newest_restore_point", Type::Int),
        ("licensed", Type::Flag),
        ("educational", Type::Flag),
        ("restore_portal", Type::Flag),
        ("file_portal", Type::Flag),
        ("file_portal_url", Type::Text),
    ],
    text: "INSERT INTO vb365_objects (uid, agent_uid, company_uid, account_uid, key, id, name, name_folded, type, server_uid, \
        server_name, organization_uid, organization_name, repository_uid, repository_name, archive_repository_uid, \
        archive_repository_name, restore_points, archive_restore_points, newest_restore_point, licensed, educational, \
        restore_portal, file_portal, file_portal_url, epoch) \
        SELECT uid, input.agent_uid, input.company_uid, (SELECT a.account_uid FROM agents a WHERE a.uid = input.agent_uid), key, id, name, name_folded, \
        type, server_uid, server_name, organization_uid, organization_name, repository_uid, repository_name, \
        archive_repository_uid, archive_repository_name, restore_points, archive_restore_points, newest_restore_point, \
        licensed, educational, restore_portal, file_portal, file_portal_url, input.epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET id = excluded.id, name = excluded.name, name_folded = excluded.name_folded, \
        type = excluded.type, server_uid = excluded.server_uid, server_name = excluded.server_name, \
        organization_uid = excluded.organization_uid, organization_name = excluded.organization_name, \
        repository_uid = excluded.repository_uid, repository_name = excluded.repository_name, \
        archive_repository_uid = excluded.archive_repository_uid, \
        archive_repository_name = excluded.archive_repository_name, restore_points = excluded.restore_points, \
        archive_restore_points = excluded.archive_restore_points, newest_restore_point = excluded.newest_restore_point, \
        licensed = excluded.licensed, educational = excluded.educational, restore_portal = excluded.restore_portal, \
        file_portal = excluded.file_portal, file_portal_url = excluded.file_portal_url, epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::vb365::DROP",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM vb365_objects WHERE uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP];

/// A protected object, as reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vb365Fact {
    /// Tells it from the agent's others.
    pub key: String,
    /// As the server names it.
    pub id: String,
    /// For people.
    pub name: String,
    /// A word of the API's `Vb365ProtectedObjectType`.
    pub kind: String,
    /// The server's key.
    pub server: String,
    /// The server's name.
    pub server_name: String,
    /// The key of its Microsoft 365 organisation.
    pub organization: Option<String>,
    /// That organisation's name.
    pub organization_name: Option<String>,
    /// The key of the repository that it is backed up to.
    pub repository: String,
    /// That repository's name.
    pub repository_name: String,
    /// The key and name of the repository that copies go to.
    pub archive_repository: Option<(String, String)>,
    /// How many in the repository.
    pub restore_points: i64,
    /// How many in the archive.
    pub archive_restore_points: i64,
    /// Unix milliseconds; absent: none.
    pub newest_restore_point: Option<i64>,
    /// Whether it takes a licence.
    pub licensed: Option<bool>,
    /// Whether it is a user of a school.
    pub educational: Option<bool>,
    /// Whether its user may restore in the server's portal.
    pub restore_portal: bool,
    /// Whether files can be restored in a portal.
    pub file_portal: bool,
    /// That portal's address.
    pub file_portal_url: Option<String>,
}

/// Stores new or changed objects.
pub(in crate::store) async fn put(tx: &mut Tx, facts: &[Of<'_, Vb365Fact>]) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.vb365("object", &fact.key),
        Text fact.key.clone(),
        Text fact.id.clone(),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.kind.clone(),
        Uuid source.vb365("server", &fact.server),
        Text fact.server_name.clone(),
        MaybeUuid fact.organization.as_deref().map(|key| source.vb365("organization", key)),
        MaybeText fact.organization_name.clone(),
        Uuid source.vb365("repository", &fact.repository),
        Text fact.repository_name.clone(),
        MaybeUuid fact.archive_repository.as_ref().map(|(key, _)| source.vb365("repository", key)),
        MaybeText fact.archive_repository.as_ref().map(|(_, name)| name.clone()),
        Int fact.restore_points,
        Int fact.archive_restore_points,
        MaybeInt fact.newest_restore_point,
        MaybeFlag fact.licensed,
        MaybeFlag fact.educational,
        Flag fact.restore_portal,
        Flag fact.file_portal,
        MaybeText fact.file_portal_url.clone(),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}

/// Forgets objects, by their keys.
pub(in crate::store) async fn forget(tx: &mut Tx, gone: &[Of<'_, String>]) -> Result<(), StoreError> {
    let uids = gone.iter().map(|Of { source, fact }| source.vb365("object", fact)).collect();
    DROP.execute(tx, &[], &[Column::Uuid(uids)]).await?;
    Ok(())
}
