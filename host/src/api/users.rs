//! `GET /users/me`.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::{Offer, Shape};
use crate::model::Role;

const OFFER: Offer = Offer { schema: "User", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetCurrentUser", me)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(me))]
pub(crate) struct Docs;

/// Somebody who signs in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the API's own")]
pub(crate) struct User {
    instance_uid: Uuid,
    /// The company, or for the provider's own users the installation.
    organization_uid: Uuid,
    user_name: String,
    #[schema(value_type = UserRole)]
    role: &'static str,
    /// `Enabled`: others cannot ask.
    status: &'static str,
    mfa_policy_status: &'static str,
    mfa_policy_configuration_status: &'static str,
    profile: UserProfile,
    credentials: CredentialsInfo,
}

/// How a user is reached.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserProfile {
    title: &'static str,
}

/// What a user signs in with.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialsInfo {
    user_name: String,
}

macro_rules! user_roles {
    ($($role:ident => $word:ident,)+) => {
        /// The roles as users carry them. The operations table has other words for the same ones.
        #[derive(Debug, Clone, Copy, ToSchema)]
        #[expect(dead_code, reason = "documents the words")]
        pub(crate) enum UserRole { $($word,)+ }

        /// The word that users carry for a role.
        pub(crate) fn role_word(role: Role) -> &'static str {
            match role { $(Role::$role => stringify!($word),)+ }
        }
    };
}

user_roles! {
    PortalAdministrator => PortalAdministrator,
    SiteAdministrator => SiteAdministrator,
    PortalOperator => PortalOperator,
    ReadOnlyUser => PortalReadonlyOperator,
    ServiceProviderGlobalAdministrator => ResellerOwner,
    ServiceProviderAdministrator => ResellerAdministrator,
    ServiceProviderOperator => ResellerOperator,
    ServiceProviderUser => ResellerUser,
    ServiceProviderInvoiceAuditor => ResellerInvoiceAuditor,
    CompanyOwner => CompanyOwner,
    CompanyAdministrator => CompanyAdministrator,
    CompanyTenant => CompanyTenant,
    LocationAdministrator => CompanyLocationAdministrator,
    LocationUser => CompanyLocationUser,
    SubTenant => CompanySubtenant,
    CompanyInvoiceAuditor => CompanyInvoiceAuditor,
}

/// Says who is asking.
#[utoipa::path(
    get, path = "/users/me", operation_id = "GetCurrentUser",
    responses((status = 200, description = "The caller", body = Envelope<User>)),
)]
async fn me(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let user = User {
        instance_uid: caller.uid.0,
        organization_uid: caller.scope.company().map_or(state.installation().uid, |company| company.0),
        user_name: caller.name.clone(),
        role: role_word(caller.role),
        status: "Enabled",
        mfa_policy_status: "Disabled",
        mfa_policy_configuration_status: "NotConfigured",
        profile: UserProfile { title: "Unknown" },
        credentials: CredentialsInfo { user_name: caller.name },
    };
    envelope::one(&user, &shape)
}
