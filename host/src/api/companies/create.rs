//! `POST /organizations/companies`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::input::CompanyInput;
use super::{Company, Details, OFFER};
use crate::api::ApiState;
use crate::api::body::JsonBody;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::api::token::secret::{Secret, SecretKind};
use crate::model::{self, NewCompany, NewUser, Role};

/// Makes a company, its first location and its owner.
#[utoipa::path(
    post, path = "/organizations/companies", operation_id = "CreateCompany",
    params(("expand" = Option<Vec<String>>, Query, description = "`Organization`")),
    request_body = CompanyInput,
    responses((status = 200, description = "The company", body = Envelope<Company>)),
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
    JsonBody(input): JsonBody<CompanyInput>,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    input.check()?;
    let password = input.owner_credentials.password.clone();
    // Nobody knows this password, so nobody signs in with it; and it costs the same as any other.
    let password = password.unwrap_or_else(|| Secret::generate(SecretKind::Page).reveal().to_owned());
    let password_hash = state.turnstile().enter().await?.hash(password).await?;
    let company = store(&state, input, password_hash).await?;
    envelope::one(&Company::new(company, &shape), &shape)
}

async fn store(
    state: &ApiState,
    input: CompanyInput,
    password_hash: String,
) -> Result<model::Company, ApiError> {
    let CompanyInput { organization_input, owner_credentials, company_services, .. } = input;
    let (name, owner) = (organization_input.name, owner_credentials.user_name);
    let details = Details {
        organization: organization_input.details,
        company_services: company_services.unwrap_or_default(),
    };
    let new = NewCompany {
        name,
        alarm_detect_enabled: input.is_alarm_detect_enabled,
        rest_access_enabled: input.is_rest_access_enabled,
        owner_name: owner.clone(),
        details: serde_json::to_string(&details).map_err(ApiError::internal)?,
    };
    let mut tx = state.store().write().await?;
    if tx.companies().by_name(&new.name).await?.is_some() {
        let message = format!("a company named \"{}\" exists already; choose another name", new.name);
        return Err(ApiError::conflict(message));
    }
    if tx.users().by_name(&owner).await?.is_some() {
        let message = format!("a user named \"{owner}\" exists already; choose another name for the owner");
        return Err(ApiError::conflict(message));
    }
    let company = tx.companies().create(state.clock(), &new).await?;
    let owner =
        NewUser { company_uid: Some(company.uid), name: owner, role: Role::CompanyOwner, password_hash };
    tx.users().create(state.clock(), &owner).await?;
    tx.commit().await?;
    Ok(company)
}
