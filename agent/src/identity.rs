//! Who an agent is: its key, its certificate, and the CA that it trusts.
//!
//! Key and certificate are two files and must change as one. So a new key waits in `agent.key.next`, the rename of
//! `agent.pem` decides, and whoever loads next puts the waiting key in its place. A crash at any instant leaves a pair
//! that fits. `agent.pem` ends with the authority that signed it: a host that has exchanged its own is known by the new one from
//! then on. `ca.pem` and the pin in `agent.toml` are those of the enrolment.

use std::fmt;

use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::parse_x509_certificate;

use crate::clock::Clock;
use crate::config::{ConfigError, DataFolder, FileError};
use crate::tls::{CredentialsError, Pin, TlsCredentials};

/// A new key and the request for its certificate.
pub struct NewKey {
    key: KeyPair,
    request: Vec<u8>,
}

/// A loaded identity.
#[derive(Clone, Debug)]
pub struct Identity {
    /// For mutual TLS.
    pub credentials: TlsCredentials,
    /// Unix milliseconds.
    pub not_after: i64,
    /// When two thirds of the certificate's life are over, in unix milliseconds.
    pub renew_at: i64,
}

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No enrolment here.
    #[error("the agent has no identity")]
    NotEnrolled(#[source] ConfigError),
    /// The file system refused.
    #[error("cannot use the agent's key and certificate")]
    File(#[source] FileError),
    /// A file is damaged.
    #[error("{0} is damaged; enrol again with `--force`")]
    Damaged(&'static str),
    /// `ca.pem` was exchanged.
    #[error("ca.pem does not have the pin of agent.toml; enrol again with `--force`")]
    Authority,
    /// The key does not belong to the certificate.
    #[error("agent.key does not belong to agent.pem; enrol again with `--force`")]
    Pair,
    /// What the host sent is not for the key that asked.
    #[error("the host answered with a certificate that does not fit the request")]
    Answer,
    /// The cryptography failed.
    #[error("cannot make a key and a certificate request")]
    Key(#[source] rcgen::Error),
    /// rustls does not take them.
    #[error("cannot use the agent's key and certificate")]
    Credentials(#[source] CredentialsError),
}

impl NewKey {
    /// Makes a P-256 key and a certificate request that it signed.
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(IdentityError::Key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        // The host names the agent; this is only what a person sees who dumps the request.
        params.distinguished_name.push(DnType::CommonName, "keelson-agent");
        let request = params.serialize_request(&key).map_err(IdentityError::Key)?.der().to_vec();
        Ok(Self { key, request })
    }

    /// PKCS#10, DER.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Puts the key aside, before the request is sent.
    pub fn prepare(&self, folder: &DataFolder) -> Result<(), IdentityError> {
        let pem = self.key.serialize_pem();
        folder.replace(&folder.next_key(), pem.as_bytes()).map_err(IdentityError::File)
    }

    /// Puts the certificate that the host answered with in force, together with its key.
    pub fn commit(&self, folder: &DataFolder, chain: &[Vec<u8>]) -> Result<(), IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::Answer)?;
        if public_key(leaf).as_deref() != Some(self.key.subject_public_key_info().as_slice()) {
            return Err(IdentityError::Answer);
        }
        let pem: String = chain.iter().map(|der| certificate_pem(der)).collect();
        folder.replace(&folder.certificate(), pem.as_bytes()).map_err(IdentityError::File)?;
        folder.rename(&folder.next_key(), &folder.key()).map_err(IdentityError::File)
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewKey(…)")
    }
}

impl Identity {
    /// Loads what `enroll` or a renewal left, and finishes a swap that was interrupted.
    pub fn load(folder: &DataFolder, pin: Pin) -> Result<Self, IdentityError> {
        Self::read(folder, pin, true)
    }

    /// Loads the same and leaves everything as it is: an agent may be at work in this folder.
    pub(crate) fn look(folder: &DataFolder, pin: Pin) -> Result<Self, IdentityError> {
        Self::read(folder, pin, false)
    }

    fn read(folder: &DataFolder, pin: Pin, finish: bool) -> Result<Self, IdentityError> {
        if !folder.certificate().exists() {
            let missing = ConfigError::NotEnrolled(folder.path().to_owned());
            return Err(IdentityError::NotEnrolled(missing));
        }
        let chain = certificates(folder)?;
        let leaf = chain.first().ok_or(IdentityError::Damaged("agent.pem"))?;
        let key = key_for(folder, leaf, finish)?;
        let authority = CertificateDer::from_pem_file(folder.authority())
            .map_err(|_| IdentityError::Damaged("ca.pem"))?;
        if Pin::of(&authority) != Some(pin) {
            return Err(IdentityError::Authority);
        }
        // The host has another authority since, and told so with this certificate. Key, certificate and authority change as one.
        let newer =
            chain.get(1..).and_then(<[_]>::last).and_then(|last| Some((Pin::of(last)?, last.clone())));
        let (pin, authority) = newer.unwrap_or((pin, authority));
        let (not_before, not_after) = validity(leaf).ok_or(IdentityError::Damaged("agent.pem"))?;
        let credentials = TlsCredentials::enrolled(pin, authority, chain, key);
        Ok(Self {
            credentials: credentials.map_err(IdentityError::Credentials)?,
            not_after,
            renew_at: not_before + (not_after - not_before) / 3 * 2,
        })
    }

    /// Whether it is time for a new certificate.
    pub fn renewal_due(&self, clock: &dyn Clock) -> bool {
        clock.now_ms() >= self.renew_at
    }
}

/// A certificate as PEM text.
pub(crate) fn certificate_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn certificates(folder: &DataFolder) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    CertificateDer::pem_file_iter(folder.certificate())
        .and_then(Iterator::collect)
        .map_err(|_| IdentityError::Damaged("agent.pem"))
}

/// The key of `leaf`: the one in force, or the one that a crash kept from being put in force.
fn key_for(
    folder: &DataFolder,
    leaf: &CertificateDer<'_>,
    finish: bool,
) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let wanted = public_key(leaf).ok_or(IdentityError::Damaged("agent.pem"))?;
    for path in [folder.key(), folder.next_key()] {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(pair) = KeyPair::from_pem(&text) else { continue };
        if pair.subject_public_key_info() == wanted {
            if finish && path == folder.next_key() {
                folder.rename(&path, &folder.key()).map_err(IdentityError::File)?;
            }
            return Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der())));
        }
    }
    Err(IdentityError::Pair)
}

fn public_key(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    Some(parsed.public_key().raw.to_vec())
}

fn validity(certificate: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    Some((validity.not_before.timestamp() * 1000, validity.not_after.timestamp() * 1000))
}
