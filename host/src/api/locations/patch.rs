//! `PATCH /organizations/locations/{locationUid}`.

use super::must_be_free;
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::JsonPatch;
use crate::id::LocationUid;
use crate::store::LOCATIONS;

/// Changes a location's name and the threshold for its storage.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("locationUid")?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &LOCATIONS, uid, &steps, &[]).await?;
    let name = patched.text("name").to_owned();
    let location = tx.locations().get(LocationUid(uid)).await?;
    let location = location.ok_or_else(|| ApiError::absent(LOCATIONS.name, uid))?;
    if patched.changed("name").is_some() {
        tx.locations().hold(location.company_uid).await?;
        must_be_free(&mut tx, location.company_uid, &name, Some(location.uid)).await?;
    }
    change.write(&mut tx, uid, &patched, &name, Some(location.company_uid.0)).await?;
    change.commit(tx).await?;
    change.reply(&LOCATIONS, uid).await
}
