//! The link to the host: one session after the other, for as long as the agent runs.
//!
//! - this file: connect, hold a session, wait, again; renew the certificate when two thirds of its life are over;
//! - `exchange`: one session, from Hello to its end;
//! - `resume`: what a Welcome means for the spool;
//! - `backoff`: how long to wait between sessions.
//!
//! The session is the only one that removes from the spool, and only what the host acknowledged. Nothing that fails
//! here ends the agent, except: a damaged spool, a host that has removed the agent, and an inspected connection before the
//! first session ever stood (whoever installs the agent must hear of it; a service manager may start it again).

mod backoff;
mod exchange;
#[cfg(test)]
mod lives;
mod resume;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keelson_proto::v1::{Computer, Gap};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::{error, info, warn};

use crate::clock::{Clock, SharedClock};
use crate::config::{DataFolder, Settings};
use crate::enroll::renew;
use crate::error::{chain, spoken};
use crate::identity::Identity;
use crate::random::Random;
use crate::spool::{SharedSpool, SpoolError};
use crate::tls::{Dial, DialError};
use crate::work::Work;
use backoff::Backoff;

/// A session this long was a good one: the next failure starts with short waits again.
const GOOD: Duration = Duration::from_secs(5);
/// Where the host says in one word why it refused a call, and the words for a call without a certificate and for one of an agent
/// that is no more.
const REASON: &str = "keelson-reason";
/// Where the host says for how many seconds to stay away, and for how long it is believed.
const WAIT: &str = "keelson-wait";
const LONGEST_WAIT: u64 = 60;
const NO_CERTIFICATE: &str = "no-client-certificate";
const REMOVED: &str = "agent-removed";
/// After a renewal that failed.
const RENEW_AGAIN: i64 = 10 * 60 * 1000;

/// What collector and session share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) spool: SharedSpool,
    /// The spool has grown: the session may have something to send.
    pub(crate) grown: Notify,
    /// An epoch has begun: the collector must not wait for its interval.
    pub(crate) collect: Notify,
    /// An epoch has begun that the driver was not told of yet.
    pub(crate) has_begun: AtomicBool,
    /// How the last collection went.
    pub(crate) collected: watch::Sender<Collected>,
    /// None while the host lacks nothing.
    behind: Mutex<Option<Behind>>,
}

/// A host that is told again what its database has lost; batches by epoch and sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    /// The last that it has.
    pub(crate) stands: (u64, u64),
    /// The last that it had.
    pub(crate) had: (u64, u64),
}

/// How a collection went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    /// The epoch that it belongs to.
    pub(crate) epoch: u64,
    /// Why it brought nothing.
    pub(crate) failure: Option<String>,
}

impl Shared {
    pub(crate) fn new(spool: SharedSpool) -> Self {
        Self {
            spool,
            grown: Notify::new(),
            collect: Notify::new(),
            has_begun: AtomicBool::new(false),
            collected: watch::Sender::default(),
            behind: Mutex::default(),
        }
    }

    /// Begins an epoch above the current one and above `floor`. What the host has lost and was not told again until now goes with
    /// the replay window, so the epoch says that there is a gap.
    pub(crate) async fn begin_epoch(
        &self,
        floor: u64,
        gap: Option<Gap>,
        clock: &dyn Clock,
    ) -> Result<u64, SpoolError> {
        let behind = *self.behind();
        let gap = match (gap, behind) {
            (None, Some(Behind { stands: (epoch, sequence), .. })) => {
                Some(self.spool.position().await?.gap_after(epoch, sequence))
            }
            (gap, _) => gap,
        };
        let epoch = self.spool.begin_epoch(floor, gap, clock).await?;
        self.has_begun.store(true, Ordering::SeqCst);
        self.set_behind(None);
        Ok(epoch)
    }

    /// Notes whether a host has lost something.
    pub(crate) fn set_behind(&self, host: Option<Behind>) {
        *self.behind() = host;
    }

    /// A host that is behind has this batch again.
    pub(crate) fn catches_up(&self, batch: (u64, u64)) {
        let mut behind = self.behind();
        *behind = behind.filter(|host| batch < host.had).map(|host| Behind { stands: batch, ..host });
    }

