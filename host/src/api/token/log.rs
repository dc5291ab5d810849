//! Who came in, who did not, and who acts for whom: rows of the activity log. A name that no user has is not written down:
//! people type passwords into the wrong field.

use std::net::IpAddr;

use crate::api::ApiState;
use crate::id::UserUid;
use crate::model::User;
use crate::store::{NewAuditRow, StoreError, Tx};

/// Something that happened at the door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'e> {
    /// From where.
    pub(crate) address: IpAddr,
    /// Through which operation.
    pub(crate) operation: &'static str,
    /// Whom it is about; absent: nobody known.
    pub(crate) user: Option<&'e User>,
    /// Who acts in their place.
    pub(crate) actor: Option<UserUid>,
    /// Whether it was allowed.
    pub(crate) allowed: bool,
    /// For people.
    pub(crate) message: &'e str,
}

/// Writes it down.
pub(crate) async fn note(state: &ApiState, tx: &mut Tx, event: Event<'_>) -> Result<(), StoreError> {
    let row = NewAuditRow {
        at: state.clock().now_ms(),
        user_uid: event.user.map(|user| user.uid.0),
        user_name: event.user.map(|user| user.name.clone()).unwrap_or_default(),
        actor_uid: event.actor.map(|actor| actor.0),
        address: event.address.to_string(),
        operation: event.operation.to_owned(),
        outcome: if event.allowed { "Succeeded" } else { "Denied" },
        organization_uid: event.user.map(|user| user.organization_uid),
        object_type: "User".to_owned(),
        object_uid: event.user.map(|user| user.uid.0),
        object_name: event.user.map(|user| user.name.clone()).unwrap_or_default(),
        message: event.message.to_owned(),
        before: None,
        after: None,
    };
    tx.audit().add(&row).await
}
