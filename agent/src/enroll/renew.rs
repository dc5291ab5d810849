//! A new key and certificate for an agent that still holds a valid one.

use std::time::Duration;

use keelson_proto::v1::RenewRequest;
use keelson_proto::v1::console_client::ConsoleClient;
use tokio::time::timeout;
use tracing::info;

use crate::config::{DataFolder, Settings};
use crate::error::spoken;
use crate::identity::{Identity, IdentityError, NewKey};
use crate::tls::{DialError, dial_any};

const ANSWER: Duration = Duration::from_secs(30);

/// Why there is no new certificate. The old one stays in force.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// Key, request or certificate.
    #[error("cannot make the new identity")]
    Identity(#[source] IdentityError),
    /// The host was not reached.
    #[error("cannot reach the host")]
    Dial(#[source] DialError),
    /// The host said no.
    #[error("the host did not renew it: {0}")]
    Refused(String),
    /// Nothing came in time.
    #[error("the host did not answer the renewal within {} s", ANSWER.as_secs())]
    Timeout,
}

/// Asks for a certificate for a new key and puts both in force as one step.
pub async fn renew(
    folder: &DataFolder,
    settings: &Settings,
    current: &Identity,
) -> Result<Identity, RenewError> {
    let key = NewKey::generate().map_err(RenewError::Identity)?;
    key.prepare(folder).map_err(RenewError::Identity)?;
    let connection = dial_any(&settings.addresses, &current.credentials).await.map_err(RenewError::Dial)?;
    let request = RenewRequest { certificate_request: key.request().to_vec() };
    let answer = timeout(ANSWER, ConsoleClient::new(connection.channel).renew(request))
        .await
        .map_err(|_| RenewError::Timeout)?
        .map_err(|status| RenewError::Refused(spoken(&status)))?
        .into_inner();
    key.commit(folder, &answer.certificate_chain).map_err(RenewError::Identity)?;
    info!(agent.uid = %settings.agent_uid, "certificate renewed");
    Identity::load(folder, settings.pin).map_err(RenewError::Identity)
}
