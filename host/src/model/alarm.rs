//! Templates and alarms.

use crate::id::AlarmTemplateUid;

/// The state of an alarm, in the API's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmStatus {
    /// The object is well again, or somebody said so.
    Resolved,
    /// Worth knowing.
    Info,
    /// Needs a look.
    Warning,
    /// Needs action.
    Error,
    /// Somebody is on it.
    Acknowledged,
}

impl AlarmStatus {
    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolved => "Resolved",
            Self::Info => "Info",
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::Acknowledged => "Acknowledged",
        }
    }
}

/// A rule with its parameters.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AlarmTemplate {
    /// Its id.
    pub uid: AlarmTemplateUid,
    /// The plugin that has the rule.
    pub plugin: String,
    /// The rule's id there.
    pub rule: String,
    /// What it looks at: `computer`, `management-agent`.
    pub subject: String,
    /// Under which number scripts know it; 0 for none.
    pub internal_id: i64,
    /// For people.
    pub name: String,
    /// A word of the API's `category`.
    pub category: String,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// Whether a plugin brought it.
    pub predefined: bool,
    /// JSON, valid under the rule's schema.
    pub parameters: String,
    /// What the alarm means.
    pub summary: String,
    /// What usually causes it.
    pub cause: String,
    /// What to do.
    pub resolution: String,
}

/// What a plugin says of a rule; parameters and the switch stay as the provider left them.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// The plugin that has the rule.
    pub plugin: String,
    /// The rule's id there.
    pub rule: String,
    /// What it looks at.
    pub subject: String,
    /// Under which number scripts know it; 0 for none.
    pub internal_id: i64,
    /// For people.
    pub name: String,
    /// A word of the API's `category`.
    pub category: String,
    /// For a template that is new: the defaults.
    pub parameters: String,
    /// What the alarm means.
    pub summary: String,
    /// What usually causes it.
    pub cause: String,
    /// What to do.
    pub resolution: String,
}
