//! `GET /about`.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::{Offer, Shape};
use crate::instant::Instant;

const OFFER: Offer = Offer { schema: "About" };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetAboutInformation", about)
}

/// What runs here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// Of this host.
    server_version: &'static str,
    /// This installation's id, for life.
    installation_id: Uuid,
    /// When its database was made.
    installation_date: Instant,
    /// Of the management agent that comes with this host.
    linux_management_agent_version: &'static str,
}

/// Says what runs here.
async fn about(State(state): State<ApiState>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let installation = state.installation();
    let about = About {
        server_version: env!("CARGO_PKG_VERSION"),
        installation_id: installation.uid,
        installation_date: Instant(installation.installed_at),
        linux_management_agent_version: env!("CARGO_PKG_VERSION"),
    };
    envelope::one(&about, &shape)
}
