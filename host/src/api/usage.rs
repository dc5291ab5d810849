//! What companies and resellers use: today's row of each, from current facts.

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::versions;
use crate::clock::DAY;
use crate::store::list::{Condition, Resource};
use crate::store::{COMPANIES, LOCATION_USAGE, RESELLER_USAGE, RESELLERS, usage_on};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetCompaniesAggregatedUsage", async |ask: Ask| page(ask, &LOCATION_USAGE, None).await)
        .add("GetCompanyAggregatedUsage", async |ask: Ask| {
            page(ask, &LOCATION_USAGE, Some(("companyUid", &COMPANIES))).await
        })
        .add("GetResellersAggregatedUsage", async |ask: Ask| page(ask, &RESELLER_USAGE, None).await)
        .add("GetResellerAggregatedUsage", async |ask: Ask| {
            page(ask, &RESELLER_USAGE, Some(("resellerUid", &RESELLERS))).await
        })
}

async fn page(
    ask: Ask,
    usage: &'static Resource,
    of: Option<(&'static str, &'static Resource)>,
) -> Result<Rendered, ApiError> {
    let now = ask.state.clock().now_ms();
    let today = now - now.rem_euclid(DAY);
    let resource = usage_on(today, usage, versions::unknown("AggregatedUsage.type", ask.version()));
    let mut conditions = Vec::new();
    if !includes(&ask, today)? {
        conditions.push(Condition::Any(Vec::new()));
    }
    let mut tx = ask.state.store().read().await?;
    if let Some((parameter, parent)) = of {
        ask.must_see(&mut tx, parent, ask.uid(parameter)?).await?;
        conditions.push(ask.belongs(resource, parameter, parameter)?);
    }
    ask.page(&mut tx, resource, &Condition::All(conditions)).await
}

/// Whether today is among the days that are asked for. Nothing is known of other days.
fn includes(ask: &Ask, today: i64) -> Result<bool, ApiError> {
    let (from, to) = (ask.instant_parameter("fromDate")?, ask.instant_parameter("toDate")?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(ApiError::parameter("toDate", "toDate is before fromDate"));
    }
    Ok(from.is_none_or(|from| from < today + DAY) && to.is_none_or(|to| to >= today))
}
