//! What organisations are set to. Each has these settings whether or not it has a row: what no row says is the default, or what
//! its manager says: a company's is its reseller, if it has one, and above both stands the provider.

use crate::store::list::{Property, Reach, Resource};

/// The organisation `o`, the provider `i`, and the settings in `$table`: its own `s`, its reseller's `r`, the provider's `v`.
macro_rules! with_managers {
    ($table:literal) => {
        concat!(
            "organizations o CROSS JOIN installation i LEFT JOIN companies c ON c.uid = o.uid LEFT JOIN ",
            $table,
            " s ON s.organization_uid = o.uid LEFT JOIN ",
            $table,
            " r ON r.organization_uid = c.reseller_uid LEFT JOIN ",
            $table,
            " v ON v.organization_uid = i.uid AND o.uid <> i.uid"
        )
    };
}

/// A branding setting: the manager's where the manager insists, else the nearest one.
macro_rules! branded {
    ($column:literal, $default:literal) => {
        concat!(
            "CASE WHEN v.managed_policy = 'ForceInheritance' THEN coalesce(v.",
            $column,
            ", ",
            $default,
            ") WHEN r.managed_policy = 'ForceInheritance' THEN coalesce(r.",
            $column,
            ", v.",
            $column,
            ", ",
            $default,
            ") ELSE coalesce(s.",
            $column,
            ", r.",
            $column,
            ", v.",
            $column,
            ", ",
            $default,
            ") END"
        )
    };
}

/// Where the users of the company `c` find the portal: what its branding says.
pub(super) const PORTAL_OF_COMPANY: &str = concat!(
    "(SELECT ",
    branded!("web_uri", "(SELECT p.uri FROM portal p)"),
    " FROM installation i LEFT JOIN branding_settings s ON s.organization_uid = c.uid \
        LEFT JOIN branding_settings r ON r.organization_uid = c.reseller_uid \
        LEFT JOIN branding_settings v ON v.organization_uid = i.uid)"
);

/// What the manager lets an organisation switch on.
macro_rules! allowed {
    ($column:literal) => {
        concat!(
            "CASE WHEN o.uid = i.uid THEN TRUE WHEN coalesce(v.",
            $column,
            ", FALSE) AND (c.reseller_uid IS NULL OR coalesce(r.",
            $column,
            ", FALSE)) THEN TRUE ELSE FALSE END"
        )
    };
}

/// A switch: on if the organisation has it on and its manager lets it.
macro_rules! switch {
    ($column:literal) => {
        concat!("CASE WHEN coalesce(s.", $column, ", FALSE) THEN ", allowed!($column), " ELSE FALSE END")
    };
}

/// Settings that an organisation's every user may read.
const OF_MEMBERS: Reach = Reach::organization("o.uid")
    .location("EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = o.uid AND l.uid IN ({}))")
    .user("EXISTS (SELECT 1 FROM users u WHERE u.organization_uid = o.uid AND u.uid = {})");

/// How the portal looks to an organisation's users, and where it is.
pub static BRANDING: Resource = Resource {
    name: "BrandingSettings",
    table: "branding_settings",
    key: "organization_uid",
    from: with_managers!("branding_settings"),
    id: "o.uid",
    reach: OF_MEMBERS,
    properties: &[
        Property::code("portalColorTheme", branded!("portal_color_theme", "'Blue'"))
            .writes("portal_color_theme"),
        Property::code(
            "managedOrganizationsBrandingPolicy",
            "coalesce(s.managed_policy, 'AllowCustomization')",
        )
        .writes("managed_policy"),
        Property::text("webUri", branded!("web_uri", "(SELECT p.uri FROM portal p)")).writes("web_uri"),
    ],
};

/// What an organisation's users must and may do.
pub static POLICY: Resource = Resource {
    name: "PolicySettings",
    table: "policy_settings",
    key: "organization_uid",
    from: with_managers!("policy_settings"),
    id: "o.uid",
    reach: OF_MEMBERS,
    properties: &[
        Property::code(
            "mfaPolicyStatus",
            "CASE WHEN s.mfa_status = 'Enabled' THEN 'Enabled' \
                WHEN coalesce(v.enforce_mfa, FALSE) OR coalesce(r.enforce_mfa, FALSE) THEN 'EnabledByInheritance' \
                ELSE 'Disabled' END",
        )
        .writes("mfa_status"),
        Property::flag("enforceMfaPolicy", "s.enforce_mfa").writes("enforce_mfa"),
        Property::flag("restApiProxyingEnabled", switch!("rest_api_proxying_enabled"))
            .writes("rest_api_proxying_enabled"),
        Property::flag("restApiProxyingEnabledByManager", allowed!("rest_api_proxying_enabled")),
        Property::flag("powerShellSessionsEnabled", switch!("power_shell_sessions_enabled"))
            .writes("power_shell_sessions_enabled"),
        Property::flag("powerShellSessionsEnabledByManager", allowed!("power_shell_sessions_enabled")),
        Property::flag("redirectingToVbrWizardEnabled", switch!("redirecting_to_vbr_wizard_enabled"))
            .writes("redirecting_to_vbr_wizard_enabled"),
        Property::flag("redirectingToVbrWizardEnabledByManager", allowed!("redirecting_to_vbr_wizard_enabled")),
        Property::flag("redirectingToVbrWebUIEnabled", switch!("redirecting_to_vbr_web_ui_enabled"))
            .writes("redirecting_to_vbr_web_ui_enabled"),
        Property::flag("redirectingToVbrWebUIEnabledByManager", allowed!("redirecting_to_vbr_web_ui_enabled")),
        Property::flag("webhooksEnabled", switch!("webhooks_enabled")).writes("webhooks_enabled"),
        Property::flag("webhooksEnabledByManager", allowed!("webhooks_enabled")),
    ],
};

