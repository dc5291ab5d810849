//! A join token is traded for a certificate.

use std::sync::Arc;

use keelson_proto::v1::{Computer, EnrollRequest, EnrollResponse, RenewRequest};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use uuid::Uuid;

use super::door::{Identity, Peer};
use super::incidents::Incident;
use super::waiting::Comer;
use super::{REASON, Shared};
use crate::clock::SharedClock;
use crate::id::{AgentUid, CompanyUid, JoinTokenUid, LocationUid};
use crate::model::{Door, JoinToken};
use crate::pki::{Issued, Pki, PkiError};
use crate::store::{NewAgent, Store, StoreError, Tx, UnverifiedAgent};

/// Bytes of what an agent says of its machine.
const LONGEST_WORD: usize = 256;
/// A P-256 request has 200 bytes, an RSA one 1,200.
const LARGEST_REQUEST: usize = 8 * 1024;
/// What an agent is told when it is our fault.
const UNISSUED: &str = "the host cannot issue a certificate; its log says why";

/// What letting agents in takes: unlike a session, it makes certificates.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) store: Store,
    pub(super) pki: Arc<Pki>,
    pub(super) clock: SharedClock,
    /// Poked when there is a new agent.
    pub(super) changed: Arc<Notify>,
    /// Who is to be noted for an operator.
    pub(super) comers: mpsc::Sender<Comer>,
}

/// One answer for every token that does not do: nobody learns which tokens exist.
fn refused() -> Status {
    Status::permission_denied(
        "the join token is unknown, used up, expired or meant for the other door; ask the provider for a new one \
         (keelson agent token), or, if it was good once, to accept this machine among its unverified agents",
    )
}

/// Enrols an agent.
pub(super) async fn enroll(
    admission: &Admission,
    peer: &Peer,
    request: EnrollRequest,
) -> Result<EnrollResponse, Status> {
    let computer = checked(request.computer.unwrap_or_default(), &request.agent_version)?;
    check_size(&request.certificate_request)?;
    let hash: [u8; 32] = Sha256::digest(request.token.as_bytes()).into();
    let uid = AgentUid::new(&*admission.clock);
    let issued = admission
        .pki
        .issue_agent(&request.certificate_request, uid.0, &*admission.clock)
        .map_err(|error| issuing(&error))?;
    let key = key_of(&issued)?;
    let mut tx = admission.store.write().await.map_err(|error| storing(&error))?;
    let new = NewAgent {
        host_name: computer.host_name,
        machine_id: computer.machine_id,
        platform: computer.platform,
        os_version: computer.os_version,
        version: request.agent_version,
        door: peer.door,
    };
    let verdict =
        admit(&mut tx, admission, &hash, (peer.door, &key)).await.map_err(|error| storing(&error))?;
    let place = match verdict {
        Verdict::In(place) => place,
        // What waits now must be there for the operator: it is written after the answer.
        Verdict::Refused(token) => {
            if let Some(token) = token {
                let comer = Comer { token, agent: new, key, address: peer.address.ip() };
                drop(admission.comers.try_send(comer));
            }
            return Err(refused());
        }
    };
    let Place { company, location, account } = place;
    tx.agents()
        .create(&*admission.clock, uid, (company, location), account, &new, &issued.fingerprint)
        .await
        .map_err(|error| storing(&error))?;
    tx.commit().await.map_err(|error| storing(&error))?;
    admission.changed.notify_one();
    let agent = uid;
    tracing::info!(agent.uid = %agent, company.uid = %company, address = %peer.address, "agents.enroll: {} is agent {agent}", new.host_name);
    Ok(answer(uid, issued))
}

/// A new certificate for an agent that has one.
pub(super) async fn renew(
    (admission, shared): (&Admission, &Shared),
    peer: &Peer,
    identity: Identity,
    request: RenewRequest,
) -> Result<EnrollResponse, Status> {
    check_size(&request.certificate_request)?;
    let agent = identity.agent;
    let issued = admission
        .pki
        .issue_agent(&request.certificate_request, agent.0, &*admission.clock)
        .map_err(|error| issuing(&error))?;
    let mut tx = admission.store.write().await.map_err(|error| storing(&error))?;
    if !tx.agents().admit(agent, &identity.fingerprint).await.map_err(|error| storing(&error))? {
        drop(tx);
        return Err(not_admitted(shared, peer, identity).await);
    }
    tx.agents()
        .renew(agent, &issued.fingerprint, &identity.fingerprint)
        .await
        .map_err(|error| storing(&error))?;
    tx.commit().await.map_err(|error| storing(&error))?;
    tracing::info!(agent.uid = %agent, "agents.renew: agent {agent} has a new certificate");
    Ok(answer(agent, issued))
}

