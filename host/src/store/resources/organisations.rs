//! The tree of organisations, their locations and their users.

use crate::store::list::{Property, Reach, Resource};

/// What a switched-off service says of itself: nothing. So a filter finds no value that the answer would not show.
macro_rules! within {
    ($service:literal, $column:literal) => {
        concat!("CASE WHEN ", $service, " THEN ", $column, " END")
    };
}

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
    reach: Reach::organization("o.uid")
        .location("EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = o.uid AND l.uid IN ({}))")
        .user("EXISTS (SELECT 1 FROM users u WHERE u.organization_uid = o.uid AND u.uid = {})"),
    properties: organization!("", []),
};

/// Companies: the tenants of the provider and of its resellers.
pub static COMPANIES: Resource = Resource {
    name: "Company",
    table: "companies",
    key: "uid",
    from: "companies c JOIN organizations o ON o.uid = c.uid",
    id: "c.uid",
    reach: Reach::organization("c.uid")
        .location("EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = c.uid AND l.uid IN ({}))"),
    properties: organization!(
        "_embedded.organization.",
        [
            Property::uuid("instanceUid", "c.uid"),
            Property::text("name", "o.name").folded("o.name_folded").indexed(),
            Property::code("status", "c.status").writes("status"),
            Property::uuid("resellerUid", "c.reseller_uid").indexed().writes("reseller_uid"),
            Property::uuid("subscriptionPlanUid", "c.subscription_plan_uid").writes("subscription_plan_uid"),
            Property::flag("isAlarmDetectEnabled", "c.alarm_detect_enabled").writes("alarm_detect_enabled"),
            Property::flag("isRestAccessEnabled", "c.rest_access_enabled").writes("rest_access_enabled"),
            Property::text("loginUrl", super::settings::PORTAL_OF_COMPANY),
            // Whoever owns it now; a company of the command line may have no owner yet, only their name to be.
            Property::text(
                "ownerCredentials.userName",
                "coalesce((SELECT min(u.name) FROM users u WHERE u.organization_uid = c.uid AND u.role = 'CompanyOwner'), \
                    c.owner_name)",
            ),
            Property::object("companyServices.hostedServices", "c.hosted_services").writes("hosted_services"),
            Property::flag(
                "companyServices.hostedServices.isVbPublicCloudManagementEnabled",
                within!("c.hosted_services", "c.hosted_public_cloud")
            )
            .writes("hosted_public_cloud"),
            Property::object("companyServices.remoteServices", "c.remote_services").writes("remote_services"),
            Property::flag(
                "companyServices.remoteServices.isBackupResourcesEnabled",
                within!("c.remote_services", "c.remote_backup_resources")
            )
            .writes("remote_backup_resources"),
            Property::flag(
                "companyServices.remoteServices.isVbPublicCloudManagementEnabled",
                within!("c.remote_services", "c.remote_public_cloud")
            )
            .writes("remote_public_cloud"),
            Property::object(
                "companyServices.remoteServices.backupAgentsManagement",
                within!("c.remote_services", "c.agents_managed")
            )
            .writes("agents_managed"),
            Property::flag(
                "companyServices.remoteServices.backupAgentsManagement.isHardQuotaEnabled",
                within!("c.remote_services AND c.agents_managed", "c.agents_hard_quota")
            )
            .writes("agents_hard_quota"),
            Property::integer(
                "companyServices.remoteServices.backupAgentsManagement.serverAgentsQuota",
                within!("c.remote_services AND c.agents_managed", "c.server_agents_quota")
            )
            .writes("server_agents_quota"),
            Property::integer(
                "companyServices.remoteServices.backupAgentsManagement.workstationAgentsQuota",
                within!("c.remote_services AND c.agents_managed", "c.workstation_agents_quota")
            )
            .writes("workstation_agents_quota"),
            Property::object(
                "companyServices.remoteServices.backupServersManagement",
                within!("c.remote_services", "c.servers_managed")
            )
            .writes("servers_managed"),
            Property::integer(
                "companyServices.remoteServices.backupServersManagement.backupServerQuota",
                within!("c.remote_services AND c.servers_managed", "c.servers_quota")
            )
            .writes("servers_quota"),
            Property::object(
                "companyServices.remoteServices.vb365ServersManagement",
                within!("c.remote_services", "c.vb365_managed")
            )
            .writes("vb365_managed"),
            Property::integer(
                "companyServices.remoteServices.vb365ServersManagement.backupServerQuota",
                within!("c.remote_services AND c.vb365_managed", "c.vb365_quota")
            )
            .writes("vb365_quota"),
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
            Property::flag("resellerServices.isFileLevelRestoreEnabled", "r.file_level_restore")
                .writes("file_level_restore"),
            Property::flag("resellerServices.cloudConnectManagementEnabled", "r.cloud_connect")
                .writes("cloud_connect"),
            Property::object("resellerServices.cloudConnectQuota", "r.cloud_quota").writes("cloud_quota"),
            Property::integer(
                "resellerServices.cloudConnectQuota.dataTransferOutQuota",
                within!("r.cloud_quota", "r.data_transfer_out_quota")
            )
            .writes("data_transfer_out_quota"),
            Property::integer(
                "resellerServices.cloudConnectQuota.insiderProtectionQuota",
                within!("r.cloud_quota", "r.insider_protection_quota")
            )
            .writes("insider_protection_quota"),
            Property::flag(
                "resellerServices.cloudConnectQuota.isWanAccelerationEnabled",
                within!("r.cloud_quota", "r.wan_acceleration")
            )
            .writes("wan_acceleration"),
            Property::integer(
                "resellerServices.cloudConnectQuota.maxConcurrentTask",
                within!("r.cloud_quota", "r.max_concurrent_task")
            )
            .writes("max_concurrent_task"),
            Property::code(
                "resellerServices.cloudConnectQuota.throttlingUnit",
                within!("r.cloud_quota", "r.throttling_unit")
            )
            .writes("throttling_unit"),
            Property::integer(
                "resellerServices.cloudConnectQuota.throttlingValue",
                within!("r.cloud_quota", "r.throttling_value")
            )
            .writes("throttling_value"),
            Property::flag(
                "resellerServices.hostedServices.backupResourcesEnabled",
                "r.hosted_backup_resources"
            )
            .writes("hosted_backup_resources"),
            Property::flag("resellerServices.hostedServices.vb365ManagementEnabled", "r.hosted_vb365")
                .writes("hosted_vb365"),
            Property::flag(
                "resellerServices.hostedServices.vbPublicCloudManagementEnabled",
                "r.hosted_public_cloud"
            )
            .writes("hosted_public_cloud"),
            Property::integer(
                "resellerServices.remoteServices.backupAgentsManagement.serverAgentsQuota",
                "r.server_agents_quota"
            )
            .writes("server_agents_quota"),
            Property::integer(
                "resellerServices.remoteServices.backupAgentsManagement.workstationAgentsQuota",
                "r.workstation_agents_quota"
            )
            .writes("workstation_agents_quota"),
            Property::flag(
                "resellerServices.remoteServices.backupServersManagementEnabled",
                "r.remote_backup_servers"
            )
            .writes("remote_backup_servers"),
            Property::flag("resellerServices.remoteServices.vb365ManagementEnabled", "r.remote_vb365")
                .writes("remote_vb365"),
            Property::flag(
                "resellerServices.remoteServices.vbPublicCloudManagementEnabled",
                "r.remote_public_cloud"
            )
            .writes("remote_public_cloud"),
        ]
    ),
};

