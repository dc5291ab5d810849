//! The one live session of each agent. A new session replaces the old: the agent has been restarted, or its network has
//! forgotten the connection.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::Command;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::id::{self, AgentUid};

/// Commands that may wait for a session to send them: twice what an agent has at once, for those that go out again.
const QUEUE: usize = 32;

/// Who is connected.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Live>);

#[derive(Debug, Default)]
struct Live {
    sessions: HashMap<AgentUid, Entry>,
}

/// The live session of an agent.
#[derive(Debug)]
struct Entry {
    number: i64,
    ended: CancellationToken,
    commands: mpsc::Sender<Command>,
}

/// A place in the registry.
#[derive(Debug)]
pub(super) struct Place {
    /// Random, so that no session of this host or of one before has it too.
    pub(super) number: i64,
    /// Cancelled when another session takes over.
    pub(super) replaced: CancellationToken,
    /// What is to be sent to the agent.
    pub(super) commands: mpsc::Receiver<Command>,
}

impl Registry {
    /// Registers a session, and ends the agent's former one.
    pub(super) fn enter(&self, agent: AgentUid) -> Place {
        let (number, replaced) = (i64::from_le_bytes(id::random()), CancellationToken::new());
        let (sender, commands) = mpsc::channel(QUEUE);
        let entry = Entry { number, ended: replaced.clone(), commands: sender };
        if let Some(former) = self.live().sessions.insert(agent, entry) {
            former.ended.cancel();
        }
        Place { number, replaced, commands }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of these agents that are connected here.
    pub(super) fn of_these(&self, agents: &[AgentUid]) -> Vec<AgentUid> {
        let live = self.live();
        agents.iter().copied().filter(|agent| live.sessions.contains_key(agent)).collect()
    }

    /// Hands a command to the agent's session; false when it has none, or too much to send already.
    pub(super) fn send(&self, agent: AgentUid, command: Command) -> bool {
        self.live().sessions.get(&agent).is_some_and(|entry| entry.commands.try_send(command).is_ok())
    }

    /// Ends the session of an agent that is no more, if it has one here.
    pub(super) fn expel(&self, agent: AgentUid) {
        if let Some(session) = self.live().sessions.remove(&agent) {
            session.ended.cancel();
        }
    }

    /// Takes a session out; false when another has taken its place, which then speaks for the agent.
    pub(super) fn leave(&self, agent: AgentUid, place: &Place) -> bool {
        let mut live = self.live();
        let current = live.sessions.get(&agent).is_some_and(|entry| entry.number == place.number);
        if current {
            live.sessions.remove(&agent);
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_session_replaces_the_old_and_the_old_does_not_take_it_out() {
        let registry = Registry::default();
        let agent = AgentUid(uuid::Uuid::from_u128(1));
        let old = registry.enter(agent);
        let new = registry.enter(agent);
        assert!(old.replaced.is_cancelled() && !new.replaced.is_cancelled());
        assert!(!registry.leave(agent, &old));
        assert!(registry.leave(agent, &new));
    }
}
