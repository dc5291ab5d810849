//! Real agents in this process, beside simulated servers: durable spools, a clock that the test moves, and an account of what
//! their engines have.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use keelson_agent::Ended;
use keelson_agent::agent::{Agent, AgentError, Options};
use keelson_agent::clock::{Clock as _, ManualClock, SharedClock};
use keelson_agent::config::{DataFolder, Extras, Settings};
use keelson_agent::driver::simulated::Simulated;
use keelson_agent::driver::{Done, Driver, DriverError, DriverSettings, Order, Refused};
use keelson_agent::enroll::{Enrolment, enroll};
use keelson_agent::inventory::Inventory;
use keelson_agent::token::JoinToken;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::account::{Row, of_agent};

/// How long before now a simulation begins: nothing that it does on the way is of the host's future.
const AGO: i64 = 30 * 24 * HOUR;
const HOUR: i64 = 3_600_000;
/// Between two steps of its time, while there is load.
const STEP: Duration = Duration::from_millis(40);

/// What a simulation is made of.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many agents.
    pub agents: u32,
    /// How many computers each of them backs up.
    pub workloads: u32,
    /// The same seed gives the same fleet.
    pub seed: u64,
}

/// A few agents.
#[derive(Debug)]
pub struct Simulation {
    /// What the agents take for the time.
    pub clock: Arc<ManualClock>,
    agents: Vec<One>,
    // Behind the agents, which live in it.
    _data: TempDir,
}

#[derive(Debug)]
struct One {
    folder: PathBuf,
    uid: uuid::Uuid,
    engine: Arc<Engine>,
    run: Option<(CancellationToken, JoinHandle<Result<Ended, AgentError>>)>,
}

/// A simulated server that remembers what it was made to do.
#[derive(Debug)]
struct Engine {
    simulated: Simulated,
    deeds: Mutex<Vec<String>>,
}

impl Driver for Engine {
    fn kind(&self) -> &'static str {
        self.simulated.kind()
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        self.simulated.collect()
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        let deed = format!("{} {}", order.kind, order.payload);
        self.deeds.lock().unwrap_or_else(PoisonError::into_inner).push(deed);
        self.simulated.execute(order)
    }
}

impl Simulation {
    /// Enrols them; none runs yet.
    pub async fn enroll(token: &str, size: Size) -> Self {
        Self::enroll_in(tempfile::tempdir().expect("a temporary folder"), token, size).await
    }

    /// Enrols them, to live in this folder.
    pub async fn enroll_in(data: TempDir, token: &str, size: Size) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let now = keelson_agent::clock::SystemClock.now_ms();
        let clock = Arc::new(ManualClock::new(now - AGO));
        let mut agents = Vec::new();
        for server in 0..size.agents {
            let folder = data.path().join(server.to_string());
            let driver = DriverSettings::Simulated {
                seed: size.seed,
                server,
                workloads: size.workloads,
                since: clock.now_ms(),
                site: None,
            };
            let token = JoinToken::parse(token).expect("a join token");
            let computer = driver.computer();
            let enrolment = Enrolment {
                token,
                data: folder.clone(),
                driver,
                computer,
                force: false,
                extras: Extras::default(),
            };
            enroll(enrolment).await.expect("an enrolment");
            let uid = Settings::load(&DataFolder::at(&folder)).expect("its settings").agent_uid;
            let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
            let simulated = Simulated::new(size.seed, server, size.workloads, clock.now_ms(), shared);
            let engine = Arc::new(Engine { simulated, deeds: Mutex::default() });
            agents.push(One { folder, uid, engine, run: None });
        }
        Self { clock, agents, _data: data }
    }

    /// From now on they reach the host through this port.
    pub fn through(&self, port: u16) {
        for one in &self.agents {
            let folder = DataFolder::at(&one.folder);
            let mut settings = Settings::load(&folder).expect("its settings");
            settings.addresses = vec![format!("localhost:{port}").parse().expect("an address")];
            settings.store(&folder).expect("its settings are written");
        }
    }

    /// Runs all that do not run.
    pub async fn start(&mut self) {
        for one in &mut self.agents {
            if one.run.is_none() {
                one.start(Arc::<ManualClock>::clone(&self.clock)).await;
            }
        }
    }

    /// Lets time pass for so many steps of half an hour: restore points come and go, jobs run.
    pub async fn live(&self, steps: u32) {
        for _ in 0..steps {
            self.clock.advance(HOUR / 2);
            tokio::time::sleep(STEP).await;
        }
    }

    /// What the host must hold of them now.
    pub fn account(&self) -> Vec<Row> {
        let now = self.clock.now_ms();
        self.agents
            .iter()
            .flat_map(|one| of_agent(one.uid, &one.engine.simulated.inventory_at(now)))
            .collect()
    }

    /// What their engines were made to do, one after the other: kind and payload.
    pub fn deeds(&self) -> Vec<String> {
        let deeds = |one: &One| one.engine.deeds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.agents.iter().flat_map(deeds).collect()
    }

    /// Starts those again that ended by themselves, as a service manager does; how many.
    pub async fn revive(&mut self) -> usize {
        let mut ended = 0;
        for one in &mut self.agents {
            if one.run.as_ref().is_some_and(|(_, task)| task.is_finished()) {
                one.run = None;
                one.start(Arc::<ManualClock>::clone(&self.clock)).await;
                ended += 1;
            }
        }
        ended
    }

    /// Whether all that were started have ended by themselves.
    pub fn have_ended(&self) -> bool {
        self.agents.iter().all(|one| one.run.as_ref().is_some_and(|(_, task)| task.is_finished()))
    }

    /// The folder of one.
    pub fn folder(&self, agent: usize) -> DataFolder {
        DataFolder::at(&self.agents[agent].folder)
    }

    /// Stops them in order, and gives how each ended.
    pub async fn stop(&mut self) -> Vec<Result<Ended, AgentError>> {
        let mut ends = Vec::new();
        for one in &mut self.agents {
            if let Some((stop, task)) = one.run.take() {
                stop.cancel();
                ends.push(task.await.expect("an agent's task"));
            }
        }
        ends
    }
}

impl One {
    async fn start(&mut self, clock: SharedClock) {
        let options = Options {
            interval: Duration::from_millis(100),
            max_backoff: Duration::from_millis(300),
            ..Options::default()
        };
        let agent = Agent::open(&self.folder, options, clock).await.expect("an agent");
        let agent = agent.with_driver(Arc::<Engine>::clone(&self.engine) as Arc<dyn Driver>);
        let stop = CancellationToken::new();
        self.run = Some((stop.clone(), tokio::spawn(agent.run(stop))));
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        for one in &self.agents {
            if let Some((stop, _)) = &one.run {
                stop.cancel();
            }
        }
    }
}
