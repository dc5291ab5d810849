//! Backups of workloads and the states they can be restored to. A point says itself whose it is and of what kind, and the newest
//! one of its workload bears a mark: no list of five million rows joins or looks for a maximum.

use crate::store::list::{Property, Reach, Resource};

const REACH: Reach = Reach::organization("r.company_uid")
    .location("r.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))")
    .user("r.account_uid = {}");

const BACKUP_REACH: Reach = Reach::organization("b.company_uid")
    .location("b.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))")
    .user("b.account_uid = {}");

/// Restore points of computers managed by the console.
pub static RESTORE_POINTS: Resource = Resource {
    name: "ProtectedComputerManagedByConsoleRestorePoint",
    table: "restore_points",
    key: "uid",
    from: "restore_points r WHERE r.kind = 'computer'",
    id: "r.uid",
    reach: REACH,
    properties: &[
        Property::uuid("instanceUid", "r.uid").indexed(),
        Property::uuid("backupAgentUid", "r.workload_uid").indexed(),
        Property::uuid("jobUid", "r.job_uid").indexed(),
        Property::instant("creationDate", "r.created_at").indexed(),
        Property::integer("size", "r.size"),
        Property::integer("sourceSize", "r.source_size"),
        Property::integer("incrementRawDataSize", "r.increment_size"),
        Property::text("destination", "r.destination"),
        Property::text(
            "backedupItems",
            "(SELECT w.backed_up_items FROM workloads w WHERE w.uid = r.workload_uid)",
        ),
    ],
};

const OF_MANAGED_COMPUTER: &[Property] = &[
    Property::uuid("instanceUid", "r.uid").indexed(),
    Property::uuid("backupAgentUid", "r.workload_uid").indexed(),
    Property::uuid("backupUid", "r.backup_uid"),
    Property::uuid("jobUid", "r.job_uid").indexed(),
    Property::uuid("repositoryUid", "r.repository_uid"),
    Property::integer("size", "r.size"),
    Property::integer("sourceSize", "r.source_size"),
    Property::integer("provisionedSourceSize", "r.provisioned_size"),
    Property::integer("usedSourceSize", "r.used_size"),
    Property::integer("incrementRawDataSize", "r.increment_size"),
    Property::integer("cpuCores", "r.cpu_cores"),
    Property::integer("memory", "r.memory"),
    Property::code("targetType", "r.target_type"),
    Property::instant("backupCreationTime", "r.created_at").indexed(),
    Property::instant("fileCreationTime", "r.file_created_at"),
    Property::code("malwareState", "r.malware_state"),
];

/// Restore points of computers managed by backup servers.
pub static MANAGED_COMPUTER_POINTS: Resource = Resource {
    name: "ProtectedComputerManagedByBackupServerRestorePoint",
    table: "restore_points",
    key: "uid",
    from: "restore_points r WHERE r.kind = 'managed_computer'",
    id: "r.uid",
    reach: REACH,
    properties: OF_MANAGED_COMPUTER,
};

/// The newest one of each.
pub static LATEST_MANAGED_COMPUTER_POINTS: Resource = Resource {
    from: "restore_points r WHERE r.kind = 'managed_computer' AND r.latest = TRUE",
    ..MANAGED_COMPUTER_POINTS
};

const OF_VIRTUAL_MACHINE: &[Property] = &[
    Property::uuid("instanceUid", "r.uid").indexed(),
    Property::uuid("virtualMachineUid", "r.workload_uid").indexed(),
    Property::uuid("backupServerUid", "r.server_uid"),
    Property::uuid("backupUid", "r.backup_uid"),
    Property::uuid("jobUid", "r.job_uid").indexed(),
    Property::uuid("repositoryUid", "r.repository_uid"),
    Property::text("filePath", "r.file_path"),
    Property::integer("size", "r.size"),
    Property::integer("provisionedSourceSize", "r.provisioned_size"),
    Property::integer("usedSourceSize", "r.used_size"),
    Property::integer("incrementRawDataSize", "r.increment_size"),
    Property::integer("cpuCores", "r.cpu_cores"),
    Property::integer("memory", "r.memory"),
    Property::instant("backupCreationTime", "r.created_at").indexed(),
    Property::instant("fileCreationTime", "r.file_created_at"),
    Property::instant("immutableTill", "r.immutable_till"),
    Property::flag("isConsistent", "r.consistent"),
    Property::list("gfsType", "r.gfs"),
    Property::code("tier", "r.tier"),
    Property::code("malwareState", "r.malware_state"),
];

