//! Countries, currencies, time zones, and the host's certificates: what belongs to no organisation.

use axum::response::Response;
use serde::Serialize;

use crate::api::ask::Ask;
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::model::world::{self, Coded};
use crate::store::list::{Condition, ListQuery};
use crate::store::{CERTIFICATES, CONSOLE_CERTIFICATE, TIME_ZONES};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetCountries", async |ask: Ask| coded(&ask, "Country", world::countries()))
        .add("GetCurrencies", async |ask: Ask| coded(&ask, "Currency", world::currencies()))
        .add("GetTimeZones", time_zones)
        .list("GetAllAvailableCertificates", &CERTIFICATES)
        .add("GetCertificate", console_certificate)
}

/// A country or a currency.
#[derive(Debug, Serialize)]
struct Shown {
    id: i64,
    code: String,
    name: String,
}

fn coded(ask: &Ask, schema: &'static str, all: Vec<Coded>) -> Result<Response, ApiError> {
    let shape = ask.shape(schema)?;
    let all: Vec<_> =
        all.into_iter().map(|one| Shown { id: one.id, code: one.code, name: one.name }).collect();
    envelope::all(&all, &shape)
}

/// The time zones; where clocks have moved since somebody last asked, the rows follow first.
async fn time_zones(ask: Ask) -> Result<Rendered, ApiError> {
    let now = ask.state.clock().now_ms();
    let mut tx = ask.state.store().read().await?;
    if !tx.world().zones_are_current(now).await? {
        drop(tx);
        let mut writing = ask.state.store().write().await?;
        writing.world().put_zones(&world::time_zones(now)).await?;
        writing.commit().await?;
        tx = ask.state.store().read().await?;
    }
    ask.page(&mut tx, &TIME_ZONES, &Condition::All(Vec::new())).await
}

/// The certificate that browsers and scripts see.
async fn console_certificate(ask: Ask) -> Result<Rendered, ApiError> {
    let shown = ask.shape(CONSOLE_CERTIFICATE.name)?.shown(&CONSOLE_CERTIFICATE);
    let all = Condition::All(Vec::new());
    let mut tx = ask.state.store().read().await?;
    let found =
        tx.list(&CONSOLE_CERTIFICATE, &ask.caller.scope, &all, &ListQuery::default(), &shown).await?.items;
    let one =
        found.first().ok_or_else(|| ApiError::internal("the host noted no certificate at its start"))?;
    Ok(envelope::rendered(one, None))
}
