//! What belongs to no organisation.

use crate::store::list::{Property, Reach, Resource};

/// The time zones of the world.
pub static TIME_ZONES: Resource = Resource {
    name: "TimeZone",
    table: "time_zones",
    key: "time_zone_id",
    from: "time_zones z",
    id: "z.time_zone_id",
    reach: Reach::EVERYBODY,
    properties: &[
        Property::text("timeZoneId", "z.time_zone_id").indexed(),
        Property::text("displayName", "z.display_name"),
        Property::integer("utcOffset", "z.utc_offset"),
    ],
};

macro_rules! certificates {
    ($from:literal, $reach:expr) => {
        Resource {
            name: "Certificate",
            table: "host_certificates",
            key: "thumbprint",
            from: $from,
            id: "h.thumbprint",
            reach: $reach,
            properties: &[
                Property::text("thumbprint", "h.thumbprint").indexed(),
                Property::text("issuedTo", "h.issued_to"),
                Property::text("issuedBy", "h.issued_by"),
                Property::text("friendlyName", "h.friendly_name"),
                Property::text("serialNumber", "h.serial_number"),
                Property::instant("expirationDate", "h.expires_at"),
            ],
        }
    };
}

/// The certificates that the host shows and signs with.
pub static CERTIFICATES: Resource = certificates!("host_certificates h", Reach::PROVIDER);

/// The one that browsers and scripts see.
pub static CONSOLE_CERTIFICATE: Resource =
    certificates!("host_certificates h WHERE h.purpose = 'console'", Reach::EVERYBODY);
