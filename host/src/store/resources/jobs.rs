//! Jobs of backup servers: one list of all, and one for each kind with what only that kind has. A typed job can show the whole
//! job beside it (`expand=BackupServerJob`), so the job's properties are written once and stamped under two names.

use crate::store::list::{Property, Reach, Resource};

/// A job as it stands: what it was told and has not answered yet, else what its server said last.
const STATUS: &str = "coalesce((SELECT CASE c.kind WHEN 'job-start' THEN 'Starting' WHEN 'job-retry' THEN 'Starting' \
    WHEN 'job-stop' THEN 'Stopping' WHEN 'job-enable' THEN 'Enabling' WHEN 'job-disable' THEN 'Disabling' END \
    FROM commands c WHERE c.subject_uid = j.uid AND c.finished_at IS NULL ORDER BY c.position DESC LIMIT 1), j.status)";

/// Where the job's server stands: looked up for the rows of a page, so that no list joins for it.
const LOCATION: &str = "(SELECT la.location_uid FROM agents la WHERE la.uid = j.agent_uid)";

macro_rules! job_properties {
    ($prefix:literal, [$($own:expr),* $(,)?]) => {
        &[
            $($own,)*
            Property::uuid(concat!($prefix, "instanceUid"), "j.uid").indexed(),
            Property::uuid(concat!($prefix, "uniqueUid"), "j.unique_uid"),
            Property::text(concat!($prefix, "name"), "j.name").folded("j.name_folded"),
            Property::text(concat!($prefix, "description"), "j.description"),
            Property::text(concat!($prefix, "createdBy"), "j.created_by"),
            Property::instant(concat!($prefix, "creationTime"), "j.creation_time"),
            Property::uuid(concat!($prefix, "backupServerUid"), "j.server_uid").indexed(),
            Property::uuid(concat!($prefix, "locationUid"), LOCATION),
            Property::uuid(concat!($prefix, "siteUid"), "j.site_uid"),
            Property::uuid(concat!($prefix, "organizationUid"), "j.company_uid"),
            Property::uuid(concat!($prefix, "mappedOrganizationUid"), "j.mapped_company_uid"),
            Property::code(concat!($prefix, "status"), STATUS).writes("status"),
            Property::code(concat!($prefix, "type"), "j.type"),
            Property::instant(concat!($prefix, "lastRun"), "j.last_run").indexed_if($prefix.is_empty()),
            Property::instant(concat!($prefix, "lastEndTime"), "j.last_end"),
            Property::integer(concat!($prefix, "lastDuration"), "j.last_duration"),
            Property::integer(concat!($prefix, "avgDuration"), "j.average_duration"),
            Property::number(concat!($prefix, "processingRate"), "j.processing_rate"),
            Property::integer(concat!($prefix, "transferredData"), "j.transferred_data"),
            Property::integer(concat!($prefix, "backupChainSize"), "j.backup_chain_size"),
            Property::code(concat!($prefix, "bottleneck"), "j.bottleneck"),
            Property::flag(concat!($prefix, "isEnabled"), "j.enabled").writes("enabled"),
            Property::code(concat!($prefix, "scheduleType"), "j.schedule_type"),
            Property::json(concat!($prefix, "schedule"), "j.schedule"),
            Property::text(concat!($prefix, "failureMessage"), "j.failure_message"),
            Property::code(concat!($prefix, "targetType"), "j.target_type"),
            Property::text(concat!($prefix, "destination"), "j.destination"),
            Property::integer(concat!($prefix, "retentionLimit"), "j.retention_limit"),
            Property::code(concat!($prefix, "retentionLimitType"), "j.retention_type"),
            Property::flag(concat!($prefix, "isGfsOptionEnabled"), "j.gfs"),
            Property::json(concat!($prefix, "lastSessionTasks"), "j.session_tasks"),
        ]
    };
}

/// Who sees a job: the company it works for, and the owner of its server.
const REACH: Reach = Reach::organization("j.holder_uid")
    .location("j.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))");

/// What jobs did, run by run. A caller must see the job first.
pub static JOB_SESSIONS: Resource = Resource {
    name: "BackupServerJobSession",
    table: "job_sessions",
    key: "uid",
    from: "job_sessions x LEFT JOIN backup_jobs j ON j.uid = x.job_uid",
    id: "x.uid",
    reach: Reach::organization("coalesce(j.holder_uid, x.company_uid)")
        .location("x.agent_uid IN (SELECT la.uid FROM agents la WHERE la.location_uid IN ({}))"),
    properties: &[
        Property::uuid("instanceUid", "x.uid").indexed(),
        Property::uuid("jobUid", "x.job_uid").indexed(),
        Property::text("jobName", "x.job_name"),
        Property::code("jobType", "x.job_type"),
        Property::uuid("backupServerUid", "x.server_uid").indexed(),
        Property::uuid("organizationUid", "x.company_uid"),
        Property::code("status", "x.status"),
        Property::instant("startTime", "x.started_at").indexed(),
        Property::instant("endTime", "x.ended_at"),
        Property::integer("duration", "(x.ended_at - x.started_at) / 1000"),
        Property::text("failureMessage", "x.message"),
        Property::json("tasks", "x.tasks"),
    ],
};

/// All jobs.
pub static JOBS: Resource = Resource {
    name: "BackupServerJob",
    table: "backup_jobs",
    key: "uid",
    from: "backup_jobs j",
    id: "j.uid",
    reach: REACH,
    properties: job_properties!("", []),
};

