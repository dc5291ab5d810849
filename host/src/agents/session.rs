//! One connected agent: hello, welcome, then batches and heartbeats until either side goes.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use keelson_proto::v1::{
    Acknowledge, AgentMessage, Batch, Command, CommandReport, ConsoleMessage, Hello, Resync, Welcome,
    agent_message, console_message,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::door::{Identity, Peer};
use super::enroll::{checked, not_admitted, storing};
use super::incidents::{Incident, suspect};
use super::pace::Pace;
use super::registry::Place;
use super::writer::{self, Outcome};
use super::{CREDIT, Shared, facts, report};
use crate::error::chain;
use crate::id::{self, AgentUid, CompanyUid};
use crate::store::{Admitted, Arrival, NewAgent, Offset, StoreError};

mod batches;
mod ending;

use batches::{following, joined};

const HELLO_TIME: Duration = Duration::from_secs(10);
/// For how long an agent may leave its answers unread; not longer than it may be silent.
const ANSWER_TIME: Duration = Duration::from_secs(30);

type Answers = mpsc::Sender<Result<ConsoleMessage, Status>>;

/// An agent in session.
struct Session {
    shared: Arc<Shared>,
    agent: AgentUid,
    company: CompanyUid,
    address: IpAddr,
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
            peer.came_in();
            tracing::info!(agent.uid = %agent, address = %peer.address, door = peer.door.name(), "agents.session: agent {agent} is here");
            let address = peer.address.ip();
            let session = Session { shared, agent, company, address, answers: answers.clone() };
            let end = session.live(&mut messages, place).await;
            tracing::info!(agent.uid = %agent, reason = end.as_ref().err().map(Status::message), "agents.session: agent {agent} is gone");
            end
        }
        Err(status) => {
            peer.note_refusal(&status);
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
    let (row, place) = admit(shared, peer, identity, hello).await?;
    shared.changed.notify_one();
    // What waited for this agent goes out after the welcome.
    shared.desk.outbox().notify_one();
    let welcome = Welcome {
        epoch: unsigned(row.epoch),
        sequence: unsigned(row.sequence),
        heartbeat_seconds: u32::try_from(shared.options.heartbeat.as_secs().max(1)).unwrap_or(u32::MAX),
        credit: CREDIT,
        incarnation: shared.incarnation.as_bytes().to_vec(),
    };
    let welcome = console_message::Kind::Welcome(welcome);
    if let Err(status) = send(answers, welcome, patience(shared).min(ANSWER_TIME)).await {
        leave(shared, identity.agent, &place).await;
        return Err(status);
    }
    Ok((row.company_uid, place))
}

/// Whether the certificate is still good, and where the agent's stream stands.
async fn admit(
    shared: &Shared,
    peer: &Peer,
    identity: Identity,
    hello: Hello,
) -> Result<(Admitted, Place), Status> {
    let computer = checked(hello.computer.unwrap_or_default(), &hello.agent_version)?;
    if hello.driver.len() > 64 || hello.driver.contains('\0') {
        return Err(Status::invalid_argument("a driver's name has at most 64 bytes"));
    }
    if hello.run.len() > 64 {
        return Err(Status::invalid_argument("the number of a run has at most 64 bytes"));
    }
    let uid = identity.agent;
    if let Err(wait) = shared.registry.may_come(identity) {
        let wait = wait.as_secs() + 1;
        return Err(Status::resource_exhausted(format!(
            "this agent comes and goes too often; it may come again in {wait} s"
        )));
    }
    let machine = computer.machine_id.clone();
    let heard = ((hello.acknowledged_epoch, hello.acknowledged_sequence), hello.incarnation);
    let arrival = Arrival {
        uid,
        certificate: identity.fingerprint,
        version_status: version_status(&hello.agent_version),
        agent: NewAgent {
            host_name: computer.host_name,
            machine_id: computer.machine_id,
            platform: computer.platform,
            os_version: computer.os_version,
            version: hello.agent_version,
            door: peer.door,
        },
        driver: hello.driver,
        session: i64::from_le_bytes(id::random()),
    };
    let admitted = shared.writer.arrive(arrival, hello.run).await.map_err(|error| storing(&error))?;
    let Some((row, place)) = admitted else { return Err(not_admitted(shared, peer, identity).await) };
    note_loss(shared, &row, heard.0, &heard.1);
    let elsewhere = !machine.is_empty() && !row.machine_id.is_empty() && machine != row.machine_id;
    if place.is_clone || elsewhere {
        suspect(shared, peer, uid, elsewhere).await;
    }
    Ok((row, place))
}

