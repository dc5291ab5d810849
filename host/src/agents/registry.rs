//! The one live session of each agent. A new session replaces the old: the agent has been restarted, or its network has
//! forgotten the connection.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keelson_proto::v1::Command;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::door::Identity;
use crate::id::AgentUid;

/// Commands that may wait for a session to send them: twice what an agent has at once, for those that go out again.
const QUEUE: usize = 32;
/// A run of an agent that was replaced by another run and is back within this time is not the same machine's.
const CLONE: Duration = Duration::from_mins(10);
/// Sessions that one agent may begin in [`FLAP`].
const MOST_ARRIVALS: u32 = 60;
/// Calls beside sessions that one agent may make from one address in [`FLAP`]: some looks of its doctor, a renewal.
const MOST_CALLS: u32 = 30;
/// For how long arrivals and calls are counted.
const FLAP: Duration = Duration::from_mins(1);

/// Who is connected.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Live>);

#[derive(Debug, Default)]
struct Live {
    sessions: HashMap<AgentUid, Entry>,
    /// Runs that another run of the same agent took over from, lately.
    replaced: HashMap<AgentUid, Vec<(Vec<u8>, Instant)>>,
    /// How often each came, and since when that is counted.
    arrivals: HashMap<Identity, Count>,
    /// How often each called from where.
    calls: HashMap<(AgentUid, IpAddr), Count>,
    /// Who was heard of since somebody asked.
    heard: HashSet<AgentUid>,
    /// Who was removed a moment ago: a session of theirs may be on its way in.
    expelled: HashMap<AgentUid, Instant>,
}

/// Since when is counted, and how many.
type Count = (Instant, u32);

/// One more, if that is not more than `most`; else for how long there is none.
fn count(entry: &mut Count, most: u32, now: Instant) -> Result<(), Duration> {
    let (since, count) = entry;
    if now.duration_since(*since) >= FLAP {
        (*since, *count) = (now, 0);
    }
    if *count >= most {
        return Err(FLAP.saturating_sub(now.duration_since(*since)));
    }
    *count += 1;
    Ok(())
}

/// The live session of an agent.
#[derive(Debug)]
struct Entry {
    number: i64,
    run: Vec<u8>,
    ended: CancellationToken,
    commands: mpsc::Sender<Command>,
}

/// A place in the registry.
#[derive(Debug)]
pub(super) struct Place {
    /// Random, so that no session of this host or of one before has it too.
    pub(super) number: i64,
    /// Cancelled when another session takes over, or the agent was removed.
    pub(super) replaced: CancellationToken,
    /// What is to be sent to the agent.
    pub(super) commands: mpsc::Receiver<Command>,
    /// Another run of this agent took over from this one a moment ago: two machines take turns.
    pub(super) is_clone: bool,
}

impl Registry {
    /// Registers a session, and ends the agent's former one.
    pub(super) fn enter(&self, agent: AgentUid, number: i64, run: &[u8]) -> Place {
        let replaced = CancellationToken::new();
        let (sender, commands) = mpsc::channel(QUEUE);
        let entry = Entry { number, run: run.to_vec(), ended: replaced.clone(), commands: sender };
        let (mut live, now) = (self.live(), Instant::now());
        if live.expelled.contains_key(&agent) {
            replaced.cancel();
        }
        if let Some(former) = live.sessions.insert(agent, entry) {
            former.ended.cancel();
            if former.run != run && !former.run.is_empty() {
                live.replaced.entry(agent).or_default().push((former.run, now));
            }
        }
        let is_clone = live.replaced.get_mut(&agent).is_some_and(|runs| {
            runs.retain(|(_, at)| now.duration_since(*at) < CLONE);
            runs.iter().any(|(other, _)| other == run)
        });
        Place { number, replaced, commands, is_clone }
    }

    /// Whether an agent may come in again; else for how long it is to stay away. An agent that comes and goes without end
    /// must not cost a write each time; whoever has a certificate that it has renewed since uses up nothing of its own.
    pub(super) fn may_come(&self, identity: Identity) -> Result<(), Duration> {
        let (mut live, now) = (self.live(), Instant::now());
        count(live.arrivals.entry(identity).or_insert((now, 0)), MOST_ARRIVALS, now)
    }

