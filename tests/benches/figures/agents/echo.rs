//! The peer: a bare tonic server with mutual TLS that welcomes, answers, and remembers nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use keelson_proto::v1::console_server::{Console, ConsoleServer};
use keelson_proto::v1::{
    Acknowledge, AgentMessage, Command as Order, ConsoleMessage, EnrollRequest, EnrollResponse, Hello,
    RenewRequest, StatusRequest, StatusResponse, Welcome, agent_message, console_message,
};
use keelson_tests::eventually;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status, Streaming};

/// What the benchmark's program is called with to be the peer.
pub(crate) const ECHO: &str = "--echo";
/// A session that names this driver is told of the others: a message for all of them, as many bytes as it says.
pub(super) const BROADCAST: &str = "broadcast";

/// The peer's process.
pub(super) struct Echo {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Echo {
    pub(super) async fn start(client_ca: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program)
            .arg(ECHO)
            .arg(folder.path())
            .arg(client_ca)
            .stdin(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let port = eventually("the peer", || async {
            std::fs::read_to_string(folder.path().join("port")).ok()?.parse().ok()
        })
        .await;
        Self { child, folder, port }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A connection of which tonic need know nothing.
struct Line(TlsStream<TcpStream>);

impl Connected for Line {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

type Answers = mpsc::Sender<Result<ConsoleMessage, Status>>;

#[derive(Default)]
struct Everybody(Arc<Mutex<Vec<Answers>>>);

/// The peer itself: writes its CA and its port into the folder, and serves until it is killed.
pub(crate) async fn echo(folder: &Path, client_ca: &Path) {
    // With as many places for those that wait as the host's.
    let listener = keelson::agents::bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let acceptor = TlsAcceptor::from(Arc::new(tls(folder, client_ca)));
    let port = listener.local_addr().expect("an address").port();
    std::fs::write(folder.join("port.new"), port.to_string()).expect("a file");
    std::fs::rename(folder.join("port.new"), folder.join("port")).expect("a file");
    let (sender, incoming) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            drop(stream.set_nodelay(true));
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    drop(sender.send(Ok::<_, io::Error>(Line(stream))).await);
                }
            });
        }
    });
    tonic::transport::Server::builder()
        .add_service(ConsoleServer::new(Everybody::default()))
        .serve_with_incoming(ReceiverStream::new(incoming))
        .await
        .expect("the peer serves");
}

fn tls(folder: &Path, client_ca: &Path) -> ServerConfig {
    let ca_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&ca_key).expect("a CA");
    std::fs::write(folder.join("ca.pem"), ca.pem()).expect("a file");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, ca_key)).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(client_ca).expect("the agents' CA")).expect("a root");
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(clients.build().expect("a verifier"))
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

impl Everybody {
    fn broadcast(&self, hello: &Hello) {
        let payload = "x".repeat(usize::try_from(hello.epoch).unwrap_or_default());
        let order = Order { payload, kind: BROADCAST.to_owned(), ..Order::default() };
        let everybody = self.0.lock().expect("a lock").clone();
        for answers in everybody {
            let kind = Some(console_message::Kind::Command(order.clone()));
            drop(answers.try_send(Ok(ConsoleMessage { kind })));
        }
    }
}

#[tonic::async_trait]
impl Console for Everybody {
    type SessionStream = ReceiverStream<Result<ConsoleMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (answers, stream) = mpsc::channel(10);
        let mut messages = request.into_inner();
        let this = Self(Arc::clone(&self.0));
        tokio::spawn(async move {
            while let Ok(Some(message)) = messages.message().await {
                let kind = match message.kind {
                    Some(agent_message::Kind::Hello(hello)) if hello.driver == BROADCAST => {
                        this.broadcast(&hello);
                        console_message::Kind::Welcome(Welcome::default())
                    }
                    Some(agent_message::Kind::Hello(_)) => {
                        this.0.lock().expect("a lock").push(answers.clone());
                        console_message::Kind::Welcome(Welcome::default())
                    }
                    _ => console_message::Kind::Acknowledge(Acknowledge::default()),
                };
                if answers.send(Ok(ConsoleMessage { kind: Some(kind) })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn enroll(&self, _: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        Err(Status::unimplemented("the peer"))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        Err(Status::unimplemented("the peer"))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        Err(Status::unimplemented("the peer"))
    }
}
