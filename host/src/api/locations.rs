//! Locations: what a company is divided into.

use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::id::{CompanyUid, LocationUid};
use crate::store::{LOCATIONS, ORGANIZATIONS, Tx};

mod create;
mod delete;
mod patch;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetLocations", &LOCATIONS)
        .list_of("GetLocationsByOrganization", &LOCATIONS, "organizationUid", &ORGANIZATIONS)
        .get("GetLocation", &LOCATIONS)
        .add("CreateLocation", create::create)
        .add("PatchLocation", patch::patch)
        .add("DeleteLocation", delete::delete)
}

async fn must_be_free(
    tx: &mut Tx,
    company: CompanyUid,
    name: &str,
    except: Option<LocationUid>,
) -> Result<(), ApiError> {
    match tx.locations().named(company, name).await? {
        Some(found) if Some(found) != except => {
            let message = format!("the company has a location named \"{name}\" already; choose another name");
            Err(ApiError::conflict(message))
        }
        _ => Ok(()),
    }
}
