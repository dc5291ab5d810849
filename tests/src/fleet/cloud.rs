//! Cloud Connect: sites with their gateways, repositories and accelerators.

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{Fleet, GIB};

impl Fleet {
    /// Repositories of a site that tenants get shares of.
    pub(super) fn cloud_repository(site: i64, which: i64) -> uuid::Uuid {
        Thing::CloudRepository.at(site * 2 + which)
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![sites(fleet), pools(fleet), gateways(fleet), repositories(fleet), accelerators(fleet)]
}

fn sites(fleet: Fleet) -> Table {
    rows!("sites", 0..fleet.scale.sites, |n| (
        agent = fleet.agent_of_site(n),
        name = format!("cc-{n}.zürich.test"),
    ) {
        uid: Thing::Site.at(n),
        agent_uid: Thing::Agent.at(agent),
        backup_server_uid: Thing::Server.at(agent),
        name_folded: name.to_lowercase(),
        name: name,
        description: (n % 2 == 0).then_some("Rechenzentrum 2, Keller"),
        port: 6180_i64,
        maintenance_mode: n % 5 == 4,
        tenant_management: n % 2 == 0,
        enterprise: n % 3 == 2,
        created_at: fleet.made(n, fleet.scale.sites),
    })
}

fn pools(fleet: Fleet) -> Table {
    rows!("cloud_gateway_pools", 0..fleet.scale.sites * 2, |n| (name = format!("Pool Süd {n}")) {
        uid: Thing::Pool.at(n),
        site_uid: Thing::Site.at(n / 2),
        key: format!("p{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        epoch: 1_i64,
    })
}

fn gateways(fleet: Fleet) -> Table {
    rows!("cloud_gateways", 0..fleet.scale.sites * 4, |n| (name = format!("gw-{n}.zürich.test")) {
        uid: Thing::Gateway.at(n),
        site_uid: Thing::Site.at(n / 4),
        pool_uid: (n % 2 == 0).then(|| Thing::Pool.at(n / 4 * 2 + n % 4 / 2)),
        key: format!("g{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        host_uid: Thing::Foreign.at(n),
        port: 6180_i64,
        external_port: 6180_i64,
        external_address: format!("gw-{n}.cloud.test"),
        external_ips: format!(r#"["203.0.113.{}","2001:db8::{n:x}"]"#, n % 256),
        out_of_date: n % 9 == 8,
        disabled: n % 11 == 10,
        status: one_of(&["Healthy", "Healthy", "Warning", "Error"], n),
        epoch: 1_i64,
    })
}

fn repositories(fleet: Fleet) -> Table {
    rows!("cloud_repositories", 0..fleet.scale.sites * 2, |n| (
        name = format!("Größe XL {n}"),
        capacity = (50 + chance(n, 1, 400)) * 1024 * GIB,
    ) {
        uid: Thing::CloudRepository.at(n),
        site_uid: Thing::Site.at(n / 2),
        key: format!("r{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        object_storage: n % 2 == 1,
        capacity: capacity,
        free_space: capacity / 3,
        epoch: 1_i64,
    })
}

fn accelerators(fleet: Fleet) -> Table {
    rows!("cloud_wan_accelerators", 0..fleet.scale.sites, |n| (name = format!("wan-{n}")) {
        uid: Thing::Accelerator.at(n),
        site_uid: Thing::Site.at(n),
        key: format!("a{n}"),
        name_folded: name.clone(),
        name: name,
        epoch: 1_i64,
    })
}
