//! A whole agent against a host in this process, over real TLS.

mod commands;
mod identity;
mod resend;
mod restic;

use std::path::PathBuf;

use tokio::task::JoinHandle;

use super::*;
use crate::clock::{ManualClock, SystemClock};
use crate::config::Extras;
use crate::driver::DriverSettings;
use crate::enroll::{EnrollError, Enrolment, enroll};
use crate::testing::console::{Console, Mode};
use crate::testing::{Scripted, inventory, until};
use crate::token::JoinToken;

const FAST: Options = Options {
    interval: Duration::from_millis(50),
    max_backoff: Duration::from_millis(100),
    spool_limit: DEFAULT_LIMIT,
    seed: None,
};

/// A host, and an enrolled agent with a driver that plays what it is told.
struct Stage {
    console: Console,
    driver: Arc<Scripted>,
    place: tempfile::TempDir,
    clock: SharedClock,
}

/// An agent that runs.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<Ended, AgentError>>,
}

impl Running {
    async fn stop(self) -> Result<(), AgentError> {
        self.stop.cancel();
        self.task.await.unwrap().map(|ended| assert_eq!(ended, Ended::Stopped))
    }

    /// The error with which it ends by itself.
    async fn ended(self) -> AgentError {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        ended.expect("the agent ends by itself").unwrap().unwrap_err()
    }

    /// As `kill -9`: nothing is finished, nothing is said.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Stage {
    async fn new(inventory: Option<crate::inventory::Inventory>) -> Self {
        let stage = Self {
            console: Console::start().await,
            driver: Arc::new(Scripted::new(inventory)),
            place: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(crate::clock::Clock::now_ms(&SystemClock))),
        };
        stage.enroll(stage.console.token(), false).await.unwrap();
        stage
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    async fn enroll(&self, token: JoinToken, force: bool) -> Result<Settings, EnrollError> {
        let driver = DriverSettings::Simulated { seed: 1, server: 0, workloads: 1, since: 0, site: None };
        let computer = driver.computer();
        enroll(Enrolment { token, data: self.data(), driver, extras: Extras::default(), computer, force })
            .await
    }

    async fn open(&self) -> Result<Agent, AgentError> {
        Agent::open(&self.data(), FAST, Arc::clone(&self.clock)).await
    }

    async fn run(&self) -> Running {
        let driver: Arc<dyn Driver> = Arc::<Scripted>::clone(&self.driver);
        let agent = self.open().await.unwrap().with_driver(driver);
        let stop = CancellationToken::new();
        Running { task: tokio::spawn(agent.run(stop.clone())), stop }
    }

    async fn until_host_has(&self, workloads: &[(&str, i64)]) {
        let expected = inventory("s", workloads);
        until("the host has it all", || self.console.ledger(|ledger| ledger.holds(&expected))).await;
        self.console.ledger(|ledger| assert_eq!(ledger.violations, Vec::<String>::new()));
    }
}

#[tokio::test]
async fn what_the_engine_has_reaches_the_host_and_changes_follow() {
    let stage = Stage::new(Some(inventory("s", &[("a", 3), ("b", 1)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 3), ("b", 1)]).await;
    let first = stage.console.ledger(|ledger| ledger.committed);
    assert!(stage.console.ledger(|ledger| ledger.complete == [first.0]));

    stage.driver.set(Some(inventory("s", &[("a", 4)])));
    stage.until_host_has(&[("a", 4)]).await;
    stage.console.ledger(|ledger| {
        assert_eq!(ledger.committed, (first.0, first.1 + 1), "one batch with the difference");
        assert_eq!(ledger.gone, 2);
        assert_eq!(ledger.hellos.len(), 1);
        assert_eq!(ledger.hellos[0].driver, "simulated");
    });
    until("heartbeats come", || stage.console.ledger(|ledger| ledger.heartbeats > 0)).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_gone_because_the_engine_failed() {
    let stage = Stage::new(Some(inventory("s", &[("a", 3)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 3)]).await;
    stage.driver.set(None);
    let heartbeats = stage.console.ledger(|ledger| ledger.heartbeats);
    until("time passes", || stage.console.ledger(|ledger| ledger.heartbeats > heartbeats)).await;
    stage.console.ledger(|ledger| assert_eq!((ledger.gone, ledger.objects.len()), (0, 5)));
    stage.driver.set(Some(inventory("s", &[("a", 4)])));
    stage.until_host_has(&[("a", 4)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn another_server_in_the_same_place_replaces_the_old_one() {
    let stage = Stage::new(Some(inventory("old", &[("a", 3)]))).await;
    let running = stage.run().await;
    let old = inventory("old", &[("a", 3)]);
    until("the old one is there", || stage.console.ledger(|ledger| ledger.holds(&old))).await;
    stage.driver.set(Some(inventory("s", &[("a", 1)])));
    stage.until_host_has(&[("a", 1)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_fleet_enrols_connects_and_keeps_its_identities() {
    let console = Console::start().await;
    let place = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(SystemClock);
    let run = |token| {
        let fleet = crate::fleet::Fleet {
            servers: 3,
            workloads: 4,
            seed: 9,
            data: place.path().join("fleet"),
            token,
            site: Some(crate::fleet::FleetSite { tenants: 2, token: None }),
            options: FAST,
        };
        let stop = CancellationToken::new();
        (stop.clone(), tokio::spawn(fleet.run(Arc::clone(&clock), stop)))
    };
    let (stop, task) = run(None);
    let error = task.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("4 uses"), "{error}");
    drop(stop);

    for (round, token) in [Some(console.token()), None].into_iter().enumerate() {
        let (stop, task) = run(token);
        let all = || {
            let agents = console.agents();
            agents.values().filter(|ledger| ledger.complete.len() == round + 1).count() == 4
        };
        until("all have reported", all).await;
        stop.cancel();
        task.await.unwrap().unwrap();
    }
    let agents = console.agents();
    assert_eq!(agents.len(), 4, "the second round enrolled nobody");
    let machines: std::collections::HashSet<&str> = agents
        .values()
        .map(|ledger| ledger.hellos[0].computer.as_ref().unwrap().machine_id.as_str())
        .collect();
    assert_eq!(machines.len(), 4);
    assert!(agents.values().all(|ledger| ledger.violations.is_empty() && ledger.objects.len() > 4));
}
