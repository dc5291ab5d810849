//! A mail server for tests: it takes mail, or does whatever mail servers do instead, and remembers what it was told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// When the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Never.
    Never,
    /// After `STARTTLS`.
    Starts,
    /// From the first byte.
    OnConnect,
}

/// What the server does out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes mail.
    Fine,
    /// It accepts the connection and says nothing.
    Silent,
    /// It says that it is no mail server.
    Nonsense,
    /// It puts off so many mails, then takes them.
    PutsOff(usize),
    /// It refuses every recipient for good.
    RefusesRecipients,
    /// It takes the mail and closes before it says so, so many times.
    DiesAfterData(usize),
    /// It adds an answer of its own to the one to `STARTTLS`, in clear.
    Injects,
}

/// How a server is to be.
#[derive(Debug, Clone)]
pub struct MailServerOptions {
    /// Its TLS.
    pub tls: MailTls,
    /// Whom it knows: user and password, or mailbox and token.
    pub login: Option<(String, String)>,
    /// What it offers: `PLAIN`, `LOGIN`, `XOAUTH2`.
    pub mechanisms: &'static str,
    /// What else it does.
    pub mood: Mood,
}

impl Default for MailServerOptions {
    fn default() -> Self {
        Self { tls: MailTls::Never, login: None, mechanisms: "PLAIN LOGIN", mood: Mood::Fine }
    }
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body, as they came.
    pub data: String,
    /// Whether it came through TLS.
    pub encrypted: bool,
    /// Who signed in.
    pub user: Option<String>,
}

impl Delivered {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let prefix = format!("{}:", name.to_lowercase());
        let line = self.data.lines().find(|line| line.to_lowercase().starts_with(&prefix))?;
        Some(line[prefix.len()..].trim().to_owned())
    }
}

#[derive(Debug)]
struct State {
    options: MailServerOptions,
    put_off: usize,
    delivered: Vec<Delivered>,
    said: Vec<String>,
    connections: usize,
}

/// A mail server on the loopback interface, until it is dropped.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Its certificate, DER; it is its own authority.
    pub certificate: CertificateDer<'static>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    /// Starts one.
    pub async fn start(options: MailServerOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let certificate = cert.der().clone();
        let acceptor = acceptor(certificate.clone(), &signing_key);
        let state = State { options, put_off: 0, delivered: Vec::new(), said: Vec::new(), connections: 0 };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, state, certificate, task }
    }

    /// `localhost:port`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// SHA-256 of its certificate.
    pub fn certificate_hash(&self) -> String {
        keelson::pki::fingerprint(&self.certificate)
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// What it took.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.state.lock().expect("a lock").delivered.clone()
    }

    /// Everything it was told, in order; challenges' answers decoded.
    pub fn said(&self) -> Vec<String> {
        self.state.lock().expect("a lock").said.clone()
    }

    /// How often somebody came.
    pub fn connections(&self) -> usize {
        self.state.lock().expect("a lock").connections
    }

    /// Has it be otherwise from the next connection on.
    pub fn change(&self, change: impl FnOnce(&mut MailServerOptions)) {
        change(&mut self.state.lock().expect("a lock").options);
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: &rcgen::KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) {
    let options = {
        let mut state = state.lock().expect("a lock");
        state.connections += 1;
        state.options.clone()
    };
    let mut session = Session { options, state, encrypted: false, user: None };
    if session.options.tls == MailTls::OnConnect {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        session.encrypted = true;
        session.talk(BufReader::new(stream), true).await;
        return;
    }
    let Some(plain) = session.talk(BufReader::new(stream), true).await else { return };
    let Ok(stream) = acceptor.accept(plain.into_inner()).await else { return };
    session.encrypted = true;
    session.talk(BufReader::new(stream), false).await;
}

struct Session {
    options: MailServerOptions,
    state: Arc<Mutex<State>>,
    encrypted: bool,
    user: Option<String>,
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, text: &str) -> Option<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

