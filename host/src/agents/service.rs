//! The gRPC service: finds out who calls, and hands on.

use std::sync::Arc;

use keelson_proto::v1::console_server::Console;
use keelson_proto::v1::{
    AgentMessage, ConsoleMessage, EnrollRequest, EnrollResponse, RenewRequest, StatusRequest, StatusResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument as _;

use super::door::{Identity, Peer};
use super::room::FULL;
use super::{CREDIT, HandshakeKind, REASON, Shared, enroll, session};

/// The service behind every door.
#[derive(Debug)]
pub(super) struct ConsoleService {
    shared: Arc<Shared>,
    admission: Arc<enroll::Admission>,
    tasks: TaskTracker,
}

impl ConsoleService {
    pub(super) fn new(shared: Arc<Shared>, admission: Arc<enroll::Admission>, tasks: TaskTracker) -> Self {
        Self { shared, admission, tasks }
    }

    /// What an agent asks for beside its session costs the host a look into its database, or a signature.
    fn may_call(&self, peer: &Peer, identity: Identity) -> Result<(), Status> {
        self.shared.registry.may_call(identity.agent, peer.address.ip()).map_err(|wait| {
            let wait = wait.as_secs() + 1;
            Status::resource_exhausted(format!("this agent asks too often; it may ask again in {wait} s"))
        })
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
        let span = tracing::info_span!("agents.enroll", address = %peer.address);
        let enrolled = enroll::enroll(&self.admission, &peer, request.into_inner()).instrument(span).await;
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
