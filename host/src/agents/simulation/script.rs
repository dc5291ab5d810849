//! What happens to the nodes: trouble for a while, then everything is healed and has to come to rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use turmoil::{Builder, Sim};

use super::Bug;
use super::dice::Dice;
use super::nodes::{self, HOST, machine};
use super::scene::{Scene, uid};
use super::spool::SpoolTwin;
use crate::model::CommandKind;

/// The network and the clocks move by this.
const TICK: Duration = Duration::from_millis(40);
/// How long it may take until all is well again. Long: a peer that vanished is missed only after a while.
const PATIENCE: Duration = Duration::from_secs(150);
/// For so long nothing more may change then.
const REST: Duration = Duration::from_secs(4);

/// How a simulation went.
#[derive(Debug)]
pub(super) struct Played {
    /// All that happened, each with its time.
    pub(super) story: Vec<String>,
    /// What must not have.
    pub(super) violations: Vec<String>,
}

/// Trouble that is under way, and when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// Between a machine and the host nothing comes through.
    Partition(String),
    /// From one to the other nothing comes through.
    OneWay(String, String),
    /// Between a machine and the host everything waits.
    Hold(String),
    /// A machine is off.
    Off(String),
    /// The database does not answer.
    Away,
    /// Another machine has this agent's identity.
    Double(usize),
}

impl Trouble {
    /// What can have one trouble at a time.
    fn place(&self) -> &str {
        match self {
            Self::Partition(name) | Self::Hold(name) | Self::Off(name) => name,
            Self::OneWay(from, to) => {
                if from == HOST {
                    to
                } else {
                    from
                }
            }
            Self::Away => "database",
            Self::Double(_) => "double",
        }
    }
}

struct Script<'s> {
    scene: Arc<Scene>,
    sim: Sim<'s>,
    dice: Dice,
    spools: Vec<Arc<SpoolTwin>>,
    troubles: Vec<(Duration, Trouble)>,
    doubled: Vec<usize>,
}

/// Plays what a seed decides.
pub(super) fn play(seed: u64, bug: Option<Bug>) -> Played {
    let scene = Scene::new(seed, bug);
    nodes::enroll(&scene);
    let plan = &scene.plan;
    let mut builder = Builder::new();
    builder
        .rng_seed(seed)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(plan.latency))
        .fail_rate(plan.loss)
        .repair_rate(0.05)
        .tcp_capacity(1 << 14)
        .enable_random_order()
        .simulation_duration(Duration::from_hours(1));
    let mut sim = builder.build();
    let shared = Arc::clone(&scene);
    sim.host(HOST, move || nodes::host(Arc::clone(&shared)));
    let mut spools = Vec::new();
    for agent in 0..plan.agents {
        for is_double in [false, true] {
            let spool = SpoolTwin::new(&scene, agent, is_double.into());
            let (shared, disk) = (Arc::clone(&scene), Arc::clone(&spool));
            let name = machine(agent, is_double);
            sim.host(name.as_str(), move || nodes::agent(Arc::clone(&shared), agent, Arc::clone(&disk)));
            if is_double {
                sim.crash(name.as_str());
            }
            spools.push(spool);
        }
    }
    let dice = Dice::of(seed, &[4]);
    let script =
        Script { dice, sim, spools, troubles: Vec::new(), doubled: Vec::new(), scene: Arc::clone(&scene) };
    script.run();
    Played { story: scene.story(), violations: scene.violations() }
}

