//! What the command line changes stands in the activity log like everything else, written with the change.

use uuid::Uuid;

use crate::clock::{Clock as _, SystemClock};
use crate::store::{NewAuditRow, StoreError, Tx};

/// Whoever may use the data folder; which person that is, the machine knows.
pub(super) const WHO: &str = "command line";

/// What a command made.
#[derive(Debug)]
pub(super) struct Made<'m> {
    /// As it was typed: `user add`.
    pub(super) command: &'m str,
    /// The contract's schema.
    pub(super) kind: &'m str,
    /// Its id; an API key has none.
    pub(super) uid: Option<Uuid>,
    /// Its name, or whose it is.
    pub(super) name: &'m str,
    /// Whose it is.
    pub(super) organization: Uuid,
}

/// Writes it down. Comes last before the commit: others wait for the end of the chain.
pub(super) async fn log(tx: &mut Tx, made: Made<'_>) -> Result<(), StoreError> {
    let Made { command, kind, uid, name, organization } = made;
    let row = NewAuditRow {
        at: SystemClock.now_ms(),
        user_name: WHO.to_owned(),
        address: "local".to_owned(),
        operation: command.to_owned(),
        outcome: "Succeeded",
        organization_uid: Some(organization),
        object_type: kind.to_owned(),
        object_uid: uid,
        object_name: name.to_owned(),
        message: format!("{WHO}: {command} created {kind} \"{name}\""),
        ..NewAuditRow::default()
    };
    tx.audit().add(&row).await
}
