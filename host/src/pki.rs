//! The host's own certificate authority: who it is to agents and browsers, and who agents are to it.
//!
//! `pki/ca.pem` and `ca.key` are made on the first start; `server.pem` and `server.key` are made anew when they
//! run out or the host's names change. Agents pin the CA's public key, so the server's certificate may change freely.
//!
//! The CA itself can be exchanged (`rotation.rs`): the former one's certificate stays for as long as certificates that it signed
//! may be good, and vouches for the new one, so that agents know the host by either.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::{Clock, DAY, HOUR};
use crate::id;

mod rotation;

use rotation::Former;

const CA_LIFE: i64 = 3650 * DAY;
const SERVER_LIFE: i64 = 397 * DAY;
/// Certificates begin a little in the past: an agent's clock may be behind.
const SKEW: i64 = HOUR;
/// How long an agent's certificate is good for.
pub const AGENT_LIFE: i64 = 90 * DAY;

/// A failure of the certificate authority.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// A file could not be read or written.
    #[error("cannot {action} {}; check the folder's owner and free space", path.display())]
    File {
        /// "read", "write".
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is damaged; restore it from a backup (a new CA would lock out every enrolled agent)", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Issue(#[source] rcgen::Error),
    /// An agent's request is not a certificate request, or its signature is wrong.
    #[error("the certificate request is not a valid PKCS#10 request")]
    Request(#[source] rcgen::Error),
    /// Two rotations within a certificate's life.
    #[error(
        "the authority was exchanged less than 180 days ago, and agents that have not been here since know only the one before; wait \
         until `keelson ca show` names no former authority"
    )]
    Overlap,
    /// TLS could not be set up from the certificates.
    #[error("cannot set up TLS from the host's certificates")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An agent's new certificate.
#[derive(Debug, Clone)]
pub struct Issued {
    /// DER, the leaf first, the CA last.
    pub chain: Vec<Vec<u8>>,
    /// SHA-256 of the leaf.
    pub fingerprint: [u8; 32],
    /// Unix milliseconds.
    pub not_after: i64,
}

/// The authority, open.
#[derive(Debug)]
pub struct Pki {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    ca: CertificateDer<'static>,
    pin: [u8; 32],
    /// The authority before this one, while its time is not over.
    former: Option<Former>,
}

impl Pki {
    /// Opens the authority in `data/pki`; makes it on the first start.
    pub fn open(data: &Path, clock: &dyn Clock) -> Result<Self, PkiError> {
        let folder = data.join("pki");
        make_folder(&folder)?;
        let (certificate_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
        rotation::finish(&folder)?;
        if !key_path.exists() {
            make_authority(&certificate_path, &key_path, clock)?;
        }
        let damaged = |path: &Path| {
            let path = path.to_owned();
            move |source| PkiError::Damaged { path, source }
        };
        let key = KeyPair::from_pem(&read(&key_path)?).map_err(damaged(&key_path))?;
        let pin = Sha256::digest(key.subject_public_key_info()).into();
        let pem = read(&certificate_path)?;
        let ca = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| damaged(&certificate_path)(rcgen::Error::CouldNotParseCertificate))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(damaged(&certificate_path))?;
        let former = Former::load(&folder, clock)?;
        Ok(Self { folder, issuer, ca, pin, former })
    }

    /// SHA-256 of the CA's public key, in hexadecimal: what agents and people compare.
    pub fn pin(&self) -> String {
        hex::encode(self.pin)
    }

    /// Where the CA's certificate lies.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The certificates that this host shows and signs with, DER, by what they are for.
    pub fn certificates(
        &self,
        names: &[String],
        clock: &dyn Clock,
    ) -> Result<Vec<(&'static str, CertificateDer<'static>)>, PkiError> {
        let (chain, _key) = self.server_certificate(names, clock)?;
        let console = chain.into_iter().next().map(|leaf| ("console", leaf));
        Ok(console.into_iter().chain([("authority", self.ca.clone())]).collect())
    }

