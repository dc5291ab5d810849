//! `POST /organizations/companies`.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::token::secret::{Secret, SecretKind};
use crate::id::{CompanyUid, ResellerUid};
use crate::model::{NewCompany, NewOrganization, NewUser, OrganizationKind, Role};
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

/// Who will own it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerCredentials {
    user_name: String,
    /// Without one the owner cannot sign in until a password is set.
    password: Option<String>,
}

impl std::fmt::Debug for OwnerCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnerCredentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Makes a company, its locations and its owner.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<CompanyInput>,
) -> Result<Rendered, ApiError> {
    let password = input.owner_credentials.password.clone();
    // Nobody knows this password, so nobody signs in with it; and it costs the same as any other.
    let password = password.unwrap_or_else(|| Secret::generate(SecretKind::Page).reveal().to_owned());
    let password_hash = change.ask.state.turnstile().enter().await?.hash(password).await?;
    let mut tx = change.begin().await?;
    let name = input.organization_input.name.clone();
    let owner = input.owner_credentials.user_name.clone();
    must_be_free(&mut tx, &name, &owner).await?;
    let uid = store(&change, &mut tx, input, password_hash).await?;
    let object = Object { kind: COMPANIES.name, uid: uid.0, name: &name, organization: Some(uid.0) };
    change.note(&object, None, Some(&json!({"name": name, "owner": owner})));
    change.commit(tx).await?;
    change.reply(&COMPANIES, uid.0).await
}

async fn must_be_free(tx: &mut Tx, name: &str, owner: &str) -> Result<(), ApiError> {
    if tx.organizations().named(OrganizationKind::Company, name).await?.is_some() {
        let message = format!("a company named \"{name}\" exists already; choose another name");
        return Err(ApiError::conflict(message));
    }
    if tx.users().by_name(owner).await?.is_some() {
        let message = format!("a user named \"{owner}\" exists already; choose another name for the owner");
        return Err(ApiError::conflict(message));
    }
    Ok(())
}

async fn store(
    change: &Change,
    tx: &mut Tx,
    input: CompanyInput,
    password_hash: String,
) -> Result<CompanyUid, ApiError> {
    let clock = change.ask.state.clock();
    let owner = input.owner_credentials.user_name;
    let new = NewCompany {
        organization: input.organization_input,
        alarm_detect_enabled: input.is_alarm_detect_enabled,
        rest_access_enabled: input.is_rest_access_enabled,
        owner_name: owner.clone(),
        reseller_uid: reseller(change, tx, input.reseller_uid).await?,
        subscription_plan_uid: input.subscription_plan_uid,
        services: input.company_services.unwrap_or_else(|| json!({})).to_string(),
    };
    let uid = tx.companies().create(clock, &new).await?;
    let role = Role::CompanyOwner;
    tx.users().create(clock, &NewUser { organization_uid: uid.0, name: owner, role, password_hash }).await?;
    Ok(uid)
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
