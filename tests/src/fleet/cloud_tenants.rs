//! Cloud Connect: every second company is a tenant of one site, with shares of its repositories, backups in them and replicas.

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, GIB, names};

impl Fleet {
    fn tenants(self) -> i64 {
        self.scale.companies / 2
    }

    fn site_of_tenant(self, tenant: i64) -> i64 {
        tenant % self.scale.sites
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![tenants(fleet), shares(fleet), replications(fleet), replication_usages(fleet), backups(fleet)]
}

/// Of a hundred, two wait for their server and one was refused by it.
fn sync(n: i64) -> (&'static str, Option<&'static str>) {
    match n % 100 {
        17 => ("Updating", None),
        18 => ("Creating", None),
        19 => ("UpdateFailed", Some("The site was in maintenance mode.")),
        _ => ("Settled", None),
    }
}

fn tenants(fleet: Fleet) -> Table {
    rows!("cloud_tenants", 0..fleet.tenants(), |n| (
        company = n * 2,
        site = fleet.site_of_tenant(n),
        name = names::company(company),
        user = format!("tenant-{n}"),
        pooled = n % 3 == 0,
        limited = n % 4 == 0,
        sync = sync(n),
        mapped = (n % 20 != 19).then(|| Thing::Company.at(company)),
        reseller = fleet.reseller_of(company),
    ) {
        uid: Thing::Tenant.at(n),
        site_uid: Thing::Site.at(site),
        key: (sync.0 != "Creating").then(|| format!("t{n}")),
        company_uid: mapped,
        reseller_uid: reseller,
        owner_uid: mapped.or(reseller),
        kind: if n % 10 == 9 { "VCD" } else { "General" },
        vcd_organization_uid: (n % 10 == 9).then(|| Thing::Foreign.at(n)),
        name_folded: name.to_lowercase(),
        name: name,
        user_name_folded: user.clone(),
        user_name: user,
        password_hash: (n % 2 == 0).then(|| format!("{:064x}", Thing::Foreign.at(n).as_u128())),
        description: (n % 2 == 0).then_some("Vertrag 2026/№ 7"),
        enabled: n % 13 != 12,
        last_active: (n % 6 != 5).then(|| fleet.now - chance(n, 1, 10 * DAY)),
        lease_enabled: limited,
        lease_expires_at: limited.then_some(fleet.now + 100 * DAY),
        throttling_enabled: limited,
        throttling_value: limited.then_some(100_i64),
        throttling_unit: limited.then_some("MbitPerSec"),
        max_concurrent_tasks: 1 + n % 8,
        protection_enabled: n % 2 == 0,
        protection_days: (n % 2 == 0).then_some(7_i64),
        gateway_selection: if pooled { "GatewayPool" } else { "StandaloneGateways" },
        gateway_pool_uids: if pooled { format!(r#"["{}"]"#, Thing::Pool.at(site * 2)) } else { "[]".to_owned() },
        gateway_failover: pooled,
        native_replication: n % 3 != 2,
        vcd_replication: n % 10 == 9,
        data_out_quota: limited.then_some(500_i64),
        data_out_unlimited: !limited,
        data_out: chance(n, 2, 400 * GIB),
        data_in: chance(n, 3, 900 * GIB),
        sync: sync.0,
        sync_message: sync.1,
        created_at: fleet.made(n, fleet.tenants()),
        changed_at: fleet.made(n, fleet.tenants()),
        epoch: 1_i64,
    })
}

/// Every tenant's first share, then a second one for every third.
fn shares(fleet: Fleet) -> Table {
    let first = (0..fleet.tenants()).map(|tenant| (tenant, 0));
    let second = (0..fleet.tenants()).filter(|tenant| tenant % 3 == 0).map(|tenant| (tenant, 1));
    rows!("tenant_backup_resources", first.chain(second).zip(0..), |((tenant, which), n)| (
        site = fleet.site_of_tenant(tenant),
        quota = (1 + chance(n, 1, 40)) * 256 * GIB,
        used = quota / (2 + n % 7),
        name = format!("Cloud-Ablage {tenant}/{which}"),
        sync = sync(n),
        limited = n % 2 == 0,
    ) {
        uid: Thing::BackupResource.at(n),
        tenant_uid: Thing::Tenant.at(tenant),
        key: (sync.0 != "Creating").then(|| format!("s{n}")),
        repository_uid: Fleet::cloud_repository(site, which),
        name_folded: name.to_lowercase(),
        name: name,
        storage_quota: quota,
        servers_quota: limited.then_some(10_i64),
        servers_unlimited: !limited,
        workstations_quota: limited.then_some(50_i64),
        workstations_unlimited: !limited,
        vms_quota: limited.then_some(20_i64),
        vms_unlimited: !limited,
        wan_enabled: n % 4 == 0,
        wan_accelerator_uid: (n % 4 == 0).then(|| Thing::Accelerator.at(site)),
        is_default: which == 0,
        used_space: used,
        archive_tier: limited.then_some(used / 10),
        capacity_tier: limited.then_some(used / 2),
        performance_tier: limited.then_some(used / 3),
        server_backups: n % 5,
        workstation_backups: n % 9,
        vm_backups: n % 12,
        sync: sync.0,
        sync_message: sync.1,
        created_at: fleet.made(n, fleet.tenants()),
        changed_at: fleet.made(n, fleet.tenants()),
        epoch: 1_i64,
    })
}

fn replications(fleet: Fleet) -> Table {
    rows!("tenant_replication_resources", (0..fleet.tenants()).filter(|n| n % 3 != 2), |n| (
        plan = Thing::Plan.at(n % 3),
        accelerator = Thing::Accelerator.at(fleet.site_of_tenant(n)),
    ) {
        uid: Thing::ReplicationResource.at(n),
        tenant_uid: Thing::Tenant.at(n),
        hardware_plans: format!(
            r#"[{{"hardwarePlanUid":"{plan}","isWanAccelerationEnabled":true,"wanAcceleratorUid":"{accelerator}"}}]"#
        ),
        failover_enabled: n % 2 == 0,
        public_allocation: n % 4 == 0,
        public_ips: n % 4 * 2,
        epoch: 1_i64,
    })
}

fn replication_usages(fleet: Fleet) -> Table {
    rows!("tenant_replication_usages", (0..fleet.tenants()).filter(|n| n % 3 != 2), |n| () {
        uid: Thing::ReplicationResource.at(fleet.tenants() + n),
        tenant_uid: Thing::Tenant.at(n),
        hardware_plan_uid: Thing::Plan.at(n % 3),
        vms: 1 + n % 5,
        vcpus: 4 + n % 5 * 2,
        host_cores: 16_i64,
        memory: (8 + n % 5 * 4) * GIB,
        storage: (100 + n % 900) * GIB,
        epoch: 1_i64,
    })
}

fn backups(fleet: Fleet) -> Table {
    const KINDS: [&str; 6] = ["VSphere", "HyperV", "Windows", "Linux", "NAS", "ProxmoxVe"];
    rows!("cloud_backups", 0..fleet.tenants() * 2, |n| (
        tenant = n / 2,
        site = fleet.site_of_tenant(tenant),
        name = format!("Sicherung {n}"),
    ) {
        uid: Thing::CloudBackup.at(n),
        site_uid: Thing::Site.at(site),
        tenant_uid: Thing::Tenant.at(tenant),
        subtenant_uid: (n % 4 == 0).then(|| fleet.user_of_company(tenant * 2, 2)),
        key: format!("b{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        kind: one_of(&KINDS, n),
        repository_uid: Fleet::cloud_repository(site, 0),
        object_uid: Thing::Foreign.at(n),
        job_uid: (n % 2 == 0).then(|| Thing::Job.at(tenant * 2 * super::jobs::EACH)),
        installation_uid: Thing::Foreign.at(tenant * 2 + 7),
        restore_points: 1 + n % 30,
        epoch: 1_i64,
    })
}
