//! Protected workloads.

use super::{StoreError, Tx, on, statements};
use crate::id::{AgentUid, WorkloadUid};

statements! {
    REMOVE_GONE = "DELETE FROM workloads WHERE uid = $1 AND gone_at IS NOT NULL AND revision = $2";
    // The last of a server's workloads takes it along, if the agent's present inventory does not mention it.
    REMOVE_SERVERS = "DELETE FROM backup_servers WHERE agent_uid = $1 \
        AND epoch < (SELECT a.epoch FROM agents a WHERE a.uid = $1) \
        AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.server_uid = backup_servers.uid)";
}

/// Workloads, seen through a transaction.
#[derive(Debug)]
pub struct Workloads<'t>(pub(super) &'t mut Tx);

impl Workloads<'_> {
    /// Removes a workload that its agent no longer reports, unless it came back since.
    pub async fn remove_gone(
        &mut self,
        agent: AgentUid,
        uid: WorkloadUid,
        revision: i64,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REMOVE_GONE).bind(uid).bind(revision).execute(db).await?.rows_affected());
        on!(self.0, db => sqlx::query(REMOVE_SERVERS).bind(agent).execute(db).await?.rows_affected());
        Ok(())
    }
}
