//! A join token is traded for a certificate.

use keelson_proto::v1::{Computer, EnrollRequest, EnrollResponse, RenewRequest};
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

use super::Shared;
use super::door::{Identity, Peer};
use crate::id::{AgentUid, CompanyUid, LocationUid};
use crate::pki::{Issued, PkiError};
use crate::store::{NewAgent, StoreError, Tx, UnverifiedAgent};

/// Bytes of what an agent says of its machine.
const LONGEST_WORD: usize = 256;
/// A P-256 request has 200 bytes, an RSA one 1,200.
const LARGEST_REQUEST: usize = 8 * 1024;

/// One answer for every token that does not do: nobody learns which tokens exist.
fn refused() -> Status {
    Status::permission_denied(
        "the join token is unknown, used up, expired or meant for the other door; ask the provider for a new one \
         (keelson agent token), or, if it was good once, to accept this machine among its unverified agents",
    )
}

/// Enrols an agent.
pub(super) async fn enroll(
    shared: &Shared,
    peer: &Peer,
    request: EnrollRequest,
) -> Result<EnrollResponse, Status> {
    let computer = checked(request.computer.unwrap_or_default(), &request.agent_version)?;
    check_size(&request.certificate_request)?;
    let hash: [u8; 32] = Sha256::digest(request.token.as_bytes()).into();
    let uid = AgentUid::new(&*shared.clock);
    let issued = shared
        .pki
        .issue_agent(&request.certificate_request, uid.0, &*shared.clock)
        .map_err(|error| issuing(&error))?;
    let mut tx = shared.store.write().await.map_err(|error| storing(&error))?;
    let new = NewAgent {
        host_name: computer.host_name,
        machine_id: computer.machine_id,
        platform: computer.platform,
        os_version: computer.os_version,
        version: request.agent_version,
        door: peer.door,
    };
    let admitted = admit(&mut tx, shared, &hash, &new).await.map_err(|error| storing(&error))?;
    let Some(Place { company, location, account }) = admitted else {
        // What waits now must be there for the operator.
        tx.commit().await.map_err(|error| storing(&error))?;
        return Err(refused());
    };
    tx.agents()
        .create(&*shared.clock, uid, (company, location), account, &new, &issued.fingerprint)
        .await
        .map_err(|error| storing(&error))?;
    tx.commit().await.map_err(|error| storing(&error))?;
    shared.changed.notify_one();
    let agent = uid;
    tracing::info!(agent.uid = %agent, company.uid = %company, address = %peer.address, "agents.enroll: {} is agent {agent}", new.host_name);
    Ok(answer(uid, issued))
}

/// A new certificate for an agent that has one.
pub(super) async fn renew(
    shared: &Shared,
    identity: Identity,
    request: RenewRequest,
) -> Result<EnrollResponse, Status> {
    check_size(&request.certificate_request)?;
    let agent = identity.agent;
    let issued = shared
        .pki
        .issue_agent(&request.certificate_request, agent.0, &*shared.clock)
        .map_err(|error| issuing(&error))?;
    let mut tx = shared.store.write().await.map_err(|error| storing(&error))?;
    if !tx.agents().admit(agent, &identity.fingerprint).await.map_err(|error| storing(&error))? {
        return Err(not_admitted());
    }
    tx.agents()
        .renew(agent, &issued.fingerprint, &identity.fingerprint)
        .await
        .map_err(|error| storing(&error))?;
    tx.commit().await.map_err(|error| storing(&error))?;
    tracing::info!(agent.uid = %agent, "agents.renew: agent {agent} has a new certificate");
    Ok(answer(agent, issued))
}

/// Whether an agent would be admitted. That it asked ends nothing: the transaction is given up.
pub(super) async fn look(shared: &Shared, identity: Identity) -> Result<(), Status> {
    let mut tx = shared.store.write().await.map_err(|error| storing(&error))?;
    let admitted = tx.agents().admit(identity.agent, &identity.fingerprint).await;
    if admitted.map_err(|error| storing(&error))? { Ok(()) } else { Err(not_admitted()) }
}

/// The certificate is ours but the agent may not use it: it was removed, or has renewed since.
pub(super) fn not_admitted() -> Status {
    Status::unauthenticated(
        "this certificate is no longer admitted; enrol the agent again with a new join token",
    )
}

/// A failure of the store, as an agent may see it.
pub(super) fn storing(error: &StoreError) -> Status {
    tracing::warn!(error = %crate::error::chain(error), "agents: the store failed");
    Status::unavailable("the host cannot store anything right now; the agent keeps its data and tries again")
}

fn issuing(error: &PkiError) -> Status {
    if let PkiError::Request(_) = error {
        return Status::invalid_argument(error.to_string());
    }
    tracing::error!(error = %crate::error::chain(error), "agents: cannot issue a certificate");
    Status::internal("the host cannot issue a certificate; its log says why")
}

/// Where a new agent belongs.
struct Place {
    company: CompanyUid,
    location: LocationUid,
    account: Option<Uuid>,
}

/// What a token lets in: by one of its uses, or because an operator has let this machine in. Whoever else has a genuine token is
/// noted, to be let in by an operator.
async fn admit(
    tx: &mut Tx,
    shared: &Shared,
    hash: &[u8; 32],
    agent: &NewAgent,
) -> Result<Option<Place>, StoreError> {
    let found = tx.join_tokens().by_hash(hash).await?;
    let Some(token) = found.filter(|token| token.door == agent.door.name()) else { return Ok(None) };
    if tx.join_tokens().take_use(&*shared.clock, token.uid).await? {
        let (company, location) = (token.company_uid, token.location_uid);
        return Ok(Some(Place { company, location, account: token.account_uid }));
    }
    let waiting = tx.unverified_agents().find(&token, &agent.machine_id).await?;
    if let Some(waiting) = waiting.filter(UnverifiedAgent::is_accepted) {
        tx.unverified_agents().remove(waiting.uid).await?;
        let place = waiting.company_uid.zip(waiting.location_uid);
        return Ok(place.map(|(company, location)| Place {
            company,
            location,
            account: waiting.account_uid,
        }));
    }
    if !tx.unverified_agents().note(&*shared.clock, &token, agent).await? {
        tracing::warn!(company.uid = %token.company_uid, "agents.enroll: too many agents wait; {} is not noted", agent.host_name);
    }
    Ok(None)
}

fn check_size(request: &[u8]) -> Result<(), Status> {
    if request.len() > LARGEST_REQUEST {
        return Err(Status::invalid_argument(format!(
            "the certificate request has more than {LARGEST_REQUEST} bytes"
        )));
    }
    Ok(())
}

/// What an agent says of its machine, within bounds.
pub(super) fn checked(mut computer: Computer, version: &str) -> Result<Computer, Status> {
    let words = [&computer.host_name, &computer.machine_id, &computer.platform, &computer.os_version];
    if words
        .into_iter()
        .map(String::as_str)
        .chain([version])
        .any(|word| word.len() > LONGEST_WORD || word.contains('\0'))
    {
        return Err(Status::invalid_argument(format!(
            "what the agent says of its machine must be words of at most {LONGEST_WORD} bytes without NUL"
        )));
    }
    if computer.host_name.is_empty() {
        "unnamed".clone_into(&mut computer.host_name);
    }
    Ok(computer)
}

fn answer(agent: AgentUid, issued: Issued) -> EnrollResponse {
    EnrollResponse {
        agent_uid: agent.0.as_bytes().to_vec(),
        certificate_chain: issued.chain,
        not_after: issued.not_after,
    }
}
