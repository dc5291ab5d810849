//! `GET /organizations/companies`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{Company, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::ListRequest;
use crate::store::COMPANIES;

/// Lists the companies that the caller sees.
#[utoipa::path(
    get, path = "/organizations/companies", operation_id = "GetCompanies",
    params(("expand" = Option<Vec<String>>, Query, description = "`Organization`")),
    responses((status = 200, description = "A page of companies", body = Envelope<Vec<Company>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let request = ListRequest::parse(query.as_deref(), &COMPANIES, OFFER)?;
    let page = state.store().read().await?.companies().list(&caller.scope, &request.query).await?;
    envelope::page(page, &request, |company| Company::new(company, &request.shape))
}
