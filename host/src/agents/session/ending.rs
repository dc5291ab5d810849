//! How a session ends that the host ends.

use std::time::Duration;

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::super::WAIT;
use super::super::enroll::removed;
use super::Session;
use crate::id;

/// How long a host that stops waits for the batch that a session has under way.
const LAST_BATCH: Duration = Duration::from_secs(5);
/// Agents that come in within a second, on a small machine.
const ARRIVALS: u64 = 1_000;

impl Session {
    /// The host stops, and what this session has under way has had its time.
    pub(super) async fn is_late(&self) {
        self.shared.stopping.cancelled().await;
        tokio::time::sleep(LAST_BATCH).await;
    }

    /// Goodbye, and when to come back: a fleet of thousands is spread over what the next host takes to let it in.
    pub(super) fn stopping(&self) -> Status {
        let span = self.shared.registry.sessions() / ARRIVALS + 1;
        let wait = 1 + u64::from_le_bytes(id::random()) % span;
        let mut told = MetadataMap::new();
        told.insert(WAIT, MetadataValue::from(wait));
        Status::with_metadata(Code::Unavailable, format!("the host stops; come back in {wait} s"), told)
    }

    /// Why the registry ended this session.
    pub(super) fn replaced(&self) -> Status {
        if self.shared.registry.is_expelled(self.agent) {
            return removed();
        }
        Status::aborted("this session is over: another one of this agent has taken over")
    }
}
