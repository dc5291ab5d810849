//! What only jobs of one kind have: a narrow table for each kind, beside the one with what all jobs have.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Type, columns};
use super::super::{StoreError, Tx};
use super::Of;
use super::jobs::JobFact;

const PUT_VM: BulkStatement = BulkStatement {
    name: "store::infrastructure::typed_jobs::PUT_VM",
    fixed: &[],
    columns: &[
        ("job_uid", Type::Uuid),
        ("subtype", Type::Text),
        ("protected_vms", Type::Int),
        ("repository_uid", Type::Uuid),
    ],
    text: "INSERT INTO backup_vm_jobs (job_uid, subtype, protected_vms, repository_uid) SELECT job_uid, subtype, \
        protected_vms, repository_uid FROM input WHERE 1 = 1 ON CONFLICT (job_uid) DO UPDATE SET subtype = \
        excluded.subtype, protected_vms = excluded.protected_vms, repository_uid = excluded.repository_uid",
};

const PUT_AGENT: BulkStatement = BulkStatement {
    name: "store::infrastructure::typed_jobs::PUT_AGENT",
    fixed: &[],
    columns: &[
        ("job_uid", Type::Uuid),
        ("mode", Type::Text),
        ("license_type", Type::Text),
        ("os_type", Type::Text),
        ("source", Type::Text),
        ("success_jobs", Type::Int),
        ("total_jobs", Type::Int),
    ],
    text: "INSERT INTO backup_agent_jobs (job_uid, mode, license_type, os_type, source, success_jobs, total_jobs) SELECT \
        job_uid, mode, license_type, os_type, source, success_jobs, total_jobs FROM input WHERE 1 = 1 ON CONFLICT \
        (job_uid) DO UPDATE SET mode = excluded.mode, license_type = excluded.license_type, os_type = \
        excluded.os_type, source = excluded.source, success_jobs = excluded.success_jobs, total_jobs = \
        excluded.total_jobs",
};

const PUT_COPY: BulkStatement = BulkStatement {
    name: "store::infrastructure::typed_jobs::PUT_COPY",
    fixed: &[],
    columns: &[
        ("job_uid", Type::Uuid),
        ("repository_uid", Type::Uuid),
        ("source_accelerator_uid", Type::Uuid),
        ("target_accelerator_uid", Type::Uuid),
        ("retention_policy", Type::Text),
        ("weekly_points", Type::Int),
        ("monthly_points", Type::Int),
        ("yearly_points", Type::Int),
        ("rpo_enabled", Type::Flag),
        ("rpo_value", Type::Int),
        ("rpo_unit", Type::Text),
        ("public_cloud", Type::Flag),
    ],
    text: "INSERT INTO backup_copy_jobs (public_cloud, job_uid, repository_uid, source_accelerator_uid, target_accelerator_uid, \
        retention_policy, weekly_points, monthly_points, yearly_points, rpo_enabled, rpo_value, rpo_unit) SELECT \
        public_cloud, job_uid, repository_uid, source_accelerator_uid, target_accelerator_uid, retention_policy, weekly_points, \
        monthly_points, yearly_points, rpo_enabled, rpo_value, rpo_unit FROM input WHERE 1 = 1 ON CONFLICT (job_uid) \
        DO UPDATE SET repository_uid = excluded.repository_uid, source_accelerator_uid = \
        excluded.source_accelerator_uid, target_accelerator_uid = excluded.target_accelerator_uid, retention_policy = \
        excluded.retention_policy, weekly_points = excluded.weekly_points, monthly_points = excluded.monthly_points, \
        yearly_points = excluded.yearly_points, rpo_enabled = excluded.rpo_enabled, rpo_value = excluded.rpo_value, \
        rpo_unit = excluded.rpo_unit, public_cloud = excluded.public_cloud",
};

const PUT_FILE_SHARE: BulkStatement = BulkStatement {
    name: "store::infrastructure::typed_jobs::PUT_FILE_SHARE",
    fixed: &[],
    columns: &[
        ("job_uid", Type::Uuid),
        ("repository_uid", Type::Uuid),
        ("retention", Type::Int),
        ("retention_unit", Type::Text),
        ("archive_repository_uid", Type::Uuid),
        ("archive_enabled", Type::Flag),
        ("archive_retention", Type::Int),
        ("archive_retention_unit", Type::Text),
    ],
    text: "INSERT INTO backup_file_share_jobs (job_uid, repository_uid, retention, retention_unit, \
        archive_repository_uid, archive_enabled, archive_retention, archive_retention_unit) SELECT job_uid, \
        repository_uid, retention, retention_unit, archive_repository_uid, archive_enabled, archive_retention, \
        archive_retention_unit FROM input WHERE 1 = 1 ON CONFLICT (job_uid) DO UPDATE SET repository_uid = \
        excluded.repository_uid, retention = excluded.retention, retention_unit = excluded.retention_unit, \
        archive_repository_uid = excluded.archive_repository_uid, archive_enabled = excluded.archive_enabled, \
        archive_retention = excluded.archive_retention, archive_retention_unit = excluded.archive_retention_unit",
};

