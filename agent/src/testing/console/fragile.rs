//! The host without sockets and TLS, on streams of this process that come in pieces and break where they are told to: what
//! happens on them is decided by a seed, and takes no time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use keelson_proto::v1::console_server::ConsoleServer;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;

use super::{Peer, State, Wire, service};
use crate::random::Random;

/// The host's end of a stream.
pub(crate) type Inner = Wire<DuplexStream>;

/// The agent's end: a piece at a time, and broken after so many bytes.
pub(crate) struct Fragile {
    stream: DuplexStream,
    left: u64,
    random: Random,
}

/// A host, and where to hand it streams. All of them are of the one agent there is.
pub(crate) fn offline() -> (Arc<State>, mpsc::UnboundedSender<io::Result<Inner>>) {
    let state = State::new();
    let (accepted, incoming) = mpsc::unbounded_channel();
    let service = ConsoleServer::new(service::Service(Arc::clone(&state)));
    let server = Server::builder().serve_with_incoming(service, UnboundedReceiverStream::new(incoming));
    // It ends with the last of those who could hand it a stream.
    tokio::spawn(server);
    (state, accepted)
}

impl Fragile {
    /// A stream to that host that breaks after so many bytes, either way.
    pub(crate) fn connect(state: &State, left: u64, random: Random) -> (Self, Inner) {
        let (near, far) = tokio::io::duplex(4096);
        (Self { stream: near, left, random }, Wire(far, Peer(Some(state.authority.certificate()))))
    }

    /// How much goes through now; none: it is broken.
    fn piece(&mut self, length: usize) -> io::Result<usize> {
        let piece = (1 + self.random.below(700)).min(self.left);
        match usize::try_from(piece) {
            Ok(0) | Err(_) => Err(io::ErrorKind::ConnectionReset.into()),
            Ok(piece) => Ok(piece.min(length)),
        }
    }
}

impl AsyncRead for Fragile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = match self.piece(buf.remaining()) {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut part = buf.take(piece);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut part);
        let read = part.filled().to_vec();
        buf.put_slice(&read);
        self.left -= read.len() as u64;
        polled
    }
}

impl AsyncWrite for Fragile {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let piece = match self.piece(buf.len()) {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let polled = Pin::new(&mut self.stream).poll_write(cx, &buf[..piece]);
        if let Poll::Ready(Ok(written)) = polled {
            self.left -= written as u64;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
