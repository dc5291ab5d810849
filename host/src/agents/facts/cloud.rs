//! What a Cloud Connect server has.

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::cloud_gone::What as Gone;
use keelson_proto::v1::{
    Cloud, CloudBackup, CloudBackupResource, CloudGateway, CloudReplication, CloudReplicationUsage,
    CloudSite, CloudTenant,
};

use super::check::{
    count, key, maybe_instant, maybe_key, maybe_past, maybe_text, maybe_uuid, measure, text, texts, word,
};
use super::latest::Latest;
use super::words;
use crate::store::{
    BackupResourceFact, CloudBackupFact, CloudFacts, GatewayFact, GatewayPoolFact, HardwarePlanFact,
    ReplicationFact, ReplicationUsageFact, RepositoryFact, SiteFact, TenantFact, TenantSettingsFact,
    WanAcceleratorFact,
};

/// Members of a list of keys.
const MOST_KEYS: usize = 256;

/// The net effect of a batch.
#[derive(Default)]
pub(super) struct CloudReader {
    server: Option<String>,
    site: Option<SiteFact>,
    pools: Latest<String, GatewayPoolFact>,
    gateways: Latest<String, GatewayFact>,
    repositories: Latest<String, RepositoryFact>,
    accelerators: Latest<String, WanAcceleratorFact>,
    tenants: Latest<String, TenantFact>,
    resources: Latest<(String, String), BackupResourceFact>,
    replications: Latest<String, ReplicationFact>,
    usages: Latest<(String, String), ReplicationUsageFact>,
    backups: Latest<String, CloudBackupFact>,
}

impl CloudReader {
    pub(super) fn take(&mut self, cloud: Cloud, now: i64) -> Result<(), String> {
        let server = key("server key", cloud.server_key)?;
        if self.server.get_or_insert_with(|| server.clone()) != &server {
            return Err("one agent speaks for one Cloud Connect server".to_owned());
        }
        match cloud.what {
            Some(What::Site(one)) => self.site = Some(site(one)?),
            Some(What::GatewayPool(one)) => {
                let fact = GatewayPoolFact { key: key("key", one.key)?, name: text("name", one.name)? };
                self.pools.put(fact.key.clone(), Some(fact));
            }
            Some(What::Gateway(one)) => {
                let fact = gateway(one)?;
                self.gateways.put(fact.key.clone(), Some(fact));
            }
            Some(What::Repository(one)) => {
                let fact = RepositoryFact {
                    key: key("key", one.key)?,
                    name: text("name", one.name)?,
                    object_storage: one.object_storage,
                    capacity: measure("capacity", one.capacity)?,
                    free_space: measure("free space", one.free_space)?,
                };
                self.repositories.put(fact.key.clone(), Some(fact));
            }
            Some(What::WanAccelerator(one)) => {
                let fact = WanAcceleratorFact { key: key("key", one.key)?, name: text("name", one.name)? };
                self.accelerators.put(fact.key.clone(), Some(fact));
            }
            Some(What::Tenant(one)) => {
                let fact = tenant(one, now)?;
                self.tenants.put(fact.key.clone(), Some(fact));
            }
            Some(What::BackupResource(one)) => {
                let fact = resource(one)?;
                self.resources.put((fact.tenant.clone(), fact.key.clone()), Some(fact));
            }
            Some(What::Replication(one)) => {
                let fact = replication(one)?;
                self.replications.put(fact.tenant.clone(), Some(fact));
            }
            Some(What::ReplicationUsage(one)) => {
                let fact = usage(one)?;
                self.usages.put((fact.tenant.clone(), fact.plan.clone()), Some(fact));
            }
            Some(What::Backup(one)) => {
                let fact = backup(one)?;
                self.backups.put(fact.key.clone(), Some(fact));
            }
            Some(What::Gone(gone)) => self.lose(gone.what)?,
            // A newer agent's kind of thing.
            None => {}
        }
        Ok(())
    }

