//! Protected workloads.

use super::list::{Kind, ListQuery, Page, Property, Resource, compile};
use super::{StoreError, Tx, on, statements};
use crate::id::{AgentUid, WorkloadUid};
use crate::model::{Scope, Workload};

statements! {
    REMOVE_GONE = "DELETE FROM workloads WHERE uid = $1 AND gone_at IS NOT NULL AND revision = $2";
    // The last of a server's workloads takes it along, if the agent's present inventory does not mention it.
    REMOVE_SERVERS = "DELETE FROM backup_servers WHERE agent_uid = $1 \
        AND epoch < (SELECT a.epoch FROM agents a WHERE a.uid = $1) \
        AND NOT EXISTS (SELECT 1 FROM workloads w WHERE w.server_uid = backup_servers.uid)";
}

/// The list of computers managed by the console.
pub static COMPUTERS: Resource = Resource {
    name: "ProtectedComputerManagedByConsole",
    properties: &[
        Property::of("backupAgentUid", Kind::Uuid, "w.uid"),
        Property::of("organizationUid", Kind::Uuid, "w.company_uid"),
        Property::text("name", "w.name", Some("w.name_folded")),
        Property::of("operationMode", Kind::Code(&["Unknown", "Server", "Workstation"]), "w.operation_mode"),
        Property::of("latestRestorePointDate", Kind::Instant, "w.newest_restore_point"),
    ],
    columns: "w.uid, w.server_uid, w.agent_uid, w.company_uid, a.location_uid, w.name, w.kind, w.operation_mode, \
        w.backed_up_items, w.first_seen, w.newest_restore_point, w.restore_points, w.gone_at, w.revision",
    from: "workloads w JOIN agents a ON a.uid = w.agent_uid WHERE w.kind = 'computer' AND w.gone_at IS NULL",
    company: Some("w.company_uid"),
    id: "w.uid",
};

/// Workloads, seen through a transaction.
#[derive(Debug)]
pub struct Workloads<'t>(pub(super) &'t mut Tx);

impl Workloads<'_> {
    /// A page of computers.
    pub async fn list(&mut self, scope: &Scope, query: &ListQuery) -> Result<Page<Workload>, StoreError> {
        compile::run(self.0, &COMPUTERS, scope, query).await
    }

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
