//! A made-up backup server: the same seed and the same time always give the same state.
//!
//! Nothing is remembered but what hosts ordered (`jobs`). Each computer has a schedule and keeps its last points, so the state at any instant follows
//! from the clock alone: points appear and age out by themselves, and a restart changes nothing. About one computer in
//! twenty stopped being backed up before the fleet came to life, always at least one in the fleet, so that there is
//! something to alarm about.

mod jobs;
mod life;
mod names;
mod site;

use futures_util::future::BoxFuture;
use keelson_proto::v1::{BackupServer, Computer, Repository, RestorePoint, Workload};
use serde::{Deserialize, Serialize};

use super::facet::is_cloud;
use super::{Done, Driver, DriverError, Order, Refused};
use crate::clock::SharedClock;
use crate::inventory::Inventory;
use crate::random::Random;

const HOUR: i64 = 3_600_000;
/// One in so many computers is no longer backed up.
const STOPPED: u64 = 20;
/// The longest stays well below a day: a healthy computer must not touch the usual limit of 24 hours.
const PERIODS: [i64; 4] = [2 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR];
const KIBIBYTE: u64 = 1024;
const GIBIBYTE: u64 = 1 << 30;

/// The driver of one simulated server.
#[derive(Debug)]
pub struct Simulated {
    seed: u64,
    server: u32,
    workloads: u32,
    since: i64,
    clock: SharedClock,
    orders: jobs::Orders,
    site: Option<site::Site>,
}

/// `[driver.site]` in agent.toml: the server is a provider's Cloud Connect server, too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// How many tenants it has from the start.
    pub tenants: u32,
}

/// The restore points of a computer by its schedule.
struct Scheduled {
    points: Vec<RestorePoint>,
    /// The schedule has left it out since before the fleet came to life.
    stopped: bool,
}

impl Simulated {
    /// `since` is when the fleet came to life, in unix milliseconds.
    pub fn new(seed: u64, server: u32, workloads: u32, since: i64, clock: SharedClock) -> Self {
        Self { seed, server, workloads, since, clock, orders: jobs::Orders::default(), site: None }
    }

    /// With a Cloud Connect site, if there is one to be.
    #[must_use]
    pub fn with_site(mut self, settings: Option<&SiteSettings>) -> Self {
        let site =
            |one: &SiteSettings| site::Site::new(self.seed, self.server, self.key(), one.tenants, self.since);
        self.site = settings.map(site);
        self
    }

    /// The state at an instant.
    pub fn inventory_at(&self, now: i64) -> Inventory {
        let own_name = || names::server(self.seed, self.server);
        let server = BackupServer {
            key: self.key(),
            name: self.site.as_ref().map_or_else(own_name, |site| site.name().to_owned()),
            engine: "simulated".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..BackupServer::default()
        };
        let mut workloads = Vec::new();
        let mut restore_points = Vec::new();
        let mut states = Vec::new();
        let mut backups = Vec::new();
        for index in 0..self.workloads {
            let mut workload = names::workload(self.seed, self.server, index, &server.key);
            let mut scheduled = self.points(index, &workload, now);
            scheduled.points.extend(self.orders.points(jobs::job_of(index), &workload, now));
            let newest = scheduled.points.iter().map(|point| point.created_at).max();
            let place = life::Place { server: &server.key, index };
            backups.push(place.backup(&workload, &scheduled.points));
            place.detail(&mut workload, &mut scheduled.points);
            states.push((newest, scheduled.stopped));
            restore_points.extend(scheduled.points);
            workloads.push(workload);
        }
        let machines: Vec<_> = workloads
            .iter()
            .zip(states)
            .map(|(workload, (newest, left_out))| jobs::Machine { workload, newest, left_out })
            .collect();
        let jobs = machines.chunks(jobs::SIZE as usize).zip(0..);
        let jobs: Vec<_> =
            jobs.map(|(machines, index)| self.orders.job(&server.key, index, machines, now)).collect();
        let repositories: Vec<_> = (0..3).map(|index| self.repository(&server.key, index, now)).collect();
        let cloud = self.site.as_ref().map(|site| site.facts(&repositories, now)).unwrap_or_default();
        let mut license = life::license(self.seed, &server, &workloads, now);
        let mut machine = life::machine(self.seed, self.server);
        if self.site.is_some() {
            "Yes".clone_into(&mut license.cloud_connect);
            machine.cloud_connect = true;
        }
        Inventory {
            sessions: jobs.iter().filter_map(life::session).collect(),
            license: Some(license),
            machine: Some(machine),
            cloud,
            server,
            repositories,
            jobs,
            workloads,
            backups,
            restore_points,
            ..Inventory::default()
        }
    }

