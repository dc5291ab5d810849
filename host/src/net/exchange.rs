//! One request to a web server, and its answer: a connection of its own, no redirects, no cookies, nothing kept. Where it may go
//! `outbound.rs` judges.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::outbound::{Network, OutboundError, Reach, connect_over};
use super::trust::{Authorities, Judge};

/// Headers of an answer, and their bytes with the line before them.
const HEADERS: (usize, usize) = (128, 64 * 1024);

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whether it speaks TLS.
    pub(crate) secure: bool,
    host: String,
    port: u16,
    authority: HeaderValue,
}

impl Origin {
    /// `https://HOST[:PORT]` or `http://HOST[:PORT]`; none if it is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: http::Uri = text.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Some(Self { secure, host, port, authority: HeaderValue::from_str(authority.as_str()).ok()? })
    }
}

/// How to get there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'w> {
    /// Over which network.
    pub(crate) network: &'w dyn Network,
    /// Who vouches for the server.
    pub(crate) authorities: &'w Authorities,
    /// How far.
    pub(crate) reach: Reach,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status and headers.
    pub(crate) head: http::response::Parts,
    /// Up to the limit.
    pub(crate) body: Vec<u8>,
    /// Whether there was more.
    pub(crate) more: bool,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] OutboundError),
    /// It does not show who it is.
    #[error("TLS was not set up")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
    /// What it says is no HTTP, or it breaks off.
    #[error("it does not answer as a web server does")]
    Http(#[source] Box<dyn Error + Send + Sync>),
}

/// Sends `request`, whose URI is a path, and reads at most `limit` bytes of the answer's body. The caller sets the time; dropped,
/// it closes the connection.
pub(crate) async fn exchange(
    way: Way<'_>,
    origin: &Origin,
    mut request: http::Request<Bytes>,
    limit: usize,
) -> Result<Answer, ExchangeError> {
    request.headers_mut().insert(HOST, origin.authority.clone());
    let request = request.map(Full::new);
    let stream = connect_over(way.network, &origin.host, origin.port, way.reach).await?;
    if !origin.secure {
        return Box::pin(speak(stream, request, limit)).await;
    }
    // Large ones: whoever sends a request should not become as large.
    let stream = Box::pin(handshake(stream, origin, way.authorities)).await?;
    Box::pin(speak(stream, request, limit)).await
}

async fn handshake(
    stream: TcpStream,
    origin: &Origin,
    authorities: &Authorities,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ExchangeError> {
    let config = Judge::new(authorities, None)
        .map_err(|error| ExchangeError::Tls(error.into()))?
        .tls()
        .map_err(|error| ExchangeError::Tls(error.into()))?;
    let name = ServerName::try_from(origin.host.clone()).map_err(|error| ExchangeError::Tls(error.into()))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| ExchangeError::Tls(error.into()))
}

async fn speak<S>(
    stream: S,
    request: http::Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, ExchangeError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| ExchangeError::Http(error.into());
    let mut http = hyper::client::conn::http1::Builder::new();
    http.max_headers(HEADERS.0).max_header_size(HEADERS.1);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(broken)?;
    let (head, body) = answer.into_parts();
    let (body, more) = read(body, limit).await.map_err(broken)?;
    Ok(Answer { head, body, more })
}

async fn read(mut from: Incoming, limit: usize) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut body = Vec::new();
    while let Some(frame) = from.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = limit.saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_the_port_of_its_scheme() {
        let origin = |text| Origin::parse(text).map(|origin| (origin.secure, origin.host, origin.port));
        assert_eq!(origin("https://psa.example.com"), Some((true, "psa.example.com".to_owned(), 443)));
        assert_eq!(origin("http://[::1]:8080"), Some((false, "::1".to_owned(), 8080)));
        assert_eq!(origin("http://10.0.0.1"), Some((false, "10.0.0.1".to_owned(), 80)));
        assert_eq!((origin("ftp://psa"), origin("psa"), origin("https://u:p@psa")), (None, None, None));
    }
}
