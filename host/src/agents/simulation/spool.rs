//! An agent's spool as a file would be: what a call committed is there after a crash at any instant, what it did not is not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use keelson_agent::clock::Clock;
use keelson_agent::inventory::{Addition, Known};
use keelson_agent::spool::{
    self, Answer, Appended, Incarnation, Limits, Position, ReplayWindow, SharedSpool, Spool, SpoolError,
};
use keelson_proto::v1::{Batch, CommandResult, Gap};
use tokio::time::sleep;
use uuid::Uuid;

use super::Bug;
use super::dice::Dice;
use super::scene::{START, Scene, SimClock};

/// The disk of one machine.
#[derive(Debug)]
pub(super) struct SpoolTwin {
    scene: Arc<Scene>,
    agent: usize,
    /// What is on it.
    disk: SharedSpool,
    dice: Mutex<Dice>,
    /// What commands came to.
    results: Mutex<BTreeMap<u64, CommandResult>>,
    epochs: AtomicU32,
    /// [`Bug::SpoolForgets`]: what is lost, by epoch and sequence.
    forgotten: Mutex<(u64, u64)>,
}

/// The number of a command.
fn number(uid: &[u8]) -> u64 {
    Uuid::from_slice(uid).unwrap().as_u64_pair().1
}

impl SpoolTwin {
    /// An empty one. Machine 0 is the agent's own, 1 that of its double.
    pub(super) fn new(scene: &Arc<Scene>, agent: usize, machine: u64) -> Arc<Self> {
        let parts = [1, agent as u64, machine];
        // It was made at another time than its double's.
        let born = SimClock(scene.plan.skew - i64::try_from(machine).unwrap() * 1_000);
        let limits = Limits { waiting: scene.plan.spool_limit, replay: ReplayWindow::default() };
        Arc::new(Self {
            agent,
            disk: spool::memory(limits, &born),
            dice: Mutex::new(Dice::of(scene.plan.seed, &parts)),
            results: Mutex::default(),
            epochs: AtomicU32::new(0),
            forgotten: Mutex::default(),
            scene: Arc::clone(scene),
        })
    }

    /// Where it stands, for whoever is no node.
    pub(super) fn stands(&self) -> Position {
        self.disk.position().now_or_never().unwrap().unwrap()
    }

    /// How many epochs it began after its first.
    pub(super) fn epochs(&self) -> u32 {
        self.epochs.load(Ordering::Relaxed)
    }

    /// Whether it has the result of a command.
    pub(super) fn keeps(&self, command: u64) -> bool {
        self.results.lock().unwrap().contains_key(&command)
    }

    /// What a command came to.
    pub(super) fn result(&self, command: u64) -> Option<CommandResult> {
        self.results.lock().unwrap().get(&command).cloned()
    }

    /// A connection begins, as another one has ended.
    pub(super) fn reconnects(&self) {
        if self.scene.has(Bug::SpoolForgets) {
            let Position { epoch, last, .. } = self.stands();
            *self.forgotten.lock().unwrap() = (epoch, last);
        }
    }

    /// Before or after a commit: here it may crash.
    async fn turn(&self) {
        let wait = {
            let mut dice = self.dice.lock().unwrap();
            if dice.one_in(4) { dice.below(40) } else { 0 }
        };
        if wait > 0 {
            sleep(Duration::from_millis(wait)).await;
        }
    }

    async fn write(&self) -> Result<(), SpoolError> {
        self.turn().await;
        let fails = self.scene.fails(&mut self.dice.lock().unwrap(), self.scene.plan.agent_fails);
        if fails { Err(SpoolError::Database("write", sqlx::Error::PoolClosed)) } else { Ok(()) }
    }
}

#[tonic::async_trait]
impl Spool for SpoolTwin {
    async fn position(&self) -> Result<Position, SpoolError> {
        self.disk.position().await
    }

    async fn known(&self) -> Result<Known, SpoolError> {
        self.disk.known().await
    }

    async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError> {
        self.write().await?;
        let appended = self.disk.append(epoch, addition).await?;
        self.turn().await;
        Ok(appended)
    }

    async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError> {
        let mut batches = self.disk.read(epoch, sequence, count).await?;
        let (of, upto) = *self.forgotten.lock().unwrap();
        for batch in batches.iter_mut().filter(|batch| batch.epoch == of && batch.sequence <= upto) {
            batch.records.clear();
        }
        Ok(batches)
    }

    async fn acknowledge(&self, epoch: u64, sequence: u64, clock: &dyn Clock) -> Result<(), SpoolError> {
        self.scene.acknowledged(self.agent, epoch, sequence);
        self.write().await?;
        self.disk.acknowledge(epoch, sequence, clock).await?;
        self.scene.tell(format!("agent {} lets go of {}/{sequence}", self.agent, epoch_shown(epoch)));
        self.turn().await;
        Ok(())
    }

    async fn remember(&self, answer: &Answer, clock: &dyn Clock) -> Result<(), SpoolError> {
        self.turn().await;
        self.disk.remember(answer, clock).await?;
        self.results.lock().unwrap().insert(number(&answer.uid), answer.result.clone());
        self.turn().await;
        Ok(())
    }

    async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError> {
        if self.scene.has(Bug::AnswersForgotten) {
            return Ok(None);
        }
        self.disk.recall(uid).await
    }

    async fn unheard(&self) -> Result<Vec<Answer>, SpoolError> {
        self.disk.unheard().await
    }

    async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError> {
        self.write().await?;
        self.disk.forget(uid).await
    }

    async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        self.write().await?;
        self.disk.heard(uid).await
    }

    async fn meet(&self, incarnation: Incarnation) -> Result<(), SpoolError> {
        self.write().await?;
        self.disk.meet(incarnation).await
    }

    async fn begin_epoch(&self, floor: u64, gap: Option<Gap>, clock: &dyn Clock) -> Result<u64, SpoolError> {
        self.write().await?;
        let epoch = self.disk.begin_epoch(floor, gap, clock).await?;
        self.epochs.fetch_add(1, Ordering::Relaxed);
        self.scene.tell(format!("agent {} begins epoch {}", self.agent, epoch_shown(epoch)));
        self.turn().await;
        Ok(epoch)
    }
}

/// An epoch as the milliseconds from the beginning.
fn epoch_shown(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap() - START
}
