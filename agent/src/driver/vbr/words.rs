//! The server's words as the host's API has them. A word that is not known here becomes one that the host takes for unknown.

/// `EJobType` → `BackupServerJobType`.
pub(super) fn job_kind(word: &str) -> &'static str {
    match word {
        "VSphereBackup" | "HyperVBackup" | "CloudDirectorBackup" => "BackupVm",
        "VSphereReplica" => "ReplicationVM",
        "BackupCopy" | "LegacyBackupCopy" => "BackupCopy",
        "FileBackupCopy" => "BackupFileCopy",
        "WindowsAgentBackup" | "LinuxAgentBackup" => "AgentBackupJob",
        "WindowsAgentBackupWorkstationPolicy"
        | "LinuxAgentBackupWorkstationPolicy"
        | "WindowsAgentBackupServerPolicy"
        | "LinuxAgentBackupServerPolicy" => "AgentPolicy",
        "FileBackup" => "BackupFile",
        "ObjectStorageBackup" => "ObjectStorageBackup",
        "SureBackupContentScan" => "SureBackup",
        "CloudBackupAzure" => "AzureBackupJob",
        "CloudBackupAWS" => "AwsBackupJob",
        "CloudBackupGoogle" => "GoogleBackupJob",
        _ => "Unknown",
    }
}

/// `EJobType` → the hypervisor of a job that backs up virtual machines.
pub(super) fn hypervisor(word: &str) -> &'static str {
    match word {
        "VSphereBackup" | "VSphereReplica" => "VSphere",
        "HyperVBackup" => "HyperV",
        "CloudDirectorBackup" => "Vcd",
        _ => "",
    }
}

/// `EJobStatus` and the last run's `ESessionResult` → `BackupServerJobStatus`.
pub(super) fn job_status(status: &str, result: &str, has_run: bool) -> &'static str {
    match (status, result) {
        ("Running", _) => "Running",
        ("Starting", _) => "Starting",
        ("Stopping", _) => "Stopping",
        ("Inactive" | "Disabled" | "Enabled" | "Stopped", "Success") => "Success",
        ("Inactive" | "Disabled" | "Enabled" | "Stopped", "Warning") => "Warning",
        ("Inactive" | "Disabled" | "Enabled" | "Stopped", "Failed") => "Failed",
        ("Inactive" | "Disabled" | "Enabled" | "Stopped", "None") if has_run => "Idle",
        ("Inactive" | "Disabled" | "Enabled" | "Stopped", "None") => "None",
        _ => "Unknown",
    }
}

/// `ESessionState` and `ESessionResult` → the status of a run.
pub(super) fn session_status(state: &str, result: &str) -> &'static str {
    match (state, result) {
        ("Stopped", "Success") => "Success",
        ("Stopped", "Warning") => "Warning",
        ("Stopped", "Failed") => "Failed",
        ("Stopped", _) => "None",
        ("Starting", _) => "Starting",
        ("Stopping", _) => "Stopping",
        ("WaitingTape", _) => "WaitingTape",
        ("WaitingRepository" | "WaitingSlot", _) => "WaitingRepository",
        ("Working" | "Pausing" | "Resuming" | "Postprocessing" | "Idle", _) => "Running",
        _ => "Unknown",
    }
}

/// `ERepositoryType` → `BackupRepositoryType`.
pub(super) fn repository_kind(word: &str) -> &'static str {
    match word {
        "WinLocal" => "Windows",
        "LinuxLocal" => "Linux",
        "LinuxHardened" => "LinuxHardened",
        "Smb" => "Share",
        "Nfs" => "NFS",
        "AzureBlob" => "MicrosoftAzureBlobStorage",
        "AzureDataBox" => "MicrosoftAzureDataBox",
        "AzureArchive" => "MicrosoftAzureArchive",
        "AzureStorageExternal" => "AzureExternal",
        "AzureArchiveStorageExternal" => "AzureArchiveTier",
        "AmazonS3" => "AmazonS3",
        "AmazonS3External" => "AmazonS3External",
        "AmazonS3Glacier" | "AmazonS3GlacierExternal" => "AmazonS3Glacier",
        "AmazonSnowballEdge" => "AmazonSnowball",
        "S3Compatible" | "S3GlacierCompatible" | "SmartObjectS3" => "S3Compatible",
        "GoogleCloud" | "GoogleCloudStorageExternal" => "GoogleCloud",
        "GoogleArchiveStorageExternal" => "GoogleArchiveTier",
        "IBMCloud" => "IbmCloudObjectStorage",
        "WasabiCloud" => "Wasabi",
        "ElevenElevenS3" => "ElevenEleven",
        "VeeamDataCloudVault" | "VeeamVault" => "VeeamVault",
        "ExtendableRepository" => "ScaleOut",
        "DDBoost" => "DellEmcDataDomain",
        "ExaGrid" => "ExaGrid",
        "HPStoreOnce" | "HPStoreOnceIntegration" | "HPStoreOnceCloudBank" => "HpeStoreOnce",
        "Quantum" => "QuantumDxi",
        "Infinidat" => "Infinidat",
        "Fujitsu" => "Fujitsu",
        "SanSnapshotOnly" => "SanSnapshot",
        "AbrVirtual" => "AbrVirtual",
        "Cloud" => "Cloud",
        _ => "Unknown",
    }
}

