//! The store's twin: it is slow, and fails, when the dice say so.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keelson_proto::v1::Command as Wire;
use tokio::sync::Notify;
use tokio::time::sleep;
use uuid::Uuid;

use super::Bug;
use super::books::{LEASE, State};
use super::dice::Dice;
use super::scene::{START, Scene, SimClock};
use crate::agents::desk::Desk;
use crate::agents::dispatch::Outgoing;
use crate::agents::door::Identity;
use crate::agents::incidents::Due;
use crate::agents::writer::{Answer, Outcome, Task, Written};
use crate::clock::Clock as _;
use crate::id::{AgentUid, CompanyUid};
use crate::model::{Command, CommandState};
use crate::store::{Admitted, Offset, Said, StoreError};

/// The desk of one process of the host.
#[derive(Debug)]
pub(super) struct DeskTwin {
    scene: Arc<Scene>,
    dice: Mutex<Dice>,
    outbox: Arc<Notify>,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The database does not answer.
    Away,
    /// Its disk is full.
    Full,
    /// A statement is refused.
    Refused,
    /// It has committed, and then does not answer.
    Lost,
}

impl DeskTwin {
    pub(super) fn open(scene: &Arc<Scene>, life: u64) -> Self {
        scene.books.lock().unwrap().open();
        let dice = Mutex::new(Dice::of(scene.plan.seed, &[3, life]));
        Self { scene: Arc::clone(scene), dice, outbox: Arc::default() }
    }

    async fn turn(&self) {
        let wait = self.dice.lock().unwrap().below(self.scene.plan.slowness);
        sleep(Duration::from_millis(wait)).await;
    }

    fn fault(&self, tasks: usize) -> Option<Fault> {
        if self.scene.is_away.load(Ordering::Relaxed) {
            return Some(Fault::Away);
        }
        let mut dice = self.dice.lock().unwrap();
        if !self.scene.fails(&mut dice, self.scene.plan.desk_fails) {
            return None;
        }
        match dice.below(8) {
            0 | 1 => Some(Fault::Away),
            2 => Some(Fault::Full),
            // One alone would count as one that can never be stored.
            3 if tasks > 1 => Some(Fault::Refused),
            _ => Some(Fault::Lost),
        }
    }

