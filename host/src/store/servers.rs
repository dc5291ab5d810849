//! Backup servers.

use super::list::{Kind, ListQuery, Page, Property, Resource, compile};
use super::{StoreError, Tx};
use crate::id::BackupServerUid;
use crate::model::{BackupServer, Scope};

/// The list of backup servers.
pub static BACKUP_SERVERS: Resource = Resource {
    name: "BackupServer",
    properties: &[
        Property::of("instanceUid", Kind::Uuid, "s.uid"),
        Property::text("name", "s.name", Some("s.name_folded")),
        Property::of("organizationUid", Kind::Uuid, "s.company_uid"),
        Property::of("locationUid", Kind::Uuid, "a.location_uid"),
        Property::of("managementAgentUid", Kind::Uuid, "s.agent_uid"),
        Property::text("version", "s.version", None),
        Property::text("displayVersion", "s.version", None),
        Property::text("installationUid", "s.key", None),
        Property::of(
            "backupServerRoleType",
            Kind::Code(&["Unknown", "CloudConnect", "Client", "Hosted"]),
            "CASE WHEN a.door = 'hosted' THEN 'Hosted' ELSE 'Client' END",
        ),
        Property::of(
            "status",
            Kind::Code(&["Unknown", "Healthy", "Warning", "Inaccessible"]),
            "CASE WHEN a.connected THEN 'Healthy' ELSE 'Inaccessible' END",
        ),
    ],
    columns: "s.uid, s.agent_uid, s.company_uid, a.location_uid, s.name, s.key, s.engine, s.version, a.door, a.connected",
    from: "backup_servers s JOIN agents a ON a.uid = s.agent_uid WHERE 1 = 1",
    company: Some("s.company_uid"),
    id: "s.uid",
};

/// Backup servers, seen through a transaction.
#[derive(Debug)]
pub struct Servers<'t>(pub(super) &'t mut Tx);

impl Servers<'_> {
    /// One backup server.
    pub async fn get(
        &mut self,
        scope: &Scope,
        uid: BackupServerUid,
    ) -> Result<Option<BackupServer>, StoreError> {
        compile::get(self.0, &BACKUP_SERVERS, scope, uid.0).await
    }

    /// A page of backup servers.
    pub async fn list(&mut self, scope: &Scope, query: &ListQuery) -> Result<Page<BackupServer>, StoreError> {
        compile::run(self.0, &BACKUP_SERVERS, scope, query).await
    }
}
