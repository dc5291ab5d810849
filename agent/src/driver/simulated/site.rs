//! A made-up Cloud Connect server: gateways, repositories, tenants whose shares fill up. What hosts order is done in memory and
//! lasts as long as the process; all else follows from seed and clock.

mod orders;
mod tenant;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::{
    Cloud, CloudGateway, CloudGatewayPool, CloudRepository, CloudSite, CloudWanAccelerator, Repository,
};

use super::{GIBIBYTE, names};
use crate::random::Random;
use tenant::Tenant;

/// Where tenants connect to.
const PORT: u32 = 6180;
const POOLS: u32 = 2;
const GATEWAYS: u32 = 3;

/// The Cloud Connect side of one simulated server.
#[derive(Debug)]
pub(super) struct Site {
    server: String,
    name: String,
    state: Mutex<State>,
}

/// What can be changed.
#[derive(Debug)]
struct State {
    maintenance: bool,
    tenant_management: bool,
    /// By their keys.
    tenants: BTreeMap<String, Tenant>,
}

impl Site {
    /// With so many tenants from the start.
    pub(super) fn new(seed: u64, server: u32, key: String, tenants: u32, since: i64) -> Self {
        let made = (0..tenants).map(|index| {
            let tenant = Tenant::made_up(
                Random::for_parts(seed, &[u64::from(server), u64::from(index), 11]),
                &key,
                index,
                since,
            );
            (tenant.key.clone(), tenant)
        });
        let state = State { maintenance: false, tenant_management: true, tenants: made.collect() };
        Self { name: names::site(seed, server), server: key, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the server that it is.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// All that it has, what others refer to before them.
    pub(super) fn facts(&self, repositories: &[Repository], now: i64) -> Vec<Cloud> {
        let state = self.state();
        let mut facts = vec![What::Site(CloudSite {
            name: self.name.clone(),
            port: PORT,
            maintenance_mode: state.maintenance,
            tenant_management: state.tenant_management,
            enterprise: false,
        })];
        facts.extend((0..POOLS).map(|index| {
            What::GatewayPool(CloudGatewayPool {
                key: pool_key(&self.server, index),
                name: format!("Pool {}", index + 1),
            })
        }));
        facts.extend((0..GATEWAYS).map(|index| What::Gateway(self.gateway(index))));
        facts.extend(repositories.iter().map(|one| {
            What::Repository(CloudRepository {
                key: one.key.clone(),
                name: one.name.clone(),
                object_storage: false,
                capacity: one.capacity,
                free_space: one.free_space,
            })
        }));
        let key = accelerator_key(&self.server);
        facts.push(What::WanAccelerator(CloudWanAccelerator { key, name: "WAN 1".to_owned() }));
        for tenant in state.tenants.values() {
            tenant.tell(now, &mut facts);
        }
        let server_key = &self.server;
        facts.into_iter().map(|what| Cloud { server_key: server_key.clone(), what: Some(what) }).collect()
    }

    fn gateway(&self, index: u32) -> CloudGateway {
        // The last one stands alone.
        let pool_key = if index < POOLS { pool_key(&self.server, index) } else { String::new() };
        let number = index + 1;
        CloudGateway {
            key: format!("{}-gateway-{index}", self.server),
            pool_key,
            name: format!("gw-{number}"),
            host_key: format!("{}-gateway-host-{index}", self.server),
            port: PORT,
            external_port: PORT,
            external_address: format!("gw{number}.example.net"),
            external_ips: vec![format!("198.51.100.{number}")],
            out_of_date: false,
            disabled: false,
            status: "Healthy".to_owned(),
        }
    }
}

fn pool_key(server: &str, index: u32) -> String {
    format!("{server}-pool-{index}")
}

fn accelerator_key(server: &str) -> String {
    format!("{server}-wan-0")
}

fn repository_key(server: &str, index: u64) -> String {
    format!("{server}-repository-{index}")
}

fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