    /// Whether an agent may call for something beside its session; else for how long not. Counted by address too, so that whoever
    /// has a copy of its certificate elsewhere cannot keep the agent itself from renewing it.
    pub(super) fn may_call(&self, agent: AgentUid, address: IpAddr) -> Result<(), Duration> {
        let (mut live, now) = (self.live(), Instant::now());
        count(live.calls.entry((agent, address)).or_insert((now, 0)), MOST_CALLS, now)
    }

    /// How many agents are here.
    pub(super) fn sessions(&self) -> u64 {
        u64::try_from(self.live().sessions.len()).unwrap_or(u64::MAX)
    }

    /// Notes that an agent was heard of.
    pub(super) fn hear(&self, agent: AgentUid) {
        self.live().heard.insert(agent);
    }

    /// Who was heard of since the last time; and forgets what is too old to matter.
    pub(super) fn take_heard(&self) -> Vec<AgentUid> {
        let (mut live, now) = (self.live(), Instant::now());
        live.expelled.retain(|_, at| now.duration_since(*at) < FLAP);
        live.arrivals.retain(|_, (since, _)| now.duration_since(*since) < FLAP);
        live.calls.retain(|_, (since, _)| now.duration_since(*since) < FLAP);
        live.replaced.retain(|_, runs| {
            runs.retain(|(_, at)| now.duration_since(*at) < CLONE);
            !runs.is_empty()
        });
        std::mem::take(&mut live.heard).into_iter().collect()
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
        let mut live = self.live();
        live.expelled.insert(agent, Instant::now());
        if let Some(session) = live.sessions.remove(&agent) {
            session.ended.cancel();
        }
    }

    /// Whether an agent was removed a moment ago.
    pub(super) fn is_expelled(&self, agent: AgentUid) -> bool {
        self.live().expelled.contains_key(&agent)
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
        let old = registry.enter(agent, 1, b"");
        let new = registry.enter(agent, 2, b"");
        assert!(old.replaced.is_cancelled() && !new.replaced.is_cancelled());
        assert!(!registry.leave(agent, &old));
        assert!(registry.leave(agent, &new));
    }

    #[tokio::test(start_paused = true)]
    async fn two_machines_with_one_identity_take_turns_and_a_restarted_agent_does_not() {
        let registry = Registry::default();
        let agent = AgentUid(uuid::Uuid::from_u128(1));
        assert!(!registry.enter(agent, 1, b"a").is_clone);
        assert!(!registry.enter(agent, 2, b"a").is_clone, "its network was away");
        assert!(!registry.enter(agent, 3, b"b").is_clone, "it was restarted");
        assert!(registry.enter(agent, 4, b"a").is_clone, "and the one before is back");
        tokio::time::advance(CLONE).await;
        assert!(!registry.enter(agent, 5, b"b").is_clone, "after a while it is no sign any more");
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_comes_and_goes_without_end_is_kept_away_for_a_while() {
        let registry = Registry::default();
        let agent = AgentUid(uuid::Uuid::from_u128(1));
        let [known, former] = [1, 2].map(|byte| Identity { agent, fingerprint: [byte; 32] });
        let came = (0..100).filter(|_| registry.may_come(known).is_ok()).count();
        assert_eq!(came, MOST_ARRIVALS as usize);
        assert!(registry.may_come(former).is_ok(), "another certificate is counted apart");
        let wait = registry.may_come(known).unwrap_err();
        tokio::time::advance(wait).await;
        assert!(registry.may_come(known).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_bounded_for_each_agent_and_address() {
        let registry = Registry::default();
        let (agent, other) = (AgentUid(uuid::Uuid::from_u128(1)), AgentUid(uuid::Uuid::from_u128(2)));
        let [here, there] = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])];
        let called = (0..100).filter(|_| registry.may_call(agent, here).is_ok()).count();
        assert_eq!(called, MOST_CALLS as usize);
        assert!(registry.may_call(agent, there).is_ok() && registry.may_call(other, here).is_ok());
        let identity = Identity { agent, fingerprint: [1; 32] };
        assert!(registry.may_come(identity).is_ok(), "sessions are counted apart");
        let wait = registry.may_call(agent, here).unwrap_err();
        tokio::time::advance(wait).await;
        assert!(registry.may_call(agent, here).is_ok());
        tokio::time::advance(FLAP).await;
        registry.take_heard();
        assert!(registry.live().calls.is_empty(), "what is over is forgotten");
    }
}
