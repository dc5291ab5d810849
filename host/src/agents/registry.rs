//! The one live session of each agent. A new session replaces the old: the agent has been restarted, or its network has
//! forgotten the connection.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::id::{self, AgentUid};

/// Who is connected.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Live>);

#[derive(Debug, Default)]
struct Live {
    sessions: HashMap<AgentUid, (i64, CancellationToken)>,
}

/// A place in the registry.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Random, so that no session of this host or of one before has it too.
    pub(super) number: i64,
    /// Cancelled when another session takes over.
    pub(super) replaced: CancellationToken,
}

impl Registry {
    /// Registers a session, and ends the agent's former one.
    pub(super) fn enter(&self, agent: AgentUid) -> Place {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Place { number: i64::from_le_bytes(id::random()), replaced: CancellationToken::new() };
        let former = live.sessions.insert(agent, (place.number, place.replaced.clone()));
        if let Some((_, former)) = former {
            former.cancel();
        }
        place
    }

    /// Ends the session of an agent that is no more, if it has one here.
    pub(super) fn expel(&self, agent: AgentUid) {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, session)) = live.sessions.remove(&agent) {
            session.cancel();
        }
    }

    /// Takes a session out; false when another has taken its place, which then speaks for the agent.
    pub(super) fn leave(&self, agent: AgentUid, place: &Place) -> bool {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = live.sessions.get(&agent).is_some_and(|(number, _)| *number == place.number);
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
