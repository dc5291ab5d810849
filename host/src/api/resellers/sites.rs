//! `/organizations/resellers/{resellerUid}/sites`, ours: which sites a reseller may use.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::id::{ResellerUid, SiteUid};
use crate::store::{RESELLERS, Tx};

/// More than any provider has.
const MOST: usize = 1000;

/// Where a reseller may make tenants.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResellerSites {
    /// Cloud Connect sites, each once.
    site_uids: Vec<Uuid>,
}

/// Which sites a reseller may use.
#[utoipa::path(
    get, path = "/organizations/resellers/{resellerUid}/sites", operation_id = "GetResellerSites",
    params(("resellerUid" = Uuid, Path)),
    responses((status = 200, description = "The sites", body = Envelope<ResellerSites>)),
)]
pub(super) async fn get(ask: Ask) -> Result<Response, ApiError> {
    let reseller = ask.uid("resellerUid")?;
    let mut tx = ask.state.store().read().await?;
    ask.must_see(&mut tx, &RESELLERS, reseller).await?;
    envelope::one(&current(&mut tx, reseller).await?, &Shape::default())
}

/// Which sites a reseller may use from now on.
#[utoipa::path(
    put, path = "/organizations/resellers/{resellerUid}/sites", operation_id = "SetResellerSites",
    params(("resellerUid" = Uuid, Path)),
    request_body = ResellerSites,
    responses((status = 200, description = "The sites now", body = Envelope<ResellerSites>)),
)]
pub(super) async fn put(
    mut change: Change,
    JsonBody(mut input): JsonBody<ResellerSites>,
) -> Result<Response, ApiError> {
    const SITES: &str = "siteUids";
    let reseller = ResellerUid(change.ask.uid("resellerUid")?);
    input.site_uids.sort_unstable();
    input.site_uids.dedup();
    if input.site_uids.len() > MOST {
        return Err(ApiError::property(SITES, format!("{SITES} has more than {MOST} entries")));
    }
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &RESELLERS, reseller.0).await?;
    let sites: Vec<_> = input.site_uids.iter().copied().map(SiteUid).collect();
    for site in &sites {
        if !tx.organization_sites().is_site(*site).await? {
            return Err(ApiError::property(SITES, format!("{SITES}: there is no site {site}")));
        }
    }
    let before = current(&mut tx, reseller.0).await?;
    for site in before.site_uids.iter().filter(|site| !input.site_uids.contains(site)) {
        let tenants = tx.organization_sites().tenants_of(reseller, SiteUid(*site)).await?;
        if tenants > 0 {
            return Err(ApiError::conflict(format!(
                "the reseller has {tenants} {} on the site {site}; delete them, or give them to somebody else, first",
                if tenants == 1 { "tenant" } else { "tenants" }
            )));
        }
    }
    tx.organization_sites().set(reseller.0, &sites).await?;
    let name = tx.resellers().get(reseller).await?.map(|reseller| reseller.name).unwrap_or_default();
    let organization = Some(reseller.0);
    let object = Object { kind: "ResellerSites", uid: reseller.0, name: &name, organization };
    change.note(&object, Some(&json!(before)), Some(&json!(input)));
    change.commit(tx).await?;
    envelope::one(&input, &Shape::default())
}

async fn current(tx: &mut Tx, reseller: Uuid) -> Result<ResellerSites, ApiError> {
    let sites = tx.organization_sites().of(reseller).await?;
    Ok(ResellerSites { site_uids: sites.into_iter().map(|site| site.0).collect() })
}
