//! `GET /about`.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::instant::Instant;
use crate::api::operations::Routes;
use crate::api::query::{Offer, Shape};

const OFFER: Offer = Offer { schema: "About", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetAboutInformation", about)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(about))]
pub(crate) struct Docs;

/// What runs here.
#[derive(Debug, Serialize, ToSchema)]
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
#[utoipa::path(
    get, path = "/about", operation_id = "GetAboutInformation",
    responses((status = 200, description = "What runs here", body = Envelope<About>)),
)]
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
