//! What agents do that none does by itself: a copy of one, or somebody who means ill. It has no effect wherever it is refused; here
//! it comes to the activity log, and what reaches for another's shows on the agent.
//!
//! Incidents are gathered in memory and written beside the sessions: one of a kind and agent at once, further ones as a number, a
//! while later. However much an agent does, it costs the log a few rows an hour.
//!
//! **Crash.** What was gathered in the last second is lost.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use super::door::Peer;
use crate::clock::Clock;
use crate::error::chain;
use crate::id::AgentUid;
use crate::store::{NewAuditRow, StoreError, Tx};

/// Between two rounds of writing.
const ROUND: Duration = Duration::from_secs(1);
/// Between two rows about one kind of incident of one agent.
const QUIET: Duration = Duration::from_mins(10);
/// Different ones that are remembered. Whatever is more is in the host's log alone.
const CAPACITY: usize = 2_000;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Incident {
    /// A certificate was shown that the agent has renewed since.
    OldCertificate,
    /// A batch came of an epoch that was over.
    OldEpoch,
    /// A report came on a command of another agent.
    ForeignCommand,
    /// A report came on a command that was never sent to this agent.
    UnknownCommand,
}

impl Incident {
    /// What was asked for, in the place where the log has the operations of the API.
    fn operation(self) -> &'static str {
        match self {
            Self::OldCertificate => "AgentSession",
            Self::OldEpoch => "AgentBatch",
            Self::ForeignCommand | Self::UnknownCommand => "AgentReport",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::OldCertificate => {
                "it showed a certificate that it has renewed since: a copy of it, or its machine was set back"
            }
            Self::OldEpoch => {
                "it sent facts of a history that is over: a copy of it, or its machine was set back"
            }
            Self::ForeignCommand => "it reported on a command of another agent",
            Self::UnknownCommand => "it reported on a command that it was never given",
        }
    }

    /// No agent does this by mistake.
    fn is_misuse(self) -> bool {
        self == Self::ForeignCommand
    }
}

/// Incidents that are not written yet, and those that were a moment ago.
#[derive(Debug, Default)]
pub(super) struct Incidents(Mutex<HashMap<(AgentUid, Incident), Noted>>);

/// One that is to be written.
pub(super) type Due = ((AgentUid, Incident), Noted);

#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    /// Unix milliseconds, of the first that is not written.
    at: i64,
    address: IpAddr,
    /// How many are not written.
    times: u64,
    written: Option<Instant>,
}

impl Incidents {
    fn noted(&self) -> MutexGuard<'_, HashMap<(AgentUid, Incident), Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers one.
    pub(super) fn note(&self, clock: &dyn Clock, agent: AgentUid, incident: Incident, address: IpAddr) {
        tracing::warn!(agent.uid = %agent, %address, "agents.incident: agent {agent}: {}", incident.words());
        let at = clock.now_ms();
        let mut noted = self.noted();
        let is_full = noted.len() >= CAPACITY;
        match noted.get_mut(&(agent, incident)) {
            Some(known) if known.times > 0 => known.times = known.times.saturating_add(1),
            Some(known) => (known.at, known.address, known.times) = (at, address, 1),
            None if is_full => {}
            None => {
                noted.insert((agent, incident), Noted { at, address, times: 1, written: None });
            }
        }
    }

    /// Those whose time to be written has come; and forgets what was quiet for long enough.
    fn take(&self) -> Vec<Due> {
        let now = Instant::now();
        let is_due = |noted: &Noted| noted.written.is_none_or(|at| now.duration_since(at) >= QUIET);
        let mut all = self.noted();
        all.retain(|_, noted| noted.times > 0 || !is_due(noted));
        let mut due = Vec::new();
        for (key, noted) in all.iter_mut().filter(|(_, noted)| noted.times > 0 && is_due(noted)) {
            due.push((*key, *noted));
            (noted.times, noted.written) = (0, Some(now));
        }
        due.sort_unstable_by_key(|((agent, _), _)| *agent);
        due
    }

    /// They could not be written.
    fn put_back(&self, due: Vec<Due>) {
        let mut all = self.noted();
        for (key, noted) in due {
            let times = all.get(&key).map_or(0, |since| since.times);
            all.insert(key, Noted { times: noted.times.saturating_add(times), ..noted });
        }
    }
}

