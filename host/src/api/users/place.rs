//! Where a new user belongs. The contract has one id for it, `organizationUid`: an organisation, or, for users who see
//! locations only, one of its locations; for them an organisation means its first location.

use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::error::ApiError;
use crate::id::{CompanyUid, LocationUid};
use crate::model::{OrganizationKind, Role, Scope, Tier};
use crate::store::{LOCATIONS, ORGANIZATIONS, Tx};

use super::role_word;

/// Where.
#[derive(Debug)]
pub(super) struct Place {
    /// The provider, a reseller or a company.
    pub(super) organization: Uuid,
    /// What a user who sees locations only sees.
    pub(super) locations: Vec<LocationUid>,
}

/// The place that `uid` names for a user of this role, if the caller may put one there.
pub(super) async fn place(ask: &Ask, tx: &mut Tx, uid: Uuid, role: Role) -> Result<Place, ApiError> {
    let sees_location = tx.sees(&LOCATIONS, &ask.caller.scope, uid).await?;
    // A location that the caller does not see is told from nothing at all by no word of the answer.
    if let Some(company) = tx.accounts().company_of(LocationUid(uid)).await?.filter(|_| sees_location) {
        if !role.has_locations() {
            let message =
                "organizationUid names a location, and users of this role belong to a whole organisation";
            return Err(ApiError::property("organizationUid", message));
        }
        return Ok(Place { organization: company.0, locations: vec![LocationUid(uid)] });
    }
    if ask.caller.scope.company().is_none_or(|company| company.0 != uid) {
        ask.must_see(tx, &ORGANIZATIONS, uid).await?;
    }
    fits(tx, uid, role).await?;
    Ok(Place { organization: uid, locations: locations(ask, tx, CompanyUid(uid), role).await? })
}

/// That users of this role belong to such an organisation.
async fn fits(tx: &mut Tx, organization: Uuid, role: Role) -> Result<(), ApiError> {
    let kind = tx.organizations().kind(organization).await?;
    let wanted = match role.tier() {
        Tier::Provider => OrganizationKind::Provider,
        Tier::Reseller => OrganizationKind::Reseller,
        Tier::Company => OrganizationKind::Company,
    };
    if kind == Some(wanted) {
        return Ok(());
    }
    let message = format!(
        "role: {} is a role of a {}, and organizationUid names a {}",
        role_word(role),
        wanted.name().to_lowercase(),
        kind.map_or("nothing", OrganizationKind::name).to_lowercase()
    );
    Err(ApiError::property("role", message))
}

/// What the new user sees of their company. Whoever sees a part only passes that on, and not more.
async fn locations(
    ask: &Ask,
    tx: &mut Tx,
    company: CompanyUid,
    role: Role,
) -> Result<Vec<LocationUid>, ApiError> {
    if let Scope::Location(_, own) = ask.caller.scope {
        return Ok(tx.accounts().locations(own).await?);
    }
    if !role.has_locations() {
        return Ok(Vec::new());
    }
    first_location(tx, company).await
}

/// The location that a company began with.
pub(super) async fn first_location(tx: &mut Tx, company: CompanyUid) -> Result<Vec<LocationUid>, ApiError> {
    let first = tx.accounts().first_location(company).await?;
    let first = first.ok_or_else(|| {
        ApiError::conflict("the company has no location that this user could see; make one first")
    })?;
    Ok(vec![first])
}