    /// One transaction.
    async fn transact<T>(
        &self,
        tasks: usize,
        change: impl FnOnce(&Self, &mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.turn().await;
        let fault = self.fault(tasks);
        match fault {
            Some(Fault::Away) => return Err(StoreError::closed()),
            Some(Fault::Full) => return Err(StoreError::Full { source: sqlx::Error::PoolClosed }),
            Some(Fault::Refused) => return Err(StoreError::Statement(sqlx::Error::RowNotFound)),
            Some(Fault::Lost) | None => {}
        }
        let changed = self.commit(change)?;
        self.turn().await;
        if fault == Some(Fault::Lost) { Err(StoreError::closed()) } else { Ok(changed) }
    }

    fn commit<T>(
        &self,
        change: impl FnOnce(&Self, &mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut books = self.scene.books.lock().unwrap();
        let mut next = books.memory.clone();
        let changed = change(self, &mut next)?;
        books.memory = next.clone();
        if self.scene.has(Bug::AnswersBeforeCommit) {
            let scene = Arc::clone(&self.scene);
            tokio::spawn(async move {
                sleep(Duration::from_millis(300)).await;
                scene.books.lock().unwrap().disk = next;
            });
        } else {
            books.disk = next;
        }
        Ok(changed)
    }

    /// Whether the batch is what comes next.
    fn follows(&self, stands: Offset, after: i64, to: Offset) -> bool {
        if self.scene.has(Bug::FollowersRefused) && self.dice.lock().unwrap().one_in(3) {
            return false;
        }
        if self.scene.has(Bug::EpochsIgnored) {
            return after == 0 || after == stands.sequence;
        }
        if self.scene.has(Bug::RepeatsCount) && to == stands {
            return true;
        }
        (to.epoch > stands.epoch && after == 0) || (to.epoch == stands.epoch && after == stands.sequence)
    }

    fn take(
        &self,
        state: &mut State,
        agent: AgentUid,
        task: &Task,
    ) -> Result<(Answer, Option<Admitted>), StoreError> {
        let account = state.agents.get_mut(&agent).unwrap();
        let answer = match task {
            Task::Arrive(arrival, _) => {
                (account.session, account.connected) = (arrival.session, true);
                let Offset { epoch, sequence } = account.stands;
                let company_uid = CompanyUid(Uuid::nil());
                let admitted =
                    Admitted { uid: agent, company_uid, machine_id: String::new(), epoch, sequence };
                return Ok((Answer::Admitted(None), Some(admitted)));
            }
            Task::Store(batch) if self.follows(account.stands, batch.after, batch.to) => {
                let rows = Arc::make_mut(&mut account.rows);
                rows.apply(batch.to.epoch, &batch.said.facts)?;
                if batch.said.facts.complete && !self.scene.has(Bug::NothingSwept) {
                    rows.sweep(batch.to.epoch);
                }
                account.stands = batch.to;
                Answer::Stored(Outcome::Stored)
            }
            Task::Store(_) => Answer::Stored(Outcome::OutOfTurn(account.stands)),
            Task::Report(lease, news) => {
                Answer::Said(Box::new(state.note(*lease, news, SimClock(0).now_ms())))
            }
            Task::Leave(number) => {
                account.connected &= account.session != *number;
                Answer::Left
            }
        };
        Ok((answer, None))
    }

    /// What was committed is told, and counts.
    fn told(&self, tasks: &[(AgentUid, &Task)], answers: &[Answer]) {
        for ((agent, task), answer) in tasks.iter().zip(answers) {
            let number = agent.0.as_u128() - 1;
            match (task, answer) {
                (Task::Arrive(..), _) => self.scene.tell(format!("host: agent {number} comes")),
                (Task::Store(batch), Answer::Stored(Outcome::Stored)) => {
                    let (after, to) = (batch.after, batch.to);
                    let epoch = to.epoch - START;
                    self.scene.tell(format!("host: agent {number} {epoch}/{} after {after}", to.sequence));
                    self.scene.counted(*agent, after, to);
                }
                (Task::Store(_), _) => self.scene.tell(format!("host: agent {number} out of turn")),
                (Task::Report(lease, _), Answer::Said(said)) => {
                    let command = lease.command.0.as_u128();
                    let noted = matches!(**said, Said::Noted(_));
                    self.scene.tell(format!("host: agent {number} on command {command}: noted {noted}"));
                }
                (Task::Leave(_), _) => self.scene.tell(format!("host: agent {number} leaves")),
                _ => {}
            }
        }
    }
}

#[tonic::async_trait]
impl Desk for DeskTwin {
    fn writers(&self) -> usize {
        self.scene.plan.writers
    }

    fn outbox(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    async fn write(&self, tasks: &[(AgentUid, &Task)]) -> Result<Written, StoreError> {
        let change = |twin: &Self, state: &mut State| {
            let mut written = Written::default();
            for (agent, task) in tasks {
                let (answer, admitted) = twin.take(state, *agent, task)?;
                written.answers.push(answer);
                written.admitted.extend(admitted);
            }
            twin.told(tasks, &written.answers);
            Ok(written)
        };
        self.transact(tasks.len(), change).await
    }

    async fn suspect(&self, agent: AgentUid, _reason: &str) -> Result<(), StoreError> {
        self.scene.tell(format!("host: agent {} has a double", agent.0.as_u128() - 1));
        Ok(())
    }

    async fn standing(&self, _identity: Identity) -> Result<Option<bool>, StoreError> {
        Ok(Some(true))
    }

    async fn note_incidents(&self, due: &[Due]) -> Result<(), StoreError> {
        for ((agent, _), _) in due {
            self.scene.tell(format!("host: agent {} did what none should", agent.0.as_u128() - 1));
        }
        Ok(())
    }

    async fn beat(&self, agents: &[AgentUid]) -> Result<HashSet<AgentUid>, StoreError> {
        self.transact(1, |_, _| Ok(agents.iter().copied().collect())).await
    }

    async fn waiting(&self) -> Result<Vec<AgentUid>, StoreError> {
        let now = SimClock(0).now_ms();
        let waiting = |_: &Self, state: &mut State| {
            let here = state.agents.iter().filter(|(_, account)| account.connected).map(|(agent, _)| *agent);
            Ok(here.filter(|agent| !state.due(*agent, now).is_empty()).collect())
        };
        self.transact(1, waiting).await
    }

    async fn send_out(&self, agents: &[AgentUid]) -> Result<Outgoing, StoreError> {
        let now = SimClock(0).now_ms();
        let send = |_: &Self, state: &mut State| {
            let mut commands = Vec::new();
            for agent in agents {
                for uid in state.due(*agent, now) {
                    let command = state.command(uid).unwrap();
                    CommandState::Sent.name().clone_into(&mut command.state);
                    command.attempts += 1;
                    command.lease_until = Some(now + LEASE);
                    commands.push((*agent, wire(command)));
                }
            }
            Ok(Outgoing { commands, more: false })
        };
        self.transact(1, send).await
    }
}

fn wire(command: &Command) -> Wire {
    Wire {
        uid: command.uid.0.as_bytes().to_vec(),
        attempt: u32::try_from(command.attempts).unwrap(),
        kind: command.kind.clone(),
        payload: command.payload.clone(),
        secret: Vec::new(),
        deadline: command.deadline,
    }
}
