//! Management agents, the backup servers they stand beside, and those who wait to be let in.

use crate::store::list::{Property, Reach, Resource};

const AGENT_TYPE: &str =
    "CASE WHEN a.cloud_connect THEN 'CloudConnect' WHEN a.door = 'hosted' THEN 'Hosted' ELSE 'Client' END";

/// Management agents.
pub static AGENTS: Resource = Resource {
    name: "ManagementAgent",
    table: "agents",
    key: "uid",
    from: "agents a",
    id: "a.uid",
    reach: Reach::organization("a.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "a.uid").indexed(),
        Property::uuid("organizationUid", "a.company_uid").indexed(),
        Property::uuid("locationUid", "a.location_uid").writes("location_uid").indexed(),
        Property::text("hostName", "a.host_name").folded("a.host_name_folded"),
        Property::text("friendlyName", "a.friendly_name").writes("friendly_name"),
        Property::text("agentLabel", "a.agent_label").writes("agent_label"),
        Property::text("version", "a.version"),
        Property::code("versionStatus", "a.version_status"),
        Property::code("connectionStatus", "CASE WHEN a.connected THEN 'Online' ELSE 'Inaccessible' END"),
        Property::code(
            "status",
            "CASE WHEN a.connected THEN coalesce(a.reported_status, 'Healthy') ELSE 'Inaccessible' END",
        ),
        Property::code("type", AGENT_TYPE),
        Property::code("role", "a.role"),
        Property::instant("discoveryTime", "a.enrolled_at"),
        Property::instant("lastHeartbeatTime", "a.last_heartbeat"),
        Property::flag("isRebootRequired", "a.reboot_required"),
        Property::uuid("connectionAccount", "a.account_uid").indexed(),
        Property::list("clusteredAgentUids", "a.clustered_agents"),
        Property::instant("cloneSeenTime", "a.clone_seen_at"),
        Property::text("cloneReason", "a.clone_reason"),
        Property::instant("misuseSeenTime", "a.misuse_seen_at"),
        Property::text("misuseReason", "a.misuse_reason"),
        Property::instant("gapSeenTime", "a.gap_seen_at"),
        Property::text("gapReason", "a.gap_reason"),
        Property::uuid("computerInfo.uniqueUid", "coalesce(a.computer_uid, a.uid)"),
        Property::text("computerInfo.hostName", "a.host_name").folded("a.host_name_folded"),
        Property::text("computerInfo.fqdn", "a.fqdn"),
        Property::uuid("computerInfo.biosUuid", "a.bios_uuid"),
        Property::code("computerInfo.platformType", "coalesce(a.platform_type, a.platform)"),
        Property::text("computerInfo.guestOs", "coalesce(a.guest_os, a.os_version)"),
        Property::code(
            "computerInfo.guestOsType",
            "coalesce(a.guest_os_type, CASE WHEN a.platform IN ('Linux', 'Mac') THEN a.platform ELSE 'Unknown' END)",
        ),
        Property::text("computerInfo.guestOsVersion", "coalesce(a.guest_os_version, a.os_version)"),
        Property::integer("computerInfo.guestOsSku", "a.guest_os_sku"),
        Property::list("computerInfo.ipAddresses", "a.ip_addresses"),
        Property::list("computerInfo.macAddresses", "a.mac_addresses"),
        Property::list("computerInfo.applications", "a.applications"),
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
        Property::uuid("instanceUid", "s.uid").indexed(),
        Property::text("name", "s.name").folded("s.name_folded"),
        Property::uuid("organizationUid", "s.company_uid").indexed(),
        Property::uuid("locationUid", "a.location_uid"),
        Property::uuid("managementAgentUid", "s.agent_uid").indexed(),
        Property::text("version", "s.version"),
        Property::text("displayVersion", "coalesce(s.display_version, s.version)"),
        Property::text("installationUid", "coalesce(s.installation_uid, s.key)"),
        Property::text("label", "s.label"),
        Property::flag("inHighAvailabilityCluster", "s.clustered"),
        Property::code("backupServerRoleType", AGENT_TYPE),
        Property::code("status", "CASE WHEN a.connected THEN s.status ELSE 'Inaccessible' END"),
    ],
};

