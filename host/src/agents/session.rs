//! One connected agent: hello, welcome, then batches and heartbeats until either side goes.

use std::sync::Arc;
use std::time::Duration;

use keelson_proto::v1::{
    Acknowledge, AgentMessage, Batch, Command, CommandReport, ConsoleMessage, Hello, Resync, Welcome,
    agent_message, console_message,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::door::{Identity, Peer};
use super::enroll::{checked, not_admitted, storing};
use super::registry::Place;
use super::{CREDIT, Shared, facts, report};
use crate::id::{AgentUid, CompanyUid};
use crate::store::{self, CloudSource, NewAgent, Offset, StoreError};

const HELLO_TIME: Duration = Duration::from_secs(10);
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How often a batch is tried again when the database was busy; after that the agent reconnects with its back-off.
const TRIES: u32 = 2;

/// What became of a batch.
enum Outcome {
    Stored,
    /// It is not the next; the stream stands here.
    OutOfTurn(Offset),
}

type Answers = mpsc::Sender<Result<ConsoleMessage, Status>>;

/// An agent in session.
struct Session {
    shared: Arc<Shared>,
    agent: AgentUid,
    company: CompanyUid,
    answers: Answers,
}

/// Serves one agent until it goes, is replaced, or the host stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    peer: Peer,
    identity: Identity,
    mut messages: Streaming<AgentMessage>,
    answers: Answers,
) {
    let agent = identity.agent;
    let last_word = match begin(&shared, &peer, identity, &mut messages, &answers).await {
        Ok((company, place)) => {
            tracing::info!(agent.uid = %agent, address = %peer.address, door = peer.door.name(), "agents.session: agent {agent} is here");
            let session = Session { shared, agent, company, answers: answers.clone() };
            let end = session.live(&mut messages, place).await;
            tracing::info!(agent.uid = %agent, reason = end.as_ref().err().map(Status::message), "agents.session: agent {agent} is gone");
            end
        }
        Err(status) => {
            tracing::warn!(agent.uid = %agent, address = %peer.address, reason = status.message(), "agents.session: refused agent {agent}");
            Err(status)
        }
    };
    if let Err(status) = last_word {
        // Whoever is not listening any more needs no reason.
        drop(answers.try_send(Err(status)));
    }
}

/// Hello and welcome.
async fn begin(
    shared: &Shared,
    peer: &Peer,
    identity: Identity,
    messages: &mut Streaming<AgentMessage>,
    answers: &Answers,
) -> Result<(CompanyUid, Place), Status> {
    let first = tokio::time::timeout(HELLO_TIME, messages.message()).await;
    let first = first.map_err(|_| Status::deadline_exceeded("no hello came within 10 s"))??;
    let Some(AgentMessage { kind: Some(agent_message::Kind::Hello(hello)) }) = first else {
        return Err(Status::invalid_argument("a session begins with a hello"));
    };
    let (company, offset, place) = admit(shared, peer, identity, hello).await?;
    shared.changed.notify_one();
    // What waited for this agent goes out after the welcome.
    shared.store.outbox().notify_one();
    let welcome = Welcome {
        epoch: unsigned(offset.epoch),
        sequence: unsigned(offset.sequence),
        heartbeat_seconds: u32::try_from(shared.options.heartbeat.as_secs().max(1)).unwrap_or(u32::MAX),
        credit: CREDIT,
    };
    if let Err(status) = send(answers, console_message::Kind::Welcome(welcome)).await {
        leave(shared, identity.agent, &place).await;
        return Err(status);
    }
    Ok((company, place))
}

