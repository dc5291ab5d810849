//! Companies: the provider's tenants.

use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::operations::Routes;
use crate::api::query::{Offer, Shape};
use crate::model;

mod create;
mod get;
mod input;
mod list;
mod services;

use services::CompanyServices;

const ORGANIZATION: &str = "Organization";
const OFFER: Offer = Offer { schema: "Company", expand: &[ORGANIZATION] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetCompanies", list::list)
        .add("CreateCompany", create::create)
        .add("GetCompany", get::get)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, create::create, get::get))]
pub(crate) struct Docs;

/// A tenant of the provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the API's own")]
pub(crate) struct Company {
    instance_uid: Uuid,
    name: String,
    #[schema(value_type = CompanyStatus)]
    status: String,
    is_alarm_detect_enabled: bool,
    is_rest_access_enabled: bool,
    owner_credentials: OwnerCredentials,
    company_services: CompanyServices,
    /// With `expand=Organization`.
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<EmbeddedForOrganizationChildren>,
}

/// How a company is.
#[derive(Debug, Clone, Copy, ToSchema)]
#[expect(dead_code, reason = "documents the words")]
enum CompanyStatus {
    Unknown,
    Active,
    Disabled,
    Expired,
    Creating,
    Deleting,
    Deleted,
}

/// The company's owner.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnerCredentials {
    user_name: String,
}

/// What `expand` added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbeddedForOrganizationChildren {
    organization: Organization,
}

/// A company as an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Organization {
    instance_uid: Uuid,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    details: OrganizationDetails,
}

/// What is known of an organisation beside its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrganizationDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 32)]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    company_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    country: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    legal_name: Option<String>,
    #[serde(rename = "locationAdmin0Code", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    location_admin0_code: Option<String>,
    #[serde(rename = "locationAdmin1Code", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    location_admin1_code: Option<String>,
    #[serde(rename = "locationAdmin2Code", skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    location_admin2_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 512)]
    notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 51)]
    state: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    tax_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    veeam_tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    zip_code: Option<String>,
}

/// What the store keeps as JSON beside a company's columns.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(flatten)]
    organization: OrganizationDetails,
    #[serde(default)]
    company_services: CompanyServices,
}

impl Company {
    fn new(company: model::Company, shape: &Shape) -> Self {
        let details: Details = serde_json::from_str(&company.details).unwrap_or_else(|error| {
            tracing::error!(company.uid = %company.uid, %error, "the company's details are damaged and not shown");
            Details::default()
        });
        let embedded = shape.expands(ORGANIZATION).then(|| EmbeddedForOrganizationChildren {
            organization: Organization {
                instance_uid: company.uid.0,
                name: company.name.clone(),
                kind: "Company",
                details: details.organization,
            },
        });
        Self {
            instance_uid: company.uid.0,
            name: company.name,
            status: company.status,
            is_alarm_detect_enabled: company.alarm_detect_enabled,
            is_rest_access_enabled: company.rest_access_enabled,
            owner_credentials: OwnerCredentials { user_name: company.owner_name },
            company_services: details.company_services,
            embedded,
        }
    }
}
