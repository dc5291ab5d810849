//! One connection to the host. The handshake is done here rather than inside tonic, so that its failure keeps its
//! type: "a firewall inspects" and "nobody listens" need different advice.

use std::fmt::Debug;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, CertificateError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use tracing::warn;

use super::address::{Address, AddressError};
use super::credentials::TlsCredentials;
use super::pin::{Pin, PinMismatch};

const CONNECT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);

/// A channel over one TLS connection. It does not reconnect: whoever holds it dials again.
#[derive(Debug)]
pub struct Connection {
    /// For generated clients.
    pub channel: Channel,
    /// The pinned CA as the host presented it; `None` when the host sent its leaf alone.
    pub authority: Option<CertificateDer<'static>>,
    /// Who was reached.
    pub address: Address,
}

/// Why the host was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// There is no address to try.
    #[error("no address of the host is known; enrol again")]
    NoAddress,
    /// The name cannot stand in a certificate.
    #[error("the host's address cannot be used")]
    Address(#[source] AddressError),
    /// Name resolution or TCP.
    #[error(
        "{address} cannot be reached; check the name, the route and that the firewall lets TCP out to it"
    )]
    Connect {
        /// Where.
        address: Address,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("{address} did not answer within {} s; a firewall may drop the packets", CONNECT.as_secs())]
    Timeout {
        /// Where.
        address: Address,
    },
    /// Somebody else's certificate.
    #[error("{}", .mismatch.describe(&.address.to_string()))]
    PinMismatch {
        /// Where.
        address: Address,
        /// What was seen; not a source, as the text above tells all of it.
        mismatch: Box<PinMismatch>,
    },
    /// The host's certificate names other names.
    #[error("the host's certificate is not for {address}; set `--advertise` on the host to this name")]
    Name {
        /// Where.
        address: Address,
        /// What rustls found.
        #[source]
        source: io::Error,
    },
    /// Expired or not valid yet.
    #[error("the certificate of {address} is not valid at this time; compare the clocks of both machines")]
    Validity {
        /// Where.
        address: Address,
        /// What rustls found.
        #[source]
        source: io::Error,
    },
    /// What answers speaks no TLS 1.3 with HTTP/2.
    #[error(
        "{address} does not speak the agent protocol (TLS 1.3, HTTP/2); if it is the host's agent port, a firewall that \
         inspects TLS may sit between: exempt {address} from inspection"
    )]
    Protocol {
        /// Where.
        address: Address,
        /// What rustls found, if the handshake got that far.
        #[source]
        source: Option<io::Error>,
    },
    /// Any other failure of the handshake.
    #[error("the TLS handshake with {address} failed")]
    Handshake {
        /// Where.
        address: Address,
        /// What rustls found.
        #[source]
        source: io::Error,
    },
    /// TLS stood, HTTP/2 did not.
    #[error("the connection to {address} broke before it was ready")]
    Http {
        /// Where.
        address: Address,
        /// What tonic found.
        #[source]
        source: tonic::transport::Error,
    },
}

impl DialError {
    /// For a program, on one line: what an administrator of the network has to mend.
    pub fn event(&self) -> Option<serde_json::Value> {
        match self {
            Self::PinMismatch { address, mismatch } => Some(mismatch.to_json(&address.to_string())),
            Self::Protocol { address, source } => Some(serde_json::json!({
                "event": "tls-protocol-mismatch",
                "address": address.to_string(),
                "error": source.as_ref().map(ToString::to_string),
                "advice": format!("exempt {address} from inspection and let it through as TCP"),
            })),
            _ => None,
        }
    }
}

impl Connection {
    /// HTTP/2 over a stream to the host that stands and is trusted.
    pub async fn over<S>(address: &Address, stream: S) -> Result<Self, DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let channel = http2(address, stream).await?;
        Ok(Self { channel, authority: None, address: address.clone() })
    }
}

/// How an agent reaches its host.
#[tonic::async_trait]
pub trait Dial: Debug + Send + Sync {
    /// A connection to the first of the addresses that is the host's.
    async fn dial(
        &self,
        addresses: &[Address],
        credentials: &TlsCredentials,
    ) -> Result<Connection, DialError>;
}