impl Session {
    /// The stream again when it is to be encrypted.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut stream: BufReader<S>,
        greet: bool,
    ) -> Option<BufReader<S>> {
        match self.options.mood {
            Mood::Silent => std::future::pending().await,
            Mood::Nonsense => say(&mut stream, "HTTP/1.1 400 Bad Request").await?,
            _ if greet => say(&mut stream, "220 mail.test ESMTP").await?,
            _ => {}
        }
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let line = self.hear(&mut stream).await?;
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            match verb.as_str() {
                "EHLO" => self.offer(&mut stream).await?,
                "STARTTLS" => {
                    let extra = if self.options.mood == Mood::Injects { "\r\n250 AUTH PLAIN" } else { "" };
                    say(&mut stream, &format!("220 go ahead{extra}")).await?;
                    return Some(stream);
                }
                "AUTH" => self.sign_in(&mut stream, &line).await?,
                "MAIL" if self.options.login.is_some() && self.user.is_none() => {
                    say(&mut stream, "530 authentication required").await?;
                }
                "MAIL" => {
                    from = address(&line);
                    say(&mut stream, "250 ok").await?;
                }
                "RCPT" if self.options.mood == Mood::RefusesRecipients => {
                    say(&mut stream, "550 no such mailbox").await?;
                }
                "RCPT" => {
                    to.push(address(&line));
                    say(&mut stream, "250 ok").await?;
                }
                "DATA" => self.take(&mut stream, &from, &to).await?,
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => say(&mut stream, "250 ok").await?,
            }
        }
    }

    async fn hear<S: AsyncRead + Unpin>(&self, stream: &mut BufReader<S>) -> Option<String> {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        self.state.lock().expect("a lock").said.push(line.clone());
        Some(line)
    }

    async fn offer<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>) -> Option<()> {
        say(stream, "250-mail.test").await?;
        if self.options.tls == MailTls::Starts && !self.encrypted {
            say(stream, "250-STARTTLS").await?;
        }
        say(stream, &format!("250-AUTH {}", self.options.mechanisms)).await?;
        say(stream, "250 8BITMIME").await
    }

    async fn sign_in<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut BufReader<S>,
        line: &str,
    ) -> Option<()> {
        let mut words = line.split(' ').skip(1);
        let (mechanism, first) = (words.next()?.to_uppercase(), words.next());
        let decode =
            |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let (user, secret) = match mechanism.as_str() {
            "PLAIN" => {
                let whole = decode(first?);
                let mut parts = whole.split('\0').skip(1).map(str::to_owned);
                (parts.next()?, parts.next()?)
            }
            "LOGIN" => {
                say(stream, &format!("334 {}", STANDARD.encode("Username:"))).await?;
                let user = decode(&self.hear(stream).await?);
                say(stream, &format!("334 {}", STANDARD.encode("Password:"))).await?;
                (user, decode(&self.hear(stream).await?))
            }
            _ => {
                let whole = decode(first?);
                let mut parts = whole.split('\x01');
                let user = parts.next()?.strip_prefix("user=")?.to_owned();
                (user, parts.next()?.strip_prefix("auth=Bearer ")?.to_owned())
            }
        };
        self.state.lock().expect("a lock").said.push(format!("credential {user} {secret}"));
        if self.options.login == Some((user.clone(), secret)) {
            self.user = Some(user);
            say(stream, "235 welcome").await
        } else {
            say(stream, "535 5.7.8 user or password is wrong").await
        }
    }

    async fn take<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut BufReader<S>,
        from: &str,
        to: &[String],
    ) -> Option<()> {
        let times = match self.options.mood {
            Mood::PutsOff(times) | Mood::DiesAfterData(times) => times,
            _ => 0,
        };
        let strange = {
            let mut state = self.state.lock().expect("a lock");
            state.put_off += 1;
            state.put_off <= times
        };
        if strange && matches!(self.options.mood, Mood::PutsOff(_)) {
            return say(stream, "451 try again later").await;
        }
        say(stream, "354 go on").await?;
        let mut data = String::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            if line == ".\r\n" {
                break;
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        let mail = Delivered {
            from: from.to_owned(),
            to: to.to_vec(),
            data,
            encrypted: self.encrypted,
            user: self.user.clone(),
        };
        self.state.lock().expect("a lock").delivered.push(mail);
        if strange { None } else { say(stream, "250 taken").await }
    }
}

fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
