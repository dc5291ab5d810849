//! What a seed decides at the beginning, and what all nodes of a simulation share: the host's disk, the engines, the story.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use super::Bug;
use super::books::Books;
use super::dice::Dice;
use super::engine::Engine;
use crate::id::AgentUid;
use crate::store::Offset;

/// When everything begins, in Unix milliseconds.
pub(super) const START: i64 = 1_800_000_000_000;

/// Tells the simulation's time, for host and agents; some of theirs are wrong.
#[derive(Debug)]
pub(super) struct SimClock(pub(super) i64);

impl SimClock {
    fn now(&self) -> i64 {
        START + self.0 + i64::try_from(elapsed().as_millis()).unwrap()
    }
}

impl crate::clock::Clock for SimClock {
    fn now_ms(&self) -> i64 {
        self.now()
    }
}

impl keelson_agent::clock::Clock for SimClock {
    fn now_ms(&self) -> i64 {
        self.now()
    }
}

/// Since the beginning; none while no node runs.
fn elapsed() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

/// What a seed decides.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) agents: usize,
    /// How many groups the desk has under way at once.
    pub(super) writers: usize,
    /// Milliseconds that a commit may take.
    pub(super) slowness: u64,
    /// The desk fails once in so many calls.
    pub(super) desk_fails: u64,
    /// Spools and engines fail once in so many calls.
    pub(super) agent_fails: u64,
    /// Bytes of a spool: some are so small that they have to be compacted.
    pub(super) spool_limit: u64,
    /// Another machine may turn up with an agent's identity.
    pub(super) doubles: bool,
    /// People may ask for everything anew.
    pub(super) collects: bool,
    /// By which an agent's clock is wrong, in milliseconds.
    pub(super) skew: i64,
    /// Milliseconds that a message may be under way.
    pub(super) latency: u64,
    /// Of a message, that it is lost and its link with it.
    pub(super) loss: f64,
    /// For how long things go wrong.
    pub(super) trouble: Duration,
}

impl Plan {
    fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &[0]);
        Self {
            seed,
            agents: 1 + dice.index(3),
            writers: 1 + dice.index(2),
            slowness: [2, 40, 400][dice.index(3)],
            desk_fails: [8, 40, 200][dice.index(3)],
            agent_fails: [30, 1_000][dice.index(2)],
            spool_limit: [20_000, 1 << 20, 1 << 20][dice.index(3)],
            doubles: dice.one_in(3),
            collects: dice.one_in(3),
            skew: [0, -7_200_000, 7_200_000][dice.index(3)],
            latency: [5, 60, 400][dice.index(3)],
            loss: [0.0, 0.0, 0.002][dice.index(3)],
            trouble: Duration::from_secs(dice.between(20, 45)),
        }
    }

    /// Whether an agent may have a reason to begin a new epoch.
    pub(super) fn starts_over(&self) -> bool {
        self.spool_limit < 1 << 20 || self.doubles || self.collects
    }
}

/// Shared by all nodes.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) plan: Plan,
    pub(super) bug: Option<Bug>,
    pub(super) engines: Vec<Arc<Engine>>,
    pub(super) books: Mutex<Books>,
    /// The last step that each agent's stream took.
    steps: Mutex<BTreeMap<AgentUid, Offset>>,
    /// Nothing fails any more.
    pub(super) is_quiet: AtomicBool,
    /// The database does not answer.
    pub(super) is_away: AtomicBool,
    lives: AtomicU64,
    story: Mutex<Vec<String>>,
    violations: Mutex<Vec<String>>,
    /// Where the agents' identities lie.
    pub(super) data: TempDir,
}

/// The id of an agent.
pub(super) fn uid(agent: usize) -> AgentUid {
    AgentUid(Uuid::from_u128(agent as u128 + 1))
}

impl Scene {
    pub(super) fn new(seed: u64, bug: Option<Bug>) -> Arc<Self> {
        let mut plan = Plan::of(seed);
        if bug.is_some() {
            // Where much goes wrong, what is wrong shows soon.
            (plan.desk_fails, plan.spool_limit) = (4, if seed.is_multiple_of(2) { 12_000 } else { 1 << 20 });
        }
        let engines = (0..plan.agents).map(|agent| Arc::new(Engine::new(seed, agent)));
        Arc::new(Self {
            engines: engines.collect(),
            books: Mutex::new(Books::of(plan.agents)),
            plan,
            bug,
            steps: Mutex::default(),
            is_quiet: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            lives: AtomicU64::new(0),
            story: Mutex::default(),
            violations: Mutex::default(),
            data: tempfile::tempdir().unwrap(),
        })
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The number of a process.
    pub(super) fn begin_life(&self) -> u64 {
        self.lives.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether something that fails once in so many times fails now.
    pub(super) fn fails(&self, dice: &mut Dice, times: u64) -> bool {
        dice.one_in(times) && !self.is_quiet.load(Ordering::Relaxed)
    }

    /// Something happened.
    pub(super) fn tell(&self, what: impl AsRef<str>) {
        self.tell_at(elapsed(), what);
    }

    /// As [`Scene::tell`], by whoever is no node.
    pub(super) fn tell_at(&self, at: Duration, what: impl AsRef<str>) {
        self.story.lock().unwrap().push(format!("{:>7} {}", at.as_millis(), what.as_ref()));
    }

    /// Something happened that must not.
    pub(super) fn violated(&self, what: &str) {
        self.tell(format!("VIOLATED: {what}"));
        self.violations.lock().unwrap().push(what.to_owned());
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    pub(super) fn story(&self) -> Vec<String> {
        self.story.lock().unwrap().clone()
    }

    /// An agent was told that the host has this: then it is on its disk.
    pub(super) fn acknowledged(&self, agent: usize, epoch: u64, sequence: u64) {
        let Offset { epoch: of, sequence: upto } = self.books.lock().unwrap().on_disk(uid(agent));
        let (of, upto) = (of.unsigned_abs(), upto.unsigned_abs());
        if (epoch, sequence) > (of, upto) {
            self.violated(&format!(
                "agent {agent} was told that {epoch}/{sequence} is stored, and {of}/{upto} is"
            ));
        }
    }

    /// A batch, or several, count from now on: they follow what counted before.
    pub(super) fn counted(&self, agent: AgentUid, after: i64, to: Offset) {
        let last = self.steps.lock().unwrap().insert(agent, to);
        let last = last.unwrap_or(Offset { epoch: 0, sequence: 0 });
        let follows =
            (to.epoch == last.epoch && after == last.sequence) || (to.epoch > last.epoch && after == 0);
        if !follows {
            self.violated(&format!("after {last:?} came {to:?} with all since {after} of agent {agent}"));
        }
    }
}
