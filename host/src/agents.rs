//! Management agents: the only agent sockets.
//!
//! **Cast.** A [`Gateway`] opens one *door* per port (`door.rs`): TLS 1.3, a client certificate asked for but not demanded. The
//! *service* (`service.rs`) answers two kinds of caller. *Enrolment* (`enroll.rs`) has a join token and no certificate: it
//! takes one use of the token, writes the `agents` row and hands out a certificate; with a genuine token that is over, the
//! machine waits in `unverified_agents` until an operator lets it in (`waiting.rs`). Whom TLS turns away is counted in memory
//! (`handshakes.rs`). A *session* (`session.rs`) has a certificate: it is admitted by its fingerprint on that row, then hands
//! in each batch and acknowledges it when it is committed. The *writer* (`writer.rs`) gathers what many sessions hand in; the
//! *desk* (`desk.rs`) writes it, facts and offsets, in one transaction: it is the store, or in simulations its twin in memory;
//! *presence* (`presence.rs`) writes who was heard of. *Pace* (`pace.rs`) reads an agent that says too much more slowly, and
//! *room* (`room.rs`) leaves descriptors for everything else. The *registry* (`registry.rs`) knows the one live session of each
//! agent; a new one replaces the old. `facts.rs` turns a frame into checked facts. *Dispatch* (`dispatch.rs`) takes commands out of the outbox for the agents
//! that are here and hands them to their sessions; *report* (`report.rs`) notes what agents say of them; *outbox* (`outbox.rs`)
//! ends those whose time is over. *Incidents* (`incidents.rs`) brings what only a copy of an agent or somebody hostile does to the
//! activity log.
//!
//! **Rows.** Writes `agents` (identity, presence, offset, misuse), `unverified_agents`, `audit`, `backup_servers`, `workloads`,
//! `restore_points`, and marks what changed as due. Who reads the marks is none of the gateway's business; it only pokes.
//!
//! **Crash.** A command is noted as sent before it is; one that did not arrive goes out again when its lease is over, and the
//! agent does it once. A batch that was not committed was not acknowledged and comes again; one that was committed is recognised by
//! its offset and acknowledged again. At start every agent counts as disconnected until it returns.
//!
//! **Identity** comes from this connection's certificate and from nothing the agent says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keelson_proto::v1::console_server::{Console, ConsoleServer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::Router;
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::id::AgentUid;
use crate::model::Door;
use crate::pki::Pki;
use crate::seal::Seal;
use crate::store::{Store, StoreError};

mod access;
mod desk;
mod dispatch;
mod door;
mod enroll;
mod facts;
mod handshakes;
mod incidents;
pub mod outbox;
mod pace;
mod presence;
mod registry;
mod report;
mod room;
mod service;
mod session;
#[cfg(test)]
mod simulation;
mod waiting;
mod writer;

use desk::{Desk, StoreDesk};

pub use access::{AgentAccess, FreshToken};
pub use handshakes::{HandshakeFailure, HandshakeKind};

/// The largest frame an agent may send: a batch is at most 1 MiB by contract; the rest is room for its envelope.
const LARGEST_FRAME: usize = 2 << 20;
/// Unacknowledged batches an agent may have under way.
const CREDIT: u32 = 8;

/// Where an agent is told for how many seconds to stay away.
const WAIT: &str = "keelson-wait";
/// Where an agent is told in one word why a call was refused.
const REASON: &str = "keelson-reason";

/// How the gateway behaves.
#[derive(Debug, Clone, Copy)]
pub struct GatewayOptions {
    /// How often agents say that they are there. Three missed ones end a session.
    pub heartbeat: Duration,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(30) }
    }
}

/// What all sessions share.
#[derive(Debug)]
struct Shared {
    desk: Arc<dyn Desk>,
    clock: SharedClock,
    /// Which life of its database this is.
    incarnation: Uuid,
    options: GatewayOptions,
    registry: Arc<registry::Registry>,
    writer: writer::Writer,
    /// Who did not come through.
    handshakes: Arc<handshakes::Handshakes>,
    /// Who did what none should.
    incidents: incidents::Incidents,
    /// Of both doors.
    room: room::Room,
    /// Poked after each commit that marked something due.
    changed: Arc<Notify>,
    stopping: CancellationToken,
}

impl Shared {
    /// No session yet. Whoever begins is written down at this desk.
    fn new(
        desk: Arc<dyn Desk>,
        clock: SharedClock,
        (options, incarnation): (GatewayOptions, Uuid),
        changed: Arc<Notify>,
    ) -> Self {
        let registry = Arc::new(registry::Registry::default());
        Self {
            writer: writer::Writer::start(&desk, &registry),
            desk,
            handshakes: Arc::new(handshakes::Handshakes::new(Arc::clone(&clock))),
            incidents: incidents::Incidents::default(),
            room: room::Room::of_this_process(),
            clock,
            incarnation,
            options,
            registry,
            changed,
            stopping: CancellationToken::new(),
        }
    }

