//! How many agents have room: each takes a descriptor, and some have to be left for everything else. A host whose descriptors are
//! all agents' could no longer be asked what is wrong.
//!
//! *Sockets* are all connections of the agents' doors, from the moment that they are accepted. *Seats* are those of agents that
//! came through; there are fewer, so that one for whom there is none is let in far enough to be told.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What an agent hears for whom there is no seat.
pub(super) const FULL: &str =
    "the host has as many agents as it may have files open; raise LimitNOFILE of its service";

/// An eighth of the descriptors is not for agents, within these bounds.
const KEPT: (u64, u64) = (64, 512);
/// A sixteenth of the sockets has no seat, within these bounds.
const STANDING: (u64, u64) = (8, 256);

/// The room that there is. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Room {
    sockets: Arc<Semaphore>,
    seats: Arc<Semaphore>,
}

/// A socket or a seat; free again when this is dropped.
pub(super) type Taken = OwnedSemaphorePermit;

impl Room {
    /// Under this process's limit.
    pub(super) fn of_this_process() -> Self {
        Self::under(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    fn under(limit: u64) -> Self {
        let sockets = limit.saturating_sub((limit / 8).clamp(KEPT.0, KEPT.1)).max(STANDING.0);
        let seats = sockets.saturating_sub((sockets / 16).clamp(STANDING.0, STANDING.1));
        let places =
            |count| Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS));
        Self { sockets: Arc::new(places(sockets)), seats: Arc::new(places(seats)) }
    }

    /// Waits until another connection may be accepted.
    pub(super) async fn socket(&self) -> Option<Taken> {
        Arc::clone(&self.sockets).acquire_owned().await.ok()
    }

    /// A seat, if there is one.
    pub(super) fn seat(&self) -> Option<Taken> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_descriptors_are_for_agents_and_some_never_are() {
        let places = |limit| {
            let room = Room::under(limit);
            (room.sockets.available_permits(), room.seats.available_permits())
        };
        assert_eq!(places(240), (176, 165));
        assert_eq!(places(1024), (896, 840));
        assert_eq!(places(20_000), (19_488, 19_232));
        assert_eq!(places(10), (8, 0));
        assert_eq!(places(u64::MAX).0, Semaphore::MAX_PERMITS);
    }
}