/// Whether the certificate is still good, and where the agent's stream stands.
async fn admit(
    shared: &Shared,
    peer: &Peer,
    identity: Identity,
    hello: Hello,
) -> Result<(CompanyUid, Offset, Place), Status> {
    let computer = checked(hello.computer.unwrap_or_default(), &hello.agent_version)?;
    if hello.driver.len() > 64 || hello.driver.contains('\0') {
        return Err(Status::invalid_argument("a driver's name has at most 64 bytes"));
    }
    let now = NewAgent {
        host_name: computer.host_name,
        machine_id: computer.machine_id,
        platform: computer.platform,
        os_version: computer.os_version,
        version: hello.agent_version,
        door: peer.door,
    };
    let agent = identity.agent;
    let mut tx = shared.store.write().await.map_err(|error| storing(&error))?;
    if !tx.agents().admit(agent, &identity.fingerprint).await.map_err(|error| storing(&error))? {
        return Err(not_admitted());
    }
    let row = tx.agents().get(agent).await.map_err(|error| storing(&error))?.ok_or_else(not_admitted)?;
    let place = shared.registry.enter(agent);
    let hello = store::Hello {
        agent: &now,
        driver: &hello.driver,
        version_status: version_status(&now.version),
        session: place.number,
    };
    let connected: Result<(), StoreError> = async {
        tx.agents().connected(&*shared.clock, agent, &hello).await?;
        tx.commit().await
    }
    .await;
    if let Err(error) = connected {
        leave(shared, agent, &place).await;
        return Err(storing(&error));
    }
    Ok((row.company_uid, Offset { epoch: row.epoch, sequence: row.sequence }, place))
}

/// An agent of another version than its host's works, and is shown as out of date.
fn version_status(version: &str) -> &'static str {
    if version == env!("CARGO_PKG_VERSION") { "UpToDate" } else { "OutOfDate" }
}

/// Takes a session out, and notes that the agent is gone unless another session speaks for it. If the store is away, the
/// next start of the host notes it.
async fn leave(shared: &Shared, agent: AgentUid, place: &Place) {
    if !shared.registry.leave(agent, place) {
        return;
    }
    let noted: Result<(), StoreError> = async {
        let mut tx = shared.store.write().await?;
        tx.agents().disconnected(&*shared.clock, agent, place.number).await?;
        tx.commit().await
    }
    .await;
    match noted {
        Ok(()) => shared.changed.notify_one(),
        Err(error) => {
            let error = crate::error::chain(&error);
            tracing::warn!(agent.uid = %agent, error, "agents.session: cannot note that agent {agent} is gone");
        }
    }
}

impl Session {
    /// The agent's session, until it ends or another one takes over.
    async fn live(&self, messages: &mut Streaming<AgentMessage>, mut place: Place) -> Result<(), Status> {
        let end = tokio::select! {
            end = self.serve(messages, &mut place.commands) => end,
            () = place.replaced.cancelled() => Err(Status::aborted("this session is over: another one of this agent has taken over, or the agent was removed")),
            () = self.shared.stopping.cancelled() => Err(Status::unavailable("the host stops; come back in a moment")),
        };
        leave(&self.shared, self.agent, &place).await;
        end
    }