    /// TLS for browsers and scripts.
    pub fn api_tls(&self, names: &[String], clock: &dyn Clock) -> Result<Arc<ServerConfig>, PkiError> {
        let (chain, key) = self.server_certificate(names, clock)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| PkiError::Tls(error.into()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| PkiError::Tls(error.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// TLS for agents: 1.3 only, `h2` only. A client certificate is asked for but not demanded, since enrolment has none;
    /// everything else looks for it in the session. Nothing is resumed: whoever has an agent's ticket would be that agent, without
    /// its key, and after its certificate is over.
    pub fn agents_tls(&self, names: &[String], clock: &dyn Clock) -> Result<Arc<ServerConfig>, PkiError> {
        let (chain, key) = self.server_certificate(names, clock)?;
        let mut roots = RootCertStore::empty();
        for authority in
            std::iter::once(&self.ca).chain(self.former.as_ref().map(|former| &former.certificate))
        {
            roots.add(authority.clone()).map_err(|error| PkiError::Tls(error.into()))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .allow_unauthenticated()
            .build()
            .map_err(|error| PkiError::Tls(error.into()))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| PkiError::Tls(error.into()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| PkiError::Tls(error.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// A certificate for the key in an agent's request. Whatever else the request says is ignored: the host names the agent.
    pub fn issue_agent(&self, request: &[u8], agent: Uuid, clock: &dyn Clock) -> Result<Issued, PkiError> {
        let request = CertificateSigningRequestDer::from(request);
        let mut request = CertificateSigningRequestParams::from_der(&request).map_err(PkiError::Request)?;
        let not_after = clock.now_ms().saturating_add(AGENT_LIFE);
        let mut params = blank(&agent.to_string(), clock.now_ms(), not_after);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        request.params = params;
        let certificate = request.signed_by(&self.issuer).map_err(PkiError::Issue)?;
        let leaf = certificate.der().to_vec();
        Ok(Issued { fingerprint: fingerprint(&leaf), chain: vec![leaf, self.ca.to_vec()], not_after })
    }

    fn server_certificate(
        &self,
        names: &[String],
        clock: &dyn Clock,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), PkiError> {
        let (certificate_path, key_path) = (self.folder.join("server.pem"), self.folder.join("server.key"));
        let names_path = self.folder.join("server.names");
        let half_life = clock.now_ms() / (SERVER_LIFE / 2);
        let wanted = format!("{half_life}\n{}\n{}", self.pin(), names.join("\n"));
        if !key_path.exists() || std::fs::read_to_string(&names_path).unwrap_or_default() != wanted {
            self.make_server(names, clock, &certificate_path, &key_path)?;
            write(&names_path, &wanted, false)?;
        }
        let damaged = |path: &Path| PkiError::Damaged {
            path: path.to_owned(),
            source: rcgen::Error::CouldNotParseCertificate,
        };
        let leaf = CertificateDer::from_pem_slice(read(&certificate_path)?.as_bytes())
            .map_err(|_| damaged(&certificate_path))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(read(&key_path)?.as_bytes())
            .map_err(|_| damaged(&key_path))?;
        let mut chain = vec![leaf];
        if let Some(former) = &self.former {
            chain.extend([former.voucher.clone(), former.certificate.clone()]);
        }
        chain.push(self.ca.clone());
        Ok((chain, key.into()))
    }

    fn make_server(
        &self,
        names: &[String],
        clock: &dyn Clock,
        certificate_path: &Path,
        key_path: &Path,
    ) -> Result<(), PkiError> {
        let mut params = blank("Keelson console", clock.now_ms(), clock.now_ms().saturating_add(SERVER_LIFE));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        for name in names {
            params.subject_alt_names.push(match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(Ia5String::try_from(name.as_str()).map_err(PkiError::Issue)?),
            });
        }
        let key = KeyPair::generate().map_err(PkiError::Issue)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(PkiError::Issue)?;
        write(certificate_path, &certificate.pem(), false)?;
        write(key_path, &key.serialize_pem(), true)
    }
}

/// SHA-256 of a certificate.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What an authority's certificate says.
fn authority(clock: &dyn Clock, life: i64) -> CertificateParams {
    let mut params = blank("Keelson CA", clock.now_ms(), clock.now_ms().saturating_add(life));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn make_authority(certificate_path: &Path, key_path: &Path, clock: &dyn Clock) -> Result<(), PkiError> {
    let params = authority(clock, CA_LIFE);
    let key = KeyPair::generate().map_err(PkiError::Issue)?;
    let certificate = params.self_signed(&key).map_err(PkiError::Issue)?;
    write(certificate_path, &certificate.pem(), false)?;
    // The key last: a crash in between leaves no key, and the next start begins again.
    write(key_path, &key.serialize_pem(), true)
}

fn blank(common_name: &str, now: i64, not_after: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = instant(now.saturating_sub(SKEW));
    params.not_after = instant(not_after);
    params.serial_number = Some(SerialNumber::from_slice(&id::random::<16>()));
    params
}

fn instant(unix_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn make_folder(folder: &Path) -> Result<(), PkiError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(|source| PkiError::File {
        action: "make",
        path: folder.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<String, PkiError> {
    std::fs::read_to_string(path).map_err(|source| PkiError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Whole or not at all, and on the disk before it has its name.
fn write(path: &Path, text: &str, secret: bool) -> Result<(), PkiError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |source| PkiError::File { action: "write", path: path.to_owned(), source };
    let draft = path.with_extension("new");
    let mode = if secret { 0o600 } else { 0o644 };
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(mode).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn the_authority_and_its_pin_survive_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let pin = Pki::open(data.path(), &*clock).unwrap().pin();
        assert_eq!(Pki::open(data.path(), &*clock).unwrap().pin(), pin);
    }

    #[test]
    fn keys_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        pki.api_tls(&["localhost".to_owned()], &*clock).unwrap();
        for key in ["ca.key", "server.key"] {
            let mode = data.path().join("pki").join(key).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }

    #[test]
    fn an_agents_certificate_names_the_agent_whatever_the_request_says() {
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::new(vec!["somebody-else".to_owned()])
            .unwrap()
            .serialize_request(&key)
            .unwrap();
        let agent = Uuid::from_u128(7);
        let issued = pki.issue_agent(request.der(), agent, &*clock).unwrap();
        let (_, leaf) = x509_parser::parse_x509_certificate(&issued.chain[0]).unwrap();
        assert_eq!(leaf.subject().to_string(), format!("CN={agent}"));
    }

    #[test]
    fn a_request_that_is_none_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        assert!(matches!(pki.issue_agent(b"junk", Uuid::nil(), &*clock), Err(PkiError::Request(_))));
    }
}
