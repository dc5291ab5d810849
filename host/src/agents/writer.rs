//! Group commit: what sessions want written goes into few transactions, as many statements as one of them needs.
//!
//! Sessions hand their work in and wait; a writer takes whatever waits, writes it in one transaction and answers all of them. While
//! it writes, the next group gathers: nothing waits for a timer, and the more agents there are, the larger the groups. All that is
//! of one agent goes through one writer, in its order; a group has each agent once.
//!
//! A group that fails as a whole (one batch speaks of what was never reported, two writers were in each other's way) is written
//! again work by work, so that each session hears only of its own failure.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use super::desk::Desk;
use super::facts::Said;
use super::registry::{Place, Registry};
use crate::error::chain;
use crate::id::{AgentUid, CompanyUid};
use crate::store::{self, Admitted, Arrival, Lease, Offset, StoreError};

/// Sessions that may wait for a writer. Those beyond wait to hand their work in.
const QUEUE: usize = 1024;
/// Work of one transaction.
const MOST_WORK: usize = 256;
/// Facts of one transaction: some tens of milliseconds of writing.
const MOST_FACTS: usize = 8_000;
/// How often work is tried again when the database was busy; after that the agent reconnects with its back-off.
const TRIES: u32 = 2;

/// What a session wants written.
#[derive(Debug)]
pub(super) enum Task {
    /// It begins.
    Arrive(Box<Arrival>, Vec<u8>),
    /// Batches that follow each other.
    Store(Box<Batch>),
    /// What the agent says of a command.
    Report(Lease, super::report::News),
    /// The session with this number is over.
    Leave(i64),
}

/// Batches that follow each other, as one.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) company: CompanyUid,
    /// The sequence before the first.
    pub(super) after: i64,
    /// The last.
    pub(super) to: Offset,
    pub(super) said: Said,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Answer {
    /// With its place among the sessions, once it has one; none where the certificate does not do.
    Admitted(Option<(Admitted, Place)>),
    Stored(Outcome),
    Said(Box<store::Said>),
    Left,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored,
    /// It is not the next; the stream stands here.
    OutOfTurn(Offset),
}

#[derive(Debug)]
struct Work {
    agent: AgentUid,
    task: Task,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Work {
    fn weight(&self) -> usize {
        match &self.task {
            Task::Store(batch) => batch.said.facts.len(),
            Task::Arrive(..) | Task::Report(..) | Task::Leave(_) => 1,
        }
    }
}

/// Where sessions hand their work in.
#[derive(Debug)]
pub(super) struct Writer {
    queues: Vec<mpsc::Sender<Work>>,
}

/// What became of a group.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Who may come in; their answers are empty until each has its place.
    pub(super) admitted: Vec<Admitted>,
    /// In the order of the tasks.
    pub(super) answers: Vec<Answer>,
}

/// What writers need.
#[derive(Debug, Clone)]
struct Scribe {
    desk: Arc<dyn Desk>,
    registry: Arc<Registry>,
}

impl Writer {
    /// Writers that end when this is dropped.
    pub(super) fn start(desk: &Arc<dyn Desk>, registry: &Arc<Registry>) -> Self {
        let scribe = Scribe { desk: Arc::clone(desk), registry: Arc::clone(registry) };
        let queues = (0..desk.writers()).map(|_| {
            let (queue, work) = mpsc::channel(QUEUE);
            tokio::spawn(run(scribe.clone(), work));
            queue
        });
        Self { queues: queues.collect() }
    }

    /// Begins a session, if the certificate is one that the agent may use.
    pub(super) async fn arrive(
        &self,
        arrival: Arrival,
        run: Vec<u8>,
    ) -> Result<Option<(Admitted, Place)>, StoreError> {
        match self.ask(arrival.uid, Task::Arrive(Box::new(arrival), run)).await? {
            Answer::Admitted(admitted) => Ok(admitted),
            other => Err(mixed_up(&other)),
        }
    }

    /// Stores a batch.
    pub(super) async fn store(&self, agent: AgentUid, batch: Batch) -> Result<Outcome, StoreError> {
        match self.ask(agent, Task::Store(Box::new(batch))).await? {
            Answer::Stored(outcome) => Ok(outcome),
            other => Err(mixed_up(&other)),
        }
    }

    /// Notes what an agent says of a command.
    pub(super) async fn report(
        &self,
        lease: Lease,
        news: super::report::News,
    ) -> Result<store::Said, StoreError> {
        match self.ask(lease.agent, Task::Report(lease, news)).await? {
            Answer::Said(said) => Ok(*said),
            other => Err(mixed_up(&other)),
        }
    }

    /// Ends a session.
    pub(super) async fn leave(&self, agent: AgentUid, number: i64) -> Result<(), StoreError> {
        match self.ask(agent, Task::Leave(number)).await? {
            Answer::Left => Ok(()),
            other => Err(mixed_up(&other)),
        }
    }

    async fn ask(&self, agent: AgentUid, task: Task) -> Result<Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let [.., last] = *agent.0.as_bytes();
        let queue = self.queues.get(usize::from(last) % self.queues.len().max(1));
        let queue = queue.ok_or_else(StoreError::closed)?;
        queue.send(Work { agent, task, answer }).await.map_err(|_| StoreError::closed())?;
        answered.await.map_err(|_| StoreError::closed())?
    }
}

fn mixed_up(answer: &Answer) -> StoreError {
    tracing::error!(?answer, "agents.writer: an answer to another question");
    StoreError::closed()
}