    fn key(&self) -> String {
        format!("sim-{}-{}", self.seed, self.server)
    }

    /// One that fills up over the months, and is cleaned up in time.
    fn repository(&self, server: &str, index: u32, now: i64) -> Repository {
        let mut random = Random::for_parts(self.seed, &[u64::from(self.server), u64::from(index), 2]);
        let capacity = (2 + random.below(7)) * 1024 * GIBIBYTE;
        let day = (now / (24 * HOUR)).unsigned_abs() + random.below(100);
        let used = capacity / 200 * (60 + day % 100);
        Repository {
            server_key: server.to_owned(),
            key: format!("{server}-repository-{index}"),
            name: format!("Repository {}", 1 + index),
            kind: "Linux".to_owned(),
            host_name: names::server(self.seed, self.server).to_lowercase(),
            path: format!("/backup/{}", 1 + index),
            capacity: bytes(capacity),
            free_space: bytes(capacity - used),
            used_space: bytes(used),
            backup_size: bytes(used / 10 * 9),
            ..Repository::default()
        }
    }

    fn random(&self, index: u32) -> Random {
        Random::for_parts(self.seed, &[u64::from(self.server), u64::from(index)])
    }

    fn points(&self, index: u32, workload: &Workload, now: i64) -> Scheduled {
        let mut random = self.random(index);
        let period = random.pick(&PERIODS).copied().unwrap_or(HOUR);
        let phase = hours(random.below(12)) + minutes(random.below(60));
        let kept = i64::try_from(7 + random.below(8)).unwrap_or(7);
        let first_of_fleet =
            self.server == 0 && u64::from(index) == self.seed % u64::from(self.workloads.max(1));
        let stopped = random.below(STOPPED) == 0 || first_of_fleet;
        let idle = hours(26 + random.below(200));
        let end = if stopped { now.min(self.since - idle) } else { now };
        let source = random.below(900) * GIBIBYTE / 2 + GIBIBYTE;
        let newest = (end - phase).div_euclid(period);
        let points = (newest - kept + 1..=newest)
            .map(|run| {
                let mut random = Random::for_parts(random.clone().next_u64(), &[run.unsigned_abs()]);
                RestorePoint {
                    server_key: workload.server_key.clone(),
                    workload_key: workload.key.clone(),
                    key: format!("{}-{run}", workload.key),
                    created_at: run * period + phase,
                    size: bytes(source / 50 + random.below(source / 20 / KIBIBYTE) * KIBIBYTE),
                    source_size: bytes(source + random.below(GIBIBYTE)),
                    destination: format!("Repository {}", 1 + index % 3),
                    details: None,
                }
            })
            .collect();
        Scheduled { points, stopped }
    }
}

impl Driver for Simulated {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(std::future::ready(Ok(self.inventory_at(self.clock.now_ms()))))
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        let (jobs, now) = (jobs::count(self.workloads), self.clock.now_ms());
        let outcome = match &self.site {
            Some(site) if is_cloud(&order.kind) => site.execute(order, now),
            None if is_cloud(&order.kind) => Err(Refused(format!(
                "this simulated server is no Cloud Connect server; it cannot do \"{}\"",
                order.kind
            ))),
            _ => self.orders.execute(&self.key(), jobs, order, now),
        };
        Box::pin(std::future::ready(outcome))
    }
}

/// The machine that a simulated agent says it runs on.
pub fn computer(seed: u64, server: u32) -> Computer {
    let mut random = Random::for_parts(seed, &[u64::from(server), u64::MAX]);
    Computer {
        host_name: names::server(seed, server).to_lowercase(),
        machine_id: format!("{:016x}{:016x}", random.next_u64(), random.next_u64()),
        platform: "Linux".to_owned(),
        os_version: "Simulated 1.0".to_owned(),
    }
}

/// The machine of a simulated Cloud Connect server.
pub fn site_computer(seed: u64, server: u32) -> Computer {
    Computer { host_name: names::site(seed, server).to_lowercase(), ..computer(seed, server) }
}

fn hours(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(0) * HOUR
}

fn minutes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(0) * (HOUR / 60)
}