/// By TCP and TLS: the way of every agent that is not part of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Dialler;

#[tonic::async_trait]
impl Dial for Dialler {
    async fn dial(
        &self,
        addresses: &[Address],
        credentials: &TlsCredentials,
    ) -> Result<Connection, DialError> {
        dial_any(addresses, credentials).await
    }
}

/// Tries the addresses in order. Of several failures an inspected connection is the one to tell: it explains most.
pub async fn dial_any(addresses: &[Address], credentials: &TlsCredentials) -> Result<Connection, DialError> {
    let mut worst = DialError::NoAddress;
    for (index, address) in addresses.iter().enumerate() {
        match dial(address, credentials).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                if index + 1 < addresses.len() {
                    warn!(address = %address, error = %crate::error::chain(&error), "address failed, trying the next");
                }
                if !matches!(worst, DialError::PinMismatch { .. }) {
                    worst = error;
                }
            }
        }
    }
    Err(worst)
}

/// Connects to one address.
pub async fn dial(address: &Address, credentials: &TlsCredentials) -> Result<Connection, DialError> {
    open(address, reach(address).await?, credentials).await
}

/// TCP alone.
pub(crate) async fn reach(address: &Address) -> Result<TcpStream, DialError> {
    timeout(CONNECT, TcpStream::connect((address.host(), address.port())))
        .await
        .map_err(|_| DialError::Timeout { address: address.clone() })?
        .and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp))
        .map_err(|source| DialError::Connect { address: address.clone(), source })
}

/// TLS and HTTP/2 over it.
pub(crate) async fn open(
    address: &Address,
    tcp: TcpStream,
    credentials: &TlsCredentials,
) -> Result<Connection, DialError> {
    let name = address.server_name().map_err(DialError::Address)?;
    let tls = timeout(CONNECT, credentials.connector().connect(name, tcp))
        .await
        .map_err(|_| DialError::Timeout { address: address.clone() })?
        .map_err(|source| diagnose(address, source))?;
    let session = tls.get_ref().1;
    if session.alpn_protocol() != Some(b"h2") {
        return Err(DialError::Protocol { address: address.clone(), source: None });
    }
    let authority = session
        .peer_certificates()
        .and_then(|chain| chain.iter().find(|seen| Pin::of(seen) == Some(credentials.pin)))
        .map(|found| found.clone().into_owned());
    Ok(Connection { authority, ..Connection::over(address, tls).await? })
}

async fn http2<S>(address: &Address, stream: S) -> Result<Channel, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = |source| DialError::Http { address: address.clone(), source };
    let once = Mutex::new(Some(TokioIo::new(stream)));
    let connector = service_fn(move |_: Uri| {
        let taken = once.lock().ok().and_then(|mut stream| stream.take());
        std::future::ready(taken.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)))
    });
    Endpoint::from_shared(format!("https://{address}"))
        .map_err(http)?
        .user_agent(concat!("keelson-agent/", env!("CARGO_PKG_VERSION")))
        .map_err(http)?
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .keep_alive_while_idle(true)
        .buffer_size(16)
        .connect_with_connector(connector)
        .await
        .map_err(http)
}

fn diagnose(address: &Address, source: io::Error) -> DialError {
    let address = address.clone();
    match source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(problem)) => match problem {
            CertificateError::Other(other) => match other.0.downcast_ref::<PinMismatch>() {
                Some(mismatch) => DialError::PinMismatch { address, mismatch: Box::new(mismatch.clone()) },
                None => DialError::Handshake { address, source },
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                DialError::Name { address, source }
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => DialError::Validity { address, source },
            _ => DialError::Handshake { address, source },
        },
        Some(
            rustls::Error::InvalidMessage(_)
            | rustls::Error::PeerIncompatible(_)
            | rustls::Error::NoApplicationProtocol
            | rustls::Error::AlertReceived(
                AlertDescription::ProtocolVersion | AlertDescription::NoApplicationProtocol,
            ),
        ) => DialError::Protocol { address, source: Some(source) },
        _ => DialError::Handshake { address, source },
    }
}