/// Jobs that back up virtual machines.
pub static VM_JOBS: Resource = Resource {
    name: "BackupServerBackupVmJob",
    table: "backup_vm_jobs",
    key: "job_uid",
    from: "backup_vm_jobs t JOIN backup_jobs j ON j.uid = t.job_uid",
    id: "t.job_uid",
    reach: REACH,
    properties: job_properties!(
        "_embedded.backupServerJob.",
        [
            Property::uuid("instanceUid", "t.job_uid").indexed(),
            Property::uuid("uniqueUid", "j.unique_uid"),
            Property::code("subtype", "t.subtype"),
            Property::integer("protectedVmCount", "t.protected_vms"),
            Property::uuid("targetRepositoryUid", "t.repository_uid"),
        ]
    ),
};

/// Jobs of backup agents on computers.
pub static AGENT_JOBS: Resource = Resource {
    name: "BackupServerAgentJob",
    table: "backup_agent_jobs",
    key: "job_uid",
    from: "backup_agent_jobs t JOIN backup_jobs j ON j.uid = t.job_uid",
    id: "t.job_uid",
    reach: REACH,
    properties: job_properties!(
        "_embedded.backupServerJob.",
        [
            Property::uuid("instanceUid", "t.job_uid").indexed(),
            Property::uuid("uniqueUid", "j.unique_uid"),
            Property::code("jobMode", "t.mode"),
            Property::code("licenseType", "t.license_type"),
            Property::code("osType", "t.os_type"),
            Property::text("destination", "j.destination"),
            Property::json("source", "t.source"),
            Property::integer("successJobsCount", "t.success_jobs"),
            Property::integer("totalJobsCount", "t.total_jobs"),
        ]
    ),
};

/// Jobs that copy backups.
pub static COPY_JOBS: Resource = Resource {
    name: "BackupServerBackupCopyJob",
    table: "backup_copy_jobs",
    key: "job_uid",
    from: "backup_copy_jobs t JOIN backup_jobs j ON j.uid = t.job_uid",
    id: "t.job_uid",
    reach: REACH,
    properties: job_properties!(
        "_embedded.backupServerJob.",
        [
            Property::uuid("instanceUid", "t.job_uid").indexed(),
            Property::uuid("uniqueUid", "j.unique_uid"),
            Property::uuid("targetRepositoryUid", "t.repository_uid"),
            Property::uuid("sourceWanAcceleratorUid", "t.source_accelerator_uid"),
            Property::uuid("targetWanAcceleratorUid", "t.target_accelerator_uid"),
            Property::code("retentionPolicyType", "t.retention_policy"),
            Property::integer("weeklyRestorePointsToKeep", "t.weekly_points"),
            Property::integer("monthlyRestorePointsToKeep", "t.monthly_points"),
            Property::integer("yearlyRestorePointsToKeep", "t.yearly_points"),
            Property::flag("isRpoOptionsEnabled", "t.rpo_enabled"),
            Property::integer("rpoOptionsValue", "t.rpo_value"),
            Property::code("rpoOptionsUnit", "t.rpo_unit"),
        ]
    ),
};

/// Jobs that back up file shares.
pub static FILE_SHARE_JOBS: Resource = Resource {
    name: "BackupServerFileShareJob",
    table: "backup_file_share_jobs",
    key: "job_uid",
    from: "backup_file_share_jobs t JOIN backup_jobs j ON j.uid = t.job_uid",
    id: "t.job_uid",
    reach: REACH,
    properties: job_properties!(
        "_embedded.backupServerJob.",
        [
            Property::uuid("instanceUid", "t.job_uid").indexed(),
            Property::uuid("uniqueUid", "j.unique_uid"),
            Property::uuid("targetRepositoryUid", "t.repository_uid"),
            Property::integer("retention", "t.retention"),
            Property::code("retentionUnit", "t.retention_unit"),
            Property::uuid("archiveRepositoryUid", "t.archive_repository_uid"),
            Property::flag("isArchiveRetentionEnabled", "t.archive_enabled"),
            Property::integer("archiveRetention", "t.archive_retention"),
            Property::code("archiveRetentionUnit", "t.archive_retention_unit"),
        ]
    ),
};

/// Jobs that keep replicas of virtual machines.
pub static REPLICATION_JOBS: Resource = Resource {
    name: "BackupServerReplicationVmJob",
    table: "backup_replication_jobs",
    key: "job_uid",
    from: "backup_replication_jobs t JOIN backup_jobs j ON j.uid = t.job_uid",
    id: "t.job_uid",
    reach: REACH,
    properties: job_properties!(
        "_embedded.backupServerJob.",
        [
            Property::uuid("instanceUid", "t.job_uid").indexed(),
            Property::uuid("uniqueUid", "j.unique_uid"),
            Property::integer("protectedVmCount", "t.protected_vms"),
            Property::flag("isCloudJob", "t.cloud"),
            Property::uuid("cloudHostUid", "t.cloud_host_uid"),
            Property::uuid("targetHostUid", "t.target_host_uid"),
            Property::flag("throughWanAccelerators", "t.accelerated"),
            Property::uuid("sourceWanAcceleratorUid", "t.source_accelerator_uid"),
            Property::uuid("targetWanAcceleratorUid", "t.target_accelerator_uid"),
        ]
    ),
};
