//! Alarms, their templates, and the rules behind those.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::instant::Instant;
use crate::api::operations::Routes;
use crate::api::query::Offer;
use crate::model::{self, AlarmTemplate};

mod get;
mod list;
mod rule;
mod template;
mod templates;

const ACTIVE: Offer = Offer { schema: "ActiveAlarm", expand: &[] };
const TEMPLATE: Offer = Offer { schema: "Alarm", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetActiveAlarms", list::list)
        .add("GetActiveAlarm", get::get)
        .add("GetAlarms", templates::list)
        .add("GetAlarm", template::get)
        .add("GetAlarmRule", rule::get)
        .add("PatchAlarmRule", rule::patch)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, get::get, templates::list, template::get, rule::get, rule::patch))]
pub(crate) struct Docs;

/// An alarm of one template for one object.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActiveAlarm {
    instance_uid: Uuid,
    alarm_template_uid: Uuid,
    /// How often it was raised.
    repeat_count: i32,
    /// Always `vspc`.
    area: &'static str,
    object: AlarmObject,
    last_activation: AlarmActivation,
}

/// What an alarm is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlarmObject {
    instance_uid: Uuid,
    object_uid: Uuid,
    object_name: String,
    computer_name: String,
    #[serde(rename = "type")]
    #[schema(value_type = AlarmObjectType)]
    kind: String,
    organization_uid: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_uid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    management_agent_uid: Option<Uuid>,
}

/// One change of an alarm's status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlarmActivation {
    instance_uid: Uuid,
    time: Instant,
    #[schema(value_type = AlarmStatus)]
    status: String,
    message: String,
    /// What somebody said about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    remark: String,
}

/// A rule with its parameters and the knowledge about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alarm {
    instance_uid: Uuid,
    /// Under which number scripts know it; 0 for none.
    internal_id: i32,
    name: String,
    #[schema(value_type = AlarmCategoryType)]
    category: String,
    is_enabled: bool,
    is_predifined: bool,
    knowledge: AlarmKnowledge,
}

/// What is known about an alarm.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlarmKnowledge {
    summary: String,
    cause: String,
    resolution: String,
}

macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident { $($word:ident),+ })+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, ToSchema)]
        #[expect(dead_code, reason = "documents the words")]
        enum $name { $($word),+ }
    )+};
}

words! {
    /// The state of an alarm.
    AlarmStatus { Unknown, Resolved, Info, Warning, Error, Acknowledged }
    /// What an alarm can be about.
    AlarmObjectType { Unknown, ManagementAgent, Company, Internal, ObjectEntity, BackupAgent, BackupServer }
    /// What a template looks at.
    AlarmCategoryType { Unknown, ManagementAgent, Company, Internal, BackupAgent, BackupServer }
}

impl From<model::Alarm> for ActiveAlarm {
    fn from(alarm: model::Alarm) -> Self {
        Self {
            instance_uid: alarm.uid.0,
            alarm_template_uid: alarm.template_uid.0,
            repeat_count: i32::try_from(alarm.repeat_count).unwrap_or(i32::MAX),
            area: "vspc",
            object: AlarmObject {
                instance_uid: alarm.object_uid,
                object_uid: alarm.object_uid,
                object_name: alarm.object_name,
                computer_name: alarm.computer_name,
                kind: alarm.object_type,
                organization_uid: alarm.company_uid.0,
                location_uid: alarm.location_uid.map(|uid| uid.0),
                management_agent_uid: alarm.agent_uid.map(|uid| uid.0),
            },
            last_activation: AlarmActivation {
                instance_uid: alarm.activation_uid.0,
                time: Instant(alarm.changed_at),
                status: alarm.status,
                message: alarm.message,
                remark: alarm.remark,
            },
        }
    }
}

impl From<AlarmTemplate> for Alarm {
    fn from(template: AlarmTemplate) -> Self {
        Self {
            instance_uid: template.uid.0,
            internal_id: i32::try_from(template.internal_id).unwrap_or_default(),
            name: template.name,
            category: template.category,
            is_enabled: template.enabled,
            is_predifined: template.predefined,
            knowledge: AlarmKnowledge {
                summary: template.summary,
                cause: template.cause,
                resolution: template.resolution,
            },
        }
    }
}
