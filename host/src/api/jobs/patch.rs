//! `PATCH …/jobs/{jobUid}`: `/isEnabled` holds a job or lets it go on, `/status` starts (`Running`) or stops (`Idle`) it. Both are
//! orders to the server's agent: the answer shows the job on its way there, and as it is once the server says so.

use serde_json::Value;

use super::act;
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::JsonPatch;
use crate::model::CommandKind;
use crate::store::JOBS;

/// Has a job do what the patched document says.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("jobUid")?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &JOBS, uid, &steps, &[]).await?;
    // What is wanted may be what the server says, and yet not what it was told last.
    let named = steps.iter().any(|step| step.names("/isEnabled"));
    let enabled = patched.after.get("isEnabled").and_then(Value::as_bool).filter(|_| named);
    let status = patched.changed("status").and_then(Value::as_str).map(str::to_owned);
    let before = patched.before.clone();
    let mut told = false;
    if let Some(enabled) = enabled {
        told |= act::turn(&mut change, &mut tx, uid, &before, enabled).await?;
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
