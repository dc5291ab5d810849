//! rustls' own verifier, with the pinned CA as its only root.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::pin::{Pin, PinMismatch};

/// Accepts a chain that the pinned CA signed, for the name that was dialled.
#[derive(Debug)]
pub(super) struct PinnedVerifier {
    pub(super) pin: Pin,
    /// The stored CA; before enrolment the CA is found in the presented chain, by its pin.
    pub(super) authority: Option<CertificateDer<'static>>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl PinnedVerifier {
    fn webpki(&self, root: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mismatch = || {
            let seen = PinMismatch::new(end_entity, intermediates, self.pin);
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(seen))))
        };
        let presented = intermediates.iter().find(|seen| Pin::of(seen) == Some(self.pin));
        let root = self.authority.as_ref().or(presented).ok_or_else(mismatch)?;
        let verified =
            self.webpki(root)?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            // A chain that merely carries our CA, or names it as its issuer, was still signed by somebody else.
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                mismatch()
            }
            // The host sends its CA along. Whatever else may be wrong with a chain without it, it is not the host's.
            _ if presented.is_none() => mismatch(),
            other => other,
        })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::pki::Authority;

    #[test]
    fn an_enrolled_agent_knows_a_foreign_certificate_whatever_is_wrong_with_it() {
        let (ours, foreign) = (Authority::new("Keelson CA"), Authority::new("Corp Proxy CA"));
        let verifier = PinnedVerifier {
            pin: ours.pin(),
            authority: Some(ours.certificate()),
            provider: Arc::new(rustls::crypto::ring::default_provider()),
        };
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
        // A CA's own certificate as the leaf fails for that alone, before anybody asks who signed it.
        let leaf = foreign.certificate();
        let error = verifier.verify_server_cert(&leaf, &[], &name, &[], now).unwrap_err();
        let Error::InvalidCertificate(CertificateError::Other(other)) = error else { panic!("{error}") };
        let seen = other.0.downcast_ref::<PinMismatch>().unwrap();
        assert_eq!((seen.signer(), seen.signer_pin()), ("CN=Corp Proxy CA", Some(foreign.pin())));
    }
}