const PUT_REPLICATION: BulkStatement = BulkStatement {
    name: "store::infrastructure::typed_jobs::PUT_REPLICATION",
    fixed: &[],
    columns: &[
        ("job_uid", Type::Uuid),
        ("protected_vms", Type::Int),
        ("cloud", Type::Flag),
        ("cloud_host_uid", Type::Uuid),
        ("target_host_uid", Type::Uuid),
        ("accelerated", Type::Flag),
        ("source_accelerator_uid", Type::Uuid),
        ("target_accelerator_uid", Type::Uuid),
    ],
    text: "INSERT INTO backup_replication_jobs (job_uid, protected_vms, cloud, cloud_host_uid, target_host_uid, \
        accelerated, source_accelerator_uid, target_accelerator_uid) SELECT job_uid, protected_vms, cloud, \
        cloud_host_uid, target_host_uid, accelerated, source_accelerator_uid, target_accelerator_uid FROM input WHERE \
        1 = 1 ON CONFLICT (job_uid) DO UPDATE SET protected_vms = excluded.protected_vms, cloud = excluded.cloud, \
        cloud_host_uid = excluded.cloud_host_uid, target_host_uid = excluded.target_host_uid, accelerated = \
        excluded.accelerated, source_accelerator_uid = excluded.source_accelerator_uid, target_accelerator_uid = \
        excluded.target_accelerator_uid",
};

pub(super) const BULK: &[BulkStatement] = &[PUT_VM, PUT_AGENT, PUT_COPY, PUT_FILE_SHARE, PUT_REPLICATION];

/// What only jobs of one kind have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum JobDetails {
    /// Nothing but what all jobs have.
    #[default]
    None,
    /// A job that backs up virtual machines.
    Vm(VmJobFact),
    /// A job of backup agents on computers.
    Agent(AgentJobFact),
    /// A job that copies backups.
    Copy(CopyJobFact),
    /// A job that backs up a file share.
    FileShare(FileShareJobFact),
    /// A job that keeps replicas of virtual machines.
    Replication(ReplicationJobFact),
}

/// A job that backs up virtual machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VmJobFact {
    /// A word of the API's `BackupServerBackupVmJobHypervisorType`.
    pub subtype: String,
    /// How many machines it protects.
    pub protected_vms: i64,
    /// The key of the repository that it writes to.
    pub repository: Option<String>,
}

/// A job of backup agents on computers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentJobFact {
    /// A word of the API's `BackupServerAgentJobMode`.
    pub mode: String,
    /// A word of the API's `BackupServerAgentJobLicenseType`.
    pub license_type: String,
    /// A word of the API's `BackupServerAgentJobOsType`.
    pub os_type: String,
    /// The API's `BackupServerAgentJobSource`, as JSON.
    pub source: Option<String>,
    /// How many of its computers' jobs went well.
    pub success_jobs: i64,
    /// How many there are.
    pub total_jobs: i64,
}

/// A job that copies backups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyJobFact {
    /// The key of the repository that it writes to.
    pub repository: Option<String>,
    /// The key of the WAN accelerator on this side.
    pub source_accelerator: Option<String>,
    /// The key of the WAN accelerator on the other side.
    pub target_accelerator: Option<String>,
    /// A word of the API's `BackupServerBackupCopyJobRetentionPolicyType`.
    pub retention_policy: String,
    /// How many weekly restore points it keeps.
    pub weekly_points: i64,
    /// How many monthly ones.
    pub monthly_points: i64,
    /// How many yearly ones.
    pub yearly_points: i64,
    /// Whether it warns when no copy was made for too long.
    pub rpo_enabled: bool,
    /// How long that is.
    pub rpo_value: Option<i64>,
    /// In which unit: a word of the API's `TimeMeasureUnit`.
    pub rpo_unit: Option<String>,
    /// Whether it copies what public-cloud appliances made.
    pub public_cloud: bool,
}

/// A job that backs up a file share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileShareJobFact {
    /// The key of the repository that it writes to.
    pub repository: Option<String>,
    /// How long versions are kept.
    pub retention: i64,
    /// In which unit: a word of the API's `TimeMeasureUnit`.
    pub retention_unit: String,
    /// The key of the repository that older versions go to.
    pub archive_repository: Option<String>,
    /// Whether older versions are kept there.
    pub archive_enabled: bool,
    /// How long.
    pub archive_retention: Option<i64>,
    /// In which unit.
    pub archive_retention_unit: Option<String>,
}

