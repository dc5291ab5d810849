//! A tenant, and how what it stores grows.

use std::collections::BTreeMap;

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::{CloudBackup, CloudBackupResource, CloudTenant};

use super::{GIBIBYTE, accelerator_key, bytes, pool_key, repository_key};
use crate::driver::simulated::HOUR;
use crate::random::Random;

const DAY: i64 = 24 * HOUR;
/// Such as companies have.
const NAMES: [&str; 12] = [
    "alder", "birch", "cedar", "dahlia", "elm", "fern", "ginkgo", "hazel", "iris", "juniper", "kale", "larch",
];

/// A tenant's account.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "a tenant has so many switches")]
pub(super) struct Tenant {
    pub(super) key: String,
    /// The host's id of the wish that made it; empty: it was there from the start.
    pub(super) wish: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) enabled: bool,
    pub(super) lease_expires_at: Option<i64>,
    pub(super) throttling: Option<(i64, String)>,
    pub(super) max_concurrent_tasks: i64,
    pub(super) protection_days: Option<i64>,
    pub(super) pools: Vec<String>,
    pub(super) gateway_failover: bool,
    pub(super) native_replication: bool,
    pub(super) vcd_replication: bool,
    /// By their keys.
    pub(super) shares: BTreeMap<String, Share>,
    /// Whether they are let in, by their names.
    pub(super) subtenants: BTreeMap<String, bool>,
}

/// Its part of a repository.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) key: String,
    pub(super) wish: String,
    pub(super) name: String,
    pub(super) repository: String,
    pub(super) quota: i64,
    pub(super) accelerator: String,
    pub(super) life: Life,
}

/// How it fills up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    pub(super) since: i64,
    /// Thousandths of the quota at that time, and more of them each day.
    pub(super) used: i64,
    pub(super) growth: i64,
    pub(super) servers: i64,
    pub(super) workstations: i64,
    pub(super) vms: i64,
}

impl Life {
    /// One that was made just now, and will be used.
    pub(super) fn new(since: i64) -> Self {
        Self { since, used: 0, growth: 20, servers: 0, workstations: 0, vms: 0 }
    }

    /// Never full: a server refuses what would go over it.
    fn used(&self, quota: i64, now: i64) -> i64 {
        let days = (now - self.since).max(0) / HOUR;
        let thousandths = (self.used + self.growth * days / 24).min(990);
        quota / 1000 * thousandths
    }
}

impl Tenant {
    /// One of those that are there from the start: the first is nearly full.
    pub(super) fn made_up(mut random: Random, server: &str, index: u32, since: i64) -> Self {
        let number = usize::try_from(index).unwrap_or(0);
        let stem = NAMES.get(number % NAMES.len()).copied().unwrap_or_default();
        let name = if number < NAMES.len() { stem.to_owned() } else { format!("{stem}-{index}") };
        let key = format!("{server}-tenant-{index}");
        let used = if index == 0 { 940 } else { 300 + small(random.below(500)) };
        let share = Share {
            key: format!("{key}-share-0"),
            wish: String::new(),
            name: format!("{name} cloud"),
            repository: repository_key(server, random.below(3)),
            quota: bytes((1 + random.below(8)) * 256 * GIBIBYTE),
            accelerator: if random.below(3) == 0 { accelerator_key(server) } else { String::new() },
            life: Life {
                since,
                used,
                growth: 1 + small(random.below(4)),
                servers: small(random.below(12)),
                workstations: small(random.below(30)),
                vms: small(random.below(15)),
            },
        };
        Self {
            wish: String::new(),
            description: "Made up for a simulated site".to_owned(),
            enabled: random.below(8) != 0,
            // Some run out in the coming months.
            lease_expires_at: (random.below(3) == 0).then(|| since + DAY * (20 + small(random.below(200)))),
            throttling: (random.below(2) == 0).then(|| (10, "MbytePerSec".to_owned())),
            max_concurrent_tasks: 1 + small(random.below(4)),
            protection_days: (random.below(2) == 0).then_some(7),
            pools: vec![pool_key(server, index % super::POOLS)],
            gateway_failover: true,
            native_replication: false,
            vcd_replication: false,
            shares: BTreeMap::from([(share.key.clone(), share)]),
            subtenants: BTreeMap::new(),
            name,
            key,
        }
    }

    /// All there is to tell of it.
    pub(super) fn tell(&self, now: i64, facts: &mut Vec<What>) {
        let active = !self.shares.is_empty() && self.enabled;
        facts.push(What::Tenant(CloudTenant {
            key: self.key.clone(),
            vcd_organization_key: String::new(),
            name: self.name.clone(),
            user_name: self.name.clone(),
            description: self.description.clone(),
            enabled: self.enabled,
            lease_expires_at: self.lease_expires_at,
            throttling: self.throttling.as_ref().map(|(value, _)| *value),
            throttling_unit: self.throttling.as_ref().map(|(_, unit)| unit.clone()).unwrap_or_default(),
            max_concurrent_tasks: self.max_concurrent_tasks,
            protection_days: self.protection_days,
            gateway_pool_keys: self.pools.clone(),
            gateway_failover: self.gateway_failover,
            native_replication: self.native_replication,
            vcd_replication: self.vcd_replication,
            // Once an hour: an instant that changes with each look would be a change with each look.
            last_active: active.then(|| now - now.rem_euclid(HOUR)),
            data_out: 0,
            data_in: self.shares.values().map(|share| share.life.used(share.quota, now) / 30).sum(),
        }));
        for share in self.shares.values() {
            facts.push(What::BackupResource(share.fact(&self.key, now)));
        }
        for share in self.shares.values() {
            facts.extend(share.backups(&self.key, now).into_iter().map(What::Backup));
        }
    }
}

impl Share {
    fn fact(&self, tenant: &str, now: i64) -> CloudBackupResource {
        let Life { servers, workstations, vms, .. } = self.life;
        CloudBackupResource {
            tenant_key: tenant.to_owned(),
            key: self.key.clone(),
            repository_key: self.repository.clone(),
            name: self.name.clone(),
            storage_quota: self.quota,
            wan_accelerator_key: self.accelerator.clone(),
            used_space: self.life.used(self.quota, now),
            server_backups: servers,
            workstation_backups: workstations,
            vm_backups: vms,
            ..CloudBackupResource::default()
        }
    }

    fn backups(&self, tenant: &str, now: i64) -> Vec<CloudBackup> {
        let Life { since, servers, workstations, vms, .. } = self.life;
        let kinds = [(servers, "Linux"), (workstations, "Windows"), (vms, "VSphere")];
        let days = (now - since).max(0) / DAY;
        let backup = |(_, kind): (i64, &str)| CloudBackup {
            tenant_key: tenant.to_owned(),
            key: format!("{}-{}", self.key, kind.to_lowercase()),
            name: format!("{} {kind}", self.name),
            kind: kind.to_owned(),
            repository_key: self.repository.clone(),
            object_key: format!("{}-{}-object", self.key, kind.to_lowercase()),
            restore_points: (7 + days).min(14),
            ..CloudBackup::default()
        };
        kinds.into_iter().filter(|(machines, _)| *machines > 0).map(backup).collect()
    }
}

fn small(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}
