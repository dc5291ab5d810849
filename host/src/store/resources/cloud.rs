//! Cloud Connect: sites, what stands there, tenants and what they have and use.

use crate::store::list::{Property, Reach, Resource};

/// Who sees what belongs to the tenant `t`. Of a company that has it, the users of any location: it belongs to no location.
const OF_TENANT: Reach = Reach::organization("t.owner_uid")
    .on_site("t.site_uid IN ({})")
    .location("EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = t.company_uid AND l.uid IN ({}))");

/// Sites: Cloud Connect servers.
pub static SITES: Resource = Resource {
    name: "CloudAgent",
    table: "sites",
    key: "uid",
    from: "sites s",
    id: "s.uid",
    reach: Reach::PROVIDER.site("s.uid IN ({})"),
    properties: &[
        Property::uuid("siteUid", "s.uid"),
        Property::text("siteName", "s.name").folded("s.name_folded").writes("name"),
        Property::text("description", "s.description").writes("description"),
        Property::integer("port", "s.port"),
        Property::uuid("backupServerUid", "s.backup_server_uid").indexed(),
        Property::uuid("managementAgentUid", "s.agent_uid").indexed(),
        Property::flag("maintenanceModeIsEnabled", "s.maintenance_mode"),
        Property::flag("tenantManagementInCloudConnectIsEnabled", "s.tenant_management"),
    ],
};

/// Gateways of sites.
pub static CLOUD_GATEWAYS: Resource = Resource {
    name: "CloudGateway",
    table: "cloud_gateways",
    key: "uid",
    from: "cloud_gateways g JOIN sites s ON s.uid = g.site_uid",
    id: "g.uid",
    reach: Reach::PROVIDER.site("g.site_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "g.uid"),
        Property::text("name", "g.name").folded("g.name_folded"),
        Property::uuid("backupServerUid", "s.backup_server_uid"),
        Property::uuid("gatewayPoolUid", "g.pool_uid").indexed(),
        Property::integer("port", "g.port"),
        Property::integer("externalPort", "g.external_port"),
        Property::text("externalAddress", "g.external_address"),
        Property::list("externalIpList", "g.external_ips"),
        Property::flag("isOutOfDate", "g.out_of_date"),
        Property::uuid("hostUid", "g.host_uid"),
        Property::flag("isDisabled", "g.disabled"),
        Property::code("status", "g.status"),
    ],
};

/// Pools of gateways.
pub static CLOUD_GATEWAY_POOLS: Resource = Resource {
    name: "CloudGatewayPool",
    table: "cloud_gateway_pools",
    key: "uid",
    from: "cloud_gateway_pools p JOIN sites s ON s.uid = p.site_uid",
    id: "p.uid",
    reach: Reach::PROVIDER.site("p.site_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "p.uid"),
        Property::text("name", "p.name").folded("p.name_folded"),
        Property::uuid("backupServerUid", "s.backup_server_uid"),
        Property::integer(
            "numberOfGateways",
            "(SELECT count(*) FROM cloud_gateways g WHERE g.pool_uid = p.uid)",
        ),
    ],
};

