//! Most of what an agent protects is gone at once: a repository that was wiped or is not mounted, a server that was set back, or a
//! customer who cleaned up. Nobody can tell these apart by one inventory, so what is gone is held for a day, and the activity log says
//! so. Then the agent is asked for everything once more; what it does not mention again is no more.

use super::super::{NewAuditRow, StoreError, Tx, on, statements};
use crate::clock::{Clock, DAY, HOUR};
use crate::id::{AgentUid, CommandUid};
use crate::model::{CommandKind, NewCommand};

/// Fewer workloads than this may go at once.
const LEAST: i64 = 20;
/// For how long they are held.
const HELD: i64 = DAY;

statements! {
    MISSING = "SELECT count(CASE WHEN epoch < $2 THEN 1 END), count(*) FROM workloads WHERE agent_uid = $1 AND gone_at IS NULL";
    SINCE = "SELECT vanished_at, host_name FROM agents WHERE uid = $1";
    HOLD = "UPDATE agents SET vanished_at = $2 WHERE uid = $1";
    OVER = "SELECT uid, vanished_at FROM agents WHERE vanished_at <= $1 ORDER BY uid";
}

/// Whether what an inventory of this epoch does not mention is held for now.
pub(super) async fn is_held(tx: &mut Tx, now: i64, source: &super::Source) -> Result<bool, StoreError> {
    let (missing, all): (i64, i64) =
        on!(tx, db => sqlx::query_as(MISSING).bind(source.agent).bind(source.epoch).fetch_one(db).await?);
    let (since, host_name): (Option<i64>, String) =
        on!(tx, db => sqlx::query_as(SINCE).bind(source.agent).fetch_one(db).await?);
    let is_mass = missing >= LEAST && missing.saturating_mul(2) > all;
    let is_confirmed = since.is_some_and(|since| since <= now.saturating_sub(HELD));
    let is_held = is_mass && !is_confirmed;
    let until_now = if is_held { since.or(Some(now)) } else { None };
    if until_now != since {
        on!(tx, db => sqlx::query(HOLD).bind(source.agent).bind(until_now).execute(db).await?.rows_affected());
    }
    if is_held && since.is_none() {
        let row = suspicion(now, source, host_name, (missing, all));
        tracing::warn!(agent.uid = %source.agent, "agents.inventory: {}", row.message);
        tx.audit().add(&row).await?;
    }
    Ok(is_held)
}

fn suspicion(now: i64, source: &super::Source, host_name: String, (missing, all): (i64, i64)) -> NewAuditRow {
    NewAuditRow {
        at: now,
        operation: "AgentInventory".to_owned(),
        outcome: "Denied",
        organization_uid: Some(source.company.0),
        object_type: "ManagementAgent".to_owned(),
        object_uid: Some(source.agent.0),
        message: format!(
            "{missing} of {all} workloads of the agent on \"{host_name}\" are gone at once. They are held for {} hours; if the agent \
             does not report them then, they are removed",
            HELD / HOUR
        ),
        object_name: host_name,
        ..NewAuditRow::default()
    }
}

/// Asks the agents whose time is over for everything once more; each once a day, until it has answered.
pub(super) async fn ask_again(tx: &mut Tx, clock: &dyn Clock) -> Result<(), StoreError> {
    let now = clock.now_ms();
    let over: Vec<(AgentUid, i64)> =
        on!(tx, db => sqlx::query_as(OVER).bind(now.saturating_sub(HELD)).fetch_all(db).await?);
    for (agent, since) in over {
        let day = now.saturating_sub(since) / DAY;
        let command = NewCommand {
            uid: CommandUid::new(clock),
            agent,
            kind: CommandKind::Collect,
            description: "Look once more for workloads that were gone at once".to_owned(),
            subject: None,
            payload: serde_json::json!({}),
            sealed: None,
            key: Some(format!("vanished:{since}:{day}")),
            deadline: now.saturating_add(DAY),
            user: None,
            operation: "AgentInventory".to_owned(),
        };
        tx.commands().put(clock, &command).await?;
    }
    Ok(())
}