/// The second factor that a user `u` must have: by the user's own setting, else by the policies of the user's organisation and
/// of its managers.
macro_rules! mfa_of_user {
    () => {
        "CASE WHEN u.mfa_policy_status = 'Enabled' THEN 'Enabled' \
        WHEN EXISTS (SELECT 1 FROM policy_settings p \
            WHERE p.organization_uid = u.organization_uid AND p.mfa_status = 'Enabled') \
        OR EXISTS (SELECT 1 FROM policy_settings p WHERE p.enforce_mfa AND p.organization_uid <> u.organization_uid \
            AND (p.organization_uid IN (SELECT i.uid FROM installation i) \
                OR p.organization_uid IN (SELECT c.reseller_uid FROM companies c WHERE c.uid = u.organization_uid))) \
        THEN 'EnabledByInheritance' ELSE 'Disabled' END"
    };
}

/// What the API shows.
pub(super) const MFA_OF_USER: &str = mfa_of_user!();
/// The same of one user, for the door: what is shown is what is asked for there.
pub(in crate::store) const MFA_POLICY_OF: &str =
    concat!("SELECT ", mfa_of_user!(), " FROM users u WHERE u.uid = $1");

/// What an organisation is told by mail, and how; its secrets are not among it. The defaults are the contract's.
pub static NOTIFICATION: Resource = Resource {
    name: "NotificationSettings",
    table: "notification_settings",
    key: "organization_uid",
    from: "organizations o LEFT JOIN notification_settings n ON n.organization_uid = o.uid",
    id: "o.uid",
    reach: Reach::organization("o.uid"),
    properties: &[
        Property::json("smtp", "n.smtp").writes("smtp"),
        Property::code("level", "coalesce(n.level, 'disabled')").writes("level"),
        Property::text("defaultFrom", "n.default_from").writes("default_from"),
        Property::text("defaultSenderName", "n.default_sender_name").writes("default_sender_name"),
        Property::text("alarms.from", "n.alarms_from").writes("alarms_from"),
        Property::text("alarms.senderName", "n.alarms_sender_name").writes("alarms_sender_name"),
        Property::text("alarms.to", "n.alarms_to").writes("alarms_to"),
        Property::text(
            "alarms.dailySubject",
            "coalesce(n.alarms_daily_subject, \
                'Company: \"%company%\", Location: \"%location%\", Alarm: \"%alarmName%\", Status: \"%alarmStatus%\" ')",
        )
        .writes("alarms_daily_subject"),
        Property::text("alarms.dailyTime", "coalesce(n.alarms_daily_time, '9:00')").writes("alarms_daily_time"),
        Property::list("alarms.dailyStatusFilter", "n.alarms_daily_status_filter")
            .writes("alarms_daily_status_filter"),
        Property::code("alarms.dailySorting", "coalesce(n.alarms_daily_sorting, 'ByTime')")
            .writes("alarms_daily_sorting"),
        Property::flag(
            "alarms.isDailyNotificationEnabled",
            "CASE WHEN n.level = 'summary' THEN TRUE ELSE FALSE END",
        ),
        Property::text("billing.from", "n.billing_from").writes("billing_from"),
        Property::text("billing.senderName", "n.billing_sender_name").writes("billing_sender_name"),
        Property::text("billing.subject", "coalesce(n.billing_subject, '%company%: %invoicePeriod%')")
            .writes("billing_subject"),
        Property::text("discovery.from", "n.discovery_from").writes("discovery_from"),
        Property::text("discovery.senderName", "n.discovery_sender_name").writes("discovery_sender_name"),
        Property::text("discovery.to", "n.discovery_to").writes("discovery_to"),
        Property::text(
            "discovery.subject",
            "coalesce(n.discovery_subject, \
                'Company: \"%company%\", Location: \"%location%\", Rule: \"%ruleName%\", Status: \"%ruleStatus%\" ')",
        )
        .writes("discovery_subject"),
        Property::text("discovery.dailyTime", "n.discovery_daily_time").writes("discovery_daily_time"),
        Property::flag(
            "discovery.isDailyNotificationEnabled",
            "CASE WHEN n.level <> 'disabled' AND n.discovery_daily_time IS NOT NULL THEN TRUE ELSE FALSE END",
        ),
        Property::text("license.from", "n.license_from").writes("license_from"),
        Property::text("license.senderName", "n.license_sender_name").writes("license_sender_name"),
        Property::text("license.to", "n.license_to").writes("license_to"),
        Property::flag("license.enabled", "coalesce(n.license_enabled, FALSE)").writes("license_enabled"),
        Property::flag("license.includeCsv", "coalesce(n.license_include_csv, FALSE)").writes("license_include_csv"),
    ],
};
