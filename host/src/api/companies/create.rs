//! `POST /organizations/companies`.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::owner::{self, OwnerCredentials};
use super::services;
use crate::api::change::{Change, Input, Object};
use crate::api::contract;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::organizations::name_country;
use crate::api::patch::Patched;
use crate::api::permissions;
use crate::id::{CompanyUid, ResellerUid};
use crate::model::{NewCompany, NewOrganization, NewUser, OrganizationKind, Role, Scope};
use crate::store::{COMPANIES, RESELLERS, Tx};

/// A company to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompanyInput {
    organization_input: NewOrganization,
    owner_credentials: OwnerCredentials,
    #[serde(default)]
    company_services: Option<Value>,
    #[serde(default)]
    is_alarm_detect_enabled: bool,
    #[serde(default)]
    is_rest_access_enabled: bool,
    #[serde(default)]
    reseller_uid: Option<Uuid>,
    #[serde(default)]
    subscription_plan_uid: Option<Uuid>,
}

/// Makes a company, its locations and its owner.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<CompanyInput>,
) -> Result<Rendered, ApiError> {
    let password_hash = input.owner_credentials.hash(&change).await?;
    let mut tx = change.begin().await?;
    let name = input.organization_input.name.clone();
    let owner = input.owner_credentials.user_name.clone();
    if tx.organizations().named(OrganizationKind::Company, &name).await?.is_some() {
        let message = format!("the name \"{name}\" cannot be given to a company; choose another one");
        return Err(ApiError::conflict(message));
    }
    owner::must_be_free(&mut tx, &owner).await?;
    let uid = store(&change, &mut tx, input, password_hash).await?;
    let object = Object { kind: COMPANIES.name, uid: uid.0, name: &name, organization: Some(uid.0) };
    change.note(&object, None, Some(&json!({"name": name, "owner": owner})));
    change.commit(tx).await?;
    change.reply(&COMPANIES, uid.0).await
}

async fn store(
    change: &Change,
    tx: &mut Tx,
    input: CompanyInput,
    password_hash: String,
) -> Result<CompanyUid, ApiError> {
    let clock = change.ask.state.clock();
    let owner = input.owner_credentials.user_name;
    must_have_no_plan(input.subscription_plan_uid)?;
    let new = NewCompany {
        organization: name_country(input.organization_input)?,
        alarm_detect_enabled: input.is_alarm_detect_enabled,
        rest_access_enabled: input.is_rest_access_enabled,
        owner_name: owner.clone(),
        reseller_uid: reseller(change, tx, input.reseller_uid).await?,
        subscription_plan_uid: None,
    };
    let uid = tx.companies().create(clock, &new).await?;
    let asked = json!({"companyServices": input.company_services.unwrap_or_else(|| json!({}))});
    let mut made = asked.clone();
    contract::fill(COMPANIES.name, &mut made);
    services::of_new(tx, new.reseller_uid, &asked, &mut made).await?;
    if new.reseller_uid.is_some() {
        let claims = permissions::of_company(tx, uid).await?;
        tx.hosted().grant(uid.0, &json!(claims).to_string()).await?;
    }
    tx.assign(&COMPANIES, uid.0, &Patched::below(&COMPANIES, "companyServices", &made)?).await?;
    let role = Role::CompanyOwner;
    tx.users().create(clock, &NewUser { organization_uid: uid.0, name: owner, role, password_hash }).await?;
    see(change, tx, uid).await?;
    Ok(uid)
}

/// There are no plans before there is billing, so a company is on none.
pub(super) fn must_have_no_plan(plan: Option<Uuid>) -> Result<(), ApiError> {
    const PLAN: &str = "subscriptionPlanUid";
    match plan {
        None => Ok(()),
        Some(plan) => Err(ApiError::property(PLAN, format!("{PLAN}: there is no subscription plan {plan}"))),
    }
}

/// Whose company it will be: a reseller's own callers make their own companies only.
async fn reseller(
    change: &Change,
    tx: &mut Tx,
    asked: Option<Uuid>,
) -> Result<Option<ResellerUid>, ApiError> {
    let asked = asked.or(change.ask.caller.scope.reseller().map(|own| own.0));
    if let Some(uid) = asked {
        change.ask.must_see(tx, &RESELLERS, uid).await?;
    }
    Ok(asked.map(ResellerUid))
}

/// A site administrator sees what has something at their sites, so a company that they make does.
async fn see(change: &Change, tx: &mut Tx, company: CompanyUid) -> Result<(), ApiError> {
    let Scope::Site(user) = change.ask.caller.scope else { return Ok(()) };
    if tx.organization_sites().add_those_of(company.0, user).await? > 0 {
        return Ok(());
    }
    Err(ApiError::conflict(
        "you look after no site, so you would not see the company that you make; have a site assigned to you first",
    ))
}
