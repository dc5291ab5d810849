//! `DELETE /organizations/resellers/{resellerUid}`.

use axum::response::Response;
use serde_json::json;

use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::ResellerUid;
use crate::store::RESELLERS;

/// A reseller goes, with its users; one that has companies does not.
pub(super) async fn remove(mut change: Change) -> Result<Response, ApiError> {
    let uid = ResellerUid(change.ask.object()?.1);
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &RESELLERS, uid.0).await?;
    let reseller = tx.resellers().get(uid).await?;
    let reseller = reseller.ok_or_else(|| ApiError::absent(RESELLERS.name, uid))?;
    let companies = tx.removal().companies_of(uid).await?;
    if companies > 0 {
        return Err(ApiError::conflict(format!(
            "\"{}\" has {companies} {}; delete them, or give them to somebody else, first",
            reseller.name,
            if companies == 1 { "company" } else { "companies" }
        )));
    }
    tx.removal().reseller(uid).await?;
    let object = Object { kind: RESELLERS.name, uid: uid.0, name: &reseller.name, organization: Some(uid.0) };
    change.note(&object, Some(&json!({"name": reseller.name, "status": reseller.status})), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}