    fn lose(&mut self, gone: Option<Gone>) -> Result<(), String> {
        match gone {
            Some(Gone::GatewayPoolKey(one)) => self.pools.put(key("key", one)?, None),
            Some(Gone::GatewayKey(one)) => self.gateways.put(key("key", one)?, None),
            Some(Gone::TenantKey(one)) => self.tenants.put(key("key", one)?, None),
            Some(Gone::BackupResource(one)) => {
                self.resources.put((key("tenant's key", one.tenant_key)?, key("key", one.key)?), None);
            }
            Some(Gone::BackupKey(one)) => self.backups.put(key("key", one)?, None),
            Some(Gone::RepositoryKey(one)) => self.repositories.put(key("key", one)?, None),
            Some(Gone::WanAcceleratorKey(one)) => self.accelerators.put(key("key", one)?, None),
            Some(Gone::ReplicationKey(one)) => self.replications.put(key("key", one)?, None),
            Some(Gone::ReplicationUsage(one)) => {
                self.usages
                    .put((key("tenant's key", one.tenant_key)?, key("plan's key", one.plan_key)?), None);
            }
            None => {}
        }
        Ok(())
    }

    /// The server, and what the batch says of it; `None`: nothing, as of nearly every agent.
    pub(super) fn finish(self, complete: bool) -> Option<(String, CloudFacts)> {
        let server = self.server?;
        let (gateway_pools, gateway_pools_gone) = self.pools.split();
        let (gateways, gateways_gone) = self.gateways.split();
        let (repositories, repositories_gone) = self.repositories.split();
        let (wan_accelerators, wan_accelerators_gone) = self.accelerators.split();
        let (tenants, tenants_gone) = self.tenants.split();
        let (backup_resources, backup_resources_gone) = self.resources.split();
        let (replications, replications_gone) = self.replications.split();
        let (replication_usages, replication_usages_gone) = self.usages.split();
        let (backups, backups_gone) = self.backups.split();
        let facts = CloudFacts {
            site: self.site,
            gateway_pools,
            gateways,
            repositories,
            wan_accelerators,
            tenants,
            backup_resources,
            replications,
            replication_usages,
            backups,
            gateway_pools_gone,
            gateways_gone,
            repositories_gone,
            wan_accelerators_gone,
            tenants_gone,
            backup_resources_gone,
            replications_gone,
            replication_usages_gone,
            backups_gone,
            complete,
        };
        Some((server, facts))
    }
}

fn site(site: CloudSite) -> Result<SiteFact, String> {
    Ok(SiteFact {
        name: text("name", site.name)?,
        port: port(site.port)?,
        maintenance_mode: site.maintenance_mode,
        tenant_management: site.tenant_management,
        enterprise: site.enterprise,
    })
}

fn port(port: u32) -> Result<i64, String> {
    u16::try_from(port).map(i64::from).map_err(|_| format!("{port} is no port; the last one is 65535"))
}

fn gateway(gateway: CloudGateway) -> Result<GatewayFact, String> {
    Ok(GatewayFact {
        key: key("key", gateway.key)?,
        pool: maybe_key("pool's key", gateway.pool_key)?,
        name: text("name", gateway.name)?,
        host: key("host's key", gateway.host_key)?,
        port: port(gateway.port)?,
        external_port: port(gateway.external_port)?,
        external_address: text("address", gateway.external_address)?,
        external_ips: texts("IP address", gateway.external_ips)?,
        out_of_date: gateway.out_of_date,
        disabled: gateway.disabled,
        status: word(&gateway.status, words::GATEWAY_STATUSES),
    })
}