/// An agent was acknowledged more than this database holds: it sends that again, or says that it cannot.
fn note_loss(shared: &Shared, row: &Admitted, heard: (u64, u64), life: &[u8]) {
    let (epoch, sequence) = (unsigned(row.epoch), unsigned(row.sequence));
    if heard <= (epoch, sequence) {
        return;
    }
    let (agent, heard) = (row.uid, format!("({}, {})", heard.0, heard.1));
    if life == shared.incarnation.as_bytes() {
        tracing::warn!(agent.uid = %agent, epoch, sequence, heard, "agents.session: the database is older than what it acknowledged to agent {agent}, and `keelson db restore` did not do that: was a copy put back by hand?");
    } else {
        tracing::info!(agent.uid = %agent, epoch, sequence, heard, "agents.session: the database was restored, and agent {agent} sends again what it has reported since");
    }
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
    let noted = shared.writer.leave(agent, place.number).await;
    match noted {
        Ok(()) => shared.changed.notify_one(),
        Err(error) => {
            let error = chain(&error);
            tracing::warn!(agent.uid = %agent, error, "agents.session: cannot note that agent {agent} is gone");
        }
    }
}

impl Session {
    /// The agent's session, until it ends or another one takes over.
    async fn live(&self, messages: &mut Streaming<AgentMessage>, mut place: Place) -> Result<(), Status> {
        let served = async {
            tokio::select! {
                biased;
                () = self.is_late() => Err(self.stopping()),
                () = place.replaced.cancelled() => Err(self.replaced()),
                end = self.serve(messages, &mut place.commands) => end,
            }
        };
        // Whatever a panic left half done is this session's own, and the agent is gone like any other.
        let end = AssertUnwindSafe(served).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(agent.uid = %self.agent, "agents.session: the host panicked in the session of agent {}", self.agent);
            Err(Status::internal("the host failed in this session; its log says where"))
        });
        leave(&self.shared, self.agent, &place).await;
        end
    }

    async fn serve(
        &self,
        messages: &mut Streaming<AgentMessage>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(), Status> {
        let patience = patience(&self.shared);
        let (mut heard, mut pace) = (Instant::now(), Pace::new());
        // What was read beyond a batch and was none that follows it.
        let mut next = None;
        loop {
            let message = if let Some(message) = next.take() {
                Some(message)
            } else {
                tokio::select! {
                    // What is to be done does not wait behind what the agent has to tell.
                    biased;
                    Some(command) = commands.recv() => {
                        self.say(console_message::Kind::Command(command)).await?;
                        continue;
                    }
                    // What was stored is acknowledged before the host goes, or it would come again.
                    () = self.shared.stopping.cancelled() => return Err(self.stopping()),
                    message = tokio::time::timeout_at(heard + patience, messages.message()) => {
                        message.map_err(|_| Status::deadline_exceeded("three heartbeats were missed"))??
                    }
                }
            };
            let Some(message) = message else { return Ok(()) };
            heard = Instant::now();
            self.shared.registry.hear(self.agent);
            let wait = pace.spend(message.encoded_len());
            match message.kind {
                Some(agent_message::Kind::Report(report)) => self.note(report).await?,
                Some(agent_message::Kind::Batch(batch)) => {
                    let (batches, other) = following(batch, messages, &mut pace)?;
                    next = other;
                    self.take(batches).await?;
                }
                Some(agent_message::Kind::Hello(_)) => {
                    return Err(Status::invalid_argument("a session has one hello"));
                }
                // It was heard of, or has a newer agent's kind of message.
                Some(agent_message::Kind::Heartbeat(_)) | None => {}
            }
            if !wait.is_zero() {
                tokio::select! {
                    () = self.shared.stopping.cancelled() => return Err(self.stopping()),
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }

    async fn say(&self, kind: console_message::Kind) -> Result<(), Status> {
        send(&self.answers, kind, patience(&self.shared).min(ANSWER_TIME)).await
    }

    async fn note(&self, report: CommandReport) -> Result<(), Status> {
        match report::take(&self.shared, (self.agent, self.address), report).await? {
            Some(heard) => self.say(console_message::Kind::Heard(heard)).await,
            None => Ok(()),
        }
    }

    /// Batches that follow each other: stored and committed as one, then acknowledged. The next is read only after that: an
    /// agent's stream moves no faster than the database. If they cannot be stored as one, they are stored one by one, so that
    /// those before the bad one count.
    async fn take(&self, batches: Vec<Batch>) -> Result<(), Status> {
        if let [_, _, ..] = batches.as_slice() {
            let ends: Vec<_> = batches.iter().map(|batch| (batch.epoch, batch.sequence)).collect();
            if let Some(whole) = joined(&batches)
                && let Ok(Outcome::Stored) = self.store(whole, ends.len()).await
            {
                for (epoch, sequence) in ends {
                    self.acknowledge(epoch, sequence).await?;
                }
                return Ok(());
            }
        }
        for batch in batches {
            let (epoch, sequence) = (batch.epoch, batch.sequence);
            match self.store(batch, 1).await? {
                Outcome::Stored => self.acknowledge(epoch, sequence).await?,
                Outcome::OutOfTurn(stands) => self.out_of_turn((epoch, sequence), stands).await?,
            }
        }
        Ok(())
    }

    /// Facts and offset in one transaction. The batch is the last of `count` that it holds.
    async fn store(&self, batch: Batch, count: usize) -> Result<Outcome, Status> {
        let to =
            Offset { epoch: signed("epoch", batch.epoch)?, sequence: signed("sequence", batch.sequence)? };
        let after = to.sequence.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX));
        tracing::debug!(agent.uid = %self.agent, epoch = to.epoch, sequence = to.sequence, count, "agents.batch.received");
        let said = facts::read(batch, self.shared.clock.now_ms())
            .map_err(|unfit| Status::invalid_argument(unfit.to_string()))?;
        let gap = said.facts.gap.clone();
        let batch = writer::Batch { company: self.company, after, to, said };
        let outcome = self.shared.writer.store(self.agent, batch).await.map_err(|error| match error {
            StoreError::Conflict { .. } => Status::invalid_argument(
                "the batch names a server or workload that was never reported; start a new epoch with a full \
                 inventory",
            ),
            error if error.is_of_the_data() => {
                tracing::error!(agent.uid = %self.agent, error = chain(&error), "agents.batch: a batch cannot be stored as it is");
                Status::invalid_argument(
                    "the host cannot store this batch as it is, and its log says why; start a new epoch with a full inventory",
                )
            }
            error => storing(&error),
        })?;
        if outcome == Outcome::Stored {
            if let Some(gap) = gap {
                tracing::warn!(agent.uid = %self.agent, gap, "agents.batch: what agent {} reported is lost in part", self.agent);
            }
            self.shared.changed.notify_one();
        }
        Ok(outcome)
    }

    /// A batch that is not the next: sent again, or after a gap.
    async fn out_of_turn(&self, at: (u64, u64), stands: Offset) -> Result<(), Status> {
        let (epoch, sequence) = at;
        if at <= (unsigned(stands.epoch), unsigned(stands.sequence)) {
            // An agent is told where its stream stands before it says anything, and never goes back behind an epoch it began.
            if epoch < unsigned(stands.epoch) {
                self.shared.incidents.note(&*self.shared.clock, self.agent, Incident::OldEpoch, self.address);
            }
            tracing::debug!(agent.uid = %self.agent, epoch, sequence, "agents.batch.repeated");
            return self.acknowledge(epoch, sequence).await;
        }
        let reason = format!(
            "batch ({epoch}, {sequence}) came but the last one stored is ({}, {})",
            stands.epoch, stands.sequence
        );
        tracing::warn!(agent.uid = %self.agent, reason, "agents.batch: agent {} must start over", self.agent);
        self.say(console_message::Kind::Resync(Resync { reason })).await
    }

    async fn acknowledge(&self, epoch: u64, sequence: u64) -> Result<(), Status> {
        self.say(console_message::Kind::Acknowledge(Acknowledge { epoch, sequence })).await
    }
}

/// How long an agent may be silent.
fn patience(shared: &Shared) -> Duration {
    shared.options.heartbeat * 3
}

/// An agent that does not read its answers is as good as gone.
async fn send(answers: &Answers, kind: console_message::Kind, patience: Duration) -> Result<(), Status> {
    let message = Ok(ConsoleMessage { kind: Some(kind) });
    let sent = tokio::time::timeout(patience, answers.send(message)).await;
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
