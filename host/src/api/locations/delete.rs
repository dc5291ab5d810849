//! `DELETE /organizations/locations/{locationUid}`.

use axum::response::Response;
use serde_json::json;

use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::LocationUid;
use crate::store::{LOCATIONS, LocationRow, Tx};

/// The API's number for a company's last location.
const LAST_LOCATION: u16 = 1500;

/// Deletes a location; what stands there moves to the company's default one. Where the default one goes, another takes its
/// place; the last one stays.
pub(super) async fn delete(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("locationUid")?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &LOCATIONS, uid).await?;
    let location = held(&mut tx, LocationUid(uid)).await?;
    let successor = tx.locations().successor(&location).await?;
    let successor = successor.ok_or_else(|| {
        let message = "this is the company's last location and cannot be deleted; create another one first";
        ApiError::conflict(message).coded(LAST_LOCATION)
    })?;
    tx.locations().merge(&location, successor.uid).await?;
    let organization = Some(location.company_uid.0);
    let object = Object { kind: LOCATIONS.name, uid, name: &location.name, organization };
    change.note(&object, Some(&json!({ "name": location.name, "movedTo": successor.name })), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// The location as it is once nobody else changes the company's.
async fn held(tx: &mut Tx, uid: LocationUid) -> Result<LocationRow, ApiError> {
    let absent = || ApiError::absent(LOCATIONS.name, uid);
    let company = tx.locations().get(uid).await?.ok_or_else(absent)?.company_uid;
    tx.locations().hold(company).await?;
    tx.locations().get(uid).await?.ok_or_else(absent)
}
