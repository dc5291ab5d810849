//! What users sign in with beside their password. Neither a key nor a secret is among it.

use crate::store::list::{Property, Reach, Resource};

/// API keys and second factors.
pub static LOGINS: Resource = Resource {
    name: "UserLogin",
    table: "user_logins",
    key: "uid",
    from: "user_logins g JOIN users u ON u.uid = g.user_uid JOIN organizations o ON o.uid = u.organization_uid \
        LEFT JOIN companies c ON c.uid = o.uid LEFT JOIN resellers r ON r.uid = o.uid",
    id: "g.uid",
    reach: Reach::organization("u.organization_uid")
        .location(
            "EXISTS (SELECT 1 FROM user_locations ul WHERE ul.user_uid = u.uid AND ul.location_uid IN ({}))",
        )
        .site("EXISTS (SELECT 1 FROM user_sites us WHERE us.user_uid = u.uid AND us.site_uid IN ({}))")
        .user("u.uid = {}"),
    properties: &[
        Property::integer("id", "g.id").indexed(),
        Property::uuid("userUid", "g.user_uid").indexed(),
        Property::text("userName", "u.name").folded("u.name_folded").indexed(),
        Property::uuid("companyId", "o.uid"),
        Property::text("companyName", "o.name").folded("o.name_folded"),
        Property::text("identifierInProvider", "g.identifier"),
        Property::text("identityProviderName", "g.provider"),
        Property::text("description", "g.description").folded("g.description_folded").writes("description"),
        Property::list("scopes", "g.scopes"),
        Property::flag("isReadAccessOnly", "g.read_only").writes("read_only"),
        Property::code(
            "status",
            "CASE WHEN NOT u.enabled THEN 'disabledDueToUser' \
                WHEN g.provider = 'AK' AND (coalesce(c.status, r.status, 'Active') <> 'Active' \
                    OR NOT coalesce(c.rest_access_enabled, r.rest_access_enabled, 1 = 1)) THEN 'disabledDueToCompany' \
                WHEN g.enabled THEN 'enabled' ELSE 'disabled' END",
        ),
        Property::instant("creationDate", "g.created_at"),
        // The contract requires a `usage` and does not say what it holds: when the login was used last.
        Property::text("usage", "CASE WHEN g.last_used_at IS NULL THEN 'unused' ELSE 'used' END"),
        Property::instant("lastUsedDate", "g.last_used_at"),
        Property::instant("expirationDate", "g.expires_at"),
    ],
};
