//! What companies set for themselves: mails, colours, rules. A company without a row has the defaults.

use super::Fleet;
use super::numbers::{Thing, one_of};
use super::table::{Table, rows};

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![notifications(fleet), branding(fleet), policies(fleet)]
}

/// Every fifth company has settings of its own.
fn with_settings(fleet: Fleet) -> impl Iterator<Item = i64> + Send {
    (0..fleet.scale.companies).filter(|company| company % 5 == 0)
}

fn notifications(fleet: Fleet) -> Table {
    rows!("notification_settings", with_settings(fleet), |company| (
        from = format!("backup@customer-{company}.test"),
    ) {
        organization_uid: Thing::Company.at(company),
        level: one_of(&["disabled", "summary", "all"], company / 5),
        default_from: from.clone(),
        default_sender_name: "Sicherung",
        alarms_from: from.clone(),
        alarms_sender_name: "Alarme",
        alarms_to: format!("it@customer-{company}.test"),
        alarms_daily_subject: "Alarms of %company%",
        alarms_daily_time: "9:00",
        alarms_daily_status_filter: r#"["Error","Warning"]"#,
        alarms_daily_sorting: "ByTime",
        billing_from: from.clone(),
        billing_sender_name: "Buchhaltung",
        billing_subject: "%company%: %invoicePeriod%",
        discovery_from: from.clone(),
        discovery_sender_name: "Discovery",
        discovery_to: format!("it@customer-{company}.test"),
        discovery_subject: "Discovery of %company%",
        discovery_daily_time: "10:00",
        license_from: from.clone(),
        license_sender_name: "Licences",
        license_to: from,
        license_enabled: true,
        license_include_csv: company % 10 == 0,
    })
}

fn branding(fleet: Fleet) -> Table {
    rows!("branding_settings", with_settings(fleet), |company| () {
        organization_uid: Thing::Company.at(company),
        portal_color_theme: one_of(&["Blue", "Green"], company / 5),
        web_uri: format!("https://backup.customer-{company}.test/"),
        managed_policy: "AllowCustomization",
    })
}

fn policies(fleet: Fleet) -> Table {
    rows!("policy_settings", with_settings(fleet), |company| () {
        organization_uid: Thing::Company.at(company),
        mfa_status: if company % 10 == 0 { "Enabled" } else { "Disabled" },
        enforce_mfa: company % 10 == 0,
        rest_api_proxying_enabled: true,
        power_shell_sessions_enabled: false,
        redirecting_to_vbr_wizard_enabled: true,
        redirecting_to_vbr_web_ui_enabled: false,
        webhooks_enabled: true,
    })
}
