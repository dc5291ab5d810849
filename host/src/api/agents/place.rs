//! Where a new agent will belong: the organisation, location and account that a request names, or the caller's own.

use serde_json::Value;
use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::companies::must_stay;
use crate::api::error::ApiError;
use crate::id::{CompanyUid, LocationUid};
use crate::model::{Door, OrganizationKind, Scope, Tier};
use crate::store::list::Condition;
use crate::store::{LOCATIONS, ORGANIZATIONS, Tx};

/// Where a new agent will belong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) organization: CompanyUid,
    pub(super) location: LocationUid,
    /// In whose name it connects: the cloud tenant that was named, else the company's user who asks.
    pub(super) account: Option<Uuid>,
    /// Through which door it comes: what the provider hosts comes from its own network.
    pub(super) door: Door,
}

/// Reads `organizationUid`, `locationUid` and `cloudTenantUid`. `known` is the organisation when none is named.
pub(super) async fn read(ask: &Ask, tx: &mut Tx, known: Option<Uuid>) -> Result<Place, ApiError> {
    let own = own_organization(ask);
    let organization = ask.uid_parameter("organizationUid")?.or(known).or(own);
    let organization = organization.unwrap_or(ask.state.installation().uid);
    ask.must_see(tx, &ORGANIZATIONS, organization).await?;
    must_stay(tx, organization).await?;
    let kind = tx.organizations().kind(organization).await?;
    no_reseller(kind)?;
    let (location, hosted) = location(ask, tx, organization).await?;
    let provider = kind == Some(OrganizationKind::Provider);
    Ok(Place {
        organization: CompanyUid(organization),
        location,
        account: account(ask, tx, organization).await?,
        door: if provider || hosted { Door::Hosted } else { Door::Remote },
    })
}

/// A reseller has no locations, so nothing of its own is looked after: its agents are its companies'.
fn no_reseller(kind: Option<OrganizationKind>) -> Result<(), ApiError> {
    if kind != Some(OrganizationKind::Reseller) {
        return Ok(());
    }
    let message = "agents belong to companies, and a reseller has none of its own; name one of its companies by organizationUid";
    Err(ApiError::parameter("organizationUid", message))
}

fn own_organization(ask: &Ask) -> Option<Uuid> {
    let scope = ask.caller.scope;
    scope.company().map(|own| own.0).or(scope.reseller().map(|own| own.0))
}

/// The location that was named, else the organisation's default one; and whether the provider hosts what stands there.
async fn location(ask: &Ask, tx: &mut Tx, organization: Uuid) -> Result<(LocationUid, bool), ApiError> {
    let named = ask.uid_parameter("locationUid")?;
    let uid = match named {
        Some(uid) => Some(uid),
        None => tx.companies().default_location(CompanyUid(organization)).await?.map(|uid| uid.0),
    };
    let missing = || {
        let message = "name the locationUid of a location of the organisation that you are given";
        ApiError::parameter("locationUid", message)
    };
    let uid = uid.ok_or_else(missing)?;
    let all = Condition::All(Vec::new());
    let found = tx.document(&LOCATIONS, &ask.caller.scope, &all, uid).await?.map(|found| found.value());
    let text = |name: &str| found.as_ref().and_then(|found| found.get(name)).and_then(Value::as_str);
    if text("organizationUid").and_then(|owner| owner.parse().ok()) == Some(organization) {
        return Ok((LocationUid(uid), text("type") == Some("Hosted")));
    }
    Err(if named.is_some() { ApiError::absent(LOCATIONS.name, uid) } else { missing() })
}

async fn account(ask: &Ask, tx: &mut Tx, organization: Uuid) -> Result<Option<Uuid>, ApiError> {
    if let Some(tenant) = ask.uid_parameter("cloudTenantUid")? {
        let mapped = tx.infrastructure().company_of_tenant(tenant).await?;
        if mapped != Some(organization) {
            return Err(ApiError::absent("cloud tenant of the organisation", tenant));
        }
        return Ok(Some(tenant));
    }
    let of_company =
        ask.caller.role.tier() == Tier::Company && !matches!(ask.caller.scope, Scope::Location(..));
    Ok(of_company.then_some(ask.caller.uid.0))
}