    fn behind(&self) -> MutexGuard<'_, Option<Behind>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything a session needs.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) folder: DataFolder,
    pub(crate) settings: Settings,
    pub(crate) computer: Computer,
    pub(crate) driver_kind: &'static str,
    /// Tells this run of the agent from the one before, and from one on another machine.
    pub(crate) run: [u8; 16],
    pub(crate) shared: Arc<Shared>,
    pub(crate) work: Arc<Work>,
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) clock: SharedClock,
    pub(crate) stop: CancellationToken,
}

/// Why a session ended or never stood.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No address answered as the host.
    #[error("cannot reach the host")]
    Dial(#[source] DialError),
    /// The host ended the stream or never opened it.
    #[error("the session ended: {0}")]
    Stream(String),
    /// The host's TLS refused the agent's certificate.
    #[error(
        "the host does not take this agent's certificate: it has expired, was revoked, or is of another host; enrol \
         again with `keelson-agent enroll --force` if this does not pass"
    )]
    Unwelcome,
    /// TLS ended before the host.
    #[error(
        "the host does not see this agent's certificate: something between, such as a load balancer, ends TLS under the host's \
         own name; have it pass the port through as TCP"
    )]
    Stripped,
    /// The host stops.
    #[error("the host stops, and asks to come back in {0} s")]
    Stops(u64),
    /// The host knows no such agent any more.
    #[error("the host has removed this agent")]
    Removed,
    /// The host closed the stream without a word: it stops, or another agent with this identity took over.
    #[error("the host closed the session")]
    Closed,
    /// No Welcome in time.
    #[error("the host did not answer within {0} s")]
    Silent(u64),
    /// A message that does not belong there.
    #[error("the host broke the protocol: {0}")]
    Protocol(&'static str),
    /// The spool cannot be used.
    #[error("the spool cannot be used")]
    Spool(#[from] SpoolError),
}

impl SessionError {
    /// Under TLS 1.3 a client hears that its certificate was refused only when it first reads, so the alert arrives as
    /// a broken stream; and h2 keeps of it only the words.
    pub(crate) fn from_status(status: &Status) -> Self {
        match status.metadata().get(REASON).and_then(|reason| reason.to_str().ok()) {
            Some(NO_CERTIFICATE) => return Self::Stripped,
            Some(REMOVED) => return Self::Removed,
            _ => {}
        }
        let wait = status.metadata().get(WAIT).and_then(|wait| wait.to_str().ok());
        if let Some(seconds) = wait.and_then(|wait| wait.parse::<u64>().ok()) {
            return Self::Stops(seconds.min(LONGEST_WAIT));
        }
        let text = spoken(status);
        if text.contains("received fatal alert") { Self::Unwelcome } else { Self::Stream(text) }
    }

    /// For how long to stay away, at least.
    fn wait(&self) -> Duration {
        if let Self::Stops(seconds) = self { Duration::from_secs(*seconds) } else { Duration::ZERO }
    }

    /// Whether a foreign certificate was the reason.
    pub fn is_pin_mismatch(&self) -> bool {
        matches!(self, Self::Dial(DialError::PinMismatch { .. }))
    }

    /// For a program, on one line, when somebody between agent and host was the reason.
    pub fn event(&self) -> Option<serde_json::Value> {
        match self {
            Self::Dial(dial) => dial.event(),
            Self::Stripped => Some(serde_json::json!({
                "event": "tls-client-certificate-stripped",
                "advice": "pass the host's agent port through as TCP",
            })),
            _ => None,
        }
    }
}

/// How a session ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stopped,
    RenewalDue,
}

