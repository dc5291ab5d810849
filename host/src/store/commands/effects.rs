//! The end of a command changes the rows that it was about, in the same transaction: whoever ends one cannot forget it.

use crate::clock::Clock;
use crate::model::{Command, CommandKind};
use crate::store::{StoreError, Tx, cloud};

/// Tells the rows that `command` was about how it ended.
pub(super) async fn apply(tx: &mut Tx, clock: &dyn Clock, command: &Command) -> Result<(), StoreError> {
    // A kind that only a newer host knows is that host's to settle.
    let Ok(kind) = command.kind.parse::<CommandKind>() else { return Ok(()) };
    cloud::settle(tx, clock, kind, command).await
}
