//! Licences of backup servers.

use crate::store::list::{Property, Reach, Resource};

/// A server's licence has its server's id.
pub static SERVER_LICENSES: Resource = Resource {
    name: "BackupServerLicense",
    table: "server_licenses",
    key: "server_uid",
    from: "server_licenses l JOIN agents a ON a.uid = l.agent_uid",
    id: "l.server_uid",
    reach: Reach::organization("l.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("backupServerUid", "l.server_uid").indexed(),
        Property::code("type", "l.type"),
        Property::code("status", "l.status"),
        Property::text("edition", "l.edition"),
        Property::text("company", "l.company"),
        Property::text("contactPerson", "l.contact_person"),
        Property::text("email", "l.email"),
        Property::list("licenseIds", "l.license_ids"),
        Property::list("supportIds", "l.support_ids"),
        Property::instant("expirationDate", "l.expires_at"),
        Property::instant("supportExpirationDate", "l.support_expires_at"),
        Property::flag("autoUpdateEnabled", "l.auto_update"),
        Property::code("cloudConnect", "l.cloud_connect"),
        Property::list("packages", "l.packages"),
        Property::list("sectionTypes", SECTIONS),
        Property::code("unitType", "coalesce(l.unit_type, 'Unknown')"),
        Property::number("units", "l.units"),
        Property::number("usedUnits", "l.used_units"),
        Property::number("sockets", "l.sockets"),
        Property::number("usedSockets", "l.used_sockets"),
        Property::number("capacity", "l.capacity"),
        Property::number("usedCapacity", "l.used_capacity"),
    ],
};

/// Which units it counts, told by what it has.
const SECTIONS: &str = "CASE WHEN l.units IS NOT NULL AND l.sockets IS NOT NULL THEN '[\"Instance\",\"Socket\"]' \
    WHEN l.sockets IS NOT NULL THEN '[\"Socket\"]' WHEN l.units IS NOT NULL THEN '[\"Instance\"]' ELSE '[]' END";
