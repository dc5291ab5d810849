//! A host in this process: real TLS, real HTTP/2, a store in memory, and tests decide how it misbehaves.

mod fragile;
mod ledger;
mod service;

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keelson_proto::v1::Command;
use keelson_proto::v1::console_server::ConsoleServer;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::pki::Authority;
use crate::clock::{Clock as _, SystemClock};
use crate::token::JoinToken;
pub(crate) use fragile::{Fragile, offline};
pub(crate) use ledger::Ledger;

pub(crate) const SECRET: &str = "join-secret";
const HOUR: i64 = 3_600_000;

/// What the host does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Commits and acknowledges.
    Serve,
    /// Cuts the stream before it commits.
    CutBeforeCommit,
    /// Commits, then cuts the stream before it acknowledges.
    CutBeforeAcknowledge,
    /// Commits and stays silent.
    Mute,
    /// Cannot take this one batch, ever.
    Refuse(u64, u64),
}

/// Shared by all connections.
pub(crate) struct State {
    pub(crate) mode: Mutex<Mode>,
    pub(crate) resync: Notify,
    pub(crate) orders: Mutex<Vec<Command>>,
    pub(crate) ordered: Notify,
    /// By the subject of the agent's certificate.
    pub(crate) agents: Mutex<HashMap<String, Ledger>>,
    pub(crate) cut: Mutex<CancellationToken>,
    pub(crate) failed_handshakes: AtomicU32,
    authority: Authority,
    tls: Mutex<Arc<ServerConfig>>,
}

impl State {
    fn new() -> Arc<Self> {
        let authority = Authority::new("Keelson CA");
        let tls = Mutex::new(authority.server(&authority, "console.example"));
        Arc::new(Self {
            mode: Mutex::new(Mode::Serve),
            resync: Notify::new(),
            orders: Mutex::default(),
            ordered: Notify::new(),
            agents: Mutex::default(),
            cut: Mutex::default(),
            failed_handshakes: AtomicU32::new(0),
            authority,
            tls,
        })
    }

    fn agent(&self, subject: &str, change: impl FnOnce(&mut Ledger)) {
        change(self.agents.lock().unwrap().entry(subject.to_owned()).or_default());
    }

    /// Certificates live from an hour ago to an hour from now.
    fn certify(&self, request: &[u8], subject: &str) -> (Vec<Vec<u8>>, i64) {
        let now = SystemClock.now_ms();
        let life = (now - HOUR, now + HOUR);
        (self.authority.client(request, subject, life), life.1)
    }
}

pub(crate) struct Console {
    pub(crate) state: Arc<State>,
    address: String,
    inspector: Authority,
    _stop: DropGuard,
}

impl Console {
    pub(crate) async fn start() -> Self {
        let state = State::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let stop = CancellationToken::new();
        let (accepted, incoming) = mpsc::unbounded_channel();
        tokio::spawn(accept(listener, Arc::clone(&state), accepted, stop.clone()));
        let service = ConsoleServer::new(service::Service(Arc::clone(&state)));
        let server = Server::builder().serve_with_incoming(service, UnboundedReceiverStream::new(incoming));
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = server => ended.unwrap(),
                () = stopped.cancelled() => {}
            }
        });
        Self { state, address, inspector: Authority::new("Corp Proxy CA"), _stop: stop.drop_guard() }
    }

    pub(crate) fn token(&self) -> JoinToken {
        self.token_with(SECRET)
    }

    pub(crate) fn token_with(&self, secret: &str) -> JoinToken {
        let pin = self.state.authority.pin();
        let json = serde_json::json!({ "a": [self.address], "t": secret, "p": pin.to_string() });
        JoinToken::parse(&format!("kj1.{}", URL_SAFE_NO_PAD.encode(json.to_string()))).unwrap()
    }

    /// Puts a firewall between, which signs what it likes, or takes it away. Connections that stand, stand.
    pub(crate) fn inspect(&self, on: bool) {
        let signer = if on { &self.inspector } else { &self.state.authority };
        self.present(signer.server(&self.state.authority, "console.example"));
    }

    /// As `inspect`, by someone who sends the host's own CA along.
    pub(crate) fn forge(&self) {
        self.present(self.inspector.forged(&self.state.authority, "console.example"));
    }

    /// Takes no agent's certificate any more.
    pub(crate) fn distrust_agents(&self) {
        self.present(self.state.authority.server(&self.inspector, "console.example"));
    }

    fn present(&self, config: Arc<ServerConfig>) {
        *self.state.tls.lock().unwrap() = config;
    }

    pub(crate) fn failed_handshakes(&self) -> u32 {
        self.state.failed_handshakes.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.state.mode.lock().unwrap() = mode;
    }

    /// Ends every session that stands.
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *self.state.cut.lock().unwrap()).cancel();
    }

    /// Sends a command to the agent that is connected, or to the next that is.
    pub(crate) fn order(&self, uid: u8, attempt: u32, kind: &str) {
        self.order_with(uid, attempt, kind, "{}");
    }

    /// With a payload of its own.
    pub(crate) fn order_with(&self, uid: u8, attempt: u32, kind: &str, payload: &str) {
        let command = Command {
            uid: vec![uid; 16],
            attempt,
            kind: kind.to_owned(),
            payload: payload.to_owned(),
            deadline: i64::MAX,
            ..Command::default()
        };
        self.state.orders.lock().unwrap().push(command);
        self.state.ordered.notify_one();
    }

    pub(crate) fn agents(&self) -> MutexGuard<'_, HashMap<String, Ledger>> {
        self.state.agents.lock().unwrap()
    }

    /// Looks at the ledger of the only agent.
    pub(crate) fn ledger<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut agents = self.agents();
        assert!(agents.len() <= 1);
        match agents.values_mut().next() {
            Some(ledger) => look(ledger),
            None => look(&mut Ledger::default()),
        }
    }
}

async fn accept(
    listener: TcpListener,
    state: Arc<State>,
    accepted: mpsc::UnboundedSender<io::Result<Wire<TlsStream<TcpStream>>>>,
    stop: CancellationToken,
) {
    loop {
        let tcp = tokio::select! {
            tcp = listener.accept() => tcp.unwrap().0,
            () = stop.cancelled() => return,
        };
        let acceptor = TlsAcceptor::from(Arc::clone(&state.tls.lock().unwrap()));
        let accepted = accepted.clone();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            match acceptor.accept(tcp).await {
                Ok(tls) => {
                    let chain = tls.get_ref().1.peer_certificates();
                    let leaf = chain.and_then(|chain| chain.first()).map(|leaf| leaf.clone().into_owned());
                    accepted.send(Ok(Wire(tls, Peer(leaf)))).ok();
                }
                Err(_) => {
                    state.failed_handshakes.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}

/// A connection that tells tonic who the client is.
pub(crate) struct Wire<S>(S, Peer);

/// The client's certificate, when it showed one.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) Option<CertificateDer<'static>>);

impl<S> Connected for Wire<S> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.1.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
