//! Machines that came with a genuine token that is over: they are noted for an operator, after they were answered. Whoever is refused
//! learns nothing, not even from how long it took.
//!
//! A token that leaked brings more machines than may wait. Then it is frozen: nothing is noted of it any more, and the activity log
//! says so, once.
//!
//! **Crash.** A machine that was not noted yet is noted when it comes again.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::enroll::Admission;
use crate::error::chain;
use crate::model::JoinToken;
use crate::store::{NewAgent, NewAuditRow, StoreError};

/// Machines that wait to be noted; those beyond come again, or not.
const QUEUE: usize = 256;

/// A machine, and the token that it came with.
#[derive(Debug)]
pub(super) struct Comer {
    pub(super) token: JoinToken,
    pub(super) agent: NewAgent,
    /// SHA-256 of its public key: the machine that has it is the one that is let in.
    pub(super) key: [u8; 32],
    pub(super) address: IpAddr,
}

/// Where they are handed in.
pub(super) fn queue() -> (mpsc::Sender<Comer>, mpsc::Receiver<Comer>) {
    mpsc::channel(QUEUE)
}

/// Notes them until the gateway stops.
pub(super) async fn keep(
    admission: Arc<Admission>,
    stopping: CancellationToken,
    mut comers: mpsc::Receiver<Comer>,
) {
    loop {
        let comer = tokio::select! {
            () = stopping.cancelled() => return,
            comer = comers.recv() => comer,
        };
        let Some(comer) = comer else { return };
        if let Err(error) = note(&admission, &comer).await {
            tracing::warn!(error = chain(&error), "agents.enroll: {} is not noted", comer.agent.host_name);
        }
    }
}

async fn note(admission: &Admission, comer: &Comer) -> Result<(), StoreError> {
    let Comer { token, agent, key, address } = comer;
    let mut tx = admission.store.write().await?;
    if tx.join_tokens().is_frozen(token.uid).await? {
        return Ok(());
    }
    let is_noted = tx.unverified_agents().note(&*admission.clock, token, (agent, key)).await?;
    let is_leaked = !is_noted && tx.unverified_agents().is_leaked(token.uid).await?;
    if is_leaked && tx.join_tokens().freeze(&*admission.clock, token.uid).await? {
        let company = token.company_uid;
        tracing::warn!(company.uid = %company, %address, "agents.enroll: too many agents wait; join token {} is frozen", token.uid);
        let message = format!(
            "A join token that is over was tried so often that it is frozen, lastly by \"{}\": it may have leaked; make no new \
             one like it, and look at who waits among the unverified agents",
            agent.host_name
        );
        tx.audit()
            .add(&NewAuditRow {
                at: admission.clock.now_ms(),
                address: address.to_string(),
                operation: "AgentEnroll".to_owned(),
                outcome: "Denied",
                organization_uid: Some(company.0),
                object_type: "JoinToken".to_owned(),
                object_uid: Some(token.uid.0),
                message,
                ..NewAuditRow::default()
            })
            .await?;
    }
    tx.commit().await
}
