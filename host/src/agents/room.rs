//! How many agents have room: each takes a descriptor, and some have to be left for everything else. A host whose descriptors are
//! all agents' could no longer be asked what is wrong.
//!
//! *Sockets* are all connections of the agents' doors, from the moment that they are accepted. *Seats* are those of agents that
//! came through; there are fewer, so that one for whom there is none is let in far enough to be told. An agent has few of them,
//! and its newest connection drives out its oldest: a stolen certificate takes up no more room than a genuine one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::id::AgentUid;
use crate::net::Waiting;

/// What an agent hears for whom there is no seat.
pub(super) const FULL: &str =
    "the host has as many agents as it may have files open; raise LimitNOFILE of its service";

/// An eighth of the descriptors is not for agents, within these bounds.
const KEPT: (u64, u64) = (64, 512);
/// A sixteenth of the sockets has no seat, within these bounds.
const STANDING: (u64, u64) = (8, 256);
/// Seats of one agent: for its session, for those whose end it has noticed and we have not yet, for a renewal and its doctor.
const OWN: usize = 8;

/// A quarter of the sockets may say nothing yet: that many of a fleet which returns at once are taken in without one driving out
/// another. As much of those that wait for their handshake may be one address'.
const QUARTER: usize = 4;

/// The room that there is. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// How many sockets there are in all.
    size: usize,
    sockets: Arc<Semaphore>,
    seats: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<AgentUid, Own>>>,
}

/// The seats of an agent, the oldest first.
#[derive(Debug, Default)]
struct Own {
    next: u64,
    seats: VecDeque<(u64, CancellationToken)>,
}

/// A socket; free again when this is dropped.
pub(super) type Socket = OwnedSemaphorePermit;

/// A seat; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    /// Cancelled when this agent has taken others since.
    pub(super) lost: CancellationToken,
    agent: AgentUid,
    number: u64,
    taken: Arc<Mutex<HashMap<AgentUid, Own>>>,
    _of_all: OwnedSemaphorePermit,
}

impl Room {
    /// Under this process's limit.
    pub(super) fn of_this_process() -> Self {
        Self::under(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    fn under(limit: u64) -> Self {
        let sockets = limit.saturating_sub((limit / 8).clamp(KEPT.0, KEPT.1)).max(STANDING.0);
        let seats = sockets.saturating_sub((sockets / 16).clamp(STANDING.0, STANDING.1));
        let places = |count| usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let size = places(sockets);
        let seats = Semaphore::new(places(seats));
        let (sockets, seats) = (Arc::new(Semaphore::new(size)), Arc::new(seats));
        Self { size, sockets, seats, taken: Arc::default() }
    }

    /// How many of a door's sockets may be there without being through yet.
    pub(super) fn waiting(&self) -> Waiting {
        let quarter = self.size.div_ceil(QUARTER);
        Waiting { silent: quarter, line: (self.size, quarter) }
    }

    /// Waits until another connection may be accepted.
    pub(super) async fn socket(&self) -> Option<Socket> {
        Arc::clone(&self.sockets).acquire_owned().await.ok()
    }

    /// A seat for an agent, if there is one.
    pub(super) fn seat(&self, agent: AgentUid) -> Option<Seat> {
        let of_all = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let mut taken = locked(&self.taken);
        let own = taken.entry(agent).or_default();
        let (number, lost) = (own.next, CancellationToken::new());
        own.next += 1;
        own.seats.push_back((number, lost.clone()));
        if own.seats.len() > OWN
            && let Some((_, oldest)) = own.seats.pop_front()
        {
            oldest.cancel();
        }
        Some(Seat { lost, agent, number, taken: Arc::clone(&self.taken), _of_all: of_all })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = locked(&self.taken);
        if let Some(own) = taken.get_mut(&self.agent) {
            own.seats.retain(|(number, _)| *number != self.number);
            if own.seats.is_empty() {
                taken.remove(&self.agent);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

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

    #[test]
    fn the_newest_connection_of_an_agent_drives_out_its_oldest_and_nobody_elses() {
        let (room, thief, other) =
            (Room::under(1024), AgentUid(Uuid::from_u128(1)), AgentUid(Uuid::from_u128(2)));
        let theirs = room.seat(other).unwrap();
        let mut seats: Vec<_> = (0..OWN).map(|_| room.seat(thief).unwrap()).collect();
        assert!(seats.iter().all(|seat| !seat.lost.is_cancelled()));
        seats.push(room.seat(thief).unwrap());
        assert!(seats[0].lost.is_cancelled() && !seats[1].lost.is_cancelled() && !theirs.lost.is_cancelled());
        seats.drain(..2);
        seats.push(room.seat(thief).unwrap());
        assert!(seats.iter().all(|seat| !seat.lost.is_cancelled()), "one had gone by itself");
        drop((seats, theirs));
        assert!(locked(&room.taken).is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn those_who_say_nothing_leave_most_of_the_room_to_the_others() {
        let waiting = |limit| {
            let waiting = Room::under(limit).waiting();
            (waiting.silent, waiting.line)
        };
        assert_eq!(waiting(1024), (224, (896, 224)));
        assert_eq!(waiting(20_000), (4872, (19_488, 4872)));
    }
}