impl Link {
    /// Holds sessions until told to stop. An error is final.
    pub(crate) async fn keep(
        &self,
        mut identity: Identity,
        max_backoff: Duration,
        jitter: Random,
    ) -> Result<(), SessionError> {
        let mut backoff = Backoff::new(max_backoff, jitter);
        let mut stood = false;
        let mut renew_from = identity.renew_at;
        while !self.stop.is_cancelled() {
            if self.clock.now_ms() >= renew_from {
                identity = self.renewed(identity).await;
                let later = self.clock.now_ms().saturating_add(RENEW_AGAIN);
                renew_from = identity.renew_at.max(later);
            }
            let began = Instant::now();
            let attempt = self.attempt(&identity, renew_from, &mut stood);
            let outcome = tokio::select! {
                biased;
                outcome = attempt => outcome,
                () = self.stop.cancelled() => Ok(End::Stopped),
            };
            let told = match outcome {
                Ok(End::Stopped) => break,
                Ok(End::RenewalDue) => continue,
                Err(error) => {
                    let told = error.wait();
                    self.judge(error, stood)?;
                    told
                }
            };
            if began.elapsed() >= GOOD {
                backoff.reset();
            }
            tokio::select! {
                biased;
                () = tokio::time::sleep(told + backoff.next()) => {}
                () = self.stop.cancelled() => {}
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        identity: &Identity,
        renew_at: i64,
        stood: &mut bool,
    ) -> Result<End, SessionError> {
        let dialled = self.dial.dial(&self.settings.addresses, &identity.credentials).await;
        let connection = dialled.map_err(SessionError::Dial)?;
        let address = connection.address.to_string();
        exchange::hold(self, connection.channel, renew_at, || {
            *stood = true;
            info!(address, agent.uid = %self.settings.agent_uid, "connected to {address}");
        })
        .await
    }

    /// Logs an error that passes, hands one back that does not.
    fn judge(&self, error: SessionError, stood: bool) -> Result<(), SessionError> {
        let fatal = match &error {
            SessionError::Spool(spool) => spool.is_corrupt(),
            // Nothing that it could wait for.
            SessionError::Removed => true,
            other => !stood && other.is_pin_mismatch(),
        };
        if fatal {
            return Err(error);
        }
        let event = error.event().map(tracing::field::display);
        warn!(agent.uid = %self.settings.agent_uid, event, "{}", chain(&error));
        Ok(())
    }

    /// The new identity; the old one when the host would not or could not renew.
    async fn renewed(&self, current: Identity) -> Identity {
        let error = match renew(&self.folder, &self.settings, &current).await {
            Ok(identity) => return identity,
            Err(error) => error,
        };
        let advice = if self.clock.now_ms() < current.not_after {
            "it is tried again later"
        } else {
            "it has expired: enrol again with `keelson-agent enroll --force`, or mend this machine's clock"
        };
        error!(agent.uid = %self.settings.agent_uid, "certificate not renewed: {}; {advice}", chain(&error));
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::inventory::addition;
    use crate::spool;
    use crate::testing::{inventory, limits};

    #[test]
    fn a_host_that_stops_says_for_how_long_to_stay_away_and_is_believed_for_a_minute() {
        for (said, believed) in [("7", 7), ("86400", 60)] {
            let mut status = Status::unavailable("the host stops");
            status.metadata_mut().insert(WAIT, said.parse().unwrap());
            assert_eq!(SessionError::from_status(&status).wait(), Duration::from_secs(believed));
        }
        assert_eq!(SessionError::from_status(&Status::unavailable("")).wait(), Duration::ZERO);
    }

    #[tokio::test]
    async fn an_epoch_that_begins_while_a_host_catches_up_names_what_it_still_lacks() {
        let shared = Shared::new(spool::memory(limits(1 << 20), &SystemClock));
        let known = shared.spool.known().await.unwrap();
        let batches = addition(&known, &inventory("s", &[("a", 3)])).unwrap();
        shared.spool.append(known.epoch, &batches).await.unwrap();
        let last = shared.spool.position().await.unwrap().last;
        shared.spool.acknowledge(known.epoch, last, &SystemClock).await.unwrap();
        shared.set_behind(Some(Behind { stands: (known.epoch, 0), had: (known.epoch, last) }));
        let next = shared.begin_epoch(known.epoch, None, &SystemClock).await.unwrap();
        let gap = shared.spool.known().await.unwrap().gap.unwrap();
        assert_eq!((gap.held_epoch, gap.held_sequence), (known.epoch, 0));
        assert_eq!((gap.lost_epoch, gap.lost_sequence), (known.epoch, last));

        let shared = Shared::new(spool::memory(limits(1 << 20), &SystemClock));
        shared.begin_epoch(next, None, &SystemClock).await.unwrap();
        assert_eq!(shared.spool.known().await.unwrap().gap, None, "a host that lacks nothing");
    }
}