/// Tenants of sites.
pub static CLOUD_TENANTS: Resource = Resource {
    name: "CloudTenant",
    table: "cloud_tenants",
    key: "uid",
    from: "cloud_tenants t JOIN sites s ON s.uid = t.site_uid WHERE t.deleted_at IS NULL",
    id: "t.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("instanceUid", "t.uid"),
        Property::uuid("siteUid", "t.site_uid").indexed(),
        Property::text("siteName", "s.name").folded("s.name_folded"),
        Property::text("name", "t.name").folded("t.name_folded"),
        Property::code("type", "t.kind"),
        Property::uuid("vCloudOrganizationUid", "t.vcd_organization_uid"),
        Property::uuid("assignedForCompany", "t.company_uid").writes("company_uid").indexed(),
        Property::text("credentials.userName", "t.user_name")
            .folded("t.user_name_folded")
            .writes("user_name"),
        // The contract may have it; nobody needs what a password can be guessed against.
        Property::text("hashedPassword", "CAST(NULL AS TEXT)"),
        Property::text("description", "t.description").writes("description"),
        // What its server could not make lets nobody in.
        Property::flag("isEnabled", "CASE WHEN t.sync = 'CreationFailed' THEN FALSE ELSE t.enabled END"),
        Property::code("syncState", "t.sync"),
        Property::text("syncMessage", "t.sync_message"),
        Property::instant("lastActive", "t.last_active"),
        Property::flag("isLeaseExpirationEnabled", "t.lease_enabled").writes("lease_enabled"),
        Property::instant("leaseExpirationDate", "t.lease_expires_at").writes("lease_expires_at"),
        Property::flag("isThrottlingEnabled", "t.throttling_enabled").writes("throttling_enabled"),
        Property::integer("throttlingValue", "t.throttling_value").writes("throttling_value"),
        Property::code("throttlingUnit", "t.throttling_unit").writes("throttling_unit"),
        Property::integer("maxConcurrentTask", "t.max_concurrent_tasks").writes("max_concurrent_tasks"),
        Property::flag("isBackupProtectionEnabled", "t.protection_enabled").writes("protection_enabled"),
        Property::integer("backupProtectionPeriod", "t.protection_days").writes("protection_days"),
        Property::code("gatewaySelectionType", "t.gateway_selection").writes("gateway_selection"),
        Property::list("gatewayPoolsUids", "t.gateway_pool_uids").writes("gateway_pool_uids"),
        Property::flag("isGatewayFailoverEnabled", "t.gateway_failover").writes("gateway_failover"),
        Property::flag(
            "isBackupResourcesEnabled",
            "EXISTS (SELECT 1 FROM tenant_backup_resources r WHERE r.tenant_uid = t.uid AND r.deleted_at IS NULL)",
        ),
        Property::flag("isNativeReplicationResourcesEnabled", "t.native_replication")
            .writes("native_replication"),
        Property::flag("isVcdReplicationResourcesEnabled", "t.vcd_replication").writes("vcd_replication"),
    ],
};

const RESOURCES: &str = "tenant_backup_resources r JOIN cloud_tenants t ON t.uid = r.tenant_uid \
    WHERE r.deleted_at IS NULL AND t.deleted_at IS NULL";

/// Tenants' shares of repositories.
pub static TENANT_BACKUP_RESOURCES: Resource = Resource {
    name: "TenantBackupResource",
    table: "tenant_backup_resources",
    key: "uid",
    from: RESOURCES,
    id: "r.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("instanceUid", "r.uid"),
        Property::uuid("companyUid", "t.company_uid").indexed(),
        Property::uuid("tenantUid", "r.tenant_uid").indexed(),
        Property::uuid("siteUid", "t.site_uid").indexed(),
        Property::uuid("repositoryUid", "r.repository_uid").indexed(),
        Property::text("cloudRepositoryName", "r.name").folded("r.name_folded").writes("name"),
        Property::integer("storageQuota", "r.storage_quota").writes("storage_quota"),
        Property::integer("usedSpace", "r.used_space"),
        Property::integer("serversQuota", "r.servers_quota").writes("servers_quota"),
        Property::flag("isServersQuotaUnlimited", "r.servers_unlimited").writes("servers_unlimited"),
        Property::integer("workstationsQuota", "r.workstations_quota").writes("workstations_quota"),
        Property::flag("isWorkstationsQuotaUnlimited", "r.workstations_unlimited")
            .writes("workstations_unlimited"),
        Property::integer("vmsQuota", "r.vms_quota").writes("vms_quota"),
        Property::flag("isVmsQuotaUnlimited", "r.vms_unlimited").writes("vms_unlimited"),
        Property::flag("isWanAccelerationEnabled", "r.wan_enabled").writes("wan_enabled"),
        Property::uuid("wanAcceleratorUid", "r.wan_accelerator_uid").writes("wan_accelerator_uid"),
        Property::flag("isDefault", "r.is_default").writes("is_default"),
        Property::code("syncState", "r.sync"),
        Property::text("syncMessage", "r.sync_message"),
    ],
};

