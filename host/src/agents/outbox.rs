//! Keeping the outbox: commands whose time is over end, and those that ended long ago are forgotten; so are old sessions of
//! jobs, and suspicions that nothing has confirmed since. Who is to be asked once more for what was gone at once is asked here.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{DAY, SharedClock};
use crate::error::chain;
use crate::store::{SESSIONS_KEPT, Store, StoreError};

/// How often it is looked at. A command waits for hours; a minute more or less is nothing to it.
const TICK: Duration = Duration::from_mins(1);
/// For how long it is shown that two machines used one identity, after it was last seen.
const SUSPICION: i64 = 7 * DAY;
/// For how long it is known what became of a command.
const MEMORY: i64 = 30 * DAY;

/// Runs until `stopping`.
pub async fn keep(store: Store, clock: SharedClock, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        if let Err(error) = round(&store, &clock).await {
            tracing::warn!(error = chain(&error), "outbox.keep: overdue commands stay as they are for now");
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn round(store: &Store, clock: &SharedClock) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    let over = tx.commands().expire(&**clock).await?;
    tx.ingest().ask_for_the_vanished(&**clock).await?;
    let forgotten = tx.commands().prune(clock.now_ms() - MEMORY).await?;
    let sessions = tx.infrastructure().prune_sessions(clock.now_ms() - SESSIONS_KEPT).await?;
    tx.agents().unflag_clones(clock.now_ms() - SUSPICION).await?;
    tx.agents().unflag_misuse(&**clock, clock.now_ms() - SUSPICION).await?;
    tx.commit().await?;
    for command in over {
        tracing::warn!(
            command.uid = %command.uid,
            command.kind,
            agent.uid = %command.agent_uid,
            "outbox.keep: a command was not done in time"
        );
    }
    if forgotten + sessions > 0 {
        tracing::debug!(forgotten, sessions, "outbox.keep: old commands are forgotten");
    }
    Ok(())
}
