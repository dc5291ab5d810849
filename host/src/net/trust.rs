//! Whom the host takes a server for, when it is the client: the public authorities and those of the operator's own; or, where
//! one certificate is pinned, that one and no other.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// The authorities that servers may be vouched for by.
#[derive(Debug, Clone)]
pub(crate) struct Authorities(Arc<RootCertStore>);

/// The authorities do not do.
#[derive(Debug, thiserror::Error)]
#[error("there is no authority to trust")]
pub(crate) struct BadAuthority(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Authorities {
    /// The public ones, and these.
    pub(crate) fn with(own: &[CertificateDer<'static>]) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let (_added, ignored) = roots.add_parsable_certificates(own.iter().cloned());
        if ignored > 0 {
            tracing::warn!(ignored, "net.trust: some of the operator's authorities are no certificates");
        }
        Self(Arc::new(roots))
    }
}

/// A certificate that a server showed.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// DER.
    pub(crate) certificate: Vec<u8>,
    /// Whether an authority vouches for it, for this name, now.
    pub(crate) valid: bool,
}

/// Judges one connection's server, and remembers what it showed.
#[derive(Debug)]
pub(crate) struct Judge {
    pin: Option<[u8; 32]>,
    authorities: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<Shown>>,
}

impl Judge {
    /// For a server that must show the certificate with this hash; without one, any that an authority vouches for.
    pub(crate) fn new(authorities: &Authorities, pin: Option<[u8; 32]>) -> Result<Arc<Self>, BadAuthority> {
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::clone(&authorities.0), provider())
            .build()
            .map_err(|error| BadAuthority(error.into()))?;
        Ok(Arc::new(Self { pin, authorities, shown: Mutex::default() }))
    }

    /// TLS that asks this judge.
    pub(crate) fn tls(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(self) as _;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(config)
    }

    /// What the server showed, if it came to that.
    pub(crate) fn shown(&self) -> Option<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let shown = Shown { certificate: end_entity.to_vec(), valid: verdict.is_ok() };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match self.pin {
            None => verdict,
            Some(pin) if pin.as_slice() == Sha256::digest(end_entity).as_slice() => {
                Ok(ServerCertVerified::assertion())
            }
            Some(_) => Err(Error::General(
                "the server shows another certificate than the one that is exclusively accepted".to_owned(),
            )),
        }
    }

    // The signatures are always checked: a certificate is public, only its key makes the server the one it says it is.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
