//! The letter of the contract.

use serde::Deserialize;
use uuid::Uuid;

use crate::driver::facet::Server;
use crate::driver::facet::license::LicenseWire;

#[derive(Debug, Deserialize)]
pub(super) enum Facet {
    #[serde(rename = "cloud-connect")]
    CloudConnect,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Answer {
    #[expect(dead_code, reason = "looked at before all else")]
    version: u64,
    #[expect(dead_code, reason = "that it can be read is all there is to know")]
    facet: Facet,
    pub(super) server: Server,
    pub(super) site: Site,
    pub(super) gateway_pools: Vec<Named>,
    pub(super) gateways: Vec<Gateway>,
    pub(super) repositories: Vec<Repository>,
    pub(super) wan_accelerators: Vec<Named>,
    pub(super) tenants: Vec<Tenant>,
    pub(super) backups: Vec<Backup>,
    pub(super) license: Option<LicenseWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) port: u32,
    pub(super) maintenance_mode: bool,
    pub(super) tenant_management: bool,
    pub(super) enterprise: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Named {
    pub(super) key: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Gateway {
    pub(super) key: String,
    pub(super) pool_key: Option<String>,
    pub(super) name: String,
    pub(super) host_key: String,
    pub(super) port: u32,
    pub(super) external_port: u32,
    pub(super) external_address: String,
    pub(super) external_ips: Vec<String>,
    pub(super) out_of_date: bool,
    pub(super) disabled: bool,
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Repository {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) object_storage: bool,
    pub(super) capacity: Option<i64>,
    pub(super) free_space: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Throttling {
    pub(super) value: i64,
    pub(super) unit: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a tenant has so many switches")]
pub(super) struct Tenant {
    pub(super) key: String,
    pub(super) vcd_organization_key: Option<String>,
    pub(super) name: String,
    pub(super) user_name: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) enabled: bool,
    pub(super) lease_expires_at: Option<String>,
    pub(super) throttling: Option<Throttling>,
    pub(super) max_concurrent_tasks: i64,
    pub(super) protection_days: Option<i64>,
    pub(super) gateway_pool_keys: Vec<String>,
    pub(super) gateway_failover: bool,
    pub(super) native_replication: bool,
    pub(super) vcd_replication: bool,
    pub(super) last_active: Option<String>,
    pub(super) data_out: i64,
    pub(super) data_in: i64,
    pub(super) backup_resources: Vec<Resource>,
    pub(super) replication: Option<Replication>,
    #[serde(default)]
    pub(super) replication_usages: Vec<Usage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Resource {
    pub(super) key: String,
    pub(super) repository_key: String,
    pub(super) name: String,
    pub(super) storage_quota: i64,
    pub(super) wan_accelerator_key: Option<String>,
    pub(super) used_space: i64,
    pub(super) archive_tier: Option<i64>,
    pub(super) capacity_tier: Option<i64>,
    pub(super) performance_tier: Option<i64>,
    pub(super) server_backups: i64,
    pub(super) workstation_backups: i64,
    pub(super) vm_backups: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Replication {
    pub(super) plans: Vec<Plan>,
    pub(super) failover: bool,
    pub(super) public_allocation: bool,
    pub(super) public_ips: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) key: String,
    pub(super) wan_accelerator_key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Usage {
    pub(super) plan_key: String,
    pub(super) vms: i64,
    pub(super) vcpus: i64,
    pub(super) host_cores: i64,
    pub(super) memory: i64,
    pub(super) storage: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Backup {
    pub(super) tenant_key: String,
    pub(super) subtenant_key: Option<String>,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) repository_key: String,
    pub(super) object_key: String,
    pub(super) job_key: Option<String>,
    pub(super) installation_uid: Option<Uuid>,
    pub(super) restore_points: i64,
}