    /// What goes on beside the sessions, until the gateway stops.
    fn attend(self: &Arc<Self>, tasks: &TaskTracker) {
        tasks.spawn(dispatch::run(Arc::clone(self)));
        tasks.spawn(presence::keep(Arc::clone(self)));
        tasks.spawn(incidents::keep(Arc::clone(self)));
    }
}

/// The doors, open.
#[derive(Debug, Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    admission: Arc<enroll::Admission>,
    tasks: TaskTracker,
}

impl Gateway {
    /// A gateway over a database in this life of it, with no door open yet. `changed` is poked whenever facts changed.
    pub async fn new(
        store: Store,
        pki: Arc<Pki>,
        clock: SharedClock,
        seal: Seal,
        (options, incarnation): (GatewayOptions, Uuid),
        changed: Arc<Notify>,
    ) -> Result<Self, StoreError> {
        let mut tx = store.write().await?;
        tx.agents().all_disconnected(&*clock).await?;
        tx.commit().await?;
        let desk = StoreDesk::new(store.clone(), Arc::clone(&clock), seal);
        let life = (options, incarnation);
        let shared = Shared::new(Arc::new(desk), Arc::clone(&clock), life, Arc::clone(&changed));
        let (shared, tasks) = (Arc::new(shared), TaskTracker::new());
        shared.attend(&tasks);
        let (comers, waiting) = waiting::queue();
        let admission = Arc::new(enroll::Admission { store, pki, clock, changed, comers });
        tasks.spawn(waiting::keep(Arc::clone(&admission), shared.stopping.clone(), waiting));
        Ok(Self { shared, admission, tasks })
    }

    /// Lets agents in through a listener.
    pub fn open(&self, door: Door, listener: TcpListener, tls: Arc<ServerConfig>) {
        let watched = (Arc::clone(&self.shared.handshakes), self.shared.stopping.clone());
        let incoming = door::incoming((door, self.shared.room.clone()), listener, tls, watched, &self.tasks);
        let (shared, admission) = (Arc::clone(&self.shared), Arc::clone(&self.admission));
        let service = service::ConsoleService::new(shared, admission, self.tasks.clone());
        let stopping = self.shared.stopping.clone();
        let server =
            http2(service).serve_with_incoming_shutdown(incoming, async move { stopping.cancelled().await });
        self.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(error = %crate::error::chain(&error), "agents.door: the door closed by itself");
            }
        });
    }

    /// Ends the session of an agent that was removed. One that another host over the same database holds ends at its next
    /// heartbeat.
    pub fn expel(&self, agent: AgentUid) {
        self.shared.registry.expel(agent);
    }

    /// Handshakes that failed since the host started, the latest first.
    pub fn handshake_failures(&self) -> Vec<HandshakeFailure> {
        self.shared.handshakes.all()
    }

    /// Ends all sessions and waits for their last writes.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The protocol behind every door.
fn http2<C: Console>(service: C) -> Router {
    let service = ConsoleServer::new(service).max_decoding_message_size(LARGEST_FRAME);
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        // A control connection carries one session and the odd renewal.
        .max_concurrent_streams(8)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(512 * 1024)
        .http2_max_header_list_size(16 * 1024)
        .add_service(service)
}

/// An open port.
pub type Listener = TcpListener;

/// So many that nobody has accepted yet wait with the system, as far as it lets them (`net.core.somaxconn`, 4096 on Linux). Whoever
/// finds no place there is not told so: its system tries again after one second, then after two, four and eight.
const BACKLOG: u32 = 4096;

/// Opens a port.
pub fn bind(address: SocketAddr) -> std::io::Result<Listener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Elsewhere it would let a second process have the same port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Reads a batch as a session does; how many facts it holds. For tests that throw bytes at the host.
#[doc(hidden)]
pub fn read_batch(batch: keelson_proto::v1::Batch, now: i64) -> Result<usize, String> {
    facts::read(batch, now).map(|said| said.facts.len()).map_err(|unfit| unfit.to_string())
}

/// The largest message that a session takes.
#[doc(hidden)]
pub const LARGEST_MESSAGE: usize = LARGEST_FRAME;

/// The words of the API that facts may say, by the contract's names.
#[cfg(test)]
pub(crate) fn fact_words() -> &'static [(&'static str, facts::words::Words)] {
    facts::words::ALL
}
