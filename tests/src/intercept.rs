//! What sits between agents and their host: a firewall that inspects TLS, a load balancer that ends it, a proxy that answers
//! in clear text. It stands on a port of its own, and comes to the host from an address of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::Acceptor;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

/// Where it comes to the host from.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

const NEW: &[&SupportedProtocolVersion] = &[&TLS13];
const OLD: &[&SupportedProtocolVersion] = &[&TLS12];

/// What it does with a connection.
#[derive(Debug, Clone, Copy)]
pub enum Interception {
    /// Passes it through as it is.
    Pass,
    /// Opens it, under a certificate for the name that was asked for, signed by its own CA of this name.
    Inspect(&'static str),
    /// Ends TLS with the host's own certificate, as an operator's load balancer may.
    Terminate,
    /// Speaks TLS 1.2 to both sides.
    Downgrade,
    /// Answers in clear text, and speaks it to the host.
    Inject,
}

/// One that stands.
#[derive(Debug)]
pub struct Interceptor {
    /// Where it listens.
    pub port: u16,
    inner: Arc<Inner>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    host: SocketAddr,
    ca: CertificateDer<'static>,
    /// With the host's own certificate and key.
    own: ServerConfig,
    mode: Mutex<Interception>,
}

impl Interceptor {
    /// Before the port of a host, whose `pki` folder it may read.
    pub async fn start(host: SocketAddr, pki: &Path, mode: Interception) -> Self {
        let ca = CertificateDer::from_pem_file(pki.join("ca.pem")).expect("the CA's certificate");
        let leaf = CertificateDer::from_pem_file(pki.join("server.pem")).expect("the host's certificate");
        let key = PrivateKeyDer::from_pem_file(pki.join("server.key")).expect("the host's key");
        let own = server(NEW, vec![leaf, ca.clone()], key);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Arc::new(Inner { host, ca, own, mode: Mutex::new(mode) });
        let shared = Arc::clone(&inner);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = Arc::clone(&shared);
                // How a connection ends is the business of its two ends.
                tokio::spawn(async move { drop(inner.serve(stream).await) });
            }
        });
        Self { port, inner, accepting }
    }

    /// From the next connection on.
    pub fn set(&self, mode: Interception) {
        *self.inner.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Inner {
    async fn serve(&self, mut agent: TcpStream) -> io::Result<()> {
        let mode = *self.mode.lock().unwrap_or_else(PoisonError::into_inner);
        match mode {
            Interception::Pass => {
                copy_bidirectional(&mut agent, &mut self.dial().await?).await?;
            }
            Interception::Inspect(name) => self.open(agent, NEW, |host| forged(NEW, name, host)).await?,
            Interception::Terminate => self.open(agent, NEW, |_| self.own.clone()).await?,
            Interception::Downgrade => {
                self.open(agent, OLD, |host| forged(OLD, "Old Proxy CA", host)).await?;
            }
            Interception::Inject => {
                let mut host = self.dial().await?;
                host.write_all(b"CONNECT console:6180 HTTP/1.1\r\n\r\n").await?;
                agent.write_all(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nBlocked.\r\n").await?;
                agent.shutdown().await?;
                agent.read_to_end(&mut Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// TLS to both sides, and in between everything in clear. As a firewall does it: the host first, to see what it shows.
    async fn open(
        &self,
        agent: TcpStream,
        versions: &'static [&'static SupportedProtocolVersion],
        shown: impl FnOnce(&str) -> ServerConfig,
    ) -> io::Result<()> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), agent).await?;
        let asked = hello.client_hello();
        let name = asked.server_name().unwrap_or("localhost").to_owned();
        let alpn: Vec<_> = asked.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        let host = self.dial_tls(versions, &alpn).await;
        let mut config = shown(&name);
        config.alpn_protocols = alpn;
        let mut agent = hello.into_stream(Arc::new(config)).await?;
        copy_bidirectional(&mut agent, &mut host?).await?;
        Ok(())
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((ADDRESS, 0).into())?;
        socket.connect(self.host).await
    }

    async fn dial_tls(
        &self,
        versions: &'static [&'static SupportedProtocolVersion],
        alpn: &[Vec<u8>],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let builder = builder.expect("versions of TLS").with_root_certificates(roots);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = alpn.to_vec();
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.dial().await?).await
    }
}

/// With a certificate for `host` that a CA of this name has just signed.
fn forged(versions: &[&'static SupportedProtocolVersion], authority: &str, host: &str) -> ServerConfig {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, authority);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().expect("a key");
    let leaf = params.signed_by(&key, &ca).expect("a certificate");
    let chain = vec![leaf.der().clone(), ca.der().clone()];
    server(versions, chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

fn server(
    versions: &[&'static SupportedProtocolVersion],
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
    let config = builder.expect("versions of TLS").with_no_client_auth().with_single_cert(chain, key);
    config.expect("a certificate with its key")
}
