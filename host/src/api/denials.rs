//! Attempts that were refused, for the activity log. They are gathered in memory and written once a second, beside the
//! requests: a refusal costs its asker nothing more than before, and the same one a thousand times in a second is one row
//! that says so.
//!
//! **Crash.** What was gathered in the last second is lost; what the database did not take is kept for the next round.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::request::Parts;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::operations::Operation;
use crate::api::peer::Peer;
use crate::error::chain;
use crate::id::UserUid;
use crate::model::User;
use crate::store::{NewAuditRow, StoreError};

/// Different ones that are remembered between two rounds; the rest is only counted.
const CAPACITY: usize = 1_000;
/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);

/// A refusal of somebody known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Denial {
    /// Who.
    pub(crate) user: UserUid,
    /// Their name.
    pub(crate) name: String,
    /// Who acted in their place.
    pub(crate) actor: Option<UserUid>,
    /// Their organisation.
    pub(crate) organization: Option<Uuid>,
    /// From where.
    pub(crate) address: IpAddr,
    /// What they asked for.
    pub(crate) operation: &'static str,
    /// Of what.
    pub(crate) object: Option<Uuid>,
    /// Why not.
    pub(crate) reason: String,
}

/// Refusals that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    counts: HashMap<Denial, Noted>,
    /// Beyond what is remembered.
    more: u64,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    first: i64,
    times: u64,
}

impl Denial {
    /// Of a request whose caller is known; why not is still to be said.
    pub(crate) fn of(caller: &Caller, operation: &Operation, parts: &Parts) -> Self {
        let scope = caller.scope;
        let organization = scope.company().map(|uid| uid.0).or(scope.reseller().map(|uid| uid.0));
        Self::new((caller.uid, caller.name.clone(), organization), caller.actor, operation.id, parts)
    }

    /// Of a request whose caller proved who they are, and was not let in.
    pub(crate) fn of_user(user: &User, operation: &'static str, parts: &Parts) -> Self {
        Self::new((user.uid, user.name.clone(), Some(user.organization_uid)), None, operation, parts)
    }

    fn new(
        (user, name, organization): (UserUid, String, Option<Uuid>),
        actor: Option<UserUid>,
        operation: &'static str,
        parts: &Parts,
    ) -> Self {
        let address = parts.extensions.get().map(|Peer(address)| *address);
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let object = parts.uri.path().rsplit('/').find_map(|step| step.parse().ok());
        Self { user, name, actor, organization, address, operation, object, reason: String::new() }
    }

    /// With the reason.
    pub(crate) fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }
}

impl Denials {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers one.
    pub(crate) fn note(&self, denial: Denial, now: i64) {
        self.put(denial, Noted { first: now, times: 1 });
    }

    fn put(&self, denial: Denial, noted: Noted) {
        let mut gathered = self.gathered();
        let is_full = gathered.counts.len() >= CAPACITY;
        if let Some(known) = gathered.counts.get_mut(&denial) {
            known.times = known.times.saturating_add(noted.times);
        } else if is_full {
            gathered.more = gathered.more.saturating_add(noted.times);
        } else {
            gathered.counts.insert(denial, noted);
        }
    }
}

/// Writes what was gathered, until `shutdown` and once more.
pub(crate) async fn keep_writing(state: ApiState, shutdown: CancellationToken) {
    loop {
        let is_last = tokio::select! {
            () = shutdown.cancelled() => true,
            () = tokio::time::sleep(ROUND) => false,
        };
        if let Err(error) = write(&state).await {
            tracing::warn!(error = chain(&error), "cannot write refusals to the activity log; trying again");
        }
        if is_last {
            return;
        }
    }
}

/// One round.
pub(super) async fn write(state: &ApiState) -> Result<(), StoreError> {
    let Gathered { counts, more } = std::mem::take(&mut *state.denials().gathered());
    if counts.is_empty() && more == 0 {
        return Ok(());
    }
    let mut noted: Vec<_> = counts.into_iter().collect();
    noted.sort_by_key(|(_, noted)| noted.first);
    let written = rows(state, &noted, more).await;
    if written.is_err() {
        for (denial, noted) in noted {
            state.denials().put(denial, noted);
        }
        state.denials().gathered().more += more;
    }
    written
}

async fn rows(state: &ApiState, noted: &[(Denial, Noted)], more: u64) -> Result<(), StoreError> {
    let provider = state.installation().uid;
    let mut tx = state.store().write().await?;
    for (denial, noted) in noted {
        tx.audit().add(&row(denial, *noted, provider)).await?;
    }
    if more > 0 {
        let message = format!("{more} more attempts were denied; the host's log has them");
        let (at, outcome) = (state.clock().now_ms(), "Denied");
        tx.audit().add(&NewAuditRow { at, outcome, message, ..NewAuditRow::default() }).await?;
    }
    tx.commit().await
}

fn row(denial: &Denial, noted: Noted, provider: Uuid) -> NewAuditRow {
    let Denial { name, operation, reason, .. } = denial;
    let times = if noted.times > 1 { format!(" ({} times)", noted.times) } else { String::new() };
    NewAuditRow {
        at: noted.first,
        user_uid: Some(denial.user.0),
        user_name: name.clone(),
        actor_uid: denial.actor.map(|actor| actor.0),
        address: denial.address.to_string(),
        operation: (*operation).to_owned(),
        outcome: "Denied",
        organization_uid: denial.organization.or(Some(provider)),
        object_uid: denial.object,
        message: format!("{name} was denied {operation}{times}: {reason}"),
        ..NewAuditRow::default()
    }
}
