//! Companies: the tenants of the provider and of its resellers.

use crate::api::operations::Routes;
use crate::store::COMPANIES;

mod create;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetCompanies", &COMPANIES)
        .get("GetCompany", &COMPANIES)
        .add("CreateCompany", create::create)
}
