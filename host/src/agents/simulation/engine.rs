//! A backup server that outlives its agent, and a watch over what agents make it do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use keelson_agent::clock::{Clock as _, ManualClock};
use keelson_agent::driver::restic::ResticError;
use keelson_agent::driver::simulated::Simulated;
use keelson_agent::driver::{Done, Driver, DriverError, Order, Refused};
use keelson_agent::inventory::Inventory;
use tokio::time::sleep;

use super::dice::Dice;
use super::rows::Rows;
use super::scene::{START, Scene};
use super::spool::SpoolTwin;
use crate::clock::{DAY, MINUTE};

/// Its time begins so long before the host's, which takes nothing of the future.
const AGO: i64 = 30 * DAY;
/// Computers that it backs up.
const WORKLOADS: u32 = 3;

/// The server beside an agent.
#[derive(Debug)]
pub(super) struct Engine {
    simulated: Simulated,
    clock: Arc<ManualClock>,
}

impl Engine {
    pub(super) fn new(seed: u64, agent: usize) -> Self {
        let clock = Arc::new(ManualClock::new(START - AGO));
        let shared: keelson_agent::clock::SharedClock = Arc::<ManualClock>::clone(&clock);
        let server = u32::try_from(agent).unwrap();
        Self { simulated: Simulated::new(seed, server, WORKLOADS, START - AGO, shared), clock }
    }

    /// Lives on: jobs run, points come and go.
    pub(super) fn live(&self, half_hours: u64) {
        self.clock.advance(30 * MINUTE * i64::try_from(half_hours).unwrap());
    }

    fn inventory(&self) -> Inventory {
        self.simulated.inventory_at(self.clock.now_ms())
    }

    /// What a host must hold of it.
    pub(super) fn account(&self) -> Rows {
        Rows::of_engine(&self.inventory())
    }

    /// An order for one of its jobs.
    pub(super) fn order(&self, dice: &mut Dice, command: u64) -> serde_json::Value {
        let jobs = self.inventory().jobs;
        let job = &jobs[dice.index(jobs.len())];
        serde_json::json!({ "server": job.server_key, "job": job.key, "command": command })
    }
}

/// The engine as one process of an agent sees it.
#[derive(Debug)]
pub(super) struct Beside {
    scene: Arc<Scene>,
    agent: usize,
    engine: Arc<Engine>,
    spool: Arc<SpoolTwin>,
    dice: Mutex<Dice>,
    /// The commands that this process has carried out.
    begun: Mutex<BTreeSet<u64>>,
}

impl Beside {
    pub(super) fn new(scene: &Arc<Scene>, agent: usize, spool: &Arc<SpoolTwin>, life: u64) -> Self {
        Self {
            scene: Arc::clone(scene),
            agent,
            engine: Arc::clone(&scene.engines[agent]),
            spool: Arc::clone(spool),
            dice: Mutex::new(Dice::of(scene.plan.seed, &[2, life])),
            begun: Mutex::default(),
        }
    }

    /// It may be done again only by another process, and only when the first did not keep what came of it.
    fn begin(&self, command: u64) {
        let agent = self.agent;
        self.scene.tell(format!("agent {agent} carries out command {command}"));
        if self.spool.keeps(command) {
            self.scene
                .violated(&format!("agent {agent} did command {command} again, whose result it had kept"));
        }
        if !self.begun.lock().unwrap().insert(command) {
            self.scene.violated(&format!("one process of agent {agent} did command {command} twice"));
        }
    }
}

impl Driver for Beside {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(async move {
            let (wait, fails) = {
                let mut dice = self.dice.lock().unwrap();
                (dice.below(80), self.scene.fails(&mut dice, self.scene.plan.agent_fails))
            };
            sleep(Duration::from_millis(wait)).await;
            if fails {
                return Err(DriverError::Restic(ResticError::TimeLimit(Duration::ZERO)));
            }
            Ok(self.engine.inventory())
        })
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        Box::pin(async move {
            self.begin(order.payload["command"].as_u64().unwrap());
            let wait = self.dice.lock().unwrap().below(5_000);
            sleep(Duration::from_millis(wait)).await;
            self.engine.simulated.execute(order).await
        })
    }
}
