//! The words of the REST API that facts may say. What is none of them counts as "Unknown"; a test beside the contract holds
//! both together.

/// The API's word for whatever it has no word for.
pub(super) const UNKNOWN: &str = "Unknown";

/// Of an enumeration of the contract, the words without [`UNKNOWN`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) &'static [&'static str]);

pub(super) const REPOSITORY_TYPES: Words = Words(&[
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
]);
pub(super) const SERVER_STATUSES: Words = Words(&["Healthy", "Warning", "Inaccessible"]);
pub(super) const AGENT_STATUSES: Words = Words(&[
    "Healthy",
    "Inaccessible",
    "Warning",
    "Updating",
    "Error",
    "Restarting",
    "Installation",
    "FailedToUpdate",
    "Applying",
]);
pub(super) const APPLICATIONS: Words = Words(&[
    "OtherApp",
    "MicrosoftExchangeServer",
    "MicrosoftSqlServer",
    "MicrosoftActiveDirectory",
    "MicrosoftSharePoint",
    "Oracle",
    "MySQL",
    "PostgreSQL",
    "MongoDB",
    "ApacheServer",
]);
pub(super) const OS_TYPES: Words = Words(&["Workstation", "DomainController", "Server", "Linux", "Mac"]);
pub(super) const PLATFORMS: Words =
    Words(&["Windows", "HyperV", "Linux", "Mac", "vSphere", "Azure", "Amazon", "Other", "Google"]);
pub(super) const COMPUTER_PLATFORMS: Words = Words(&["Windows", "Linux", "Mac"]);
pub(super) const MALWARE_STATES: Words = Words(&["Unverified", "Clean", "Infected", "Suspicious"]);
pub(super) const TIERS: Words = Words(&["None", "Performance", "Archive", "Capacity"]);
pub(super) const POINT_TARGETS: Words = Words(&["Local", "Cloud"]);
pub(super) const PROTECTING_JOBS: Words = Words(&["Backup", "Copy"]);
pub(super) const BACKUP_TYPES: Words =
    Words(&["Backup", "Replication", "BackupCopy", "BackupToTape", "Orphaned"]);
pub(super) const JOB_TYPES: Words = Words(&[
    "BackupVm",
    "ReplicationVM",
    "CopyVm",
    "CopyFile",
    "FileToTape",
    "BackupToTape",
    "BackupCopy",
    "SimpleBackupCopy",
    "SqlLogBackup",
    "OracleLogBackup",
    "SureBackup",
    "AgentPolicy",
    "AgentBackupJob",
    "BackupFile",
    "BackupFileCopy",
    "AzureBackupJob",
    "AwsBackupJob",
    "AhvStorageSnapshotJob",
    "CdpReplicationVM",
    "GoogleBackupJob",
    "PostgreSqlLogBackup",
    "ObjectStorageBackup",
    "ObjectStorageBackupCopy",
    "SobrMaintenance",
]);
pub(super) const JOB_STATUSES: Words = Words(&[
    "None",
    "Idle",
    "Success",
    "Warning",
    "Failed",
    "Running",
    "Starting",
    "Stopping",
    "Enabling",
    "Disabling",
    "WaitingTape",
    "WaitingRepository",
]);
pub(super) const TASK_STATUSES: Words = Words(&["Success", "Warning", "Failed", "Running", "Pending"]);
pub(super) const BOTTLENECKS: Words =
    Words(&["Network", "None", "Proxy", "Source", "SourceWanAccelerator", "Target", "TargetWanAccelerator"]);
pub(super) const RETENTION_LIMITS: Words = Words(&["Days", "RestorePoints", "None"]);
pub(super) const SCHEDULE_TYPES: Words =
    Words(&["NotScheduled", "Daily", "Monthly", "Periodically", "Continuously", "BackupWindow", "Chained"]);
pub(super) const JOB_TARGETS: Words = Words(&["Local", "Cloud", "None"]);
pub(super) const HYPERVISORS: Words = Words(&[
    "VSphere",
    "Vcd",
    "HyperV",
    "NutanixAhv",
    "OVirtKvm",
    "ProxmoxVe",
    "ScaleComputing",
    "HpeMorpheusVmEssentials",
    "XCP_ng",
    "SangforAsv",
    "KubeVirt",
]);
pub(super) const AGENT_JOB_MODES: Words = Words(&["ManagedByBackupServer", "ManagedByAgent"]);
pub(super) const AGENT_JOB_LICENSES: Words = Words(&["Server", "Workstation", "Limited"]);
pub(super) const AGENT_JOB_SYSTEMS: Words = Words(&["Windows", "Linux", "Mac"]);
pub(super) const COPY_POLICIES: Words = Words(&["None", "Simple", "GFS"]);
pub(super) const TIME_UNITS: Words = Words(&["Minutes", "Hours", "Days", "Months", "Years"]);
pub(super) const LICENSE_TYPES: Words =
    Words(&["NotInstalled", "Community", "Rental", "Subscription", "Evaluation", "NFR", "Perpetual"]);
