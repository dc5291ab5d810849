//! The tree of organisations, their locations and their users.

use crate::store::list::{Property, Reach, Resource};

/// The organisation's own properties under a prefix, over the table `o`.
macro_rules! organization {
    ($prefix:literal, [$($more:expr,)*]) => {
        &[
            $($more,)*
            Property::uuid(concat!($prefix, "instanceUid"), "o.uid"),
            Property::text(concat!($prefix, "name"), "o.name").folded("o.name_folded").writes("name").indexed(),
            Property::code(concat!($prefix, "type"), "o.type"),
            Property::text(concat!($prefix, "alias"), "o.alias").writes("alias"),
            Property::text(concat!($prefix, "taxId"), "o.tax_id").writes("tax_id"),
            Property::text(concat!($prefix, "email"), "o.email").writes("email"),
            Property::text(concat!($prefix, "phone"), "o.phone").writes("phone"),
            Property::integer(concat!($prefix, "country"), "o.country").writes("country"),
            Property::text(concat!($prefix, "countryName"), "o.country_name").writes("country_name"),
            Property::text(concat!($prefix, "regionName"), "o.region_name").writes("region_name"),
            Property::integer(concat!($prefix, "state"), "o.state").writes("state"),
            Property::text(concat!($prefix, "city"), "o.city").writes("city"),
            Property::text(concat!($prefix, "street"), "o.street").writes("street"),
            Property::text(concat!($prefix, "zipCode"), "o.zip_code").writes("zip_code"),
            Property::text(concat!($prefix, "locationAdmin0Code"), "o.location_admin0_code")
                .writes("location_admin0_code"),
            Property::text(concat!($prefix, "locationAdmin1Code"), "o.location_admin1_code")
                .writes("location_admin1_code"),
            Property::text(concat!($prefix, "locationAdmin2Code"), "o.location_admin2_code")
                .writes("location_admin2_code"),
            Property::text(concat!($prefix, "domain"), "o.domain").writes("domain"),
            Property::text(concat!($prefix, "website"), "o.website").writes("website"),
            Property::text(concat!($prefix, "legalName"), "o.legal_name").writes("legal_name"),
            Property::text(concat!($prefix, "notes"), "o.notes").writes("notes"),
            Property::text(concat!($prefix, "companyId"), "o.company_id").writes("company_id"),
            Property::text(concat!($prefix, "veeamTenantId"), "o.veeam_tenant_id").writes("veeam_tenant_id"),
        ]
    };
}

/// The provider, its resellers and all companies.
pub static ORGANIZATIONS: Resource = Resource {
    name: "Organization",
    table: "organizations",
    key: "uid",
    from: "organizations o",
    id: "o.uid",
    reach: Reach::organization("o.uid"),
    properties: organization!("", []),
};

/// Companies: the tenants of the provider and of its resellers.
pub static COMPANIES: Resource = Resource {
    name: "Company",
    table: "companies",
    key: "uid",
    from: "companies c JOIN organizations o ON o.uid = c.uid",
    id: "c.uid",
    reach: Reach::organization("c.uid"),
    properties: organization!(
        "_embedded.organization.",
        [
            Property::uuid("instanceUid", "c.uid"),
            Property::text("name", "o.name").folded("o.name_folded").indexed(),
            Property::code("status", "c.status").writes("status"),
            Property::uuid("resellerUid", "c.reseller_uid").indexed(),
            Property::uuid("subscriptionPlanUid", "c.subscription_plan_uid"),
            Property::flag("isAlarmDetectEnabled", "c.alarm_detect_enabled").writes("alarm_detect_enabled"),
            Property::flag("isRestAccessEnabled", "c.rest_access_enabled").writes("rest_access_enabled"),
            Property::text("ownerCredentials.userName", "c.owner_name"),
            Property::json("companyServices", "c.services").writes("services"),
        ]
    ),
};

/// Resellers.
pub static RESELLERS: Resource = Resource {
    name: "Reseller",
    table: "resellers",
    key: "uid",
    from: "resellers r JOIN organizations o ON o.uid = r.uid",
    id: "r.uid",
    reach: Reach::organization("r.uid"),
    properties: organization!(
        "_embedded.organization.",
        [
            Property::uuid("instanceUid", "r.uid"),
            Property::text("name", "o.name").folded("o.name_folded").indexed(),
            Property::code("status", "r.status").writes("status"),
            Property::text("proPartnerId", "r.pro_partner_id").writes("pro_partner_id"),
            Property::flag("isRestAccessEnabled", "r.rest_access_enabled").writes("rest_access_enabled"),
            Property::json("resellerServices", "r.services").writes("services"),
        ]
    ),
};

/// Locations of companies.
pub static LOCATIONS: Resource = Resource {
    name: "OrganizationLocation",
    table: "locations",
    key: "uid",
    from: "locations l",
    id: "l.uid",
    reach: Reach::organization("l.company_uid").location("l.uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "l.uid"),
        Property::uuid("organizationUid", "l.company_uid").indexed(),
        Property::text("name", "l.name").folded("l.name_folded").writes("name"),
        Property::code("type", "l.type"),
        Property::integer("quotaGb", "l.quota_gb").writes("quota_gb"),
    ],
};

/// Users.
pub static USERS: Resource = Resource {
    name: "User",
    table: "users",
    key: "uid",
    from: "users u",
    id: "u.uid",
    reach: Reach::organization("u.organization_uid")
        .location(
            "EXISTS (SELECT 1 FROM user_locations ul WHERE ul.user_uid = u.uid AND ul.location_uid IN ({}))",
        )
        .user("u.uid"),
    properties: &[
        Property::uuid("instanceUid", "u.uid"),
        Property::uuid("organizationUid", "u.organization_uid").indexed(),
        Property::text("userName", "u.name").folded("u.name_folded").indexed(),
        Property::code(
            "role",
            "CASE u.role WHEN 'ReadOnlyUser' THEN 'PortalReadonlyOperator' \
                WHEN 'ServiceProviderGlobalAdministrator' THEN 'ResellerOwner' \
                WHEN 'ServiceProviderAdministrator' THEN 'ResellerAdministrator' \
                WHEN 'ServiceProviderOperator' THEN 'ResellerOperator' \
                WHEN 'ServiceProviderUser' THEN 'ResellerUser' \
                WHEN 'ServiceProviderInvoiceAuditor' THEN 'ResellerInvoiceAuditor' \
                WHEN 'LocationAdministrator' THEN 'CompanyLocationAdministrator' \
                WHEN 'LocationUser' THEN 'CompanyLocationUser' \
                WHEN 'SubTenant' THEN 'CompanySubtenant' ELSE u.role END",
        ),
        Property::code("status", "CASE WHEN u.enabled THEN 'Enabled' ELSE 'Disabled' END"),
        Property::code("mfaPolicyStatus", "u.mfa_policy_status").writes("mfa_policy_status"),
        Property::text("credentials.userName", "u.name").folded("u.name_folded"),
        Property::code("profile.title", "u.title").writes("title"),
        Property::text("profile.firstName", "u.first_name").writes("first_name"),
        Property::text("profile.lastName", "u.last_name").writes("last_name"),
        Property::text("profile.email", "u.email").writes("email"),
        Property::text("profile.phone", "u.phone").writes("phone"),
        Property::text("profile.address", "u.address").writes("address"),
    ],
};
