//! Templates and alarms.

use uuid::Uuid;

use crate::id::{ActivationUid, AgentUid, AlarmTemplateUid, AlarmUid, CompanyUid, LocationUid};

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

/// An alarm of one template for one object. It stays, resolved, when the object is well again.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Alarm {
    /// Its id.
    pub uid: AlarmUid,
    /// Under which template.
    pub template_uid: AlarmTemplateUid,
    /// Whose object.
    pub company_uid: CompanyUid,
    /// Where the object stands.
    pub location_uid: Option<LocationUid>,
    /// Which agent knows the object.
    pub agent_uid: Option<AgentUid>,
    /// A word of the API's object types.
    pub object_type: String,
    /// The object.
    pub object_uid: Uuid,
    /// The object's name.
    pub object_name: String,
    /// The machine's name.
    pub computer_name: String,
    /// The last activation.
    pub activation_uid: ActivationUid,
    /// Its status, an [`AlarmStatus`].
    pub status: String,
    /// What is wrong.
    pub message: String,
    /// What somebody said about it.
    pub remark: String,
    /// When the status changed last.
    pub changed_at: i64,
    /// How often it came back.
    pub repeat_count: i64,
}

/// One change of an alarm's status.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Activation {
    /// Its id.
    pub uid: ActivationUid,
    /// Of which alarm.
    pub alarm_uid: AlarmUid,
    /// An [`AlarmStatus`].
    pub status: String,
    /// What is wrong.
    pub message: String,
    /// What somebody said about it.
    pub remark: String,
    /// Unix milliseconds.
    pub created_at: i64,
}