pub(super) const LICENSE_STATUSES: Words = Words(&["Valid", "Warning", "Error", "Expired", "Unlicensed"]);
pub(super) const LICENSE_PACKAGES: Words = Words(&[
    "None",
    "Starter",
    "Essentials",
    "Backup",
    "ONE",
    "Suite",
    "Orchestrator",
    "Foundation",
    "Advanced",
    "Premium",
]);
pub(super) const LICENSE_CLOUD_CONNECT: Words = Words(&["No", "Yes", "Enterprise"]);
pub(super) const LICENSE_UNITS: Words = Words(&["Instances", "Points"]);
pub(super) const GATEWAY_STATUSES: Words = Words(&["Healthy", "Warning", "Error"]);
pub(super) const CLOUD_BACKUP_TYPES: Words = Words(&[
    "VSphere",
    "HyperV",
    "Windows",
    "Linux",
    "Mac",
    "NAS",
    "VCD",
    "Tape",
    "AHV",
    "Azure",
    "Amazon",
    "RHV",
    "Google",
    "ProxmoxVe",
    "ScaleComputing",
    "HpeMorpheusVmEssentials",
    "XCP_ng",
    "SangforAsv",
    "KubeVirt",
]);
pub(super) const SPEED_UNITS: Words = Words(&["MbitPerSec", "KbytePerSec", "MbytePerSec"]);
pub(super) const VB365_TYPES: Words = Words(&["User", "Group", "Teams", "Site"]);
/// What a restore point is kept for, as the contract spells it and as agents do: the contract's words carry a comma that is
/// hardly meant, and clients compare with it.
pub(super) const GFS: &[(&str, &str)] =
    &[("Weekly,", "Weekly"), ("Monthly,", "Monthly"), ("Quarterly,", "Quarterly"), ("Yearly", "Yearly")];

/// All of them, by the contract's names.
#[cfg(test)]
pub(crate) const ALL: &[(&str, Words)] = &[
    ("BackupRepositoryType", REPOSITORY_TYPES),
    ("BackupServerStatus", SERVER_STATUSES),
    ("ManagementAgentStatus", AGENT_STATUSES),
    ("Application", APPLICATIONS),
    ("OsType", OS_TYPES),
    ("PlatformType", PLATFORMS),
    ("ProtectedComputerPlatformType", COMPUTER_PLATFORMS),
    ("MalwareState", MALWARE_STATES),
    ("SobrRepositoryTier", TIERS),
    ("RestorePointTargetType", POINT_TARGETS),
    ("ComputerProtectingJobKind", PROTECTING_JOBS),
    ("ProtectedVirtualMachineBackupType", BACKUP_TYPES),
    ("BackupServerJobType", JOB_TYPES),
    ("BackupServerJobStatus", JOB_STATUSES),
    ("BBackupServerJobSessionTaskStatus", TASK_STATUSES),
    ("BackupServerJobBottleneckType", BOTTLENECKS),
    ("RetentionLimitType", RETENTION_LIMITS),
    ("BackupServerJobScheduleType", SCHEDULE_TYPES),
    ("BackupServerJobTargetType", JOB_TARGETS),
    ("BackupServerBackupVmJobHypervisorType", HYPERVISORS),
    ("BackupServerAgentJobMode", AGENT_JOB_MODES),
    ("BackupServerAgentJobLicenseType", AGENT_JOB_LICENSES),
    ("BackupServerAgentJobOsType", AGENT_JOB_SYSTEMS),
    ("BackupServerBackupCopyJobRetentionPolicyType", COPY_POLICIES),
    ("TimeMeasureUnit", TIME_UNITS),
    ("VeeamLicenseType", LICENSE_TYPES),
    ("VeeamLicenseStatus", LICENSE_STATUSES),
    ("VeeamLicensePackage", LICENSE_PACKAGES),
    ("VeeamLicenseCloudConnect", LICENSE_CLOUD_CONNECT),
    ("VeeamLicenseUnitsType", LICENSE_UNITS),
    ("CloudGatewayStatus", GATEWAY_STATUSES),
    ("CloudBackupType", CLOUD_BACKUP_TYPES),
    ("SpeedUnit", SPEED_UNITS),
    ("Vb365ProtectedObjectType", VB365_TYPES),
];
