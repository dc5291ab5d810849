//! From the outbox to the agents that are here: what is to be done is taken, noted as sent, committed, and only then sent.
//!
//! One task does it for all sessions, in bulk: a licence for every tenant is a few statements, and ten thousand agents with
//! nothing to do cost one query now and then. A hint wakes it (a commit of this host's that gave an agent something to do, an
//! agent that came); without one it looks again after [`TICK`], for what other hosts wrote and for leases that ran out.
//!
//! What does not reach an agent (the session ended, its queue was full) goes out again when its lease is over. The agent
//! remembers what it has done, so nothing is done twice.

use std::sync::Arc;
use std::time::Duration;

use keelson_proto::v1::Command as Wire;
use uuid::Uuid;

use super::Shared;
use crate::clock::{Clock, MINUTE};
use crate::error::chain;
use crate::id::{AgentUid, CommandUid};
use crate::model::{Command, NewCommand, Outcome};
use crate::seal::Seal;
use crate::store::{Lease, StoreError, Tx};

/// How long an agent has to say something about a command before it is sent again.
pub(super) const LEASE: i64 = MINUTE;
/// How often is looked without a hint.
const TICK: Duration = Duration::from_secs(5);
/// After a round that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Agents that are served in one transaction.
const AGENTS: usize = 500;
/// Commands that are taken in one statement.
const COMMANDS: i64 = 2_000;

/// Runs until the gateway stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let hint = shared.desk.outbox();
    while !shared.stopping.is_cancelled() {
        let wait = match round(&shared).await {
            Ok(()) => TICK,
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "agents.dispatch: commands wait until the database answers"
                );
                PAUSE
            }
        };
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => {}
            () = hint.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn round(shared: &Shared) -> Result<(), StoreError> {
    let waiting = shared.desk.waiting().await?;
    let here = shared.registry.of_these(&waiting);
    for agents in here.chunks(AGENTS) {
        // Until they have what they may have: what is left then waits for an answer of theirs.
        while send_to(shared, agents).await? {}
    }
    Ok(())
}

/// One transaction; whether there may be more.
async fn send_to(shared: &Shared, agents: &[AgentUid]) -> Result<bool, StoreError> {
    let Outgoing { commands, more } = shared.desk.send_out(agents).await?;
    for (agent, command) in commands {
        let uid = CommandUid(Uuid::from_slice(&command.uid).unwrap_or_default());
        tracing::debug!(agent.uid = %agent, command.uid = %uid, command.kind, command.attempt, "agents.command.sent");
        if !shared.registry.send(agent, command) {
            tracing::debug!(command.uid = %uid, "agents.command: it goes out again when its lease is over");
        }
    }
    Ok(more)
}

/// What is to go out, noted as sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) commands: Vec<(AgentUid, Wire)>,
    /// There may be more for the same agents.
    pub(super) more: bool,
}

/// Takes from the outbox what these agents may have, and notes it as sent.
pub(super) async fn take(
    tx: &mut Tx,
    clock: &dyn Clock,
    seal: &Seal,
    agents: &[AgentUid],
) -> Result<Outgoing, StoreError> {
    let taken = tx.commands().send_out(clock, agents, LEASE, COMMANDS).await?;
    let more = i64::try_from(taken.len()).unwrap_or(i64::MAX) >= COMMANDS;
    let mut commands = Vec::with_capacity(taken.len());
    for command in taken {
        if let Some(wire) = wire(tx, clock, seal, &command).await? {
            commands.push((command.agent_uid, wire));
        }
    }
    Ok(Outgoing { commands, more })
}

/// As it is sent; a command whose secret cannot be opened any more has failed.
async fn wire(
    tx: &mut Tx,
    clock: &dyn Clock,
    seal: &Seal,
    command: &Command,
) -> Result<Option<Wire>, StoreError> {
    let secret = match &command.sealed {
        None => Vec::new(),
        Some(sealed) => match seal.unseal(&NewCommand::purpose(command.uid), sealed) {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(command.uid = %command.uid, error = chain(&error), "agents.command: its secret does not open");
                let message = "the host cannot open the secret that belongs to it: its secrets.key is another one; ask for it again";
                tx.commands().finish(clock, Lease::of(command), &Outcome::failed(message)).await?;
                return Ok(None);
            }
        },
    };
    Ok(Some(Wire {
        uid: command.uid.0.as_bytes().to_vec(),
        attempt: u32::try_from(command.attempts).unwrap_or(u32::MAX),
        kind: command.kind.clone(),
        payload: command.payload.clone(),
        secret,
        deadline: command.deadline,
    }))
}
