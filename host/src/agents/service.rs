//! The gRPC service: finds out who calls, and hands on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keelson_proto::v1::console_server::Console;
use keelson_proto::v1::{
    AgentMessage, ConsoleMessage, EnrollRequest, EnrollResponse, RenewRequest, StatusRequest, StatusResponse,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument as _;

use super::door::{Identity, Peer};
use super::room::FULL;
use super::{CREDIT, HandshakeKind, REASON, Shared, WAIT, enroll, session};
use crate::net;

/// Enrolments of one source that may fail in [`SPAN`]. Those that succeed are not counted: a site enrols thousands at once.
const MOST_FAILED: u32 = 30;
/// For how long failed enrolments are counted.
const SPAN: Duration = Duration::from_mins(1);
/// Sources that are remembered at the same time.
const MOST_SOURCES: usize = 4_096;

/// The service behind every door.
#[derive(Debug)]
pub(super) struct ConsoleService {
    shared: Arc<Shared>,
    admission: Arc<enroll::Admission>,
    tasks: TaskTracker,
    tries: Tries,
}

impl ConsoleService {
    pub(super) fn new(shared: Arc<Shared>, admission: Arc<enroll::Admission>, tasks: TaskTracker) -> Self {
        Self { shared, admission, tasks, tries: Tries::default() }
    }

    /// What an agent asks for beside its session costs the host a look into its database, or a signature.
    fn may_call(&self, peer: &Peer, identity: Identity) -> Result<(), Status> {
        self.shared.registry.may_call(identity.agent, peer.address.ip()).map_err(|wait| {
            let wait = wait.as_secs() + 1;
            Status::resource_exhausted(format!("this agent asks too often; it may ask again in {wait} s"))
        })
    }

    /// A try to enrol costs a signature and a turn at the store, whatever it brings: whoever guesses tokens gets few.
    fn may_enroll(&self, peer: &Peer) -> Result<(), Status> {
        self.tries.may_try(peer.address.ip()).map_err(|wait| {
            let wait = wait.as_secs() + 1;
            let mut told = MetadataMap::new();
            told.insert(WAIT, MetadataValue::from(wait));
            let message =
                format!("too many enrolments from this address have failed; it may try again in {wait} s");
            Status::with_metadata(Code::ResourceExhausted, message, told)
        })
    }

    /// Counts an enrolment that failed by the caller's fault, whatever that was: a limit for some faults only would tell them
    /// apart. What the host could not do counts for nobody.
    fn note_failed(&self, peer: &Peer, status: &Status) {
        let is_callers = matches!(status.code(), Code::PermissionDenied | Code::InvalidArgument);
        if is_callers && self.tries.note_failed(peer.address.ip()) {
            tracing::warn!(address = %peer.address, "agents.enroll: too many enrolments from one address fail; it is kept away for a while");
        }
    }
}

/// Who has tried to enrol at this door, and failed. Those under way when the limit is reached still end; a source has only so many
/// connections without a certificate.
#[derive(Debug, Default)]
struct Tries(Mutex<HashMap<IpAddr, Failed>>);

/// Since when is counted, and how many.
#[derive(Debug, Clone, Copy)]
struct Failed {
    since: Instant,
    count: u32,
}

impl Failed {
    /// For how long these still count.
    fn left(self, now: Instant) -> Option<Duration> {
        SPAN.checked_sub(now.duration_since(self.since)).filter(|left| !left.is_zero())
    }
}

impl Tries {
    /// Whether somebody may try to enrol; else for how long not.
    fn may_try(&self, from: IpAddr) -> Result<(), Duration> {
        let known = self.failed().get(&net::source(from)).copied();
        let wait =
            known.filter(|failed| failed.count >= MOST_FAILED).and_then(|failed| failed.left(Instant::now()));
        wait.map_or(Ok(()), Err)
    }

    /// One more has failed; whether it is the last that may.
    fn note_failed(&self, from: IpAddr) -> bool {
        let (mut all, now, source) = (self.failed(), Instant::now(), net::source(from));
        if !all.contains_key(&source) {
            make_room(&mut all, now);
        }
        let failed = all.entry(source).or_insert(Failed { since: now, count: 0 });
        if failed.left(now).is_none() {
            *failed = Failed { since: now, count: 0 };
        }
        failed.count = failed.count.saturating_add(1);
        failed.count == MOST_FAILED
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<IpAddr, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets whose time is over; if that is nobody's, the one with the fewest failures, so that whoever is kept away stays away.
fn make_room(all: &mut HashMap<IpAddr, Failed>, now: Instant) {
    all.retain(|_, failed| failed.left(now).is_some());
    if all.len() < MOST_SOURCES {
        return;
    }
    let least = all.iter().min_by_key(|(_, failed)| (failed.count, failed.since)).map(|(source, _)| *source);
    if let Some(source) = least {
        all.remove(&source);
    }
}

/// What goes down to an agent.
pub(super) type Answers = ReceiverStream<Result<ConsoleMessage, Status>>;

/// Begins a session, which goes on beside the call that asked for it.
pub(super) fn hold(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    request: Request<Streaming<AgentMessage>>,
) -> Result<Response<Answers>, Status> {
    let peer = peer(&request)?;
    let identity = identity(&peer)?;
    // Room for an answer to each batch that may be under way, and for the last word.
    let (answers, stream) = mpsc::channel(CREDIT as usize + 2);
    let shared = Arc::clone(shared);
    let call = peer.call();
    tasks.spawn(async move {
        session::run(shared, peer, identity, request.into_inner(), answers).await;
        drop(call);
    });
    Ok(Response::new(ReceiverStream::new(stream)))
}

fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().cloned().ok_or_else(|| Status::internal("the connection has no peer"))
}

/// Who it is, if there is room for it. An agent that has a certificate and is told that it has none knows that somebody between has
/// taken it away.
fn identity(peer: &Peer) -> Result<Identity, Status> {
    if !peer.has_room {
        tracing::warn!(address = %peer.address, "agents.door: no room for another agent: {FULL}");
        return Err(Status::resource_exhausted(FULL));
    }
    peer.identity.ok_or_else(|| {
        let detail = "it asked for what needs an agent's certificate, and had none";
        peer.turned_away(HandshakeKind::NoClientCertificate, detail);
        let mut reason = MetadataMap::new();
        reason.insert(REASON, MetadataValue::from_static("no-client-certificate"));
        let message = "this call needs the agent's certificate; enrol first (keelson-agent enroll)";
        Status::with_metadata(Code::Unauthenticated, message, reason)
    })
}

#[tonic::async_trait]
impl Console for ConsoleService {
    type SessionStream = Answers;

    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let peer = peer(&request)?;
        let _call = peer.call();
        self.may_enroll(&peer)?;
        let span = tracing::info_span!("agents.enroll", address = %peer.address);
        let enrolled = enroll::enroll(&self.admission, &peer, request.into_inner()).instrument(span).await;
        let enrolled = enrolled.inspect_err(|status| self.note_failed(&peer, status));
        enrolled.inspect(|_| peer.came_in()).map(Response::new)
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        let peer = peer(&request)?;
        let (identity, _call) = (identity(&peer)?, peer.call());
        self.may_call(&peer, identity)?;
        let renewed =
            enroll::renew((&self.admission, &self.shared), &peer, identity, request.into_inner()).await;
        renewed.inspect_err(|status| peer.note_refusal(status)).map(Response::new)
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let peer = peer(&request)?;
        let (identity, _call) = (identity(&peer)?, peer.call());
        self.may_call(&peer, identity)?;
        enroll::look(&self.shared, &peer, identity).await.inspect_err(|status| peer.note_refusal(status))?;
        peer.came_in();
        let host_time = self.shared.clock.now_ms();
        Ok(Response::new(StatusResponse { host_time, host_version: env!("CARGO_PKG_VERSION").to_owned() }))
    }

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        hold(&self.shared, &self.tasks, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_too_often_is_kept_away_for_the_rest_of_a_minute_and_the_others_are_not() {
        let (tries, guesser, site) = (Tries::default(), address("192.0.2.1"), address("192.0.2.2"));
        for number in 1..=MOST_FAILED {
            assert_eq!(tries.may_try(guesser), Ok(()));
            assert_eq!(tries.note_failed(guesser), number == MOST_FAILED, "it is said once");
        }
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(tries.may_try(guesser), Err(Duration::from_secs(40)));
        assert!((0..1000).all(|_| tries.may_try(site).is_ok()), "what succeeds is not counted");
        assert!(!tries.note_failed(guesser), "one that was under way");
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(tries.may_try(guesser), Ok(()));
        assert!(!tries.note_failed(guesser));
        assert_eq!(tries.may_try(guesser), Ok(()), "counted anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_source() {
        let tries = Tries::default();
        for host in 0..MOST_FAILED {
            tries.note_failed(address(&format!("2001:db8::{host:x}")));
        }
        assert!(tries.may_try(address("2001:db8::ffff:1")).is_err());
        assert!(tries.may_try(address("2001:db8:0:1::1")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_stays_bounded_and_who_is_kept_away_stays_away() {
        let (tries, guesser) = (Tries::default(), address("192.0.2.1"));
        for _ in 0..MOST_FAILED {
            tries.note_failed(guesser);
        }
        for number in 0..u32::try_from(MOST_SOURCES).unwrap() + 50 {
            tries.note_failed(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        }
        assert_eq!(tries.failed().len(), MOST_SOURCES);
        assert!(tries.may_try(guesser).is_err());
        tokio::time::advance(SPAN).await;
        tries.note_failed(address("192.0.2.2"));
        assert_eq!(tries.failed().len(), 1, "what is over is forgotten");
    }
}