fn tenant(tenant: CloudTenant, now: i64) -> Result<TenantFact, String> {
    let unit = words::SPEED_UNITS.0.contains(&tenant.throttling_unit.as_str());
    let throttling = measure("throttling", tenant.throttling)?.filter(|_| unit);
    let pools = tenant.gateway_pool_keys.into_iter().take(MOST_KEYS).map(|one| key("pool's key", one));
    Ok(TenantFact {
        key: key("key", tenant.key)?,
        vcd_organization: maybe_key("organisation's key", tenant.vcd_organization_key)?,
        settings: TenantSettingsFact {
            name: text("name", tenant.name)?,
            user_name: text("user name", tenant.user_name)?,
            description: maybe_text("description", tenant.description)?,
            enabled: tenant.enabled,
            lease_expires_at: maybe_instant(tenant.lease_expires_at),
            throttling: throttling.map(|speed| (speed, tenant.throttling_unit)),
            max_concurrent_tasks: count("number of tasks", tenant.max_concurrent_tasks)?,
            protection_days: measure("number of days", tenant.protection_days)?,
            gateway_pools: pools.collect::<Result<_, _>>()?,
            gateway_failover: tenant.gateway_failover,
            native_replication: tenant.native_replication,
            vcd_replication: tenant.vcd_replication,
        },
        last_active: maybe_past("last activity", tenant.last_active, now)?,
        data_out: count("data that went out", tenant.data_out)?,
        data_in: count("data that came in", tenant.data_in)?,
    })
}

fn resource(resource: CloudBackupResource) -> Result<BackupResourceFact, String> {
    Ok(BackupResourceFact {
        tenant: key("tenant's key", resource.tenant_key)?,
        key: key("key", resource.key)?,
        repository: key("repository's key", resource.repository_key)?,
        name: text("name", resource.name)?,
        storage_quota: count("quota", resource.storage_quota)?,
        wan_accelerator: maybe_key("accelerator's key", resource.wan_accelerator_key)?,
        used_space: count("used space", resource.used_space)?,
        archive_tier: measure("space in the archive tier", resource.archive_tier)?,
        capacity_tier: measure("space in the capacity tier", resource.capacity_tier)?,
        performance_tier: measure("space in the performance tier", resource.performance_tier)?,
        server_backups: count("number of servers", resource.server_backups)?,
        workstation_backups: count("number of workstations", resource.workstation_backups)?,
        vm_backups: count("number of machines", resource.vm_backups)?,
    })
}

fn replication(replication: CloudReplication) -> Result<ReplicationFact, String> {
    let plans = replication.plans.into_iter().take(MOST_KEYS).map(|plan| {
        let wan_accelerator = maybe_key("accelerator's key", plan.wan_accelerator_key)?;
        Ok(HardwarePlanFact { plan: key("plan's key", plan.key)?, wan_accelerator })
    });
    Ok(ReplicationFact {
        tenant: key("tenant's key", replication.tenant_key)?,
        plans: plans.collect::<Result<_, String>>()?,
        failover: replication.failover,
        public_allocation: replication.public_allocation,
        public_ips: count("number of addresses", replication.public_ips)?,
    })
}

fn usage(usage: CloudReplicationUsage) -> Result<ReplicationUsageFact, String> {
    Ok(ReplicationUsageFact {
        tenant: key("tenant's key", usage.tenant_key)?,
        plan: key("plan's key", usage.plan_key)?,
        vms: count("number of machines", usage.vms)?,
        vcpus: count("number of processors", usage.vcpus)?,
        host_cores: count("number of cores", usage.host_cores)?,
        memory: count("memory", usage.memory)?,
        storage: count("storage", usage.storage)?,
    })
}

fn backup(backup: CloudBackup) -> Result<CloudBackupFact, String> {
    Ok(CloudBackupFact {
        tenant: key("tenant's key", backup.tenant_key)?,
        subtenant: maybe_key("subtenant's key", backup.subtenant_key)?,
        key: key("key", backup.key)?,
        name: text("name", backup.name)?,
        kind: word(&backup.kind, words::CLOUD_BACKUP_TYPES),
        repository: key("repository's key", backup.repository_key)?,
        object: key("object's key", backup.object_key)?,
        job: maybe_key("job's key", backup.job_key)?,
        installation: maybe_uuid("installation's id", &backup.installation_uid)?,
        restore_points: count("number of restore points", backup.restore_points)?,
    })
}
