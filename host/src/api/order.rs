//! Telling an agent to do something: a row of the outbox, in the transaction of the change that asks for it. Whether the agent is
//! there does not matter: the command waits until its deadline.

use keelson_proto::policy::{self, Asked, Provider};
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

/// Refuses what a provider's Cloud Connect server is not to do. The agent keeps the same rules; here who asks hears of them.
async fn must_be_allowed(tx: &mut Tx, order: &Order) -> Result<(), ApiError> {
    let command = order.kind.name();
    if !policy::concerns(command) {
        return Ok(());
    }
    let server = tx.infrastructure().role(order.agent).await?.unwrap_or_default();
    let job = match order.kind {
        CommandKind::JobStart | CommandKind::JobRetry => tx.infrastructure().job(order.subject).await?,
        _ => None,
    };
    let asked = Asked {
        command,
        cloud_connect: server.cloud_connect,
        enterprise: server.enterprise,
        job: job.as_ref().map(|job| job.kind.as_str()).unwrap_or_default(),
        public_cloud: job.as_ref().is_some_and(|job| job.public_cloud),
        // Workloads that the host knows are those of the server's own jobs; tenants' backups are none.
        own_backup: true,
        provider: Provider::Other,
    };
    match policy::forbidden(&asked) {
        Some(rule) => Err(ApiError::conflict(format!("{} is refused: {rule}", order.description))),
        None => Ok(()),
    }
}

/// Writes a command into the outbox.
pub(crate) async fn place(change: &Change, tx: &mut Tx, order: Order) -> Result<CommandUid, ApiError> {
    must_be_allowed(tx, &order).await?;
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
