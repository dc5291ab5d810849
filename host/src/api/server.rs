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
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::api::app::{App, app};
use crate::api::peer::ConnectedFrom;
use crate::api::{ApiState, actions, denials, health};
use crate::error::chain;
use crate::net::{Entrance, Turns, Waiting};

mod stall;

use stall::Stall;

/// Connections that are open at the same time, in all and of one address; what is beyond is closed.
const CONNECTIONS: (usize, usize) = (4096, 512);
/// The first byte after the handshake and request headers that take longer are given up, and so is a connection that
/// idles.
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
const STREAMS: u32 = 32;
/// After a failed accept (no descriptors left, say), so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API and the page until `shutdown`, then lets what is under way finish. `tls` offers h2 and http/1.1.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    state: ApiState,
    shutdown: CancellationToken,
) {
    let upkeep = tokio::spawn(actions::upkeep(state.clone(), shutdown.clone()));
    let served = CancellationToken::new();
    let denials = tokio::spawn(denials::keep_writing(state.clone(), served.clone()));
    accept(listener, Some(Entrance::new(tls, Waiting::default())), app(state.clone()), shutdown).await;
    state.actions().finish(DRAIN).await;
    served.cancel();
    for (what, task) in [("upkeep of actions", upkeep), ("writing of refusals", denials)] {
        if let Err(error) = task.await {
            tracing::error!(%error, "the {what} has died");
        }
    }
}

/// Serves `/healthz` and `/readyz` in the clear until `shutdown`.
pub async fn serve_health(listener: TcpListener, state: ApiState, shutdown: CancellationToken) {
    accept(listener, None, health::app(state), shutdown).await;
}

async fn accept(listener: TcpListener, entrance: Option<Entrance>, app: App, shutdown: CancellationToken) {
    let tasks = TaskTracker::new();
    let door = Door {
        app,
        entrance: entrance.map(Arc::new),
        connections: Turns::new(CONNECTIONS),
        shutdown: shutdown.clone(),
    };
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                if let Some(entrance) = &door.entrance {
                    entrance.ready().await;
                }
                listener.accept().await
            } => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let door = door.clone();
                tasks.spawn(async move {
                    if let Err(error) = door.receive(stream, peer).await {
                        tracing::debug!(%peer, error = chain(&*error), "connection ended badly");
                    }
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

/// Why a connection beyond the limit ends.
const FULL: &str = "too many connections are open";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a connection comes through.
#[derive(Clone)]
struct Door {
    app: App,
    entrance: Option<Arc<Entrance>>,
    connections: Turns,
    shutdown: CancellationToken,
}

impl Door {
    async fn receive(self, stream: TcpStream, peer: SocketAddr) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let stream = Stall::new(stream, UNREAD);
        let Some(entrance) = self.entrance.clone() else {
            let _place = self.connections.turn_now(peer.ip()).ok_or(FULL)?;
            return self.serve(stream, peer).await;
        };
        let shutdown = self.shutdown.clone();
        let come_in = async {
            let mut stream = entrance.admit(stream, peer.ip()).await?;
            let place = self.connections.turn_now(peer.ip()).ok_or(FULL)?;
            tokio::time::timeout(HEADERS, stream.fill_buf()).await??;
            Ok::<_, Failure>((stream, place))
        };
        let (stream, _place) = tokio::select! {
            came = come_in => came?,
            () = shutdown.cancelled() => return Ok(()),
        };
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
