//! Companies: the tenants of the provider and of its resellers.

use utoipa::OpenApi;
use uuid::Uuid;

use crate::api::ask::under;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::id::CompanyUid;
use crate::store::{COMPANIES, HOSTED_BACKUP_RESOURCES, HOSTED_RESOURCES, Tx};

mod create;
mod hosted;
mod hosted_backup;
mod onboarding;
pub(super) mod owner;
mod patch;
mod remove;
mod services;
mod welcome;

#[cfg(test)]
pub(in crate::api) use onboarding::require;
pub(crate) use remove::release;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetCompanies", &COMPANIES)
        .get("GetCompany", &COMPANIES)
        .add("CreateCompany", create::create)
        .add("PatchCompany", patch::patch)
        .add("DeleteCompany", remove::remove)
        .add("GetCompanyOnboarding", onboarding::get)
        .add("OverrideCompanyOnboardingStep", onboarding::pass)
        .add("SendWelcomeEmailToCompany", welcome::send)
        .merge(hosted())
}

/// Refuses what would begin something for a company that is being deleted: it goes when its agents have left.
pub(in crate::api) async fn must_stay(tx: &mut Tx, organization: Uuid) -> Result<(), ApiError> {
    match tx.companies().get(CompanyUid(organization)).await? {
        Some(company) if company.status == "Deleting" => Err(ApiError::conflict(format!(
            "\"{}\" is being deleted; nothing about it can be changed any more",
            company.name
        ))),
        _ => Ok(()),
    }
}

fn hosted() -> Routes {
    let company = under("companyUid", &COMPANIES);
    let resource = under("vbrHostedResourceUid", &HOSTED_RESOURCES).as_property("hostedResourceUid");
    Routes::default()
        .list("GetCompaniesHostedVbrResources", &HOSTED_RESOURCES)
        .list_of("GetCompanyHostedVbrResources", &HOSTED_RESOURCES, "companyUid", &COMPANIES)
        .get("GetCompanyHostedVbrResource", &HOSTED_RESOURCES)
        .add("CreateCompanyHostedVbrResource", hosted::create)
        .add("PatchCompanyHostedVbrResource", hosted::patch)
        .add("DeleteCompanyHostedVbrResource", hosted::remove)
        .list("GetCompaniesHostedVbrBackupResources", &HOSTED_BACKUP_RESOURCES)
        .list_under("GetCompanyHostedVbrBackupResources", &HOSTED_BACKUP_RESOURCES, &[company, resource])
        .add("CreateCompanyHostedVbrBackupResource", hosted_backup::create)
}

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(onboarding::get, onboarding::pass))]
pub(crate) struct Docs;
