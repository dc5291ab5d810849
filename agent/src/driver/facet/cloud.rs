//! What a Cloud Connect server has, as `facets/cloud-connect.schema.json` says it.

mod wire;

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::{
    Cloud, CloudBackup, CloudBackupResource, CloudGateway, CloudGatewayPool, CloudReplication,
    CloudReplicationUsage, CloudRepository, CloudSite, CloudTenant, CloudWanAccelerator, cloud_replication,
};
use uuid::Uuid;

use super::check::{self, Keys};
use super::{FacetError, adopt, program};
use crate::inventory::Inventory;
use wire::{Answer, Backup, Gateway, Replication, Resource, Site, Tenant, Usage};

/// Adds what the server has to what the driver found.
pub(super) fn add(inventory: &mut Inventory, answer: &[u8]) -> Result<(), FacetError> {
    let mut answer: Answer = program::parse(answer)?;
    check::key("server's key", &answer.server.key)?;
    adopt(inventory, &answer.server, "cloud-connect");
    let server_key = inventory.server.key.clone();
    let license = answer.license.take().map(|license| license.of_server(&server_key)).transpose()?;
    let cloud = facts(answer)?;
    inventory.license = inventory.license.take().or(license);
    inventory.machine.get_or_insert_default().cloud_connect = true;
    inventory
        .cloud
        .extend(cloud.into_iter().map(|what| Cloud { server_key: server_key.clone(), what: Some(what) }));
    Ok(())
}

/// What is known already while the answer is read: others may speak of it.
#[derive(Default)]
struct Known {
    pools: Keys,
    gateways: Keys,
    repositories: Keys,
    accelerators: Keys,
    tenants: Keys,
    backups: Keys,
}

fn facts(answer: Answer) -> Result<Vec<What>, FacetError> {
    let mut known = Known::default();
    let mut facts = vec![site(answer.site)?];
    for pool in answer.gateway_pools {
        known.pools.add("gateway pool", &pool.key)?;
        check::text("name of a gateway pool", &pool.name)?;
        facts.push(What::GatewayPool(CloudGatewayPool { key: pool.key, name: pool.name }));
    }
    for one in answer.gateways {
        facts.push(gateway(&mut known, one)?);
    }
    for one in answer.repositories {
        known.repositories.add("repository", &one.key)?;
        check::text("name of a repository", &one.name)?;
        for measure in [one.capacity, one.free_space].into_iter().flatten() {
            check::measure("size of a repository", measure)?;
        }
        facts.push(What::Repository(CloudRepository {
            key: one.key,
            name: one.name,
            object_storage: one.object_storage,
            capacity: one.capacity,
            free_space: one.free_space,
        }));
    }
    for one in answer.wan_accelerators {
        known.accelerators.add("WAN accelerator", &one.key)?;
        check::text("name of a WAN accelerator", &one.name)?;
        facts.push(What::WanAccelerator(CloudWanAccelerator { key: one.key, name: one.name }));
    }
    for one in answer.tenants {
        tenant(&mut known, one, &mut facts)?;
    }
    for one in answer.backups {
        facts.push(backup(&mut known, one)?);
    }
    Ok(facts)
}

fn site(site: Site) -> Result<What, FacetError> {
    check::port("port of the site", site.port)?;
    check::text("name of the site", &site.name)?;
    Ok(What::Site(CloudSite {
        name: site.name,
        port: site.port,
        maintenance_mode: site.maintenance_mode,
        tenant_management: site.tenant_management,
        enterprise: site.enterprise,
    }))
}

fn gateway(known: &mut Known, gateway: Gateway) -> Result<What, FacetError> {
    known.gateways.add("gateway", &gateway.key)?;
    check::key("host of a gateway", &gateway.host_key)?;
    check::port("port of a gateway", gateway.port)?;
    check::port("external port of a gateway", gateway.external_port)?;
    if let Some(pool) = &gateway.pool_key {
        known.pools.must_have("gateway pool", pool)?;
    }
    Ok(What::Gateway(CloudGateway {
        key: gateway.key,
        pool_key: gateway.pool_key.unwrap_or_default(),
        name: gateway.name,
        host_key: gateway.host_key,
        port: gateway.port,
        external_port: gateway.external_port,
        external_address: gateway.external_address,
        external_ips: gateway.external_ips,
        out_of_date: gateway.out_of_date,
        disabled: gateway.disabled,
        status: gateway.status,
    }))
}