/// `ESessionBottleneckType` → the API's bottleneck.
pub(super) fn bottleneck(word: &str) -> &'static str {
    match word {
        "None" => "None",
        "Source" => "Source",
        "Proxy" | "SourceProxy" | "TargetProxy" => "Proxy",
        "Network" | "SourceNetwork" | "TargetNetwork" | "Throttling" => "Network",
        "SourceWan" => "SourceWanAccelerator",
        "TargetWan" => "TargetWanAccelerator",
        "Target" | "TargetDisk" => "Target",
        _ => "",
    }
}

/// `EPlatformType` → the protocol's kind of a workload.
pub(super) fn workload_kind(platform: &str) -> &'static str {
    match platform {
        "WindowsPhysical" | "LinuxPhysical" => "managed_computer",
        "UnstructuredData" => "file_share",
        "VMware" | "HyperV" | "CloudDirector" | "CustomPlatform" => "virtual_machine",
        "AWSEC2" | "AzureCompute" | "GCE" => "cloud_machine",
        _ => "other",
    }
}

/// The system of a computer.
pub(super) fn computer_platform(platform: &str, system: &'static str) -> &'static str {
    match platform {
        "WindowsPhysical" => "Windows",
        "LinuxPhysical" => "Linux",
        _ => system,
    }
}

/// `EGuestOSFamily` → a system, if it is told.
pub(super) fn system(word: Option<&str>) -> &'static str {
    match word {
        Some("Windows") => "Windows",
        Some("Linux") => "Linux",
        _ => "",
    }
}

/// `ESuspiciousActivitySeverity` → `MalwareState`.
pub(super) fn malware(word: Option<&str>) -> &'static str {
    match word {
        Some("Clean") => "Clean",
        Some("Suspicious") => "Suspicious",
        Some("Infected") => "Infected",
        None | Some("Informative") => "Unverified",
        Some(_) => "Unknown",
    }
}

/// `EInstalledLicenseType` → `VeeamLicenseType`.
pub(super) fn license_type(word: Option<&str>, edition: &str) -> &'static str {
    match (word, edition) {
        (Some("Empty"), _) => "NotInstalled",
        (Some("Free"), _) | (None, "Community") => "Community",
        (Some("Rental"), _) => "Rental",
        (Some("Subscription"), _) => "Subscription",
        (Some("Evaluation"), _) => "Evaluation",
        (Some("NFR"), _) => "NFR",
        (Some("Perpetual"), _) => "Perpetual",
        _ => "Unknown",
    }
}

/// `EInstalledLicenseStatus` → `VeeamLicenseStatus`.
pub(super) fn license_status(word: &str) -> &'static str {
    match word {
        "Valid" => "Valid",
        "Expired" => "Expired",
        "Invalid" => "Error",
        _ => "Unknown",
    }
}

/// `EInstalledLicenseEdition`, as people say it.
pub(super) fn edition(word: &str) -> &'static str {
    match word {
        "Community" => "Community",
        "Standard" => "Standard",
        "Enterprise" => "Enterprise",
        "EnterprisePlus" => "Enterprise Plus",
        _ => "",
    }
}

/// `EInstalledLicenseCloudConnectMode` → `VeeamLicenseCloudConnect`.
pub(super) fn cloud_connect(word: &str) -> &'static str {
    match word {
        "Disabled" => "No",
        "Enabled" => "Yes",
        "Enterprise" => "Enterprise",
        _ => "Unknown",
    }
}

/// "117.4 MB/s" → 117.4; a rate that cannot be read is no rate.
pub(super) fn megabytes_a_second(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: f64 = number.replace(',', ".").parse().ok()?;
    let factor = match unit.trim() {
        "B/s" => 1.0 / 1024.0 / 1024.0,
        "KB/s" => 1.0 / 1024.0,
        "MB/s" => 1.0,
        "GB/s" => 1024.0,
        _ => return None,
    };
    Some(number * factor).filter(|rate| rate.is_finite() && *rate >= 0.0)
}

/// Gigabytes with a fraction → bytes.
#[expect(clippy::cast_possible_truncation, reason = "it is checked to be within bounds")]
pub(super) fn bytes_of_gigabytes(gigabytes: f64) -> Option<i64> {
    let bytes = (gigabytes * 1_073_741_824.0).round();
    (bytes.is_finite() && (0.0..9.0e18).contains(&bytes)).then_some(bytes as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_runs_says_so_and_one_that_does_not_says_how_it_went() {
        assert_eq!(job_status("Running", "Success", true), "Running");
        assert_eq!(job_status("Disabled", "Failed", true), "Failed");
        assert_eq!(job_status("Inactive", "None", false), "None");
        assert_eq!(job_status("Sideways", "Success", true), "Unknown");
        assert_eq!(session_status("Stopped", "Warning"), "Warning");
        assert_eq!(session_status("Postprocessing", "None"), "Running");
    }

    #[test]
    fn figures_are_read_from_what_is_written_for_people() {
        assert_eq!(megabytes_a_second("1.5 GB/s"), Some(1536.0));
        assert_eq!(megabytes_a_second("512 KB/s"), Some(0.5));
        assert_eq!(megabytes_a_second("fast"), None);
        assert_eq!(bytes_of_gigabytes(1.5), Some(1_610_612_736));
        assert_eq!(bytes_of_gigabytes(-1.0), None);
        assert_eq!(bytes_of_gigabytes(f64::INFINITY), None);
    }
}
