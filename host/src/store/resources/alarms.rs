//! Alarms and their templates.

use crate::store::list::{Property, Reach, Resource};

/// Alarms with their last activation.
pub static ALARMS: Resource = Resource {
    name: "ActiveAlarm",
    table: "alarms",
    key: "uid",
    from: "alarms a",
    id: "a.uid",
    reach: Reach::organization("a.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "a.uid"),
        Property::uuid("alarmTemplateUid", "a.template_uid"),
        Property::integer("repeatCount", "a.repeat_count"),
        Property::code("area", "'vspc'"),
        Property::uuid("object.instanceUid", "a.object_uid"),
        Property::uuid("object.objectUid", "a.object_uid").indexed(),
        Property::text("object.objectName", "a.object_name").folded("a.object_name_folded"),
        Property::text("object.computerName", "a.computer_name"),
        Property::code("object.type", "a.object_type"),
        Property::uuid("object.organizationUid", "a.company_uid").indexed(),
        Property::uuid("object.locationUid", "a.location_uid"),
        Property::uuid("object.managementAgentUid", "a.agent_uid"),
        Property::uuid("lastActivation.instanceUid", "a.activation_uid"),
        Property::instant("lastActivation.time", "a.changed_at").indexed(),
        Property::code("lastActivation.status", "a.status"),
        Property::text("lastActivation.message", "a.message"),
        Property::text("lastActivation.remark", "NULLIF(a.remark, '')"),
    ],
};

/// Rules with their parameters and the knowledge about them; everybody may read them.
pub static ALARM_TEMPLATES: Resource = Resource {
    name: "Alarm",
    table: "alarm_templates",
    key: "uid",
    from: "alarm_templates t",
    id: "t.uid",
    reach: Reach::EVERYBODY,
    properties: &[
        Property::uuid("instanceUid", "t.uid"),
        Property::integer("internalId", "t.internal_id"),
        Property::text("name", "t.name").folded("t.name_folded"),
        Property::code("category", "t.category"),
        Property::flag("isEnabled", "t.enabled"),
        Property::flag("isPredifined", "t.predefined"),
        Property::text("knowledge.summary", "t.summary"),
        Property::text("knowledge.cause", "t.cause"),
        Property::text("knowledge.resolution", "t.resolution"),
    ],
};
