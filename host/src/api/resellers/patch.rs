//! `PATCH /organizations/resellers/{resellerUid}`.

use serde_json::Value;

use super::quota;
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::jobs;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::ResellerUid;
use crate::store::{RESELLERS, Tx};

/// Changes a reseller: its status, services, partner number. Its name is the organisation's.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.object()?.1;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &RESELLERS, uid, &steps, &[]).await?;
    if let Some(word) = patched.changed("status")
        && !matches!(word.as_str(), Some("Active" | "Disabled"))
    {
        return Err(ApiError::property("status", format!("status is set to Active or Disabled, not {word}")));
    }
    quota::check(&patched.after)?;
    let name = patched.text("name").to_owned();
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    set_standing(&change, &mut tx, ResellerUid(uid), &patched).await?;
    change.commit(tx).await?;
    change.reply(&RESELLERS, uid).await
}

/// Its companies stand no better than the reseller; what runs for them ends.
async fn set_standing(
    change: &Change,
    tx: &mut Tx,
    reseller: ResellerUid,
    patched: &Patched,
) -> Result<(), ApiError> {
    let Some(status) = patched.changed("status").and_then(Value::as_str) else { return Ok(()) };
    let clock = change.ask.state.clock();
    for company in tx.standing().active_of(reseller).await? {
        if status == "Disabled" {
            tx.standing().stop(clock, company, "The company's reseller was disabled.").await?;
            jobs::stop_all(change, tx, company).await?;
        } else {
            tx.standing().resume(clock, company).await?;
        }
    }
    Ok(())
}