/// Restore points of virtual machines.
pub static VIRTUAL_MACHINE_POINTS: Resource = Resource {
    name: "ProtectedVirtualMachineBackupRestorePoint",
    table: "restore_points",
    key: "uid",
    from: "restore_points r WHERE r.kind = 'virtual_machine'",
    id: "r.uid",
    reach: REACH,
    properties: OF_VIRTUAL_MACHINE,
};

/// The newest one of each.
pub static LATEST_VIRTUAL_MACHINE_POINTS: Resource = Resource {
    from: "restore_points r WHERE r.kind = 'virtual_machine' AND r.latest = TRUE",
    ..VIRTUAL_MACHINE_POINTS
};

/// Restore points of file shares.
pub static FILE_SHARE_POINTS: Resource = Resource {
    name: "ProtectedOnPremisesFileShareRestorePoint",
    table: "restore_points",
    key: "uid",
    from: "restore_points r WHERE r.kind = 'file_share'",
    id: "r.uid",
    reach: REACH,
    properties: &[
        Property::uuid("instanceUid", "r.uid").indexed(),
        Property::uuid("fileShareUid", "r.workload_uid").indexed(),
        Property::uuid("backupServerUid", "r.server_uid"),
        Property::uuid("backupUid", "r.backup_uid"),
        Property::uuid("jobUid", "r.job_uid").indexed(),
        Property::instant("restorePointDate", "r.created_at").indexed(),
        Property::integer("size", "r.size"),
        Property::flag("isArchive", "r.archive"),
    ],
};

/// Backups of virtual machines.
pub static VIRTUAL_MACHINE_BACKUPS: Resource = Resource {
    name: "ProtectedVirtualMachineBackup",
    table: "workload_backups",
    key: "uid",
    from: "workload_backups b WHERE b.kind = 'virtual_machine'",
    id: "b.uid",
    reach: BACKUP_REACH,
    properties: &[
        Property::uuid("instanceUid", "b.uid").indexed(),
        Property::uuid("virtualMachineUid", "b.workload_uid").indexed(),
        Property::uuid("backupServerUid", "b.server_uid"),
        Property::uuid("backupObjectUid", "b.object_uid"),
        Property::uuid("jobUid", "b.job_uid").indexed(),
        Property::uuid("repositoryUid", "b.repository_uid"),
        Property::code("backupType", "b.backup_type"),
        Property::code("targetType", "b.target_type"),
        Property::code("targetLocationTier", "b.tier"),
        Property::instant("latestRestorePointDate", "b.newest_restore_point").indexed(),
        Property::integer("latestRestorePointSize", "b.latest_size"),
        Property::integer("restorePoints", "b.restore_points"),
        Property::integer("totalRestorePointSize", "b.total_size"),
        Property::flag("immutable", "b.immutable"),
        Property::code("malwareState", "b.malware_state"),
    ],
};

/// Backups of computers managed by backup servers.
pub static MANAGED_COMPUTER_BACKUPS: Resource = Resource {
    name: "ProtectedComputerManagedByBackupServerBackup",
    table: "workload_backups",
    key: "uid",
    from: "workload_backups b WHERE b.kind = 'managed_computer'",
    id: "b.uid",
    reach: BACKUP_REACH,
    properties: &[
        Property::uuid("instanceUid", "b.uid").indexed(),
        Property::uuid("backupAgentUid", "b.workload_uid").indexed(),
        Property::uuid("backupObjectUid", "b.object_uid"),
        Property::uuid("jobUid", "b.job_uid").indexed(),
        Property::text("jobName", "b.job_name"),
        Property::code("jobKind", "b.job_kind"),
        Property::uuid("repositoryUid", "b.repository_uid"),
        Property::code("targetType", "b.target_type"),
        Property::code("targetLocationTier", "b.tier"),
        Property::instant("latestRestorePointDate", "b.newest_restore_point").indexed(),
        Property::integer("latestRestorePointSize", "b.latest_size"),
        Property::integer("restorePoints", "b.restore_points"),
        Property::integer("totalRestorePointSize", "b.total_size"),
        Property::integer("provisionedSourceSize", "b.provisioned_size"),
        Property::integer("usedSourceSize", "b.used_size"),
        Property::code("malwareState", "b.malware_state"),
    ],
};
