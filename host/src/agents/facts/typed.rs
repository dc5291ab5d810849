//! What only jobs of one kind have.

use keelson_proto::v1::job::Details;
use keelson_proto::v1::{AgentJob, CopyJob, FileShareJob, Job, ReplicationJob};

use super::check::{count, maybe_key, maybe_uuid, measure, word};
use super::words;
use crate::store::{AgentJobFact, CopyJobFact, FileShareJobFact, JobDetails, ReplicationJobFact, VmJobFact};

/// Of a job of this kind. Details of another kind's are left out: they would stand in a list of jobs that this one is not in.
pub(super) fn details(kind: &str, job: &mut Job) -> Result<JobDetails, String> {
    let repository = maybe_key("repository key", std::mem::take(&mut job.repository_key))?;
    let details = job.details.take();
    Ok(match kind {
        "BackupVm" => JobDetails::Vm(VmJobFact {
            subtype: word(&job.hypervisor, words::HYPERVISORS),
            protected_vms: measure("number of machines", job.protected_machines)?.unwrap_or_default(),
            repository,
        }),
        "AgentBackupJob" | "AgentPolicy" => {
            let Some(Details::Agent(one)) = details else { return Ok(JobDetails::None) };
            JobDetails::Agent(agent(&one)?)
        }
        "BackupCopy" | "SimpleBackupCopy" => {
            let Some(Details::Copy(one)) = details else { return Ok(JobDetails::None) };
            JobDetails::Copy(copy(one, repository)?)
        }
        "BackupFile" | "BackupFileCopy" | "ObjectStorageBackup" | "ObjectStorageBackupCopy" => {
            let Some(Details::FileShare(one)) = details else { return Ok(JobDetails::None) };
            JobDetails::FileShare(file_share(one, repository)?)
        }
        "ReplicationVM" | "CdpReplicationVM" => {
            let Some(Details::Replication(one)) = details else { return Ok(JobDetails::None) };
            JobDetails::Replication(replication(one)?)
        }
        _ => JobDetails::None,
    })
}

fn agent(job: &AgentJob) -> Result<AgentJobFact, String> {
    Ok(AgentJobFact {
        mode: word(&job.mode, words::AGENT_JOB_MODES),
        license_type: word(&job.license_type, words::AGENT_JOB_LICENSES),
        os_type: word(&job.os_type, words::AGENT_JOB_SYSTEMS),
        source: None,
        success_jobs: count("number of successful jobs", job.success_jobs)?,
        total_jobs: count("number of jobs", job.total_jobs)?,
    })
}

fn copy(job: CopyJob, repository: Option<String>) -> Result<CopyJobFact, String> {
    let rpo_value = measure("recovery point objective", job.rpo_value)?;
    Ok(CopyJobFact {
        repository,
        source_accelerator: maybe_key("key of the source accelerator", job.source_accelerator_key)?,
        target_accelerator: maybe_key("key of the target accelerator", job.target_accelerator_key)?,
        retention_policy: word(&job.retention_policy, words::COPY_POLICIES),
        weekly_points: count("number of weekly restore points", job.weekly_points)?,
        monthly_points: count("number of monthly restore points", job.monthly_points)?,
        yearly_points: count("number of yearly restore points", job.yearly_points)?,
        rpo_enabled: rpo_value.is_some(),
        rpo_unit: rpo_value.and_then(|_| unit(&job.rpo_unit)),
        rpo_value,
        public_cloud: job.public_cloud,
    })
}

fn file_share(job: FileShareJob, repository: Option<String>) -> Result<FileShareJobFact, String> {
    let archive_repository = maybe_key("key of the archive repository", job.archive_repository_key)?;
    Ok(FileShareJobFact {
        repository,
        retention: count("retention", job.retention)?,
        retention_unit: unit(&job.retention_unit).unwrap_or_else(|| "Days".to_owned()),
        archive_enabled: archive_repository.is_some(),
        archive_repository,
        archive_retention: measure("retention in the archive", job.archive_retention)?,
        archive_retention_unit: unit(&job.archive_retention_unit),
    })
}

fn replication(job: ReplicationJob) -> Result<ReplicationJobFact, String> {
    Ok(ReplicationJobFact {
        protected_vms: count("number of machines", job.protected_machines)?,
        cloud: job.cloud,
        cloud_host: maybe_uuid("id of the provider's host", &job.cloud_host_uid)?,
        target_host: maybe_key("key of the target host", job.target_host_key)?,
        accelerated: job.accelerated,
        source_accelerator: maybe_key("key of the source accelerator", job.source_accelerator_key)?,
        target_accelerator: maybe_key("key of the target accelerator", job.target_accelerator_key)?,
    })
}

/// A unit of time; the contract has no word for one that it does not know.
fn unit(word: &str) -> Option<String> {
    words::TIME_UNITS.0.contains(&word).then(|| word.to_owned())
}