/// What is in tenants' shares.
pub static TENANT_BACKUP_RESOURCE_USAGES: Resource = Resource {
    name: "TenantBackupResourceUsage",
    table: "tenant_backup_resources",
    key: "uid",
    from: RESOURCES,
    id: "r.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("backupResourceUid", "r.uid"),
        Property::uuid("companyUid", "t.company_uid").indexed(),
        Property::uuid("tenantUid", "r.tenant_uid").indexed(),
        Property::integer("storageQuota", "r.storage_quota"),
        Property::integer("usedStorageQuota", "r.used_space"),
        Property::integer("archiveTierUsage", "r.archive_tier"),
        Property::integer("capacityTierUsage", "r.capacity_tier"),
        Property::integer("performanceTierUsage", "r.performance_tier"),
        Property::integer("serverBackups", "r.server_backups"),
        Property::integer("workstationBackups", "r.workstation_backups"),
        Property::integer("vmBackups", "r.vm_backups"),
    ],
};

/// What tenants may replicate to.
pub static TENANT_REPLICATION_RESOURCES: Resource = Resource {
    name: "TenantReplicationResource",
    table: "tenant_replication_resources",
    key: "uid",
    from: "tenant_replication_resources p JOIN cloud_tenants t ON t.uid = p.tenant_uid WHERE t.deleted_at IS NULL",
    id: "p.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("instanceUid", "p.uid"),
        Property::uuid("companyUid", "t.company_uid").indexed(),
        Property::uuid("tenantUid", "p.tenant_uid").indexed(),
        Property::uuid("siteUid", "t.site_uid").indexed(),
        Property::json("hardwarePlans", "p.hardware_plans"),
        Property::flag("isFailoverCapabilitiesEnabled", "p.failover_enabled"),
        Property::flag("isPublicAllocationEnabled", "p.public_allocation"),
        Property::integer("numberOfPublicIps", "p.public_ips"),
    ],
};

/// What tenants use of what they may replicate to.
pub static TENANT_REPLICATION_RESOURCE_USAGES: Resource = Resource {
    name: "TenantReplicationResourceUsage",
    table: "tenant_replication_usages",
    key: "uid",
    from: "tenant_replication_usages u JOIN cloud_tenants t ON t.uid = u.tenant_uid WHERE t.deleted_at IS NULL",
    id: "u.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("hardwarePlanUid", "u.hardware_plan_uid"),
        Property::uuid("companyUid", "t.company_uid").indexed(),
        Property::uuid("tenantUid", "u.tenant_uid").indexed(),
        Property::uuid("siteUid", "t.site_uid").indexed(),
        Property::integer("numberOfVms", "u.vms"),
        Property::integer("vCPUsConsumed", "u.vcpus"),
        Property::integer("hostsCoresCount", "u.host_cores"),
        Property::integer("memoryUsage", "u.memory"),
        Property::integer("storageUsage", "u.storage"),
    ],
};

/// How much tenants may download.
pub static TENANT_TRAFFIC: Resource = Resource {
    name: "TenantTrafficResource",
    table: "cloud_tenants",
    key: "uid",
    from: "cloud_tenants t WHERE t.deleted_at IS NULL",
    id: "t.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("tenantUid", "t.uid"),
        Property::uuid("companyUid", "t.company_uid").indexed(),
        Property::uuid("siteUid", "t.site_uid").indexed(),
        Property::integer("dataTransferOutQuota", "t.data_out_quota"),
        Property::flag("isDataTransferOutQuotaUnlimited", "t.data_out_unlimited"),
    ],
};

/// Backups that tenants keep on sites.
pub static CLOUD_BACKUPS: Resource = Resource {
    name: "CloudBackup",
    table: "cloud_backups",
    key: "uid",
    from: "cloud_backups b JOIN cloud_tenants t ON t.uid = b.tenant_uid WHERE t.deleted_at IS NULL",
    id: "b.uid",
    reach: OF_TENANT,
    properties: &[
        Property::uuid("instanceUid", "b.uid"),
        Property::text("name", "b.name").folded("b.name_folded"),
        Property::code("type", "b.kind"),
        Property::uuid("siteUid", "b.site_uid").indexed(),
        Property::uuid("tenantUid", "b.tenant_uid").indexed(),
        Property::uuid("subTenantUid", "b.subtenant_uid"),
        Property::uuid("repositoryUid", "b.repository_uid"),
        Property::uuid("backupObjectUid", "b.object_uid"),
        Property::uuid("jobUid", "b.job_uid"),
        Property::uuid("sourceInstallationUid", "b.installation_uid"),
        Property::integer("restorePointsCount", "b.restore_points"),
    ],
};
