//! The host's own certificates, described.

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate that the host shows or signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCertificate {
    /// `console`: what browsers and scripts see; `authority`: what vouches for it and for every agent.
    pub purpose: &'static str,
    /// SHA-256 in hexadecimal.
    pub thumbprint: String,
    /// The subject.
    pub issued_to: String,
    /// The issuer.
    pub issued_by: String,
    /// The subject's common name.
    pub friendly_name: String,
    /// In hexadecimal.
    pub serial_number: String,
    /// Unix milliseconds.
    pub expires_at: i64,
}

impl HostCertificate {
    /// What a certificate says of itself; none if it is no certificate.
    pub fn of(purpose: &'static str, der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let issued_to = certificate.subject().to_string();
        let common = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Some(Self {
            purpose,
            thumbprint: hex::encode_upper(Sha256::digest(der)),
            issued_by: certificate.issuer().to_string(),
            friendly_name: common.unwrap_or(&issued_to).to_owned(),
            serial_number: hex::encode_upper(certificate.raw_serial()),
            expires_at: certificate.validity().not_after.timestamp().saturating_mul(1000),
            issued_to,
        })
    }
}
