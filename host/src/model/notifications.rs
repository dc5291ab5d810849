//! What an organisation is told, by whom it seems to come, and through which mail server. The words and the defaults are the
//! API's.

use serde::{Deserialize, Serialize};

use super::SmtpSettings;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotificationSettings {
    /// Absent: the manager's mail server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp: Option<SmtpSettings>,
    /// Disabled, summary or all.
    pub level: String,
    /// The sender of mails that name none.
    pub default_from: Option<String>,
    /// Its name.
    pub default_sender_name: Option<String>,
    /// Of alarms.
    pub alarms: NotificationAlarms,
    /// Of invoices.
    pub billing: NotificationBilling,
    /// Of discovery.
    pub discovery: NotificationDiscovery,
    /// Of licences.
    pub license: NotificationLicense,
}

/// Mails about alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub struct NotificationAlarms {
    pub from: Option<String>,
    pub sender_name: Option<String>,
    pub to: Option<String>,
    pub daily_subject: String,
    pub daily_time: String,
    pub daily_status_filter: Option<Vec<String>>,
    pub daily_sorting: String,
}

/// Mails about invoices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub struct NotificationBilling {
    pub from: Option<String>,
    pub sender_name: Option<String>,
    pub subject: String,
}

/// Mails about discovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub struct NotificationDiscovery {
    pub from: Option<String>,
    pub sender_name: Option<String>,
    pub to: Option<String>,
    pub subject: String,
    pub daily_time: Option<String>,
}

/// Mails about licences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub struct NotificationLicense {
    pub from: Option<String>,
    pub sender_name: Option<String>,
    pub to: Option<String>,
    pub enabled: Option<bool>,
    pub include_csv: Option<bool>,
}

/// The API's default of `alarms.dailySubject`.
const ALARMS_SUBJECT: &str =
    r#"Company: "%company%", Location: "%location%", Alarm: "%alarmName%", Status: "%alarmStatus%" "#;
/// The API's default of `discovery.subject`.
const DISCOVERY_SUBJECT: &str =
    r#"Company: "%company%", Location: "%location%", Rule: "%ruleName%", Status: "%ruleStatus%" "#;
/// The API's default of `billing.subject`.
const BILLING_SUBJECT: &str = "%company%: %invoicePeriod%";
/// The API's default of `alarms.dailyTime`.
const DAILY_TIME: &str = "9:00";

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            smtp: None,
            level: "disabled".to_owned(),
            default_from: None,
            default_sender_name: None,
            alarms: NotificationAlarms::default(),
            billing: NotificationBilling::default(),
            discovery: NotificationDiscovery::default(),
            license: NotificationLicense::default(),
        }
    }
}

impl Default for NotificationAlarms {
    fn default() -> Self {
        Self {
            from: None,
            sender_name: None,
            to: None,
            daily_subject: ALARMS_SUBJECT.to_owned(),
            daily_time: DAILY_TIME.to_owned(),
            daily_status_filter: None,
            daily_sorting: "ByTime".to_owned(),
        }
    }
}

impl Default for NotificationBilling {
    fn default() -> Self {
        Self { from: None, sender_name: None, subject: BILLING_SUBJECT.to_owned() }
    }
}

impl Default for NotificationDiscovery {
    fn default() -> Self {
        Self {
            from: None,
            sender_name: None,
            to: None,
            subject: DISCOVERY_SUBJECT.to_owned(),
            daily_time: None,
        }
    }
}
