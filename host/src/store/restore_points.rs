//! Restore points.

use super::list::{Kind, ListQuery, Page, Property, Resource, compile};
use super::{StoreError, Tx};
use crate::model::{RestorePoint, Scope};

/// The list of restore points of computers managed by the console.
pub static RESTORE_POINTS: Resource = Resource {
    name: "ProtectedComputerManagedByConsoleRestorePoint",
    properties: &[
        Property::of("instanceUid", Kind::Uuid, "r.uid"),
        Property::of("backupAgentUid", Kind::Uuid, "r.workload_uid"),
        Property::of("creationDate", Kind::Instant, "r.created_at"),
        Property::of("size", Kind::Integer, "r.size"),
        Property::of("sourceSize", Kind::Integer, "r.source_size"),
        Property::text("destination", "r.destination", None),
        Property::text("backedupItems", "w.backed_up_items", None),
    ],
    columns: "r.uid, r.workload_uid, w.company_uid, r.key, r.created_at, r.size, r.source_size, r.destination, \
        w.backed_up_items",
    from: "restore_points r JOIN workloads w ON w.uid = r.workload_uid \
        WHERE w.kind = 'computer' AND w.gone_at IS NULL",
    company: Some("w.company_uid"),
    id: "r.uid",
};

/// Restore points, seen through a transaction.
#[derive(Debug)]
pub struct RestorePoints<'t>(pub(super) &'t mut Tx);

impl RestorePoints<'_> {
    /// A page of restore points.
    pub async fn list(&mut self, scope: &Scope, query: &ListQuery) -> Result<Page<RestorePoint>, StoreError> {
        compile::run(self.0, &RESTORE_POINTS, scope, query).await
    }
}