    async fn serve(
        &self,
        messages: &mut Streaming<AgentMessage>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(), Status> {
        let patience = self.shared.options.heartbeat * 3;
        let mut heard = Instant::now();
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout_at(heard + patience, messages.message()) => message,
                Some(command) = commands.recv() => {
                    send(&self.answers, console_message::Kind::Command(command)).await?;
                    continue;
                }
            };
            let message =
                message.map_err(|_| Status::deadline_exceeded("three heartbeats were missed"))??;
            let Some(message) = message else { return Ok(()) };
            heard = Instant::now();
            match message.kind {
                Some(agent_message::Kind::Report(report)) => self.note(report).await?,
                Some(agent_message::Kind::Batch(batch)) => self.take(batch).await?,
                Some(agent_message::Kind::Heartbeat(_)) => self.heartbeat().await?,
                Some(agent_message::Kind::Hello(_)) => {
                    return Err(Status::invalid_argument("a session has one hello"));
                }
                // A newer agent's kind of message.
                None => {}
            }
        }
    }

    async fn note(&self, report: CommandReport) -> Result<(), Status> {
        match report::take(&self.shared, self.agent, report).await? {
            Some(heard) => send(&self.answers, console_message::Kind::Heard(heard)).await,
            None => Ok(()),
        }
    }

    /// One batch: stored and committed, then acknowledged. The next is read only after that: an agent's stream moves no
    /// faster than the database.
    async fn take(&self, batch: Batch) -> Result<(), Status> {
        let at =
            Offset { epoch: signed("epoch", batch.epoch)?, sequence: signed("sequence", batch.sequence)? };
        tracing::debug!(agent.uid = %self.agent, epoch = at.epoch, sequence = at.sequence, "agents.batch.received");
        let said = facts::read(batch, self.shared.clock.now_ms())
            .map_err(|unfit| Status::invalid_argument(unfit.to_string()))?;
        let mut tries = 0;
        loop {
            match self.store(at, &said).await {
                Ok(Outcome::Stored) => break,
                Ok(Outcome::OutOfTurn(stands)) => return self.out_of_turn(at, stands).await,
                // Two writers in each other's way: one of them simply goes again.
                Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
                Err(StoreError::Conflict { .. }) => {
                    return Err(Status::invalid_argument(
                        "the batch names a server or workload that was never reported; start a new epoch with a full \
                         inventory",
                    ));
                }
                Err(error) => return Err(storing(&error)),
            }
        }
        self.shared.changed.notify_one();
        self.acknowledge(at).await
    }

    /// Facts and offset in one transaction.
    async fn store(&self, at: Offset, said: &facts::Said) -> Result<Outcome, StoreError> {
        let mut tx = self.shared.store.write().await?;
        if !tx.ingest().advance(self.agent, at).await? {
            let stands = tx.ingest().offset(self.agent).await?;
            return Ok(Outcome::OutOfTurn(stands.unwrap_or(Offset { epoch: 0, sequence: 0 })));
        }
        let clock = &*self.shared.clock;
        tx.ingest().store(clock, (self.agent, self.company), at.epoch, &said.facts).await?;
        if let Some((server, cloud)) = &said.cloud {
            let collected_at = clock.now_ms();
            let source = CloudSource { agent: self.agent, server, epoch: at.epoch, collected_at };
            let left_out = tx.cloud().store(clock, source, cloud).await?;
            if left_out > 0 {
                tracing::warn!(agent.uid = %self.agent, left_out, "agents.batch: agent {} spoke of Cloud Connect things that it has no say in", self.agent);
            }
        }
        tx.commit().await?;
        Ok(Outcome::Stored)
    }

    /// A batch that is not the next: sent again, or after a gap.
    async fn out_of_turn(&self, at: Offset, stands: Offset) -> Result<(), Status> {
        let repeated = (at.epoch, at.sequence) <= (stands.epoch, stands.sequence);
        if repeated {
            tracing::debug!(agent.uid = %self.agent, epoch = at.epoch, sequence = at.sequence, "agents.batch.repeated");
            return self.acknowledge(at).await;
        }
        let reason = format!(
            "batch ({}, {}) came but the last one stored is ({}, {})",
            at.epoch, at.sequence, stands.epoch, stands.sequence
        );
        tracing::warn!(agent.uid = %self.agent, reason, "agents.batch: agent {} must start over", self.agent);
        send(&self.answers, console_message::Kind::Resync(Resync { reason })).await
    }

    async fn acknowledge(&self, at: Offset) -> Result<(), Status> {
        let acknowledge = Acknowledge { epoch: unsigned(at.epoch), sequence: unsigned(at.sequence) };
        send(&self.answers, console_message::Kind::Acknowledge(acknowledge)).await
    }

    async fn heartbeat(&self) -> Result<(), Status> {
        let mut tx = self.shared.store.write().await.map_err(|error| storing(&error))?;
        let noted = tx.agents().heartbeat(self.agent, self.shared.clock.now_ms()).await;
        let known = noted.map_err(|error| storing(&error))?;
        tx.commit().await.map_err(|error| storing(&error))?;
        // Removed through another host over the same database, which could not end this session.
        if known { Ok(()) } else { Err(not_admitted()) }
    }
}

/// An agent that does not read its answers is as good as gone.
async fn send(answers: &Answers, kind: console_message::Kind) -> Result<(), Status> {
    let message = Ok(ConsoleMessage { kind: Some(kind) });
    let sent = tokio::time::timeout(ANSWER_TIME, answers.send(message)).await;
    let sent = sent.map_err(|_| Status::deadline_exceeded("the agent does not read its answers"))?;
    sent.map_err(|_| Status::cancelled("the agent is gone"))
}

/// Offsets are 63 bits in the database.
fn signed(what: &str, number: u64) -> Result<i64, Status> {
    i64::try_from(number).map_err(|_| Status::out_of_range(format!("the {what} {number} is beyond 63 bits")))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
