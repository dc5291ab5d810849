//! What an agent beside a Cloud Connect server reports. Each thing is named by the server's own key.

/// The server itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFact {
    /// What a new site is called until somebody renames it.
    pub name: String,
    /// Where its agents are served.
    pub port: i64,
    /// Whether tenants are held off.
    pub maintenance_mode: bool,
    /// Whether tenants may be managed in the server's own console too.
    pub tenant_management: bool,
    /// Whether it is a Cloud Connect for the Enterprise.
    pub enterprise: bool,
}

/// A pool of gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayPoolFact {
    /// The server's own id.
    pub key: String,
    /// For people.
    pub name: String,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFact {
    /// The server's own id.
    pub key: String,
    /// Its pool's key.
    pub pool: Option<String>,
    /// For people.
    pub name: String,
    /// The key of the host it runs on.
    pub host: String,
    /// Where it listens.
    pub port: i64,
    /// Where tenants find it.
    pub external_port: i64,
    /// Where tenants find it.
    pub external_address: String,
    /// What that resolves to.
    pub external_ips: Vec<String>,
    /// Older than its server.
    pub out_of_date: bool,
    /// Switched off.
    pub disabled: bool,
    /// A word of the API's `status`.
    pub status: String,
}

/// A repository that tenants can be given shares of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFact {
    /// The server's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// Neither deleted backups are protected there nor are accelerators used.
    pub object_storage: bool,
    /// Bytes, where the server says.
    pub capacity: Option<i64>,
    /// Bytes, where the server says.
    pub free_space: Option<i64>,
}

/// A WAN accelerator that tenants can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WanAcceleratorFact {
    /// The server's own id.
    pub key: String,
    /// For people.
    pub name: String,
}

/// What people can set of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the switches that a Cloud Connect server has")]
pub struct TenantSettingsFact {
    /// For people.
    pub name: String,
    /// The account's.
    pub user_name: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it is let in.
    pub enabled: bool,
    /// Until when, in unix milliseconds.
    pub lease_expires_at: Option<i64>,
    /// How much it may send, and in which unit: a word of the API's `throttlingUnit`.
    pub throttling: Option<(i64, String)>,
    /// How many tasks at once.
    pub max_concurrent_tasks: i64,
    /// For how many days its deleted backups are kept.
    pub protection_days: Option<i64>,
    /// The keys of its gateway pools; none: it uses the gateways that are in no pool.
    pub gateway_pools: Vec<String>,
    /// Whether other gateways serve it when those fail.
    pub gateway_failover: bool,
    /// Whether it has hosts of the provider's.
    pub native_replication: bool,
    /// Whether it has hosts of Cloud Director's.
    pub vcd_replication: bool,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFact {
    /// The server's own id.
    pub key: String,
    /// The key of its organisation in Cloud Director, if that is where it comes from.
    pub vcd_organization: Option<String>,
    /// What people can set.
    pub settings: TenantSettingsFact,
    /// Unix milliseconds.
    pub last_active: Option<i64>,
    /// Bytes that went out this month.
    pub data_out: i64,
    /// Bytes that came in this month.
    pub data_in: i64,
}

/// A tenant's share of a repository. Numbers of machines are limited here, not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupResourceFact {
    /// The tenant's key.
    pub tenant: String,
    /// The server's own id.
    pub key: String,
    /// The repository's key.
    pub repository: String,
    /// For people.
    pub name: String,
    /// Bytes; the server enforces it.
    pub storage_quota: i64,
    /// The key of its accelerator.
    pub wan_accelerator: Option<String>,
    /// Bytes.
    pub used_space: i64,
    /// Bytes, for repositories with tiers.
    pub archive_tier: Option<i64>,
    /// Bytes, for repositories with tiers.
    pub capacity_tier: Option<i64>,
    /// Bytes, for repositories with tiers.
    pub performance_tier: Option<i64>,
    /// How many servers back up to it.
    pub server_backups: i64,
    /// How many workstations back up to it.
    pub workstation_backups: i64,
    /// How many virtual machines back up to it.
    pub vm_backups: i64,
}

/// A hardware plan that a tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardwarePlanFact {
    /// The plan's key.
    pub plan: String,
    /// The key of its accelerator.
    pub wan_accelerator: Option<String>,
}

/// What a tenant may replicate to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationFact {
    /// The tenant's key.
    pub tenant: String,
    /// Its plans.
    pub plans: Vec<HardwarePlanFact>,
    /// Whether it may fail over by itself.
    pub failover: bool,
    /// Whether it is given public addresses.
    pub public_allocation: bool,
    /// How many.
    pub public_ips: i64,
}

/// What a tenant uses of a hardware plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationUsageFact {
    /// The tenant's key.
    pub tenant: String,
    /// The plan's key.
    pub plan: String,
    /// Machines.
    pub vms: i64,
    /// Virtual processors.
    pub vcpus: i64,
    /// Cores of the hosts.
    pub host_cores: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub storage: i64,
}

/// A backup that a tenant keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudBackupFact {
    /// The tenant's key.
    pub tenant: String,
    /// The subtenant's key.
    pub subtenant: Option<String>,
    /// The server's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// A word of the API's `type`.
    pub kind: String,
    /// The repository's key.
    pub repository: String,
    /// The key of what is backed up.
    pub object: String,
    /// The key of the tenant's job.
    pub job: Option<String>,
    /// The installation of the tenant's that made it.
    pub installation: Option<uuid::Uuid>,
    /// How many there are.
    pub restore_points: i64,
}

/// The net effect of one batch: each key at most once in each list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudFacts {
    /// The site, if it is new or changed.
    pub site: Option<SiteFact>,
    /// New or changed.
    pub gateway_pools: Vec<GatewayPoolFact>,
    /// New or changed.
    pub gateways: Vec<GatewayFact>,
    /// New or changed.
    pub repositories: Vec<RepositoryFact>,
    /// New or changed.
    pub wan_accelerators: Vec<WanAcceleratorFact>,
    /// New or changed.
    pub tenants: Vec<TenantFact>,
    /// New or changed.
    pub backup_resources: Vec<BackupResourceFact>,
    /// New or changed.
    pub replications: Vec<ReplicationFact>,
    /// New or changed.
    pub replication_usages: Vec<ReplicationUsageFact>,
    /// New or changed.
    pub backups: Vec<CloudBackupFact>,
    /// Keys of gateway pools that are no more.
    pub gateway_pools_gone: Vec<String>,
    /// Keys of gateways that are no more.
    pub gateways_gone: Vec<String>,
    /// Keys of repositories that are no more.
    pub repositories_gone: Vec<String>,
    /// Keys of WAN accelerators that are no more.
    pub wan_accelerators_gone: Vec<String>,
    /// Keys of tenants that are no more.
    pub tenants_gone: Vec<String>,
    /// (tenant, key) of shares that are no more.
    pub backup_resources_gone: Vec<(String, String)>,
    /// Keys of tenants that may no longer replicate.
    pub replications_gone: Vec<String>,
    /// (tenant, plan) of usages that are no more.
    pub replication_usages_gone: Vec<(String, String)>,
    /// Keys of backups that are no more.
    pub backups_gone: Vec<String>,
    /// The epoch's inventory is whole: what it did not mention is no more.
    pub complete: bool,
}

impl CloudFacts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        usize::from(self.site.is_some())
            + self.gateway_pools.len()
            + self.gateways.len()
            + self.repositories.len()
            + self.wan_accelerators.len()
            + self.tenants.len()
            + self.backup_resources.len()
            + self.replications.len()
            + self.replication_usages.len()
            + self.backups.len()
    }
}
