//! The connection to a mail server, encrypted as the settings say, before lettre speaks on it.
//!
//! `STARTTLS` happens here and not in lettre, which knows neither a pinned certificate nor where the connection goes: lettre
//! gets a stream that is ready, and a greeting in place of the one that was already read.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{answer, tidy};
use super::{MailError, Mailer};
use crate::error::chain;
use crate::model::{ServerAddress, SmtpSettings, TlsMode};
use crate::net::{Judge, Reach, outbound};

/// The longest reply before TLS; real ones are a few hundred bytes.
const LONGEST_REPLY: usize = 16 * 1024;
/// What lettre reads instead of the greeting that was consumed here.
const GREETING: &[u8] = b"220 ready\r\n";

/// A line on which lettre may speak.
pub(super) struct Line {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) encrypted: bool,
    pub(super) patience: Duration,
}

/// Within which time what must happen.
pub(super) async fn within<T>(
    patience: Duration,
    during: &'static str,
    work: impl Future<Output = Result<T, MailError>>,
) -> Result<T, MailError> {
    let silent = MailError::Silent { during, seconds: patience.as_secs() };
    tokio::time::timeout(patience, work).await.unwrap_or(Err(silent))
}

impl Mailer {
    /// Opens a line; `judge` remembers the server's certificate even when none came about.
    pub(super) async fn open(
        &self,
        smtp: &SmtpSettings,
        judge: &Arc<Judge>,
        reach: Reach,
    ) -> Result<Line, MailError> {
        let settings = |error: crate::model::BadSmtp| MailError::Settings(error.to_string());
        let (address, patience) = (smtp.address().map_err(settings)?, smtp.patience().map_err(settings)?);
        let stream = within(patience, "it was connected to", async {
            Ok(outbound::connect(&address.host, address.port, reach).await?)
        })
        .await?;
        let name = self.hello_name();
        let wire = within(patience, "TLS was set up", encrypt(stream, smtp.tls_mode, &address, judge, &name));
        let wire = wire.await?;
        let encrypted = matches!(wire.stream, Stream::Tls(_));
        let connection = within(patience, "it was to greet", async {
            let connected = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &name).await;
            connected.map_err(|error| MailError::Protocol(answer(&error)))
        })
        .await?;
        Ok(Line { connection, encrypted, patience })
    }

    fn hello_name(&self) -> ClientId {
        match self.0.options.name.parse() {
            Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain(self.0.options.name.clone()),
        }
    }
}

async fn encrypt(
    stream: TcpStream,
    mode: TlsMode,
    address: &ServerAddress,
    judge: &Arc<Judge>,
    name: &ClientId,
) -> Result<Wire, MailError> {
    let on_connect = mode == TlsMode::SslOnConnect || (mode == TlsMode::Auto && address.port == 465);
    if on_connect {
        return Ok(Wire::new(Stream::Tls(Box::new(handshake(stream, address, judge).await?)), b""));
    }
    if mode == TlsMode::None {
        return Ok(Wire::new(Stream::Plain(stream), b""));
    }
    let mut plain = Plain { stream, unread: Vec::new() };
    plain.expect(220).await?;
    plain.say(&format!("EHLO {name}\r\n")).await?;
    let offers = plain.expect(250).await?;
    if !offers.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
        // lettre says EHLO once more; the protocol allows it.
        return match mode {
            TlsMode::StartTls => Err(MailError::NoStartTls),
            _ => Ok(Wire::new(Stream::Plain(plain.stream), GREETING)),
        };
    }
    plain.say("STARTTLS\r\n").await?;
    plain.expect(220).await?;
    if !plain.unread.is_empty() {
        // Whoever is between us and the server would have it read after TLS, as if the server had said it there.
        return Err(MailError::Protocol("it speaks between STARTTLS and TLS".to_owned()));
    }
    let stream = handshake(plain.stream, address, judge).await?;
    Ok(Wire::new(Stream::Tls(Box::new(stream)), GREETING))
}

async fn handshake(
    stream: TcpStream,
    address: &ServerAddress,
    judge: &Arc<Judge>,
) -> Result<TlsStream<TcpStream>, MailError> {
    let failed = |error: &dyn std::error::Error| MailError::Tls(tidy(&chain(error)));
    let config = judge.tls().map_err(|error| failed(&error))?;
    let name = ServerName::try_from(address.host.clone()).map_err(|error| failed(&error))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| failed(&error))
}

/// The dialogue before TLS.
struct Plain {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Plain {
    async fn say(&mut self, text: &str) -> Result<(), MailError> {
        self.stream.write_all(text.as_bytes()).await.map_err(|error| broken(&error))
    }

    /// The lines of a reply with this code.
    async fn expect(&mut self, code: u16) -> Result<Vec<String>, MailError> {
        let mut lines = Vec::new();
        let mut length = 0;
        loop {
            let line = self.line().await?;
            length += line.len();
            let (found, rest) = (line.get(..3), line.get(3..).unwrap_or_default());
            if length > LONGEST_REPLY || found.is_none_or(|found| found.parse::<u16>().is_err()) {
                return Err(MailError::Protocol(format!("'{}' is no SMTP reply", tidy(&line))));
            }
            if found != Some(code.to_string().as_str()) {
                return Err(unexpected(&line));
            }
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if !rest.starts_with('-') {
                return Ok(lines);
            }
        }
    }

    async fn line(&mut self) -> Result<String, MailError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.unread.len() > LONGEST_REPLY {
                return Err(MailError::Protocol("a line that does not end".to_owned()));
            }
            if self.stream.read_buf(&mut self.unread).await.map_err(|error| broken(&error))? == 0 {
                return Err(MailError::Protocol("it closes the connection".to_owned()));
            }
        }
    }
}

/// A reply with another code: 4xx may pass.
fn unexpected(line: &str) -> MailError {
    let text = tidy(line);
    if line.starts_with('4') { MailError::Later(text) } else { MailError::Protocol(text) }
}

fn broken(error: &io::Error) -> MailError {
    MailError::Protocol(tidy(&error.to_string()))
}

/// What lettre is given.
#[derive(Debug)]
struct Wire {
    stream: Stream,
    first: &'static [u8],
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    fn new(stream: Stream, first: &'static [u8]) -> Self {
        Self { stream, first }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let (now, later) = self.first.split_at(self.first.len().min(into.remaining()));
            into.put_slice(now);
            self.first = later;
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
