//! What the users of a company or a reseller may do with jobs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Input};
use crate::api::contract;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::CompanyUid;
use crate::model::Scope;
use crate::store::{ENTITY_PERMISSIONS, Tx};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().get("GetEntityPermissions", &ENTITY_PERMISSIONS).add("PatchEntityPermissions", patch)
}

/// Everything that can be granted: what a reseller has until the provider says otherwise. A JSON array.
pub(crate) fn all_claims() -> String {
    json!(contract::words(ENTITY_PERMISSIONS.name, "claims")).to_string()
}

/// What the users of a caller's organisation may do with jobs; none: all, which the provider's may.
pub(crate) async fn of_scope(tx: &mut Tx, scope: Scope) -> Result<Option<Vec<String>>, ApiError> {
    match (scope.reseller(), scope.company()) {
        (Some(reseller), _) => own(tx, reseller.0).await.map(Some),
        (None, Some(company)) => of_company(tx, company).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// What a company's users may do: what was granted to it, and to the reseller that it has.
pub(crate) async fn of_company(tx: &mut Tx, company: CompanyUid) -> Result<Vec<String>, ApiError> {
    let mut claims = own(tx, company.0).await?;
    if let Some(reseller) = tx.companies().get(company).await?.and_then(|company| company.reseller_uid) {
        let above = own(tx, reseller.0).await?;
        claims.retain(|claim| above.contains(claim));
    }
    Ok(claims)
}

/// What was granted to an organisation itself.
pub(crate) async fn own(tx: &mut Tx, organization: Uuid) -> Result<Vec<String>, ApiError> {
    let claims = tx.hosted().claims(organization).await?.unwrap_or_default();
    serde_json::from_str(&claims).map_err(ApiError::internal)
}

/// Changes what they may do. A reseller grants its companies no more than it has itself, and itself nothing.
async fn patch(mut change: Change, Input(steps): Input<Vec<JsonPatch>>) -> Result<Rendered, ApiError> {
    let uid = change.ask.object()?.1;
    let mut tx = change.begin().await?;
    let mut patched = change.patched(&mut tx, &ENTITY_PERMISSIONS, uid, &steps, &[]).await?;
    once_each(&mut patched);
    if let Some(reseller) = change.ask.caller.scope.reseller() {
        if reseller.0 == uid {
            return Err(ApiError::forbidden(
                "a reseller does not change its own permissions; ask the provider",
            ));
        }
        must_have(&mut tx, reseller.0, &claims(&patched)).await?;
    }
    let name = tx.organizations().name(uid).await?.unwrap_or_default();
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    change.commit(tx).await?;
    change.reply(&ENTITY_PERMISSIONS, uid).await
}

fn claims(patched: &Patched) -> Vec<String> {
    let claims = patched.after.get("claims").and_then(Value::as_array).into_iter().flatten();
    claims.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn once_each(patched: &mut Patched) {
    let mut kept: Vec<Value> = Vec::new();
    if let Some(Value::Array(claims)) = patched.after.get_mut("claims") {
        for claim in claims.drain(..) {
            if !kept.contains(&claim) {
                kept.push(claim);
            }
        }
        *claims = kept;
    }
}

async fn must_have(tx: &mut Tx, reseller: Uuid, granted: &[String]) -> Result<(), ApiError> {
    let own = own(tx, reseller).await?;
    match granted.iter().find(|claim| !own.contains(claim)) {
        None => Ok(()),
        Some(claim) => {
            let message =
                format!("claims: {claim} is not among your own permissions, so you cannot grant it");
            Err(ApiError::property("claims", message))
        }
    }
}
