//! What is protected. All kinds are rows of one table; no list joins anything, so that a page deep in a million rows is read
//! along an index.

use crate::store::list::{Property, Reach, Resource};

/// Who sees a workload: its organisation, the users of its agent's location, the subtenant whose account the agent has.
const REACH: Reach = Reach::organization("w.company_uid")
    .location("w.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))")
    .user("w.account_uid = {}");

/// Computers managed by the console. Their id is `backupAgentUid`, which restore points name too.
pub static COMPUTERS: Resource = Resource {
    name: "ProtectedComputerManagedByConsole",
    table: "workloads",
    key: "uid",
    from: "workloads w WHERE w.kind = 'computer' AND w.gone_at IS NULL",
    id: "w.uid",
    reach: REACH,
    properties: &[
        Property::uuid("backupAgentUid", "w.uid").indexed(),
        Property::uuid("organizationUid", "w.company_uid").indexed(),
        Property::text("name", "w.name").folded("w.name_folded").indexed(),
        Property::code("operationMode", "w.operation_mode"),
        Property::integer("numberOfJobs", "w.jobs"),
        Property::instant("latestRestorePointDate", "w.newest_restore_point").indexed(),
    ],
};

/// Computers that backup servers back up through agents on them.
pub static MANAGED_COMPUTERS: Resource = Resource {
    name: "ProtectedComputerManagedByBackupServer",
    table: "workloads",
    key: "uid",
    from: "workloads w WHERE w.kind = 'managed_computer' AND w.gone_at IS NULL",
    id: "w.uid",
    reach: REACH,
    properties: &[
        Property::uuid("instanceUid", "w.uid").indexed(),
        Property::uuid("organizationUid", "w.company_uid").indexed(),
        Property::uuid("backupServerUid", "w.server_uid").indexed(),
        Property::uuid("sourceInstanceUid", "coalesce(w.source_uid, w.uid)"),
        Property::text("name", "w.name").folded("w.name_folded").indexed(),
        Property::code("operationMode", "w.operation_mode"),
        Property::code("platformType", "w.platform"),
        Property::text("guestOs", "w.guest_os"),
        Property::list("ipAddresses", "w.ip_addresses"),
        Property::list("protectionGroups", "w.protection_groups"),
        Property::instant("latestRestorePointDate", "w.newest_restore_point").indexed(),
        Property::code("malwareState", "w.malware_state"),
    ],
};

/// Virtual machines.
pub static VIRTUAL_MACHINES: Resource = Resource {
    name: "ProtectedVirtualMachine",
    table: "workloads",
    key: "uid",
    from: "workloads w WHERE w.kind = 'virtual_machine' AND w.gone_at IS NULL",
    id: "w.uid",
    reach: REACH,
    properties: &[
        Property::uuid("instanceUid", "w.uid").indexed(),
        Property::uuid("organizationUid", "w.company_uid").indexed(),
        Property::uuid("backupServerUid", "w.server_uid").indexed(),
        Property::text("name", "w.name").folded("w.name_folded").indexed(),
        Property::list("ipAddresses", "w.ip_addresses"),
        Property::uuid("jobUid", "w.job_uid").indexed(),
        Property::uuid("objectUid", "w.object_uid"),
        Property::text("hierarchyRef", "w.hierarchy_ref"),
        Property::text("parentHostRef", "w.parent_host_ref"),
        Property::instant("latestRestorePointDate", "w.newest_restore_point").indexed(),
        Property::integer("latestRestorePointSize", "w.latest_size"),
        Property::integer("restorePoints", "w.restore_points"),
        Property::integer("totalRestorePointSize", "w.total_size"),
        Property::integer("provisionedSourceSize", "w.provisioned_size"),
        Property::integer("usedSourceSize", "w.used_size"),
        Property::flag("immutable", "w.immutable"),
        Property::code("malwareState", "w.malware_state"),
    ],
};

/// File shares. Short-term backups are those that are not in an archive.
pub static FILE_SHARES: Resource = Resource {
    name: "ProtectedOnPremisesFileShare",
    table: "workloads",
    key: "uid",
    from: "workloads w WHERE w.kind = 'file_share' AND w.gone_at IS NULL",
    id: "w.uid",
    reach: REACH,
    properties: &[
        Property::uuid("fileShareUid", "w.uid").indexed(),
        Property::uuid("organizationUid", "w.company_uid").indexed(),
        Property::uuid("backupServerUid", "w.server_uid").indexed(),
        Property::text("name", "w.name").folded("w.name_folded").indexed(),
        Property::instant("latestRestorePointDate", "w.newest_restore_point").indexed(),
        Property::integer("restorePoints", "(w.restore_points - w.archive_points)"),
        Property::integer("archiveRestorePoints", "w.archive_points"),
        Property::integer("totalShortTermBackupSize", "(coalesce(w.total_size, 0) - w.archive_size)"),
        Property::integer("totalArchiveSize", "w.archive_size"),
    ],
};

/// Objects that Microsoft 365 servers protect.
pub static VB365_OBJECTS: Resource = Resource {
    name: "Vb365ProtectedObject",
    table: "vb365_objects",
    key: "uid",
    from: "vb365_objects o JOIN agents a ON a.uid = o.agent_uid",
    id: "o.uid",
    reach: Reach::organization("o.company_uid").location("a.location_uid IN ({})").user("o.account_uid = {}"),
    properties: &[
        Property::text("id", "o.id"),
        Property::text("name", "o.name").folded("o.name_folded"),
        Property::code("protectedDataType", "o.type"),
        Property::uuid("organizationUid", "o.company_uid").indexed(),
        Property::text(
            "organizationName",
            "(SELECT g.name FROM organizations g WHERE g.uid = o.company_uid)",
        ),
        Property::uuid("locationUid", "a.location_uid"),
        Property::text("locationName", "(SELECT l.name FROM locations l WHERE l.uid = a.location_uid)"),
        Property::uuid("siteUid", SITE),
        Property::text("siteName", SITE_NAME),
        Property::uuid("vb365ServerUid", "o.server_uid"),
        Property::text("vb365ServerName", "o.server_name"),
        Property::uuid("vb365OrganizationUid", "o.organization_uid"),
        Property::text("vb365OrganizationName", "o.organization_name"),
        Property::uuid("repositoryUid", "o.repository_uid"),
        Property::text("repositoryName", "o.repository_name"),
        Property::uuid("archiveRepositoryUid", "o.archive_repository_uid"),
        Property::text("archiveRepositoryName", "o.archive_repository_name"),
        Property::integer("restorePointsCount", "o.restore_points"),
        Property::integer("archiveRestorePointsCount", "o.archive_restore_points"),
        Property::instant("latestRestorePointDate", "o.newest_restore_point"),
        Property::flag("consumesLicense", "o.licensed"),
        Property::flag("isEducationalUser", "o.educational"),
        Property::flag("isRestorePortalAccessEnabled", "o.restore_portal"),
        Property::flag("isFileRestorePortalEnabled", "o.file_portal"),
        Property::text("fileRestorePortalUrl", "o.file_portal_url"),
    ],
};

const SITE: &str = "(SELECT os.site_uid FROM organization_sites os WHERE os.organization_uid = o.company_uid \
    ORDER BY os.site_uid NULLS LAST LIMIT 1)";
const SITE_NAME: &str = "(SELECT st.name FROM organization_sites os JOIN sites st ON st.uid = os.site_uid \
    WHERE os.organization_uid = o.company_uid ORDER BY os.site_uid NULLS LAST LIMIT 1)";