/// A job that keeps replicas of virtual machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicationJobFact {
    /// How many machines it protects.
    pub protected_vms: i64,
    /// Whether the replicas are at a provider.
    pub cloud: bool,
    /// The provider's id of the host there.
    pub cloud_host: Option<Uuid>,
    /// The key of the host that the replicas are on.
    pub target_host: Option<String>,
    /// Whether data goes through WAN accelerators.
    pub accelerated: bool,
    /// The key of the one on this side.
    pub source_accelerator: Option<String>,
    /// The key of the one on the other side.
    pub target_accelerator: Option<String>,
}

/// Stores the details of new or changed jobs, each kind by its own statement.
pub(super) async fn put(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    put_vm(tx, jobs).await?;
    put_agent(tx, jobs).await?;
    put_copy(tx, jobs).await?;
    put_file_share(tx, jobs).await?;
    put_replication(tx, jobs).await?;
    Ok(())
}

/// The jobs of one kind with their details.
macro_rules! of_kind {
    ($jobs:expr, $kind:ident) => {
        $jobs
            .iter()
            .filter_map(|Of { source, fact: job }| match &job.details {
                JobDetails::$kind(details) => Some((source, *job, details)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}

async fn put_vm(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let found = of_kind!(jobs, Vm);
    let columns = columns!(found, (source, job, d) => {
        Uuid source.job(&job.server, &job.key),
        Text d.subtype.clone(),
        Int d.protected_vms,
        MaybeUuid d.repository.as_deref().map(|key| source.repository(&job.server, key)),
    });
    PUT_VM.execute(tx, &[], &columns).await?;
    Ok(())
}

async fn put_agent(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let found = of_kind!(jobs, Agent);
    let columns = columns!(found, (source, job, d) => {
        Uuid source.job(&job.server, &job.key),
        Text d.mode.clone(),
        Text d.license_type.clone(),
        Text d.os_type.clone(),
        MaybeText d.source.clone(),
        Int d.success_jobs,
        Int d.total_jobs,
    });
    PUT_AGENT.execute(tx, &[], &columns).await?;
    Ok(())
}

async fn put_copy(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let found = of_kind!(jobs, Copy);
    let columns = columns!(found, (source, job, d) => {
        Uuid source.job(&job.server, &job.key),
        MaybeUuid d.repository.as_deref().map(|key| source.repository(&job.server, key)),
        MaybeUuid d.source_accelerator.as_deref().map(|key| source.part(&job.server, "accelerator", key)),
        MaybeUuid d.target_accelerator.as_deref().map(|key| source.part(&job.server, "accelerator", key)),
        Text d.retention_policy.clone(),
        Int d.weekly_points,
        Int d.monthly_points,
        Int d.yearly_points,
        Flag d.rpo_enabled,
        MaybeInt d.rpo_value,
        MaybeText d.rpo_unit.clone(),
        Flag d.public_cloud,
    });
    PUT_COPY.execute(tx, &[], &columns).await?;
    Ok(())
}

async fn put_file_share(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let found = of_kind!(jobs, FileShare);
    let columns = columns!(found, (source, job, d) => {
        Uuid source.job(&job.server, &job.key),
        MaybeUuid d.repository.as_deref().map(|key| source.repository(&job.server, key)),
        Int d.retention,
        Text d.retention_unit.clone(),
        MaybeUuid d.archive_repository.as_deref().map(|key| source.repository(&job.server, key)),
        Flag d.archive_enabled,
        MaybeInt d.archive_retention,
        MaybeText d.archive_retention_unit.clone(),
    });
    PUT_FILE_SHARE.execute(tx, &[], &columns).await?;
    Ok(())
}

async fn put_replication(tx: &mut Tx, jobs: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let found = of_kind!(jobs, Replication);
    let columns = columns!(found, (source, job, d) => {
        Uuid source.job(&job.server, &job.key),
        Int d.protected_vms,
        Flag d.cloud,
        MaybeUuid d.cloud_host,
        MaybeUuid d.target_host.as_deref().map(|key| source.part(&job.server, "host", key)),
        Flag d.accelerated,
        MaybeUuid d.source_accelerator.as_deref().map(|key| source.part(&job.server, "accelerator", key)),
        MaybeUuid d.target_accelerator.as_deref().map(|key| source.part(&job.server, "accelerator", key)),
    });
    PUT_REPLICATION.execute(tx, &[], &columns).await?;
    Ok(())
}
