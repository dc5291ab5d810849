//! Connections: accepted, brought to TLS, served, and drained at the end. Every one is bounded in number, in time and
//! in size, before anybody has proved who they are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::api::app::{App, app};
use crate::api::peer::ConnectedFrom;
use crate::api::{ApiState, health};
use crate::error::chain;

mod stall;

use stall::Stall;

/// Connections that are open at the same time; the rest waits in the system's queue.
const CONNECTIONS: usize = 4096;
/// TLS handshakes under way at the same time: each costs processor time before anybody is known.
const HANDSHAKES: usize = 256;
/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Request headers that take longer are given up, and so is a connection that idles.
const HEADERS: Duration = Duration::from_secs(30);
/// A client that reads nothing for so long is given up.
const UNREAD: Duration = Duration::from_mins(1);
/// Between two pings of HTTP/2, and how long their answer may take.
const PING: Duration = Duration::from_secs(20);
/// At the end, what is under way may take this long.
const DRAIN: Duration = Duration::from_secs(20);
/// A filter with a thousand values fits.
const HEADER_BYTES: u32 = 96 * 1024;
/// Requests that one HTTP/2 connection has under way.
const STREAMS: u32 = 64;
/// After a failed accept (no descriptors left, say), so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API and the page until `shutdown`, then lets what is under way finish. `tls` offers h2 and http/1.1.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    state: ApiState,
    shutdown: CancellationToken,
) {
    accept(listener, Some(TlsAcceptor::from(tls)), app(state), shutdown).await;
}

/// Serves `/healthz` and `/readyz` in the clear until `shutdown`.
pub async fn serve_health(listener: TcpListener, state: ApiState, shutdown: CancellationToken) {
    accept(listener, None, health::app(state), shutdown).await;
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, app: App, shutdown: CancellationToken) {
    let (tasks, connections) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    let door =
        Door { app, tls, handshakes: Arc::new(Semaphore::new(HANDSHAKES)), shutdown: shutdown.clone() };
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let door = door.clone();
                tasks.spawn(async move {
                    if let Err(error) = door.receive(stream, peer).await {
                        tracing::debug!(%peer, error = chain(&*error), "connection ended badly");
                    }
                    drop(permit);
                });
            }
            Err(error) => pause(&error).await,
        }
    }
    drop(listener);
    drain(&tasks).await;
}

async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(PAUSE).await;
}

async fn drain(tasks: &TaskTracker) {
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections that did not end in time are cut");
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a connection comes through.
#[derive(Clone)]
struct Door {
    app: App,
    tls: Option<TlsAcceptor>,
    handshakes: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Door {
    async fn receive(self, stream: TcpStream, peer: SocketAddr) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let stream = Stall::new(stream, UNREAD);
        let Some(tls) = self.tls.clone() else {
            return self.serve(stream, peer).await;
        };
        let handshake = async {
            let _turn = self.handshakes.acquire().await;
            tls.accept(stream).await
        };
        let stream = tokio::time::timeout(HANDSHAKE, handshake).await??;
        self.serve(stream, peer).await
    }

    async fn serve<I>(self, stream: I, peer: SocketAddr) -> Result<(), Failure>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = self.app.map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectedFrom(peer));
            request
        });
        let builder = builder();
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            served = connection.as_mut() => return served,
            () = self.shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES);
    builder
}
