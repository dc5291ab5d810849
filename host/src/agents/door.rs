//! One port: accepts, does the TLS handshake within bounds, and hands on what came through with who it is. Who has no
//! certificate may enrol and nothing else: there are few places for such, and none for long.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::Connected;
use uuid::Uuid;

use super::handshakes::Handshakes;
use super::room::{Room, Seat, Socket};
use crate::id::AgentUid;
use crate::model::Door;
use crate::net::{Entrance, Turn, Turns};
use crate::pki;

mod diagnose;
mod opening;
mod peer;
mod watch;

use diagnose::diagnose;
use opening::{FirstBytes, Opening};
pub(super) use peer::{Identity, Peer};
use watch::Watched;

/// Connections without a certificate, in all and of one address; each is there for the moment of its enrolment.
const STRANGERS: (usize, usize) = (256, 64);
/// How long one of them waits for its place.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that came through.
pub(super) struct Entrant<S = TlsStream<Opening<TcpStream>>> {
    stream: Watched<S>,
    peer: Peer,
    _places: Places,
}

/// What a connection takes up, until it ends.
#[derive(Debug, Default)]
pub(super) struct Places {
    _socket: Option<Socket>,
    /// Among agents; who has none is told so.
    seat: Option<Seat>,
    /// Among those without a certificate.
    _stranger: Option<Turn>,
}

/// Connections that came through the handshake.
pub(super) fn incoming(
    (door, room): (Door, Room),
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    (handshakes, stopping): (Arc<Handshakes>, CancellationToken),
    tasks: &TaskTracker,
) -> ReceiverStream<io::Result<Entrant>> {
    let (sender, receiver) = mpsc::channel(64);
    let entrance = Entrance::new(tls, room.waiting());
    let entry = Entry { door, entrance, strangers: Turns::new(STRANGERS), handshakes, room };
    tasks.spawn(accept(entry, listener, sender, stopping, tasks.clone()));
    ReceiverStream::new(receiver)
}

async fn accept(
    entry: Entry,
    listener: TcpListener,
    entrants: mpsc::Sender<io::Result<Entrant>>,
    stopping: CancellationToken,
    tasks: TaskTracker,
) {
    let entry = Arc::new(entry);
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            // Nobody is accepted for whom there is no descriptor or no time; those wait with the system.
            accepted = async {
                entry.entrance.ready().await;
                (entry.room.socket().await, listener.accept().await)
            } => accepted,
        };
        let (Some(socket), accepted) = accepted else { return };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: a moment for some to close.
                tracing::warn!(%error, "agents.door.accept: cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (entry, entrants, stopping) = (Arc::clone(&entry), entrants.clone(), stopping.clone());
        tasks.spawn(async move {
            let outcome = tokio::select! {
                () = stopping.cancelled() => return,
                outcome = entry.let_in(stream, address, socket) => outcome,
            };
            match outcome {
                // A receiver that is gone means that the server stops; the connection closes with it.
                Ok(entrant) => drop(entrants.send(Ok(entrant)).await),
                Err(error) => {
                    let door = entry.door.name();
                    tracing::info!(%address, door, %error, "agents.door.handshake: refused {address}");
                }
            }
        });
    }
}

/// What a connection comes through.
struct Entry {
    door: Door,
    entrance: Entrance,
    strangers: Turns,
    handshakes: Arc<Handshakes>,
    room: Room,
}

impl Entry {
    async fn let_in(&self, stream: TcpStream, address: SocketAddr, socket: Socket) -> io::Result<Entrant> {
        stream.set_nodelay(true)?;
        let first = FirstBytes::default();
        let stream = self.entrance.admit(Opening::new(stream, first.clone()), address.ip()).await;
        let stream = stream.inspect_err(|error| {
            self.handshakes.failed(address.ip(), self.door, diagnose(error, &first.seen()));
        })?;
        let certificates = stream.get_ref().1.peer_certificates();
        let identity = certificates.and_then(|chain| chain.first()).map(|leaf| identify(leaf)).transpose()?;
        let place = if identity.is_none() {
            let place = self.strangers.turn(address.ip(), PATIENCE).await;
            let crowded = || io::Error::new(io::ErrorKind::QuotaExceeded, "too many without a certificate");
            Some(place.ok_or_else(crowded)?)
        } else {
            None
        };
        let speaks_h2 = stream.get_ref().1.alpn_protocol().is_some();
        let seat = identity.and_then(|who| self.room.seat(who.agent));
        let mut peer = Peer::new(Arc::clone(&self.handshakes), (address, self.door), identity, speaks_h2);
        peer.has_room = identity.is_none() || seat.is_some();
        Ok(Entrant::new(stream, peer, Places { _socket: Some(socket), seat, _stranger: place }))
    }
}

impl<S> Entrant<S> {
    /// From now on it is watched.
    pub(super) fn new(stream: S, peer: Peer, places: Places) -> Self {
        let lost = places.seat.as_ref().map(|seat| seat.lost.clone());
        let stream = Watched::new(stream, peer.calls.clone(), peer.identity.is_some(), lost);
        Self { stream, peer, _places: places }
    }
}

/// rustls has checked the chain; what is left is to read the name that `pki` wrote.
fn identify(leaf: &[u8]) -> io::Result<Identity> {
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the client certificate names no agent");
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).map_err(|_| unreadable())?;
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let agent: Uuid = name.and_then(|name| name.parse().ok()).ok_or_else(unreadable)?;
    Ok(Identity { agent: AgentUid(agent), fingerprint: pki::fingerprint(leaf) })
}

impl<S> Connected for Entrant<S> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Entrant<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Entrant<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
