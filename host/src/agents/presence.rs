//! Who was heard of: heartbeats are gathered and written together, so that ten thousand agents cost a statement every few
//! seconds, and not a transaction each.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::error::chain;
use crate::id::AgentUid;
use crate::store::StoreError;

/// How often; less often than agents say that they are there it would be late.
const TICK: Duration = Duration::from_secs(5);
/// Agents of one statement.
const AGENTS: usize = 2_000;

/// Runs until the gateway stops.
pub(super) async fn keep(shared: Arc<Shared>) {
    let tick = TICK.min(shared.options.heartbeat / 2);
    while !shared.stopping.is_cancelled() {
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => {}
            () = tokio::time::sleep(tick) => {}
        }
        let mut heard = shared.registry.take_heard();
        // Always in the same order: two who wait for each other's rows would wait for ever.
        heard.sort_unstable();
        for agents in heard.chunks(AGENTS) {
            if let Err(error) = note(&shared, agents).await {
                tracing::warn!(error = chain(&error), "agents.presence: it is noted later who was heard of");
                for agent in agents {
                    shared.registry.hear(*agent);
                }
            }
        }
    }
}

async fn note(shared: &Shared, agents: &[AgentUid]) -> Result<(), StoreError> {
    let known = shared.desk.beat(agents).await?;
    // Removed through another host over the same database, which could not end the session.
    for agent in agents.iter().filter(|agent| !known.contains(agent)) {
        shared.registry.expel(*agent);
    }
    Ok(())
}
