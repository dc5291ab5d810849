//! An agent that says just what a test tells it to: for repeats, gaps, hostile frames, and figures.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper_util::rt::TokioIo;
use keelson_proto::v1::console_client::ConsoleClient;
use keelson_proto::v1::{
    AgentMessage, Batch, Computer, ConsoleMessage, EnrollRequest, EnrollResponse, Hello, Record, Welcome,
    agent_message, console_message,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{self, Channel, Endpoint};
use tonic::{Status, Streaming};
use uuid::Uuid;

/// A certificate and its key, and where the host is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The agent's id; nil before enrolment.
    pub agent: Uuid,
    /// From where it comes: any address of the loopback network.
    pub source: Ipv4Addr,
    port: u16,
    ca: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

/// The secret part of a join token.
pub fn secret_of(token: &str) -> String {
    content_of(token)["t"].as_str().expect("a secret").to_owned()
}

/// The same join token for agents that find the host at another port of `localhost`.
pub fn token_at(token: &str, port: u16) -> String {
    let mut content = content_of(token);
    content["a"] = serde_json::json!([format!("localhost:{port}")]);
    format!("kj1.{}", URL_SAFE_NO_PAD.encode(content.to_string()))
}

fn content_of(token: &str) -> serde_json::Value {
    let encoded = token.strip_prefix("kj1.").expect("a join token");
    let json = URL_SAFE_NO_PAD.decode(encoded).expect("base64");
    serde_json::from_slice(&json).expect("JSON")
}

impl Identity {
    /// Nobody yet: what enrolment starts from.
    pub fn stranger(port: u16, ca_file: &Path) -> Self {
        let ca = CertificateDer::from_pem_file(ca_file).expect("the CA's certificate");
        let (agent, source) = (Uuid::nil(), Ipv4Addr::LOCALHOST);
        Self { agent, source, port, ca, chain: Vec::new(), key: Vec::new() }
    }

    /// Whoever has this chain and this key.
    pub fn of(port: u16, ca_file: &Path, chain: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Self { chain, key, ..Self::stranger(port, ca_file) }
    }

    /// Its certificate, and those above it.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Its key, in PKCS#8.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Trades a token for a certificate.
    pub async fn enroll(port: u16, ca_file: &Path, token: &str) -> Result<Self, Status> {
        Self::stranger(port, ca_file).enrolled(token).await
    }

    /// This stranger with a certificate, for which it trades a token.
    pub async fn enrolled(self, token: &str) -> Result<Self, Status> {
        let key = KeyPair::generate().expect("a key");
        let request = CertificateParams::default().serialize_request(&key).expect("a request");
        let request = EnrollRequest {
            token: secret_of(token),
            certificate_request: request.der().to_vec(),
            computer: Some(computer()),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let answer = self.client().await.enroll(request).await?.into_inner();
        Ok(self.with(answer, &key))
    }

    /// The same with what the host answered to the request of this key.
    #[must_use]
    pub fn with(self, answer: EnrollResponse, key: &KeyPair) -> Self {
        let agent = Uuid::from_slice(&answer.agent_uid).expect("an id");
        let chain = answer.certificate_chain.into_iter().map(CertificateDer::from).collect();
        Self { agent, chain, key: key.serialize_der(), ..self }
    }

    /// The same agent, looking for another host.
    #[must_use]
    pub fn towards(&self, port: u16, ca_file: &Path) -> Self {
        let ca = CertificateDer::from_pem_file(ca_file).expect("the CA's certificate");
        Self { port, ca, ..self.clone() }
    }

    /// A connection of its own.
    pub async fn client(&self) -> ConsoleClient<Channel> {
        self.dial(Endpoint::from_static("https://localhost")).await.expect("a channel")
    }

    /// A connection of its own, as this endpoint has it.
    pub async fn dial(&self, endpoint: Endpoint) -> Result<ConsoleClient<Channel>, transport::Error> {
        self.channel(endpoint).await.map(ConsoleClient::new)
    }

    /// The same, for whoever speaks no gRPC on it.
    pub async fn channel(&self, endpoint: Endpoint) -> Result<Channel, transport::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots);
        let mut config = if self.chain.is_empty() {
            builder.with_no_client_auth()
        } else {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
            builder.with_client_auth_cert(self.chain.clone(), key).expect("a certificate")
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, source, port) = (TlsConnector::from(Arc::new(config)), self.source, self.port);
        let dial = tower::service_fn(move |_| {
            let connector = connector.clone();
            async move {
                let socket = TcpSocket::new_v4()?;
                socket.bind((source, 0).into())?;
                let stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
                stream.set_nodelay(true)?;
                let name = ServerName::try_from("localhost").expect("a name");
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
            }
        });
        endpoint.connect_with_connector(dial).await
    }

    /// A session, after its welcome.
    pub async fn session(&self) -> Result<Session, Status> {
        self.session_of(b"the only run").await
    }

    /// A session of this run of the agent, on its machine.
    pub async fn session_of(&self, run: &[u8]) -> Result<Session, Status> {
        let hello = Hello {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            computer: Some(computer()),
            epoch: 0,
            driver: "test".to_owned(),
            run: run.to_vec(),
            ..Hello::default()
        };
        self.session_with(hello).await
    }

    /// A session that begins with this.
    pub async fn session_with(&self, hello: Hello) -> Result<Session, Status> {
        let (up, outgoing) = mpsc::channel(64);
        let mut session = Session { up, down: None, welcome: Welcome::default() };
        session.send(agent_message::Kind::Hello(hello)).await;
        let client = self.dial(Endpoint::from_static("https://localhost")).await;
        let mut client = client.map_err(|error| Status::unavailable(error.to_string()))?;
        session.down = Some(client.session(ReceiverStream::new(outgoing)).await?.into_inner());
        match session.next().await?.and_then(|message| message.kind) {
            Some(console_message::Kind::Welcome(welcome)) => session.welcome = welcome,
            other => panic!("a welcome, not {other:?}"),
        }
        Ok(session)
    }
}