impl Script<'_> {
    fn run(mut self) {
        let trouble = self.scene.plan.trouble;
        while self.sim.elapsed() < trouble && self.is_well() {
            self.end_troubles(false);
            self.happen();
            let pause = self.dice.between(20, 900);
            self.pass(Duration::from_millis(pause));
        }
        self.heal();
        let healed = self.sim.elapsed();
        let mut rested = Duration::ZERO;
        while rested < REST && self.is_well() {
            self.pass(Duration::from_millis(500));
            let differs = self.difference();
            rested = if differs.is_none() { rested + Duration::from_millis(500) } else { Duration::ZERO };
            if let Some(difference) = differs.filter(|_| self.sim.elapsed() > healed + PATIENCE) {
                self.scene.violated(&format!("it does not come to rest: {difference}"));
            }
        }
        let epochs: u32 = self.spools.iter().map(|spool| spool.epochs()).sum();
        if epochs > 0 && !self.scene.plan.starts_over() && self.is_well() {
            self.scene.violated(&format!("{epochs} epochs began without a reason"));
        }
    }

    fn is_well(&self) -> bool {
        self.scene.violations().is_empty()
    }

    fn tell(&self, what: impl AsRef<str>) {
        self.scene.tell_at(self.sim.elapsed(), what);
    }

    fn pass(&mut self, time: Duration) {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.sim.step().unwrap();
        }
    }

    fn happen(&mut self) {
        let agent = self.dice.index(self.scene.plan.agents);
        match self.dice.below(16) {
            0..=6 => {
                let half_hours = self.dice.between(1, 12);
                self.tell(format!("engine {agent} lives for {half_hours} half hours"));
                self.scene.engines[agent].live(half_hours);
            }
            7..=9 => self.order(agent),
            _ => self.trouble(agent),
        }
    }

    fn order(&mut self, agent: usize) {
        let mut books = self.scene.books.lock().unwrap();
        let number = books.commands().len() as u64;
        let (kind, payload) = if self.scene.plan.collects && self.dice.one_in(4) {
            (CommandKind::Collect, serde_json::json!({}))
        } else {
            (CommandKind::JobStart, self.scene.engines[agent].order(&mut self.dice, number))
        };
        books.order(agent, kind, &payload);
        drop(books);
        self.tell(format!("command {number} is for agent {agent}: {}", kind.name()));
    }

    fn trouble(&mut self, agent: usize) {
        let (name, host) = (machine(agent, false), HOST.to_owned());
        let trouble = match self.dice.below(9) {
            0 | 1 => Trouble::Partition(name),
            2 => Trouble::OneWay(name, host),
            3 => Trouble::OneWay(host, name),
            4 => Trouble::Hold(name),
            5 => Trouble::Off(name),
            6 => Trouble::Off(host),
            7 => Trouble::Away,
            _ if self.scene.plan.doubles => Trouble::Double(agent),
            _ => Trouble::Partition(name),
        };
        if self.troubles.iter().any(|(_, other)| other.place() == trouble.place()) {
            return;
        }
        self.tell(format!("{trouble:?} begins"));
        match &trouble {
            Trouble::Partition(name) => self.sim.partition(name.as_str(), HOST),
            Trouble::OneWay(from, to) => self.sim.partition_oneway(from.as_str(), to.as_str()),
            Trouble::Hold(name) => self.sim.hold(name.as_str(), HOST),
            Trouble::Off(name) => self.sim.crash(name.as_str()),
            Trouble::Away => self.scene.is_away.store(true, Ordering::Relaxed),
            Trouble::Double(agent) => {
                self.doubled.push(*agent);
                self.sim.bounce(machine(*agent, true));
            }
        }
        let ceiling = [300, 3_000, 15_000][self.dice.index(3)];
        let until = self.sim.elapsed() + Duration::from_millis(self.dice.between(20, ceiling));
        self.troubles.push((until, trouble));
    }

    fn end_troubles(&mut self, all: bool) {
        let now = self.sim.elapsed();
        let (over, rest) =
            std::mem::take(&mut self.troubles).into_iter().partition(|(until, _)| all || *until <= now);
        self.troubles = rest;
        let over: Vec<(Duration, Trouble)> = over;
        for (_, trouble) in over {
            self.tell(format!("{trouble:?} ends"));
            match trouble {
                Trouble::Partition(name) => self.sim.repair(name, HOST),
                Trouble::OneWay(from, to) => self.sim.repair_oneway(from, to),
                Trouble::Hold(name) => self.sim.release(name, HOST),
                Trouble::Off(name) => self.sim.bounce(name),
                Trouble::Away => self.scene.is_away.store(false, Ordering::Relaxed),
                Trouble::Double(agent) => self.sim.crash(machine(agent, true)),
            }
        }
    }

    /// From now on nothing goes wrong.
    fn heal(&mut self) {
        self.end_troubles(true);
        self.tell("all is healed");
        self.scene.is_quiet.store(true, Ordering::Relaxed);
        self.sim.set_fail_rate(0.0);
        for agent in 0..self.scene.plan.agents {
            self.sim.repair(machine(agent, false), HOST);
        }
    }

    /// In what the host is not yet where it must come to.
    fn difference(&self) -> Option<String> {
        (0..self.scene.plan.agents)
            .find_map(|agent| self.agent_differs(agent))
            .or_else(|| self.commands_differ())
    }

    fn agent_differs(&self, agent: usize) -> Option<String> {
        let books = self.scene.books.lock().unwrap();
        let (spool, host) = (self.spools[2 * agent].stands(), books.on_disk(uid(agent)));
        let (epoch, sequence) = (host.epoch.unsigned_abs(), host.sequence.unsigned_abs());
        if (spool.epoch, spool.last) != (epoch, sequence) || spool.acknowledged != spool.last {
            return Some(format!("agent {agent} is at {spool:?}, the host at {host:?}"));
        }
        let rows = books.rows(uid(agent));
        rows.difference(&self.scene.engines[agent].account()).map(|found| format!("of agent {agent} {found}"))
    }

    fn commands_differ(&self) -> Option<String> {
        let commands = self.scene.books.lock().unwrap().commands();
        commands.values().find_map(|command| {
            let (number, agent) = (command.uid.0.as_u64_pair().1, command.agent_uid.0.as_u64_pair().1 - 1);
            if command.finished_at.is_none() {
                return Some(format!("command {number} is {}", command.state));
            }
            // The double may have done it.
            let agent = usize::try_from(agent).unwrap();
            let own = self.spools[2 * agent..2 * agent + 2].iter().filter_map(|spool| spool.result(number));
            let said = command.message.clone().unwrap_or_default();
            let is_own = own.into_iter().any(|result| result.message == said);
            (!is_own).then(|| format!("command {number} came to \"{said}\", which its agent never said"))
        })
    }
}
