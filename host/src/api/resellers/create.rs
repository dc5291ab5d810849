//! `POST /organizations/resellers`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::quota;
use crate::api::all_claims;
use crate::api::change::{Change, Input, Object};
use crate::api::companies::owner::{self, OwnerCredentials};
use crate::api::contract;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::organizations::name_country;
use crate::api::patch::Patched;
use crate::id::ResellerUid;
use crate::model::{NewOrganization, NewReseller, NewUser, OrganizationKind, Role};
use crate::store::{RESELLERS, Tx};

/// A reseller to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResellerInput {
    organization_input: NewOrganization,
    owner_credentials: OwnerCredentials,
    #[serde(default)]
    reseller_services: Option<Value>,
    #[serde(default)]
    is_rest_access_enabled: bool,
    #[serde(default)]
    pro_partner_id: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// Makes a reseller and its owner.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<ResellerInput>,
) -> Result<Rendered, ApiError> {
    let password_hash = input.owner_credentials.hash(&change).await?;
    let mut tx = change.begin().await?;
    let name = input.organization_input.name.clone();
    let owner = input.owner_credentials.user_name.clone();
    if tx.organizations().named(OrganizationKind::Reseller, &name).await?.is_some() {
        let message = format!("a reseller named \"{name}\" exists already; choose another name");
        return Err(ApiError::conflict(message));
    }
    owner::must_be_free(&mut tx, &owner).await?;
    let uid = store(&change, &mut tx, input, password_hash).await?;
    let object = Object { kind: RESELLERS.name, uid: uid.0, name: &name, organization: Some(uid.0) };
    change.note(&object, None, Some(&json!({"name": name, "owner": owner})));
    change.commit(tx).await?;
    change.reply(&RESELLERS, uid.0).await
}

async fn store(
    change: &Change,
    tx: &mut Tx,
    input: ResellerInput,
    password_hash: String,
) -> Result<ResellerUid, ApiError> {
    let clock = change.ask.state.clock();
    let owner = input.owner_credentials.user_name;
    let new = NewReseller {
        organization: name_country(input.organization_input)?,
        rest_access_enabled: input.is_rest_access_enabled,
        owner_name: owner.clone(),
        pro_partner_id: input.pro_partner_id,
        description: input.description,
        claims: all_claims(),
    };
    let uid = tx.resellers().create(clock, &new).await?;
    let mut made = json!({"resellerServices": input.reseller_services.unwrap_or_else(|| json!({}))});
    contract::fill(RESELLERS.name, &mut made);
    quota::check(&made)?;
    tx.assign(&RESELLERS, uid.0, &Patched::below(&RESELLERS, "resellerServices", &made)?).await?;
    let role = Role::ServiceProviderGlobalAdministrator;
    tx.users().create(clock, &NewUser { organization_uid: uid.0, name: owner, role, password_hash }).await?;
    Ok(uid)
}