fn tenant(known: &mut Known, tenant: Tenant, facts: &mut Vec<What>) -> Result<(), FacetError> {
    known.tenants.add("tenant", &tenant.key)?;
    for text in [&tenant.name, &tenant.user_name, &tenant.description] {
        check::text("name or description of a tenant", text)?;
    }
    for pool in &tenant.gateway_pool_keys {
        known.pools.must_have("gateway pool", pool)?;
    }
    let throttling = tenant.throttling;
    let numbers = [tenant.max_concurrent_tasks, tenant.data_in, tenant.data_out];
    let maybe = [tenant.protection_days, throttling.as_ref().map(|one| one.value)];
    numbers
        .into_iter()
        .chain(maybe.into_iter().flatten())
        .try_for_each(|number| check::measure("number of a tenant", number))?;
    let key = tenant.key.clone();
    facts.push(What::Tenant(CloudTenant {
        key: tenant.key,
        vcd_organization_key: tenant.vcd_organization_key.unwrap_or_default(),
        name: tenant.name,
        user_name: tenant.user_name,
        description: tenant.description,
        enabled: tenant.enabled,
        lease_expires_at: check::maybe_instant("end of a lease", tenant.lease_expires_at.as_deref())?,
        throttling: throttling.as_ref().map(|one| one.value),
        throttling_unit: throttling.map(|one| one.unit).unwrap_or_default(),
        max_concurrent_tasks: tenant.max_concurrent_tasks,
        protection_days: tenant.protection_days,
        gateway_pool_keys: tenant.gateway_pool_keys,
        gateway_failover: tenant.gateway_failover,
        native_replication: tenant.native_replication,
        vcd_replication: tenant.vcd_replication,
        last_active: check::maybe_instant("last activity of a tenant", tenant.last_active.as_deref())?,
        data_out: tenant.data_out,
        data_in: tenant.data_in,
    }));
    let mut own = Keys::default();
    for one in tenant.backup_resources {
        own.add("share of a tenant", &one.key)?;
        facts.push(resource(known, &key, one)?);
    }
    if let Some(replication) = tenant.replication {
        facts.push(plans(known, &key, replication)?);
    }
    let mut own = Keys::default();
    for one in tenant.replication_usages {
        own.add("usage of a plan", &one.plan_key)?;
        facts.push(usage(&key, one)?);
    }
    Ok(())
}

fn resource(known: &Known, tenant: &str, resource: Resource) -> Result<What, FacetError> {
    known.repositories.must_have("repository", &resource.repository_key)?;
    if let Some(accelerator) = &resource.wan_accelerator_key {
        known.accelerators.must_have("WAN accelerator", accelerator)?;
    }
    check::text("name of a share", &resource.name)?;
    let counts = [resource.server_backups, resource.workstation_backups, resource.vm_backups];
    let sizes = [Some(resource.storage_quota), Some(resource.used_space), resource.archive_tier];
    let tiers = [resource.capacity_tier, resource.performance_tier];
    counts
        .into_iter()
        .chain(sizes.into_iter().chain(tiers).flatten())
        .try_for_each(|number| check::measure("number of a share", number))?;
    Ok(What::BackupResource(CloudBackupResource {
        tenant_key: tenant.to_owned(),
        key: resource.key,
        repository_key: resource.repository_key,
        name: resource.name,
        storage_quota: resource.storage_quota,
        wan_accelerator_key: resource.wan_accelerator_key.unwrap_or_default(),
        used_space: resource.used_space,
        archive_tier: resource.archive_tier,
        capacity_tier: resource.capacity_tier,
        performance_tier: resource.performance_tier,
        server_backups: resource.server_backups,
        workstation_backups: resource.workstation_backups,
        vm_backups: resource.vm_backups,
    }))
}

fn plans(known: &Known, tenant: &str, replication: Replication) -> Result<What, FacetError> {
    check::measure("number of addresses", replication.public_ips)?;
    let mut plans = Vec::new();
    for plan in replication.plans {
        check::key("key of a hardware plan", &plan.key)?;
        if let Some(accelerator) = &plan.wan_accelerator_key {
            known.accelerators.must_have("WAN accelerator", accelerator)?;
        }
        let wan_accelerator_key = plan.wan_accelerator_key.unwrap_or_default();
        plans.push(cloud_replication::Plan { key: plan.key, wan_accelerator_key });
    }
    Ok(What::Replication(CloudReplication {
        tenant_key: tenant.to_owned(),
        plans,
        failover: replication.failover,
        public_allocation: replication.public_allocation,
        public_ips: replication.public_ips,
    }))
}

fn usage(tenant: &str, usage: Usage) -> Result<What, FacetError> {
    let Usage { plan_key, vms, vcpus, host_cores, memory, storage } = usage;
    [vms, vcpus, host_cores, memory, storage]
        .into_iter()
        .try_for_each(|number| check::measure("usage of a plan", number))?;
    let tenant_key = tenant.to_owned();
    Ok(What::ReplicationUsage(CloudReplicationUsage {
        tenant_key,
        plan_key,
        vms,
        vcpus,
        host_cores,
        memory,
        storage,
    }))
}

fn backup(known: &mut Known, backup: Backup) -> Result<What, FacetError> {
    known.backups.add("backup", &backup.key)?;
    known.tenants.must_have("tenant", &backup.tenant_key)?;
    known.repositories.must_have("repository", &backup.repository_key)?;
    check::key("object of a backup", &backup.object_key)?;
    check::measure("number of restore points", backup.restore_points)?;
    Ok(What::Backup(CloudBackup {
        tenant_key: backup.tenant_key,
        subtenant_key: backup.subtenant_key.unwrap_or_default(),
        key: backup.key,
        name: backup.name,
        kind: backup.kind,
        repository_key: backup.repository_key,
        object_key: backup.object_key,
        job_key: backup.job_key.unwrap_or_default(),
        installation_uid: backup
            .installation_uid
            .as_ref()
            .map(Uuid::as_bytes)
            .map(|id| id.to_vec())
            .unwrap_or_default(),
        restore_points: backup.restore_points,
    }))
}
