//! Real clients that do not come through a door, each from an address of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate and its key, for a client.
type Card = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A client's TLS.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) alpn: &'static [u8],
    pub(super) versions: &'static [&'static SupportedProtocolVersion],
    /// Whom it trusts; the host's own CA if nothing else is said.
    pub(super) trusts: Option<CertificateDer<'static>>,
    pub(super) card: Option<Card>,
}

impl Default for Stack {
    /// As an agent's before it is enrolled.
    fn default() -> Self {
        Self { alpn: b"h2", versions: NEW, trusts: None, card: None }
    }
}

/// What agents speak.
const NEW: &[&SupportedProtocolVersion] = &[&TLS13];
/// Versions before that one.
pub(super) const OLD: &[&SupportedProtocolVersion] = &[&TLS12];

/// A connection of an address of the loopback.
pub(super) async fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Says something that is no TLS, and waits for the host to hang up.
pub(super) async fn speak(from: Ipv4Addr, to: SocketAddr, words: &[u8]) {
    let mut stream = connect(from, to).await;
    stream.write_all(words).await.unwrap();
    // Whether it ends in order or is reset: it ends.
    drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
}

/// A handshake, as far as it gets.
pub(super) async fn shake(
    from: Ipv4Addr,
    to: SocketAddr,
    ca_file: &Path,
    stack: Stack,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let own = || CertificateDer::from_pem_file(ca_file).unwrap();
    roots.add(stack.trusts.unwrap_or_else(own)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(stack.versions).unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match stack.card {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![stack.alpn.to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, connect(from, to).await).await
}

/// A CA that looks like anybody's.
pub(super) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client's certificate that somebody signs; the year in which it ends.
pub(super) fn card(issuer: &Issuer<'_, KeyPair>, ends: i32) -> Card {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, uuid::Uuid::nil().to_string());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(ends, 1, 1);
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    (vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

/// The host's own CA, with its key.
pub(super) fn host_authority(data: &Path) -> Issuer<'static, KeyPair> {
    let read = |name: &str| std::fs::read_to_string(data.join("pki").join(name)).unwrap();
    Issuer::from_ca_cert_pem(&read("ca.pem"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap()
}