/// Backup repositories. What `expand` adds stands directly under `_embedded`.
pub static REPOSITORIES: Resource = Resource {
    name: "BackupRepository",
    table: "backup_repositories",
    key: "uid",
    from: "backup_repositories r",
    id: "r.uid",
    reach: Reach::organization("r.company_uid")
        .location("r.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))"),
    properties: &[
        Property::uuid("instanceUid", "r.uid").indexed(),
        Property::text("name", "r.name").folded("r.name_folded"),
        Property::uuid("backupServerUid", "r.server_uid").indexed(),
        Property::uuid("labelTargetUid", "r.label_target_uid"),
        Property::list("labels", "r.labels"),
        Property::text("_embedded.hostName", "r.host_name"),
        Property::uuid("_embedded.hostUid", "r.host_uid"),
        Property::text("_embedded.path", "r.path"),
        Property::code("_embedded.type", "r.type"),
        Property::code("_embedded.status", "r.status"),
        Property::integer("_embedded.capacity", "r.capacity"),
        Property::integer("_embedded.freeSpace", "r.free_space"),
        Property::integer("_embedded.usedSpace", "r.used_space"),
        Property::integer("_embedded.backupSize", "r.backup_size"),
        Property::flag("_embedded.isCapacityAvailable", "(r.capacity IS NOT NULL)"),
        Property::flag("_embedded.isFreeSpaceAvailable", "(r.free_space IS NOT NULL)"),
        Property::flag("_embedded.isUsedSpaceAvailable", "(r.used_space IS NOT NULL)"),
        Property::flag("_embedded.isCloud", "r.cloud"),
        Property::uuid("_embedded.cloudRepositoryUid", "r.cloud_repository_uid"),
        Property::uuid("_embedded.parentRepositoryUid", "r.parent_uid"),
        Property::flag("_embedded.isImmutabilityEnabled", "r.immutability_enabled"),
        Property::integer("_embedded.immutabilityInterval", "r.immutability_interval"),
        Property::flag("_embedded.isOutOfDate", "r.out_of_date"),
        Property::flag("_embedded.perVMBackupFiles", "r.per_vm_files"),
    ],
};

/// Agents that wait for an operator: their token was genuine, but its time or its uses were over.
pub static UNVERIFIED_AGENTS: Resource = Resource {
    name: "UnverifiedAgent",
    table: "unverified_agents",
    key: "uid",
    from: "unverified_agents u",
    id: "u.uid",
    reach: Reach::organization("u.company_uid").location("u.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "u.uid").indexed(),
        Property::text("hostName", "u.host_name").folded("u.host_name_folded"),
        Property::uuid("organizationUid", "u.company_uid").indexed(),
        Property::code("platformType", "u.platform"),
        Property::code("type", "CASE WHEN u.door = 'hosted' THEN 'Hosted' ELSE 'Client' END"),
        Property::code("status", "u.status"),
        Property::text("statusMessage", "u.status_message"),
        Property::text("rejectReason", "u.reject_reason"),
        Property::text("agentLabel", "u.agent_label"),
        Property::instant("registrationTime", "u.registered_at").indexed(),
        Property::instant(
            "tokenFrozenTime",
            "(SELECT t.frozen_at FROM join_tokens t WHERE t.uid = u.token_uid)",
        ),
    ],
};

/// When an agent was told: what `from` and `to` of the list of tasks mean.
pub const ASKED_AT: Property = Property::instant("askedAt", "c.created_at");

/// What agents were told to do, out of the outbox.
pub static AGENT_TASKS: Resource = Resource {
    name: "ManagementAgentTask",
    table: "commands",
    key: "uid",
    from: "commands c JOIN agents a ON a.uid = c.agent_uid",
    id: "c.uid",
    reach: Reach::organization("a.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "c.uid").indexed(),
        Property::code("taskType", "c.task_type"),
        Property::code(
            "status",
            "CASE c.state WHEN 'pending' THEN 'Scheduled' WHEN 'leased' THEN 'Scheduled' WHEN 'sent' THEN 'Running' \
             WHEN 'running' THEN 'Running' WHEN 'succeeded' THEN 'Success' WHEN 'canceled' THEN 'Canceled' \
             WHEN 'failed' THEN 'Failed' WHEN 'expired' THEN 'Failed' ELSE 'Unknown' END",
        ),
        // The contract has no place of its own for why.
        Property::text(
            "description",
            "CASE WHEN c.state IN ('failed', 'expired') AND c.message IS NOT NULL THEN c.description || ': ' || c.message \
             ELSE c.description END",
        ),
        Property::uuid("managementAgentUid", "c.agent_uid").indexed(),
        Property::instant("startTime", "coalesce(c.started_at, c.sent_at)"),
        Property::instant("endTime", "c.finished_at"),
    ],
};
