//! What the agent refuses whatever the host says: a provider's Cloud Connect server is not to do some things
//! ([`keelson_proto::policy`]). What the server is, the guard learns from what the driver finds.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use keelson_proto::policy::{self, Asked, Provider};
use keelson_proto::v1::cloud::What;
use keelson_proto::v1::job::Details;
use serde_json::Value;

use super::{Done, Driver, DriverError, Order, Refused};
use crate::error::chain;
use crate::inventory::Inventory;

/// A driver that is kept from what is not to be done.
#[derive(Debug)]
pub(crate) struct Guard {
    driver: Arc<dyn Driver>,
    role: Mutex<Option<Arc<Role>>>,
}

/// What the rules ask of a server; beside a Cloud Connect server alone is there anything to remember.
#[derive(Debug, Default)]
struct Role {
    cloud_connect: bool,
    enterprise: bool,
    /// Kinds of jobs, and whether they copy what public-cloud appliances made, by their keys.
    jobs: HashMap<String, (String, bool)>,
    /// What the server's own jobs back up.
    workloads: HashSet<String>,
    /// By which the server is known.
    names: HashSet<String>,
}

impl Role {
    fn of(inventory: &Inventory) -> Self {
        let site = inventory.cloud.iter().find_map(|cloud| match &cloud.what {
            Some(What::Site(site)) => Some(site),
            _ => None,
        });
        let machine = inventory.machine.as_ref();
        if site.is_none() && !machine.is_some_and(|machine| machine.cloud_connect) {
            return Self::default();
        }
        let names = [inventory.server.key.as_str(), inventory.server.name.as_str()];
        let more = machine.iter().flat_map(|machine| machine.ip_addresses.iter().chain([&machine.fqdn]));
        let names = names.into_iter().chain(more.map(String::as_str)).filter(|name| !name.is_empty());
        let jobs = inventory.jobs.iter().map(|job| {
            let public_cloud = matches!(&job.details, Some(Details::Copy(copy)) if copy.public_cloud);
            (job.key.clone(), (job.kind.clone(), public_cloud))
        });
        Self {
            cloud_connect: true,
            enterprise: site.is_some_and(|site| site.enterprise),
            jobs: jobs.collect(),
            workloads: inventory.workloads.iter().map(|workload| workload.key.clone()).collect(),
            names: names.map(str::to_lowercase).collect(),
        }
    }

    fn judge(&self, order: &Order) -> Result<(), Refused> {
        let said = |name: &str| order.payload.get(name).and_then(Value::as_str).unwrap_or_default();
        let job = self.jobs.get(said("job"));
        let flagged = order.payload.get("providerEnterprise").and_then(Value::as_bool).unwrap_or_default();
        let provider = match said("provider").to_lowercase() {
            name if self.names.contains(&name) => Provider::Itself,
            _ if flagged => Provider::Enterprise,
            _ => Provider::Other,
        };
        let asked = Asked {
            command: &order.kind,
            cloud_connect: self.cloud_connect,
            enterprise: self.enterprise,
            job: job.map(|(kind, _)| kind.as_str()).unwrap_or_default(),
            public_cloud: job.is_some_and(|(_, public_cloud)| *public_cloud),
            // What follows an opening speaks of a session, which there is none of unless that was allowed.
            own_backup: order.kind != "restore-open" || self.workloads.contains(said("workload")),
            provider,
        };
        policy::forbidden(&asked).map_or(Ok(()), |rule| Err(Refused(rule.to_string())))
    }
}

impl Guard {
    pub(crate) fn new(driver: Arc<dyn Driver>) -> Self {
        Self { driver, role: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Option<Arc<Role>>> {
        self.role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self) -> Result<Inventory, DriverError> {
        let inventory = self.driver.collect().await?;
        *self.known() = Some(Arc::new(Role::of(&inventory)));
        Ok(inventory)
    }

    /// Before the first look at the engine nobody knows what may be done: then it is looked at.
    async fn role(&self) -> Result<Arc<Role>, Refused> {
        if let Some(role) = self.known().clone() {
            return Ok(role);
        }
        let looked = self.look().await.map_err(|error| {
            Refused(format!(
                "whether this may be done depends on what the server is, and that could not be read: {}",
                chain(&error)
            ))
        })?;
        Ok(Arc::new(Role::of(&looked)))
    }

    async fn execute_allowed(&self, order: &Order) -> Result<Done, Refused> {
        self.role().await?.judge(order)?;
        self.driver.execute(order).await
    }
}

impl Driver for Guard {
    fn kind(&self) -> &'static str {
        self.driver.kind()
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(self.look())
    }

    fn delivered(&self) {
        self.driver.delivered();
    }

    fn lost(&self) {
        self.driver.lost();
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        if policy::concerns(&order.kind) {
            return Box::pin(self.execute_allowed(order));
        }
        self.driver.execute(order)
    }
}

#[cfg(test)]
mod tests;
