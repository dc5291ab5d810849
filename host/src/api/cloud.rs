//! Cloud Connect: sites, their tenants, and what tenants have and use.
//!
//! **Cast.** A change here writes what is wanted, and in the same transaction a command for the agent on the site's server
//! (`orders.rs`). What the server makes of it comes back through the outbox. A site in maintenance holds its tenants' jobs off, not
//! their management; a site whose *tenant management in Cloud Connect* is off locks tenants in the server's own console, so that all
//! changes come from here.

use axum::response::{IntoResponse as _, Response};

use crate::api::ask::{Ask, under};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::id::SiteUid;
use crate::store::list::{Collation, Comparison, Condition, Property, Value};
use crate::store::{
    CLOUD_BACKUPS, CLOUD_GATEWAY_POOLS, CLOUD_GATEWAYS, CLOUD_TENANTS, COMPANIES, SITES,
    TENANT_BACKUP_RESOURCE_USAGES, TENANT_BACKUP_RESOURCES, TENANT_REPLICATION_RESOURCE_USAGES,
    TENANT_REPLICATION_RESOURCES, TENANT_TRAFFIC,
};

mod assign;
mod create;
mod delete;
mod edit;
mod limits;
mod orders;
mod resource_input;
mod resources;
mod sites;
mod wish;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    reads()
        .add("GetCloudGatewaysBySite", gateways_of_site)
        .add("GetTenantsBySite", tenants_of_site)
        .add("PatchSite", sites::patch)
        .add("SetSiteMaintenanceMode", sites::maintenance)
        .add("SetSiteTenantManagementMode", sites::tenant_management)
        .add("CreateTenant", create::create)
        .add("PatchTenant", edit::patch)
        .add("EnableTenant", edit::enable)
        .add("DisableTenant", edit::disable)
        .add("DeleteTenant", delete::delete)
        .add("AssignTenant", assign::assign)
        .add("CreateTenantBackupResource", resources::create)
        .add("PatchTenantBackupResource", resources::patch)
        .add("DeleteTenantBackupResource", resources::delete)
}

fn reads() -> Routes {
    let of_tenant = [under("tenantUid", &CLOUD_TENANTS)];
    let of_company = [under("companyUid", &COMPANIES).as_property("assignedForCompany")];
    Routes::default()
        .list("GetSites", &SITES)
        .get("GetSite", &SITES)
        .list("GetCloudGateways", &CLOUD_GATEWAYS)
        .list("GetCloudGatewayPools", &CLOUD_GATEWAY_POOLS)
        .list("GetCloudBackups", &CLOUD_BACKUPS)
        .list("GetTenants", &CLOUD_TENANTS)
        .get("GetTenant", &CLOUD_TENANTS)
        .get("GetTenantTrafficResource", &TENANT_TRAFFIC)
        .list("GetTenantsBackupResources", &TENANT_BACKUP_RESOURCES)
        .list_under("GetTenantBackupResources", &TENANT_BACKUP_RESOURCES, &of_tenant)
        .list("GetTenantsBackupResourcesUsages", &TENANT_BACKUP_RESOURCE_USAGES)
        .list_under("GetTenantBackupResourcesUsage", &TENANT_BACKUP_RESOURCE_USAGES, &of_tenant)
        .list("GetTenantsReplicationResources", &TENANT_REPLICATION_RESOURCES)
        .list("GetTenantsReplicationResourcesUsages", &TENANT_REPLICATION_RESOURCE_USAGES)
        .list_under("GetCompanySiteResources", &CLOUD_TENANTS, &of_company)
}

/// Gateways do not show their site, but have one.
async fn gateways_of_site(ask: Ask) -> Result<Rendered, ApiError> {
    let site = ask.uid("siteUid")?;
    let mut tx = ask.state.store().read().await?;
    ask.must_see(&mut tx, &SITES, site).await?;
    let of_site = Condition::Compare {
        property: Property::uuid("siteUid", "g.site_uid"),
        comparison: Comparison::Equals,
        value: Value::Uuid(site),
        collation: Collation::Ordinal,
    };
    ask.page(&mut tx, &CLOUD_GATEWAYS, &of_site).await
}

/// A company sees no sites, but its tenants on those where it has some.
async fn tenants_of_site(ask: Ask) -> Result<Response, ApiError> {
    let site = ask.uid("siteUid")?;
    let mut tx = ask.state.store().read().await?;
    match ask.caller.scope.company() {
        Some(company) => {
            if !tx.cloud().is_at(company, SiteUid(site)).await? {
                return Err(ApiError::absent(SITES.name, site));
            }
        }
        None => ask.must_see(&mut tx, &SITES, site).await?,
    }
    let of_site = ask.belongs(&CLOUD_TENANTS, "siteUid", "siteUid")?;
    Ok(ask.page(&mut tx, &CLOUD_TENANTS, &of_site).await?.into_response())
}
