//! Who did it, for the activity log.

use uuid::Uuid;

use super::plugin_uid;
use crate::store::{InstalledPlugin, NewAuditRow, StoreError, Tx};

/// Whoever asks for a change: the part of the activity log's row that says who, from where and by which operation.
#[derive(Debug, Clone)]
pub struct Actor {
    row: NewAuditRow,
}

impl Actor {
    /// `row` without its object and its message.
    pub fn new(row: NewAuditRow) -> Self {
        Self { row }
    }

    /// The host itself.
    pub(in crate::plugins) fn host(at: i64, operation: &str, provider: Option<Uuid>) -> Self {
        Self::new(NewAuditRow {
            at,
            user_name: "Keelson".to_owned(),
            address: "local".to_owned(),
            operation: operation.to_owned(),
            outcome: "Succeeded",
            organization_uid: provider,
            ..NewAuditRow::default()
        })
    }

    /// Writes down what was done to a plugin. Comes last before the commit: others wait for the end of the chain.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        verb: &str,
        plugin: &InstalledPlugin,
    ) -> Result<(), StoreError> {
        let InstalledPlugin { id, version, .. } = plugin;
        let row = NewAuditRow {
            object_type: "PluginInfo".to_owned(),
            object_uid: Some(plugin_uid(id)),
            object_name: id.clone(),
            message: format!("{} {verb} plugin \"{id}\" {version}", self.row.user_name),
            ..self.row.clone()
        };
        tx.audit().add(&row).await
    }
}