/// The provider itself.
pub static PROVIDER: Resource = Resource {
    name: "Provider",
    table: "organizations",
    key: "uid",
    from: "organizations o WHERE o.type = 'Provider'",
    id: "o.uid",
    reach: Reach::PROVIDER,
    properties: organization!("_embedded.organization.", [Property::uuid("instanceUid", "o.uid"),]),
};

/// What the users of a company or a reseller may do with jobs.
pub static ENTITY_PERMISSIONS: Resource = Resource {
    name: "EntityPermissions",
    table: "organizations",
    key: "uid",
    from: "organizations o WHERE o.type <> 'Provider'",
    id: "o.uid",
    reach: Reach::organization("o.uid"),
    properties: &[Property::list("claims", "o.claims").writes("claims")],
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
        .site("EXISTS (SELECT 1 FROM user_sites us WHERE us.user_uid = u.uid AND us.site_uid IN ({}))")
        .user("u.uid = {}"),
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
        Property::code("mfaPolicyStatus", super::settings::MFA_OF_USER).writes("mfa_policy_status"),
        Property::code(
            "mfaPolicyConfigurationStatus",
            "CASE WHEN EXISTS (SELECT 1 FROM user_logins g WHERE g.user_uid = u.uid AND g.provider = 'TOTP' \
                AND g.enabled) THEN 'Configured' ELSE 'NotConfigured' END",
        ),
        Property::text("credentials.userName", "u.name").folded("u.name_folded"),
        Property::code("profile.title", "u.title").writes("title"),
        Property::text("profile.firstName", "u.first_name").writes("first_name"),
        Property::text("profile.lastName", "u.last_name").writes("last_name"),
        Property::text("profile.email", "u.email").writes("email"),
        Property::text("profile.phone", "u.phone").writes("phone"),
        Property::text("profile.address", "u.address").writes("address"),
    ],
};
