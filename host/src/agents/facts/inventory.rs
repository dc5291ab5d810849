//! Servers, repositories, workloads and restore points.

use keelson_proto::v1::{BackupServer, Repository, RestorePoint, Workload};

use super::check::{key, maybe_text, measure, past, text, word};
use crate::store::{BackupRepositoryFact, RestorePointFact, ServerFact, WorkloadFact};

/// The API's `BackupRepositoryType`.
const REPOSITORY_KINDS: &[&str] = &[
    "Windows",
    "Linux",
    "Share",
    "Cloud",
    "ScaleOut",
    "MicrosoftAzureBlobStorage",
    "AmazonS3",
    "AmazonS3Compatible",
    "AmazonS3External",
    "AzureExternal",
    "DellEmcDataDomain",
    "HpeStoreOnce",
    "QuantumDxi",
    "IbmCloudObjectStorage",
    "NFS",
    "ExaGrid",
    "MicrosoftAzureArchive",
    "MicrosoftAzureDataBox",
    "GoogleCloud",
    "Infinidat",
    "Fujitsu",
    "AmazonS3Glacier",
    "S3Compatible",
    "LinuxHardened",
    "SanSnapshot",
    "AmazonSnowball",
    "GoogleArchiveTier",
    "Wasabi",
    "AzureArchiveTier",
    "VeeamVault",
    "ElevenEleven",
    "VeeamVaultArchive",
    "VeeamVaultExternal",
    "AbrVirtual",
];

pub(super) fn server(server: BackupServer) -> Result<ServerFact, String> {
    Ok(ServerFact {
        key: key("key", server.key)?,
        name: text("name", server.name)?,
        engine: text("engine", server.engine)?,
        version: text("version", server.version)?,
        ..ServerFact::default()
    })
}

pub(super) fn workload(workload: Workload) -> Result<WorkloadFact, String> {
    let operation_mode = match workload.operation_mode.as_str() {
        "server" => "Server",
        "workstation" => "Workstation",
        _ => "Unknown",
    };
    Ok(WorkloadFact {
        server: key("server key", workload.server_key)?,
        key: key("key", workload.key)?,
        name: text("name", workload.name)?,
        kind: key("kind", workload.kind)?,
        operation_mode: operation_mode.to_owned(),
        backed_up_items: text("backed up items", workload.backed_up_items)?,
        details: None,
    })
}

/// A backup server whose clock is ahead must not make a workload look safe for as long: nothing was backed up later than it
/// is heard of.
pub(super) fn point(point: RestorePoint, now: i64) -> Result<RestorePointFact, String> {
    Ok(RestorePointFact {
        server: key("server key", point.server_key)?,
        workload: key("workload key", point.workload_key)?,
        key: key("key", point.key)?,
        created_at: past("restore point's instant", point.created_at, now)?,
        size: measure("restore point's size", point.size)?,
        source_size: measure("restore point's source size", point.source_size)?,
        destination: text("destination", point.destination)?,
        details: None,
    })
}

pub(super) fn repository(repository: Repository) -> Result<BackupRepositoryFact, String> {
    let kind = word(&repository.kind, REPOSITORY_KINDS);
    let immutable_days = measure("number of immutable days", repository.immutable_days)?;
    Ok(BackupRepositoryFact {
        server: key("server key", repository.server_key)?,
        key: key("key", repository.key)?,
        name: text("name", repository.name)?,
        cloud: kind == "Cloud",
        kind,
        status: "Healthy".to_owned(),
        host_name: maybe_text("host name", repository.host_name)?,
        path: maybe_text("path", repository.path)?,
        capacity: measure("capacity", repository.capacity)?,
        free_space: measure("free space", repository.free_space)?,
        used_space: measure("used space", repository.used_space)?,
        backup_size: measure("size of backups", repository.backup_size)?,
        immutability_enabled: Some(immutable_days.is_some()),
        immutability_interval: immutable_days,
        out_of_date: repository.out_of_date,
        per_vm_files: repository.per_machine_files,
        ..BackupRepositoryFact::default()
    })
}
