//! What companies have on the provider's own backup servers.

use crate::store::list::{Property, Reach, Resource};

/// Which hosted backup server a company has.
pub static HOSTED_RESOURCES: Resource = Resource {
    name: "CompanyHostedVbrResource",
    table: "hosted_resources",
    key: "uid",
    from: "hosted_resources h",
    id: "h.uid",
    reach: Reach::organization("h.company_uid").location(
        "EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = h.company_uid AND l.type = 'Hosted' AND l.uid IN ({}))",
    ),
    properties: &[
        Property::uuid("instanceUid", "h.uid"),
        Property::uuid("companyUid", "h.company_uid").indexed(),
        Property::uuid("serverUid", "h.server_uid").indexed(),
        Property::text("friendlyName", "h.name").folded("h.name_folded").writes("name"),
        Property::flag("isWholeServerAssigned", "h.whole_server").writes("whole_server"),
    ],
};

/// Which repositories of that server, and how much of them.
pub static HOSTED_BACKUP_RESOURCES: Resource = Resource {
    name: "CompanyHostedVbrBackupResource",
    table: "hosted_backup_resources",
    key: "uid",
    from: "hosted_backup_resources b",
    id: "b.uid",
    reach: Reach::organization("b.company_uid").location(
        "EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = b.company_uid AND l.type = 'Hosted' AND l.uid IN ({}))",
    ),
    properties: &[
        Property::uuid("instanceUid", "b.uid"),
        Property::uuid("companyUid", "b.company_uid").indexed(),
        Property::uuid("hostedResourceUid", "b.resource_uid").indexed(),
        Property::uuid("repositoryUid", "b.repository_uid").indexed(),
        Property::integer("storageQuota", "b.storage_quota"),
        Property::flag("isStorageQuotaUnlimited", "CASE WHEN b.storage_quota IS NULL THEN TRUE ELSE FALSE END"),
    ],
};
