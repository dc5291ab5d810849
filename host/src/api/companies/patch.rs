//! `PATCH /organizations/companies/{companyUid}`.

use serde_json::Value;
use uuid::Uuid;

use super::{create, owner, services};
use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::{CompanyUid, ResellerUid};
use crate::model::Role;
use crate::store::{COMPANIES, RESELLERS, Tx};

/// Changes a company: its status, services, reseller, and its owner's credentials. Its name is the organisation's.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.object()?.1;
    let mut tx = change.ask.state.store().read().await?;
    let seen = change.patched(&mut tx, &COMPANIES, uid, &steps, owner::EXTRA).await?;
    drop(tx);
    let hash = owner::new_hash(&change, &seen).await?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &COMPANIES, uid, &steps, owner::EXTRA).await?;
    must_stay(&patched)?;
    check_reseller(&change, &mut tx, &patched).await?;
    if let Some(plan) = patched.changed("subscriptionPlanUid").and_then(Value::as_str) {
        create::must_have_no_plan(plan.parse().ok())?;
    }
    services::of_patched(&mut tx, reseller_of(&patched.after), &patched).await?;
    owner::follow(&mut change, &mut tx, (uid, Role::CompanyOwner), &patched, hash).await?;
    let name = patched.text("name").to_owned();
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    if patched.changed("resellerUid").is_some() {
        tx.cloud().follow_company(CompanyUid(uid)).await?;
    }
    set_standing(&change, &mut tx, CompanyUid(uid), &patched).await?;
    change.commit(tx).await?;
    change.reply(&COMPANIES, uid).await
}

fn must_stay(patched: &Patched) -> Result<(), ApiError> {
    if patched.before.get("status").and_then(Value::as_str) == Some("Deleting") {
        return Err(ApiError::conflict(
            "this company is being deleted; nothing about it can be changed any more",
        ));
    }
    match patched.changed("status").and_then(Value::as_str) {
        None | Some("Active" | "Disabled") => Ok(()),
        Some(word) => {
            Err(ApiError::property("status", format!("status is set to Active or Disabled, not {word}")))
        }
    }
}

/// A company goes only to a reseller that the caller sees, and a reseller gives none of its own away to nobody.
async fn check_reseller(change: &Change, tx: &mut Tx, patched: &Patched) -> Result<(), ApiError> {
    let Some(given) = patched.changed("resellerUid") else { return Ok(()) };
    match given.as_str().and_then(|text| Uuid::try_parse(text).ok()) {
        Some(reseller) => change.ask.must_see(tx, &RESELLERS, reseller).await,
        None if change.ask.caller.scope.reseller().is_some() => Err(ApiError::property(
            "resellerUid",
            "resellerUid: a reseller cannot give a company up; ask the provider, or delete it",
        )),
        None => Ok(()),
    }
}

/// A company is looked after while it and its reseller stand well: another status or another reseller may change that.
async fn set_standing(
    change: &Change,
    tx: &mut Tx,
    company: CompanyUid,
    patched: &Patched,
) -> Result<(), ApiError> {
    let clock = change.ask.state.clock();
    let before = is_looked_after(tx, &patched.before).await?;
    match (before, is_looked_after(tx, &patched.after).await?) {
        (true, false) => {
            let why = match patched.changed("status") {
                Some(_) => "The company was disabled.",
                None => "The company was put under a reseller that is disabled.",
            };
            tx.standing().stop(clock, company, why).await?;
        }
        (false, true) => tx.standing().resume(clock, company).await?,
        _ => {}
    }
    Ok(())
}

async fn is_looked_after(tx: &mut Tx, company: &Value) -> Result<bool, ApiError> {
    let text = |name: &str| company.get(name).and_then(Value::as_str);
    if text("status") != Some("Active") {
        return Ok(false);
    }
    let Some(reseller) = reseller_of(company) else { return Ok(true) };
    let reseller = tx.resellers().get(reseller).await?;
    Ok(reseller.is_none_or(|reseller| reseller.status == "Active"))
}

fn reseller_of(company: &Value) -> Option<ResellerUid> {
    company.get("resellerUid").and_then(Value::as_str)?.parse().ok().map(ResellerUid)
}