/// Whether an agent would be admitted. That it asked ends nothing.
pub(super) async fn look(shared: &Shared, peer: &Peer, identity: Identity) -> Result<(), Status> {
    match standing(shared, identity).await? {
        Some(true) => Ok(()),
        known => Err(refusal(shared, peer, identity, known.is_some())),
    }
}

async fn standing(shared: &Shared, identity: Identity) -> Result<Option<bool>, Status> {
    shared.desk.standing(identity).await.map_err(|error| storing(&error))
}

/// The certificate is ours but the agent may not use it: it was removed, or has renewed since.
pub(super) async fn not_admitted(shared: &Shared, peer: &Peer, identity: Identity) -> Status {
    match standing(shared, identity).await {
        Ok(known) => refusal(shared, peer, identity, known.is_some()),
        Err(status) => status,
    }
}

fn refusal(shared: &Shared, peer: &Peer, identity: Identity, is_known: bool) -> Status {
    if !is_known {
        return removed();
    }
    shared.incidents.note(&*shared.clock, identity.agent, Incident::OldCertificate, peer.address.ip());
    Status::unauthenticated(
        "this certificate is no longer admitted, as the agent has a newer one; enrol the agent again with a new join token",
    )
}

/// There is no such agent any more. The agent knows this reason by its word, and stops.
pub(super) fn removed() -> Status {
    let mut reason = MetadataMap::new();
    reason.insert(REASON, MetadataValue::from_static("agent-removed"));
    let message =
        "this agent was removed from the host; enrol it again with a new join token, or uninstall it";
    Status::with_metadata(Code::Unauthenticated, message, reason)
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
    Status::internal(UNISSUED)
}

/// SHA-256 of the public key that was certified. The request was signed with it, so nobody can come with another's. Read from the
/// certificate, where a key is written in one way only.
fn key_of(issued: &Issued) -> Result<[u8; 32], Status> {
    let leaf = issued.chain.first().and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok());
    let Some((_, leaf)) = leaf else {
        tracing::error!("agents: a certificate of our own cannot be read");
        return Err(Status::internal(UNISSUED));
    };
    Ok(Sha256::digest(leaf.public_key().raw).into())
}

/// Where a new agent belongs.
struct Place {
    company: CompanyUid,
    location: LocationUid,
    account: Option<Uuid>,
}

/// What a token leads to.
enum Verdict {
    In(Place),
    /// With a token that is genuine and over: an operator may let this machine in.
    Refused(Option<JoinToken>),
}

/// What a token lets in: by one of its uses, or because an operator has let in the machine with this key. Whatever is wrong with
/// one, the same statements find it out, and none of them writes.
async fn admit(
    tx: &mut Tx,
    admission: &Admission,
    hash: &[u8; 32],
    (door, key): (Door, &[u8; 32]),
) -> Result<Verdict, StoreError> {
    let found = tx.join_tokens().by_hash(hash).await?;
    let token = found.filter(|token| token.door == door.name());
    let uid = token.as_ref().map_or(JoinTokenUid(Uuid::nil()), |token| token.uid);
    let is_good = tx.join_tokens().take_use(&*admission.clock, uid).await?;
    if let Some(token) = token.as_ref().filter(|_| is_good) {
        let (company, location) = (token.company_uid, token.location_uid);
        return Ok(Verdict::In(Place { company, location, account: token.account_uid }));
    }
    let waiting = tx.unverified_agents().find(uid, key).await?;
    let Some(waiting) = waiting.filter(UnverifiedAgent::is_accepted) else {
        return Ok(Verdict::Refused(token));
    };
    tx.unverified_agents().remove(waiting.uid).await?;
    let place = waiting.company_uid.zip(waiting.location_uid);
    Ok(place.map_or(Verdict::Refused(None), |(company, location)| {
        Verdict::In(Place { company, location, account: waiting.account_uid })
    }))
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