async fn run(scribe: Scribe, mut queue: mpsc::Receiver<Work>) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() && queue.recv_many(&mut waiting, MOST_WORK).await == 0 {
            return;
        }
        while waiting.len() < MOST_WORK
            && let Ok(work) = queue.try_recv()
        {
            waiting.push(work);
        }
        let group = next_group(&mut waiting);
        serve(&scribe, group).await;
    }
}

/// The first of what waits, each agent once. What is left keeps its order.
fn next_group(waiting: &mut Vec<Work>) -> Vec<Work> {
    let (mut agents, mut facts) = (HashSet::new(), 0);
    let (mut group, mut later) = (Vec::new(), Vec::new());
    for work in waiting.drain(..) {
        let full = facts > 0 && facts + work.weight() > MOST_FACTS;
        // Also of one that has to wait, nothing later goes first.
        if !agents.insert(work.agent) || full {
            later.push(work);
        } else {
            facts += work.weight();
            group.push(work);
        }
    }
    *waiting = later;
    group
}

async fn serve(scribe: &Scribe, group: Vec<Work>) {
    let tasks: Vec<(AgentUid, &Task)> = group.iter().map(|work| (work.agent, &work.task)).collect();
    let answers = match persistently(scribe, &tasks).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        // With the database away or its disk full, one by one would only fail as often as there are tasks.
        Err(error) if error.is_retryable() || matches!(error, StoreError::Full { .. }) => {
            let why = chain(&error);
            tracing::warn!(error = why, tasks = tasks.len(), "agents.writer: a group cannot be written");
            tasks.iter().map(|_| Err(StoreError::unavailable(why.clone()))).collect()
        }
        Err(error) if tasks.len() > 1 => {
            tracing::debug!(
                error = chain(&error),
                tasks = tasks.len(),
                "agents.writer: a group is written one by one"
            );
            one_by_one(scribe, &tasks).await
        }
        Err(error) => vec![Err(error)],
    };
    for (work, answer) in group.into_iter().zip(answers) {
        if let Err(Ok(Answer::Admitted(Some((_, place))))) = work.answer.send(answer) {
            give_up(scribe, work.agent, &place).await;
        }
    }
}

async fn one_by_one(scribe: &Scribe, tasks: &[(AgentUid, &Task)]) -> Vec<Result<Answer, StoreError>> {
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        let written = persistently(scribe, std::slice::from_ref(task)).await;
        answers.push(written.and_then(|mut all| all.pop().ok_or_else(StoreError::closed)));
    }
    answers
}

/// Two writers in each other's way: one of them simply goes again. A panic is the fault of what is written, and ends no writer.
async fn persistently(scribe: &Scribe, tasks: &[(AgentUid, &Task)]) -> Result<Vec<Answer>, StoreError> {
    let mut tries = 0;
    loop {
        let written = AssertUnwindSafe(write(scribe, tasks)).catch_unwind().await;
        match written.unwrap_or(Err(StoreError::Panicked)) {
            Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// Writes all of it, or nothing. Only what is committed has a place in the registry, in the order of the commits: the session
/// that the registry has is the one whose number the row has.
async fn write(scribe: &Scribe, tasks: &[(AgentUid, &Task)]) -> Result<Vec<Answer>, StoreError> {
    let Written { admitted, mut answers } = scribe.desk.write(tasks).await?;
    for row in admitted {
        let arrival = tasks.iter().zip(&mut answers).find_map(|((agent, task), answer)| match task {
            Task::Arrive(arrival, run) if *agent == row.uid => Some((arrival, run, answer)),
            _ => None,
        });
        if let Some((arrival, run, answer)) = arrival {
            let place = scribe.registry.enter(row.uid, arrival.session, run);
            *answer = Answer::Admitted(Some((row, place)));
        }
    }
    Ok(answers)
}

/// Whoever came is gone again before it was told that it may.
async fn give_up(scribe: &Scribe, agent: AgentUid, place: &Place) {
    if scribe.registry.leave(agent, place) {
        let left = persistently(scribe, &[(agent, &Task::Leave(place.number))]).await;
        if let Err(error) = left {
            tracing::warn!(agent.uid = %agent, error = chain(&error), "agents.writer: cannot note that agent {agent} is gone");
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn work(agent: u128, facts: usize) -> Work {
        let mut said = Said::default();
        said.facts.restore_points.resize_with(facts, Default::default);
        let to = Offset { epoch: 1, sequence: 1 };
        let batch = Batch { company: CompanyUid(Uuid::nil()), after: 0, to, said };
        Work {
            agent: AgentUid(Uuid::from_u128(agent)),
            task: Task::Store(Box::new(batch)),
            answer: oneshot::channel().0,
        }
    }

    fn agents(works: &[Work]) -> Vec<u128> {
        works.iter().map(|work| work.agent.0.as_u128()).collect()
    }

    #[test]
    fn a_group_has_each_agent_once_and_keeps_the_order_of_the_rest() {
        let mut waiting = vec![work(1, 1), work(2, 1), work(1, 2), work(3, 1), work(1, 3)];
        assert_eq!(agents(&next_group(&mut waiting)), [1, 2, 3]);
        assert_eq!(agents(&waiting), [1, 1]);
        assert_eq!(agents(&next_group(&mut waiting)), [1]);
        assert_eq!(waiting.first().map(Work::weight), Some(3));
    }

    #[test]
    fn a_group_is_bounded_and_a_large_batch_goes_alone() {
        let mut waiting = vec![work(1, MOST_FACTS * 2), work(2, MOST_FACTS), work(3, 1)];
        assert_eq!(agents(&next_group(&mut waiting)), [1]);
        assert_eq!(agents(&next_group(&mut waiting)), [2]);
        assert_eq!(agents(&next_group(&mut waiting)), [3]);
    }
}
