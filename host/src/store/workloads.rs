//! Protected workloads.

use std::collections::BTreeSet;

use super::bulk::{BulkStatement, Column, Type};
use super::{StoreError, Tx, on, statements};
use crate::id::{AgentUid, WorkloadUid};

const REMOVE_GONE: BulkStatement = BulkStatement {
    name: "store::workloads::REMOVE_GONE",
    fixed: &[],
    columns: &[("uid", Type::Uuid), ("revision", Type::Int)],
    // One that a session is changing right now is left to it, not waited for: it marks what it changed as due, which whoever
    // removes has settled and holds.
    text: "DELETE FROM workloads WHERE uid IN (SELECT x.uid FROM input JOIN workloads x ON x.uid = input.uid \
        JOIN workload_marks m ON m.uid = x.uid AND m.revision = input.revision \
        WHERE x.gone_at IS NOT NULL {skip locked x}) AND gone_at IS NOT NULL",
};

pub(super) const BULK: &[BulkStatement] = &[REMOVE_GONE];

statements! {
    // The last of a server's workloads takes it along, if the agent's present inventory does not mention it.
    REMOVE_SERVERS = "DELETE FROM backup_servers WHERE agent_uid = $1 \
        AND epoch < (SELECT a.epoch FROM agents a WHERE a.uid = $1) \
        AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.server_uid = backup_servers.uid)";
}

/// A workload that its agent no longer reports, as it was when it was looked at.
#[derive(Debug, Clone, Copy)]
pub struct GoneWorkload {
    /// Whose.
    pub agent: AgentUid,
    /// Which.
    pub uid: WorkloadUid,
    /// Then.
    pub revision: i64,
}

/// Workloads, seen through a transaction.
#[derive(Debug)]
pub struct Workloads<'t>(pub(super) &'t mut Tx);

impl Workloads<'_> {
    /// Removes workloads, unless they came back since.
    pub async fn remove_gone(&mut self, gone: &[GoneWorkload]) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        let uids = gone.iter().map(|one| one.uid.0).collect();
        let revisions = gone.iter().map(|one| one.revision).collect();
        REMOVE_GONE.execute(self.0, &[], &[Column::Uuid(uids), Column::Int(revisions)]).await?;
        let agents: BTreeSet<_> = gone.iter().map(|one| one.agent.0).collect();
        for agent in agents {
            on!(self.0, db => sqlx::query(REMOVE_SERVERS).bind(AgentUid(agent)).execute(db).await?.rows_affected());
        }
        Ok(())
    }
}
