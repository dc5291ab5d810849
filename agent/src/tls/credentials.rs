//! What one side of the agent brings to a handshake: whom it trusts and who it is.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier, crypto};
use tokio_rustls::TlsConnector;

use super::pin::Pin;
use super::verify::PinnedVerifier;

/// TLS 1.3, ALPN h2, one pinned CA. Kept for an identity's life, so that a reconnect can use a session ticket.
#[derive(Clone)]
pub struct TlsCredentials {
    pub(super) pin: Pin,
    pub(super) config: Arc<ClientConfig>,
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The cryptography of this build has no TLS 1.3.
    #[error("TLS 1.3 cannot be set up")]
    Protocol(#[source] rustls::Error),
    /// Key and certificate do not belong together, for instance.
    #[error("the agent's key and certificate cannot be used together; enrol again with `--force`")]
    ClientCertificate(#[source] rustls::Error),
}

impl TlsCredentials {
    /// For enrolment: the host is known by its pin alone, the agent is nobody yet.
    pub fn anonymous(pin: Pin) -> Result<Self, CredentialsError> {
        let (builder, provider) = builder()?;
        let verifier = PinnedVerifier { pin, authority: None, provider };
        let config =
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
        Ok(Self::finish(pin, config))
    }

    /// For an enrolled agent: mutual TLS under the stored CA.
    pub fn enrolled(
        pin: Pin,
        authority: CertificateDer<'static>,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CredentialsError> {
        let (builder, provider) = builder()?;
        let verifier = PinnedVerifier { pin, authority: Some(authority), provider };
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(chain, key)
            .map_err(CredentialsError::ClientCertificate)?;
        Ok(Self::finish(pin, config))
    }

    fn finish(pin: Pin, mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { pin, config: Arc::new(config) }
    }

    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.config))
    }
}

type Builder = (ConfigBuilder<ClientConfig, WantsVerifier>, Arc<crypto::CryptoProvider>);

fn builder() -> Result<Builder, CredentialsError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(CredentialsError::Protocol)?;
    Ok((builder, provider))
}

impl fmt::Debug for TlsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsCredentials").field("pin", &self.pin).finish_non_exhaustive()
    }
}
