//! Resellers, and their companies.

use utoipa::OpenApi;

use crate::api::operations::Routes;
use crate::store::{COMPANIES, RESELLERS};

mod create;
mod patch;
mod quota;
mod remove;
mod sites;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetResellers", &RESELLERS)
        .get("GetReseller", &RESELLERS)
        .add("CreateReseller", create::create)
        .add("PatchReseller", patch::patch)
        .add("DeleteReseller", remove::remove)
        .list_of("GetCompaniesByReseller", &COMPANIES, "resellerUid", &RESELLERS)
        .add("GetResellerSites", sites::get)
        .add("SetResellerSites", sites::put)
}

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(sites::get, sites::put))]
pub(crate) struct Docs;
