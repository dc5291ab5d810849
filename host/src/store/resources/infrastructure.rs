//! Management agents and the backup servers they stand beside.

use crate::store::list::{Property, Reach, Resource};

/// Management agents.
pub static AGENTS: Resource = Resource {
    name: "ManagementAgent",
    table: "agents",
    key: "uid",
    from: "agents a",
    id: "a.uid",
    reach: Reach::organization("a.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "a.uid"),
        Property::uuid("organizationUid", "a.company_uid").indexed(),
        Property::uuid("locationUid", "a.location_uid"),
        Property::text("hostName", "a.host_name").folded("a.host_name_folded"),
        Property::text("computerInfo.hostName", "a.host_name").folded("a.host_name_folded"),
        Property::text("computerInfo.guestOs", "a.os_version"),
        Property::code(
            "computerInfo.guestOsType",
            "CASE WHEN a.platform IN ('Linux', 'Mac') THEN a.platform ELSE 'Unknown' END",
        ),
        Property::text("version", "a.version"),
        Property::code("versionStatus", "a.version_status"),
        Property::code("connectionStatus", "CASE WHEN a.connected THEN 'Online' ELSE 'Inaccessible' END"),
        Property::code("status", "CASE WHEN a.connected THEN 'Healthy' ELSE 'Inaccessible' END"),
        Property::code("type", "CASE WHEN a.door = 'hosted' THEN 'Hosted' ELSE 'Client' END"),
        Property::instant("discoveryTime", "a.enrolled_at"),
        Property::instant("lastHeartbeatTime", "a.last_heartbeat"),
    ],
};

/// Backup servers.
pub static BACKUP_SERVERS: Resource = Resource {
    name: "BackupServer",
    table: "backup_servers",
    key: "uid",
    from: "backup_servers s JOIN agents a ON a.uid = s.agent_uid",
    id: "s.uid",
    reach: Reach::organization("s.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "s.uid"),
        Property::text("name", "s.name").folded("s.name_folded"),
        Property::uuid("organizationUid", "s.company_uid").indexed(),
        Property::uuid("locationUid", "a.location_uid"),
        Property::uuid("managementAgentUid", "s.agent_uid").indexed(),
        Property::text("version", "s.version"),
        Property::text("displayVersion", "s.version"),
        Property::text("installationUid", "s.key"),
        Property::code("backupServerRoleType", "CASE WHEN a.door = 'hosted' THEN 'Hosted' ELSE 'Client' END"),
        Property::code("status", "CASE WHEN a.connected THEN 'Healthy' ELSE 'Inaccessible' END"),
    ],
};
