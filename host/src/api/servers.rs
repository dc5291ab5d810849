//! Backup servers.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::operations::Routes;
use crate::api::query::Offer;
use crate::model::{self, Door};

mod get;
mod list;

const OFFER: Offer = Offer { schema: "BackupServer", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetBackupServers", list::list).add("GetBackupServer", get::get)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, get::get))]
pub(crate) struct Docs;

/// A backup server that an agent stands beside.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the API's own")]
pub(crate) struct BackupServer {
    instance_uid: Uuid,
    name: String,
    organization_uid: Uuid,
    location_uid: Uuid,
    management_agent_uid: Uuid,
    version: String,
    display_version: String,
    /// The engine's own id.
    installation_uid: String,
    #[schema(value_type = BackupServerRoleType)]
    backup_server_role_type: &'static str,
    #[schema(value_type = BackupServerStatus)]
    status: &'static str,
}

/// Where a backup server stands.
#[derive(Debug, Clone, Copy, ToSchema)]
#[expect(dead_code, reason = "documents the words")]
enum BackupServerRoleType {
    Unknown,
    CloudConnect,
    Client,
    Hosted,
}

/// How a backup server is.
#[derive(Debug, Clone, Copy, ToSchema)]
#[expect(dead_code, reason = "documents the words")]
enum BackupServerStatus {
    Unknown,
    Healthy,
    Warning,
    Inaccessible,
}

impl From<model::BackupServer> for BackupServer {
    fn from(server: model::BackupServer) -> Self {
        Self {
            instance_uid: server.uid.0,
            name: server.name,
            organization_uid: server.company_uid.0,
            location_uid: server.location_uid.0,
            management_agent_uid: server.agent_uid.0,
            version: server.version.clone(),
            display_version: server.version,
            installation_uid: server.key,
            backup_server_role_type: if server.door == Door::Hosted.name() { "Hosted" } else { "Client" },
            status: if server.connected { "Healthy" } else { "Inaccessible" },
        }
    }
}
