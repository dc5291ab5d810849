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
use tower::{Service, ServiceExt as _};

use crate::api::app::app;
use crate::api::peer::ConnectedFrom;
use crate::api::{ApiState, health};

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
const UNREAD: Duration = Duration::from_secs(60);
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

/// Serves the API and the page until `shutdown`, then lets what is under way finish.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    state: ApiState,
    shutdown: CancellationToken,
) {
    let mut tls = Arc::unwrap_or_clone(tls);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(tls));
    accept(listener, Some(tls), app(state), shutdown).await;
}

/// Serves `/healthz` and `/readyz` in the clear until `shutdown`.
pub async fn serve_health(listener: TcpListener, state: ApiState, shutdown: CancellationToken) {
    accept(listener, None, health::router(state), shutdown).await;
}

async fn accept<S>(listener: TcpListener, tls: Option<TlsAcceptor>, service: S, shutdown: CancellationToken)
where
    S: Service<Request<Body>, Response = axum::response::Response, Error = std::convert::Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let tasks = TaskTracker::new();
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
                let connection = Connection { tls: tls.clone(), peer, shutdown: shutdown.clone() };
                let (service, handshakes) = (service.clone(), Arc::clone(&handshakes));
                tasks.spawn(async move {
                    connection.run(stream, service, &handshakes).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections that did not end in time are cut");
    }
}

struct Connection {
    tls: Option<TlsAcceptor>,
    peer: SocketAddr,
    shutdown: CancellationToken,
}

impl Connection {
    async fn run<S>(self, stream: TcpStream, service: S, handshakes: &Semaphore)
    where
        S: Service<Request<Body>, Response = axum::response::Response, Error = std::convert::Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(peer = %self.peer, %error, "cannot set TCP_NODELAY");
        }
        let stream = Stall::new(stream, UNREAD);
        let Some(tls) = self.tls.clone() else {
            return self.serve(stream, service).await;
        };
        let handshake = async {
            let _turn = handshakes.acquire().await;
            tls.accept(stream).await
        };
        match tokio::time::timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => self.serve(stream, service).await,
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
        }
    }

    async fn serve<I, S>(self, stream: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Body>, Response = axum::response::Response, Error = std::convert::Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let peer = self.peer;
        let service = service.map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectedFrom(peer));
            request
        });
        let builder = builder();
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%peer, error = crate::error::chain(&*error), "connection ended badly");
        }
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