/// Writes incidents until the gateway stops, and once more.
pub(super) async fn keep(shared: Arc<Shared>) {
    loop {
        let is_last = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => true,
            () = tokio::time::sleep(ROUND) => false,
        };
        let due = shared.incidents.take();
        if let Err(error) = write(&shared, &due).await {
            tracing::warn!(error = chain(&error), "agents.incident: the activity log has to wait");
            shared.incidents.put_back(due);
        }
        if is_last {
            return;
        }
    }
}

async fn write(shared: &Shared, due: &[Due]) -> Result<(), StoreError> {
    if due.is_empty() {
        return Ok(());
    }
    shared.desk.note_incidents(due).await?;
    shared.changed.notify_one();
    Ok(())
}

/// Writes them down.
pub(super) async fn note(tx: &mut Tx, clock: &dyn Clock, due: &[Due]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(due.len());
    for ((agent, incident), noted) in due {
        if incident.is_misuse() {
            let reason = format!("{}, from {}", incident.words(), noted.address);
            tx.agents().flag_misuse(clock, *agent, &reason).await?;
        }
        rows.push(row(tx, *agent, *incident, noted).await?);
    }
    for row in rows {
        tx.audit().add(&row).await?;
    }
    Ok(())
}

async fn row(
    tx: &mut Tx,
    agent: AgentUid,
    incident: Incident,
    noted: &Noted,
) -> Result<NewAuditRow, StoreError> {
    let known = tx.agents().get(agent).await?;
    let name = known.as_ref().map(|known| known.host_name.clone()).unwrap_or_default();
    let times = if noted.times > 1 { format!(" ({} times)", noted.times) } else { String::new() };
    Ok(NewAuditRow {
        at: noted.at,
        address: noted.address.to_string(),
        operation: incident.operation().to_owned(),
        outcome: "Denied",
        organization_uid: known.map(|known| known.company_uid.0),
        object_type: "ManagementAgent".to_owned(),
        object_uid: Some(agent.0),
        message: format!("The agent on \"{name}\" was denied something{times}: {}", incident.words()),
        object_name: name,
        ..NewAuditRow::default()
    })
}

/// Two machines with one identity: both are heard, in turn, and it is shown.
pub(super) async fn suspect(shared: &Shared, peer: &Peer, agent: AgentUid, elsewhere: bool) {
    let from = peer.address.ip();
    let reason = if elsewhere {
        format!("a machine other than the one that was enrolled uses this agent's certificate, from {from}")
    } else {
        format!("two machines take turns with this agent's certificate, one of them from {from}")
    };
    tracing::warn!(agent.uid = %agent, address = %peer.address, "agents.incident: agent {agent} seems to be cloned: {reason}");
    let noted = shared.desk.suspect(agent, &reason).await;
    if let Err(error) = noted {
        tracing::warn!(agent.uid = %agent, error = chain(&error), "agents.incident: the suspicion is not noted");
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_at_once_and_the_others_as_a_number_a_while_later() {
        let (incidents, clock) = (Incidents::default(), ManualClock::at(1_000));
        let agent = AgentUid(Uuid::from_u128(1));
        let note = || incidents.note(&*clock, agent, Incident::ForeignCommand, IpAddr::from([127, 0, 0, 1]));
        let told = || incidents.take().into_iter().map(|(_, noted)| noted.times).collect::<Vec<_>>();
        note();
        assert_eq!(told(), [1]);
        (0..500).for_each(|_| note());
        assert_eq!(told(), [0; 0]);
        tokio::time::advance(QUIET).await;
        assert_eq!(told(), [500]);
        tokio::time::advance(QUIET).await;
        assert_eq!(told(), [0; 0]);
        assert!(incidents.noted().is_empty(), "what is over is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_database_does_not_take_is_told_later_and_memory_is_bounded() {
        let (incidents, clock) = (Incidents::default(), ManualClock::at(1_000));
        let note = |agent: usize| {
            let agent = AgentUid(Uuid::from_u128(agent as u128));
            incidents.note(&*clock, agent, Incident::UnknownCommand, IpAddr::from([127, 0, 0, 1]));
        };
        (0..CAPACITY + 10).for_each(note);
        let due = incidents.take();
        assert_eq!(due.len(), CAPACITY);
        note(0);
        incidents.put_back(due);
        let again = incidents.take();
        assert_eq!(again.len(), CAPACITY);
        assert_eq!(again.iter().map(|(_, noted)| noted.times).sum::<u64>(), CAPACITY as u64 + 1);
    }
}
