//! One port: accepts, does the TLS handshake within bounds, and hands on what came through with who it is.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::Connected;
use uuid::Uuid;

use crate::id::AgentUid;
use crate::model::Door;
use crate::pki;

/// Handshakes under way at once; each costs a quarter of a millisecond of CPU, and a stranger can ask for many.
const HANDSHAKES: usize = 256;
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Who is at the other end, as far as TLS knows.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) door: Door,
    /// Of a certificate that our CA signed; absent before enrolment.
    pub(super) identity: Option<Identity>,
}

/// What the certificate says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) agent: AgentUid,
    pub(super) fingerprint: [u8; 32],
}

/// A connection that came through.
pub(super) struct Entrant {
    stream: TlsStream<TcpStream>,
    peer: Peer,
}

/// Connections that came through the handshake.
pub(super) fn incoming(
    door: Door,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    stopping: CancellationToken,
    tasks: &TaskTracker,
) -> ReceiverStream<io::Result<Entrant>> {
    let (sender, receiver) = mpsc::channel(64);
    tasks.spawn(accept(door, listener, TlsAcceptor::from(tls), sender, stopping, tasks.clone()));
    ReceiverStream::new(receiver)
}

async fn accept(
    door: Door,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    entrants: mpsc::Sender<io::Result<Entrant>>,
    stopping: CancellationToken,
    tasks: TaskTracker,
) {
    let permits = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let permit = tokio::select! {
            () = stopping.cancelled() => return,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { return };
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: a moment for some to close.
                tracing::warn!(%error, "agents.door.accept: cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, entrants) = (acceptor.clone(), entrants.clone());
        tasks.spawn(async move {
            let handshake =
                tokio::time::timeout(HANDSHAKE_TIME, shake_hands(door, stream, address, &acceptor));
            let outcome = handshake.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            drop(permit);
            match outcome {
                // A receiver that is gone means that the server stops; the connection closes with it.
                Ok(entrant) => drop(entrants.send(Ok(entrant)).await),
                Err(error) => {
                    let door = door.name();
                    tracing::info!(%address, door, %error, "agents.door.handshake: refused {address}");
                }
            }
        });
    }
}

async fn shake_hands(
    door: Door,
    stream: TcpStream,
    address: SocketAddr,
    acceptor: &TlsAcceptor,
) -> io::Result<Entrant> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let identity = match stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()) {
        Some(leaf) => Some(identify(leaf)?),
        None => None,
    };
    Ok(Entrant { stream, peer: Peer { address, door, identity } })
}

/// rustls has checked the chain; what is left is to read the name that `pki` wrote.
fn identify(leaf: &[u8]) -> io::Result<Identity> {
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the client certificate names no agent");
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).map_err(|_| unreadable())?;
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let agent: Uuid = name.and_then(|name| name.parse().ok()).ok_or_else(unreadable)?;
    Ok(Identity { agent: AgentUid(agent), fingerprint: pki::fingerprint(leaf) })
}

impl Connected for Entrant {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Entrant {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Entrant {
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
