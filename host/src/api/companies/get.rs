//! `GET /organizations/companies/{companyUid}`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::{Company, OFFER};
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::PathUid;
use crate::api::query::Shape;
use crate::id::CompanyUid;

/// One company.
#[utoipa::path(
    get, path = "/organizations/companies/{companyUid}", operation_id = "GetCompany",
    params(
        ("companyUid" = uuid::Uuid, Path),
        ("expand" = Option<Vec<String>>, Query, description = "`Organization`"),
    ),
    responses((status = 200, description = "The company", body = Envelope<Company>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    caller: Caller,
    PathUid(uid): PathUid<CompanyUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let company = state.store().read().await?.companies().get(&caller.scope, uid).await?;
    let company = company.ok_or_else(|| ApiError::absent("company", uid))?;
    envelope::one(&Company::new(company, &shape), &shape)
}
