//! `PATCH …/jobs/{jobUid}`: `/isEnabled` holds a job or lets it go on, `/status` starts (`Running`) or stops (`Idle`) it. Both are
//! orders to the server's agent: the answer shows the job on its way there, and as it is once the server says so.

use serde_json::Value;
use uuid::Uuid;

use super::act;
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::order;
use crate::api::patch::JsonPatch;
use crate::model::CommandKind;
use crate::store::{JOBS, Tx};

/// Has a job do what the patched document says.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("jobUid")?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &JOBS, uid, &steps, &[]).await?;
    let enabled = patched.changed("isEnabled").and_then(Value::as_bool);
    let status = patched.changed("status").and_then(Value::as_str).map(str::to_owned);
    let before = patched.before.clone();
    let mut told = false;
    if let Some(enabled) = enabled {
        told |= set_enabled(&mut change, &mut tx, uid, &before, enabled).await?;
    }
    if let Some(status) = status {
        act::tell(&mut change, &mut tx, uid, &before, wanted(&status)?).await?;
        told = true;
    }
    if told {
        change.commit(tx).await?;
    }
    change.reply(&JOBS, uid).await
}

/// Which order leads to a status.
fn wanted(status: &str) -> Result<CommandKind, ApiError> {
    match status {
        "Running" | "Starting" => Ok(CommandKind::JobStart),
        "Idle" | "Stopping" | "None" => Ok(CommandKind::JobStop),
        other => Err(ApiError::property(
            "/status",
            format!("status cannot be set to {other}; Running starts the job, Idle stops it"),
        )),
    }
}

async fn set_enabled(
    change: &mut Change,
    tx: &mut Tx,
    uid: Uuid,
    before: &Value,
    enabled: bool,
) -> Result<bool, ApiError> {
    let (kind, opposite) = if enabled {
        (CommandKind::JobEnable, CommandKind::JobDisable)
    } else {
        (CommandKind::JobDisable, CommandKind::JobEnable)
    };
    let open = order::open(tx, uid, &[kind, opposite]).await?;
    if open.first().is_some_and(|last| last.kind == kind.name()) {
        return Ok(false);
    }
    act::tell(change, tx, uid, before, kind).await?;
    Ok(true)
}
