//! Telling an agent to do something: a row of the outbox, in the transaction of the change that asks for it. Whether the agent is
//! there does not matter: the command waits until its deadline.

use serde_json::Value;
use uuid::Uuid;

use crate::api::change::Change;
use crate::api::error::ApiError;
use crate::clock::{DAY, HOUR};
use crate::id::{AgentUid, CommandUid};
use crate::model::{Command, CommandKind, NewCommand};
use crate::store::Tx;

/// What an agent is to do.
#[derive(Debug)]
pub(crate) struct Order {
    /// Who.
    pub(crate) agent: AgentUid,
    /// What.
    pub(crate) kind: CommandKind,
    /// With what.
    pub(crate) subject: Uuid,
    /// For people.
    pub(crate) description: String,
    /// What the agent needs to know.
    pub(crate) payload: Value,
}

/// What somebody wants now is of no use tomorrow; what only puts things right is.
fn patience(kind: CommandKind) -> i64 {
    match kind {
        CommandKind::JobStart | CommandKind::JobStop | CommandKind::JobRetry | CommandKind::AgentRestart => {
            HOUR
        }
        _ => DAY,
    }
}

/// Writes a command into the outbox.
pub(crate) async fn place(change: &Change, tx: &mut Tx, order: Order) -> Result<CommandUid, ApiError> {
    let ask = &change.ask;
    let clock = ask.state.clock();
    let uid = CommandUid::new(clock);
    let command = NewCommand {
        uid,
        agent: order.agent,
        kind: order.kind,
        description: order.description,
        subject: Some(order.subject),
        payload: order.payload,
        sealed: None,
        key: None,
        deadline: clock.now_ms().saturating_add(patience(order.kind)),
        user: Some(ask.caller.uid),
        operation: ask.operation.id.to_owned(),
    };
    tx.commands().put(clock, &command).await?;
    Ok(uid)
}

/// What an agent was told to do with something and has not done yet, the newest first.
pub(crate) async fn open(
    tx: &mut Tx,
    subject: Uuid,
    kinds: &[CommandKind],
) -> Result<Vec<Command>, ApiError> {
    let mut open = tx.commands().open_about(subject).await?;
    open.retain(|command| kinds.iter().any(|kind| kind.name() == command.kind));
    open.reverse();
    Ok(open)
}
