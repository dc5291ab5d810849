//! Enrolment: a join token and a certificate request against a certificate, once in an agent's life.
//!
//! Order of the writes, for a crash at any instant: key aside → CA → settings → certificate → key in force. The folder
//! counts as enrolled when the certificate is there, so a half-done enrolment reads as none and is simply repeated.
//!
//! The key is made before the first try and kept until one succeeds: when the token is over, the host lets in only the machine that
//! an operator has accepted, and knows it by its key. It waits in a file of its own, as `agent.key.next` may be the key in force.

mod renew;

use std::path::PathBuf;
use std::time::Duration;

use keelson_proto::v1::console_client::ConsoleClient;
use keelson_proto::v1::{Computer, EnrollRequest, EnrollResponse};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData as _};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;
use tonic::Code;
use tracing::{info, warn};
use uuid::Uuid;
use x509_parser::parse_x509_certificate;

use crate::config::{ConfigError, DataFolder, Extras, ExtrasError, FileError, Settings};
use crate::driver::{DriverSettings, SettingsError};
use crate::error::spoken;
use crate::identity::{IdentityError, certificate_pem};
use crate::spool::ReplayWindow;
use crate::tls::{Address, Connection, CredentialsError, DialError, TlsCredentials, dial};
use crate::token::JoinToken;

pub use renew::{RenewError, renew};

const ANSWER: Duration = Duration::from_secs(30);
/// Where the key is until it has a certificate.
const KEPT_KEY: &str = "agent.key.enrol";

/// What to enrol.
#[derive(Debug)]
pub struct Enrolment {
    /// From the host.
    pub token: JoinToken,
    /// Where to keep the agent.
    pub data: PathBuf,
    /// What the agent sits beside.
    pub driver: DriverSettings,
    /// What else it may do there.
    pub extras: Extras,
    /// The machine.
    pub computer: Computer,
    /// Replace an agent that this folder already holds.
    pub force: bool,
}