fn bytes(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    const SINCE: i64 = 1_700_000_000_000;

    fn at(seed: u64, server: u32, now: i64) -> Inventory {
        let clock: SharedClock = Arc::new(ManualClock::new(now));
        Simulated::new(seed, server, 40, SINCE, clock).inventory_at(now)
    }

    fn newest(state: &Inventory) -> HashMap<String, i64> {
        let mut newest = HashMap::new();
        for point in &state.restore_points {
            let entry = newest.entry(point.workload_key.clone()).or_insert(point.created_at);
            *entry = (*entry).max(point.created_at);
        }
        newest
    }

    #[test]
    fn the_same_seed_and_time_give_the_same_fleet_and_another_seed_another() {
        assert_eq!(at(1, 3, SINCE), at(1, 3, SINCE));
        assert_ne!(at(1, 3, SINCE), at(2, 3, SINCE));
        assert_ne!(at(1, 3, SINCE).server, at(1, 4, SINCE).server);
        assert_ne!(computer(1, 3).machine_id, computer(1, 4).machine_id);
    }

    #[test]
    fn most_computers_are_backed_up_within_a_day_and_a_few_stay_behind_for_ever() {
        let now = SINCE + 30 * 24 * HOUR;
        let mut behind = HashSet::new();
        let mut all = 0;
        for server in 0..10 {
            let state = at(5, server, now);
            let newest = newest(&state);
            assert_eq!(newest.len(), 40, "every computer has points");
            all += newest.len();
            behind.extend(newest.into_iter().filter(|(_, at)| now - at > 24 * HOUR).map(|(key, _)| key));
            let healthy = state.restore_points.iter().all(|point| point.created_at <= now);
            assert!(healthy, "no point lies in the future");
        }
        assert!(!behind.is_empty() && behind.len() * 8 < all, "{} of {all}", behind.len());
        let first = newest(&at(5, 0, SINCE));
        assert!(first.values().any(|at| SINCE - at > 24 * HOUR), "the first server has one from the start");
    }

    #[test]
    fn time_brings_new_points_and_takes_old_ones_away() {
        let keys = |now| -> HashSet<String> {
            at(5, 0, now).restore_points.into_iter().map(|point| point.key).collect()
        };
        let (before, after) = (keys(SINCE), keys(SINCE + 24 * HOUR));
        assert!(after.difference(&before).count() > 10);
        assert_eq!(before.len(), after.len());
    }

    #[test]
    fn a_job_that_was_started_runs_ends_and_leaves_a_restore_point_for_each_computer() {
        let clock = Arc::new(ManualClock::new(SINCE));
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let server = Simulated::new(5, 0, 12, SINCE, shared);
        let before = server.inventory_at(SINCE);
        assert_eq!(before.jobs.len(), 2);
        let job = before.jobs[0].key.clone();
        let tell = |kind: &str| {
            let payload = serde_json::json!({"server": server.key(), "job": job});
            let order = Order { kind: kind.to_owned(), payload, secret: serde_json::Value::Null };
            server.orders.execute(&server.key(), 2, &order, crate::clock::Clock::now_ms(&*clock))
        };
        tell("job-start").unwrap();
        tell("job-start").unwrap();
        let status = |now| server.inventory_at(now).jobs[0].status.clone();
        assert_eq!(status(SINCE + 1_000), "Running");
        let after = server.inventory_at(SINCE + 60_000);
        assert_eq!(after.jobs[0].status, "Success");
        assert_eq!(
            after.restore_points.len(),
            before.restore_points.len() + 8,
            "the second start changed nothing"
        );
        tell("job-disable").unwrap();
        assert!(!server.inventory_at(SINCE + 60_000).jobs[0].enabled);
        assert!(tell("make-coffee").is_err());
    }

    #[test]
    fn a_job_with_a_computer_that_was_left_out_has_failed_and_says_which() {
        let state = at(5, 0, SINCE);
        let failed: Vec<_> = state.jobs.iter().filter(|job| job.status == "Failed").collect();
        assert!(!failed.is_empty() && failed.len() < state.jobs.len());
        assert!(failed[0].failure.starts_with("cannot reach "), "{}", failed[0].failure);
    }

    #[test]
    fn names_are_unlike_each_other_within_a_server() {
        let state = at(5, 0, SINCE);
        let names: HashSet<&str> = state.workloads.iter().map(|workload| workload.name.as_str()).collect();
        assert_eq!(names.len(), state.workloads.len());
    }
}
