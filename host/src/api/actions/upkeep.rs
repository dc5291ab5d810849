//! What time does to actions: leases of what runs are renewed, what a dead host left behind has failed, and what is old
//! is forgotten. Companies whose agents have left go in the same rounds.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::run::lose;
use crate::api::{ApiState, companies};
use crate::error::chain;
use crate::model::ActionKey;
use crate::store::StoreError;

/// Milliseconds without a sign of life after which an action's host counts as dead.
pub(super) const LEASE: i64 = 9_000;
/// Between two rounds: a host may miss two of them.
const ROUND: Duration = Duration::from_secs(3);

/// Goes its rounds until `shutdown`.
pub(crate) async fn upkeep(state: ApiState, shutdown: CancellationToken) {
    loop {
        if let Err(error) = round(&state).await {
            tracing::warn!(error = chain(&error), "cannot look after the actions; trying again");
        }
        if let Err(error) = companies::release(&state).await {
            tracing::warn!(
                error = chain(&error),
                "cannot take out companies whose agents have left; trying again"
            );
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Looks first, and writes only if there is something to write.
pub(crate) async fn round(state: &ApiState) -> Result<(), StoreError> {
    let clock = state.clock();
    let mine = state.actions().keys();
    if !mine.is_empty() {
        let lease_until = clock.now_ms().saturating_add(LEASE);
        let mut tx = state.store().write().await?;
        for key in &mine {
            tx.actions().renew(*key, lease_until).await?;
        }
        tx.commit().await?;
    }
    let mut tx = state.store().read().await?;
    let lost = tx.actions().lost(clock).await?;
    let has_expired = tx.actions().has_expired(clock).await?;
    drop(tx);
    let lost: Vec<ActionKey> =
        lost.iter().map(crate::model::Action::key).filter(|key| !mine.contains(key)).collect();
    if !lost.is_empty() {
        tracing::warn!(
            actions = lost.len(),
            "actions were left behind by a host that died; they have failed"
        );
        lose(state, &lost).await?;
    }
    if has_expired {
        let mut tx = state.store().write().await?;
        tx.actions().prune(clock).await?;
        tx.commit().await?;
    }
    Ok(())
}