/// What these agents say of their machine.
fn computer() -> Computer {
    Computer { host_name: "test-machine".to_owned(), platform: "Linux".to_owned(), ..Computer::default() }
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    up: mpsc::Sender<AgentMessage>,
    down: Option<Streaming<ConsoleMessage>>,
    /// What the host said at its start.
    pub welcome: Welcome,
}

impl Session {
    /// Says something.
    pub async fn send(&self, kind: agent_message::Kind) {
        self.up.send(AgentMessage { kind: Some(kind) }).await.expect("a session that is open");
    }

    /// Says something to a host that may be gone; whether it still listens.
    pub async fn offer(&self, kind: agent_message::Kind) -> bool {
        self.up.send(AgentMessage { kind: Some(kind) }).await.is_ok()
    }

    /// Says something of a kind that no host knows yet.
    pub async fn nothing(&self) {
        self.up.send(AgentMessage { kind: None }).await.expect("a session that is open");
    }

    /// Sends a batch.
    pub async fn batch(&self, epoch: u64, sequence: u64, records: Vec<Record>) {
        self.send(agent_message::Kind::Batch(Batch { epoch, sequence, records })).await;
    }

    /// What the host says next; nothing when it has closed the stream.
    pub async fn next(&mut self) -> Result<Option<ConsoleMessage>, Status> {
        self.down.as_mut().expect("an open session").message().await
    }

    /// The host's next acknowledgement.
    pub async fn acknowledged(&mut self) -> (u64, u64) {
        match self.next().await.expect("an answer").and_then(|message| message.kind) {
            Some(console_message::Kind::Acknowledge(at)) => (at.epoch, at.sequence),
            other => panic!("an acknowledgement, not {other:?}"),
        }
    }
}
