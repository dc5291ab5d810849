//! The backup server's certificate: its own, signed by nobody, and therefore pinned by its key at set-up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::parse_x509_certificate;

use super::address::VbrAddress;
use super::error::VbrError;
use crate::tls::Pin;

const HANDSHAKE: Duration = Duration::from_secs(15);

/// What a server showed, for a person to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// SHA-256 of its public key.
    pub pin: Pin,
    /// Whom it names.
    pub subject: String,
}

/// The key that a server showed last.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Option<Pin>>>);

impl Seen {
    pub(super) fn pin(&self) -> Option<Pin> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, pin: Option<Pin>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = pin;
    }
}

/// Accepts one key, whatever the certificate says beside it: names and dates of a self-signed one mean nothing.
#[derive(Debug)]
struct KeyVerifier {
    /// `None` at set-up: the key is looked at, and nothing is sent.
    pinned: Option<Pin>,
    seen: Seen,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pin = Pin::of(end_entity);
        self.seen.note(pin);
        if self.pinned.is_none() || self.pinned == pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS 1.2 or 1.3 with the pinned key alone, or with any when there is no pin yet.
pub(super) fn config(pinned: Option<Pin>, seen: Seen) -> Result<ClientConfig, VbrError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = KeyVerifier { pinned, seen, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| VbrError::Client(error.into()))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Looks at the certificate of a server; nothing is sent to it.
pub async fn look(address: &VbrAddress) -> Result<ServerCertificate, VbrError> {
    let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| VbrError::Unreachable {
        address: address.to_string(),
        source,
    };
    let seen = Seen::default();
    let connector = TlsConnector::from(Arc::new(config(None, seen.clone())?));
    let name = ServerName::try_from(address.host().to_owned()).map_err(|error| unreachable(error.into()))?;
    let handshake = async {
        let tcp = TcpStream::connect((address.host(), address.port())).await?;
        connector.connect(name, tcp).await
    };
    let tls = timeout(HANDSHAKE, handshake)
        .await
        .map_err(|late| unreachable(late.into()))?
        .map_err(|error| unreachable(error.into()))?;
    let subject = tls
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(|leaf| parse_x509_certificate(leaf).ok())
        .map(|(_, leaf)| leaf.subject().to_string());
    seen.pin()
        .zip(subject)
        .map(|(pin, subject)| ServerCertificate { pin, subject })
        .ok_or_else(|| VbrError::Unreadable(address.to_string()))
}
