//! `POST /organizations/locations`.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::must_be_free;
use crate::api::change::{Change, Input, Object};
use crate::api::companies::must_stay;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::id::CompanyUid;
use crate::model::OrganizationKind;
use crate::store::{LOCATIONS, NewLocation, ORGANIZATIONS};

/// A location to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationLocationInput {
    organization_uid: Uuid,
    name: String,
    quota_gb: i64,
}

/// Makes a location of a company.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<OrganizationLocationInput>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let organization = input.organization_uid;
    change.ask.must_see(&mut tx, &ORGANIZATIONS, organization).await?;
    if tx.organizations().kind(organization).await? != Some(OrganizationKind::Company) {
        let message = "only companies have locations; give the id of a company";
        return Err(ApiError::property("organizationUid", message));
    }
    let company_uid = CompanyUid(organization);
    must_stay(&mut tx, organization).await?;
    tx.locations().hold(company_uid).await?;
    must_be_free(&mut tx, company_uid, &input.name, None).await?;
    let new = NewLocation { company_uid, name: input.name.clone(), quota_gb: input.quota_gb };
    let uid = tx.locations().create(change.ask.state.clock(), &new).await?.0;
    let object = Object { kind: LOCATIONS.name, uid, name: &input.name, organization: Some(organization) };
    change.note(&object, None, Some(&json!({ "name": input.name, "quotaGb": input.quota_gb })));
    change.commit(tx).await?;
    change.reply(&LOCATIONS, uid).await
}