/// Why there was no enrolment.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// An agent is here already.
    #[error("{} already holds an enrolled agent; `--force` replaces it (the host keeps the old one until it is removed there)", .0.display())]
    AlreadyEnrolled(PathBuf),
    /// The driver's settings cannot work.
    #[error("the driver's settings cannot be used")]
    Driver(#[source] SettingsError),
    /// What is allowed beside it cannot be used.
    #[error("the agent's settings cannot be used")]
    Extras(#[source] ExtrasError),
    /// The file system refused.
    #[error("cannot write the agent's data folder")]
    File(#[source] FileError),
    /// The settings cannot be written.
    #[error("cannot store the settings")]
    Settings(#[source] ConfigError),
    /// Key, request or certificate.
    #[error("cannot make the agent's identity")]
    Identity(#[source] IdentityError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Credentials(#[source] CredentialsError),
    /// No address answered as the pinned host.
    #[error("cannot reach the host")]
    Dial(#[source] DialError),
    /// The host said no.
    #[error("the host refused the enrolment: {0}")]
    Refused(String),
    /// The host could not.
    #[error("the host could not enrol the agent: {0}; try again later")]
    Failed(String),
    /// Nothing came in time.
    #[error("{0} did not answer the enrolment within {limit} s; try again", limit = ANSWER.as_secs())]
    Timeout(Address),
    /// An answer that cannot be right.
    #[error("the host's answer has no valid agent id")]
    Answer,
}

/// Enrols and stores the agent; answers with its settings.
pub async fn enroll(enrolment: Enrolment) -> Result<Settings, EnrollError> {
    enrolment.driver.check().map_err(EnrollError::Driver)?;
    enrolment.extras.check(&enrolment.driver).map_err(EnrollError::Extras)?;
    let folder = DataFolder::create(&enrolment.data).map_err(EnrollError::File)?;
    let lock = folder.lock().map_err(EnrollError::File)?;
    if folder.certificate().exists() && !enrolment.force {
        return Err(EnrollError::AlreadyEnrolled(folder.path().to_owned()));
    }
    let key = KeptKey::of(&folder)?;
    let (answer, authority) = ask(&enrolment, &key).await?;
    let agent_uid = Uuid::from_slice(&answer.agent_uid).map_err(|_| EnrollError::Answer)?;
    let settings = Settings {
        agent_uid,
        addresses: enrolment.token.addresses,
        pin: enrolment.token.pin,
        driver: enrolment.driver,
        extras: enrolment.extras,
        replay: ReplayWindow::default(),
    };
    store(&folder, &settings, &key, &answer, &authority)?;
    info!(agent.uid = %agent_uid, "agent {agent_uid} enrolled");
    drop(lock);
    Ok(settings)
}

fn store(
    folder: &DataFolder,
    settings: &Settings,
    key: &KeptKey,
    answer: &EnrollResponse,
    authority: &CertificateDer<'_>,
) -> Result<(), EnrollError> {
    // The former agent's spool tells another agent's story.
    for stale in [folder.certificate(), folder.spool()] {
        folder.remove(&stale).map_err(EnrollError::File)?;
    }
    for suffix in ["-wal", "-shm"] {
        let mut name = folder.spool().into_os_string();
        name.push(suffix);
        folder.remove(&PathBuf::from(name)).map_err(EnrollError::File)?;
    }
    key.prepare(folder)?;
    let ca = certificate_pem(authority);
    folder.replace(&folder.authority(), ca.as_bytes()).map_err(EnrollError::File)?;
    settings.store(folder).map_err(EnrollError::Settings)?;
    key.commit(folder, &answer.certificate_chain)
}

/// The key that a folder asks with, however often it must ask.
struct KeptKey(KeyPair);

impl KeptKey {
    /// The one of an earlier try, or a new one that is on the disk before the host hears of it.
    fn of(folder: &DataFolder) -> Result<Self, EnrollError> {
        let path = folder.path().join(KEPT_KEY);
        let kept = std::fs::read_to_string(&path).ok().and_then(|text| KeyPair::from_pem(&text).ok());
        if let Some(key) = kept {
            return Ok(Self(key));
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(unmade)?;
        folder.replace(&path, key.serialize_pem().as_bytes()).map_err(EnrollError::File)?;
        Ok(Self(key))
    }

    /// PKCS#10, DER, signed by the key.
    fn request(&self) -> Result<Vec<u8>, EnrollError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        // The host names the agent; this is only what a person sees who dumps the request.
        params.distinguished_name.push(DnType::CommonName, "keelson-agent");
        Ok(params.serialize_request(&self.0).map_err(unmade)?.der().to_vec())
    }

    /// Puts the key where it is looked for if a crash comes after the certificate.
    fn prepare(&self, folder: &DataFolder) -> Result<(), EnrollError> {
        folder.replace(&folder.next_key(), self.0.serialize_pem().as_bytes()).map_err(EnrollError::File)
    }

    /// Puts certificate and key in force. The kept one goes last: whoever enrols here again asks with another.
    fn commit(&self, folder: &DataFolder, chain: &[Vec<u8>]) -> Result<(), EnrollError> {
        if !chain.first().is_some_and(|leaf| self.is_of(leaf)) {
            return Err(EnrollError::Identity(IdentityError::Answer));
        }
        let pem: String = chain.iter().map(|der| certificate_pem(der)).collect();
        folder.replace(&folder.certificate(), pem.as_bytes()).map_err(EnrollError::File)?;
        folder.rename(&folder.next_key(), &folder.key()).map_err(EnrollError::File)?;
        folder.remove(&folder.path().join(KEPT_KEY)).map_err(EnrollError::File)
    }

    /// Whether a certificate is for this key.
    fn is_of(&self, leaf: &[u8]) -> bool {
        parse_x509_certificate(leaf)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == self.0.subject_public_key_info())
    }
}

fn unmade(error: rcgen::Error) -> EnrollError {
    EnrollError::Identity(IdentityError::Key(error))
}

/// Tries the token's addresses in order until one host answers, with a certificate or with a refusal.
async fn ask(
    enrolment: &Enrolment,
    key: &KeptKey,
) -> Result<(EnrollResponse, CertificateDer<'static>), EnrollError> {
    let credentials = TlsCredentials::anonymous(enrolment.token.pin).map_err(EnrollError::Credentials)?;
    let mut worst = EnrollError::Dial(DialError::NoAddress);
    let addresses = &enrolment.token.addresses;
    for (index, address) in addresses.iter().enumerate() {
        let error = match dial(address, &credentials).await {
            Ok(connection) => match request(connection, enrolment, key).await {
                Err(error @ (EnrollError::Failed(_) | EnrollError::Timeout(_))) => error,
                answered => return answered,
            },
            Err(error) => EnrollError::Dial(error),
        };
        if index + 1 < addresses.len() {
            let why = crate::error::chain(&error);
            warn!(address = %address, "no enrolment through {address}, trying the next address: {why}");
        }
        if !matches!(worst, EnrollError::Dial(DialError::PinMismatch { .. })) {
            worst = error;
        }
    }
    Err(worst)
}

async fn request(
    connection: Connection,
    enrolment: &Enrolment,
    key: &KeptKey,
) -> Result<(EnrollResponse, CertificateDer<'static>), EnrollError> {
    let request = EnrollRequest {
        token: enrolment.token.secret.reveal().to_owned(),
        certificate_request: key.request()?,
        computer: Some(enrolment.computer.clone()),
        agent_version: crate::VERSION.to_owned(),
    };
    let mut client = ConsoleClient::new(connection.channel);
    let answer = timeout(ANSWER, client.enroll(request))
        .await
        .map_err(|_| EnrollError::Timeout(connection.address))?
        .map_err(|status| match status.code() {
            Code::Unavailable | Code::Internal | Code::Unknown | Code::ResourceExhausted => {
                EnrollError::Failed(spoken(&status))
            }
            _ => EnrollError::Refused(spoken(&status)),
        })?;
    // The verifier found the CA in this very chain, as it had no other.
    let authority = connection.authority.ok_or(EnrollError::Answer)?;
    Ok((answer.into_inner(), authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_same_at_every_try_and_a_damaged_one_is_made_anew() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(place.path()).unwrap();
        let public = || KeptKey::of(&folder).unwrap().0.subject_public_key_info();
        let first = public();
        assert_eq!(public(), first);
        std::fs::write(place.path().join(KEPT_KEY), "torn").unwrap();
        let second = public();
        assert_ne!(second, first);
        assert_eq!(public(), second);
    }
}
