//! Alarms, their templates, and the rules behind them.

use utoipa::OpenApi;

use crate::api::operations::Routes;
use crate::store::{ALARM_TEMPLATES, ALARMS};

mod rule;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetActiveAlarms", &ALARMS)
        .get("GetActiveAlarm", &ALARMS)
        .list("GetAlarms", &ALARM_TEMPLATES)
        .get("GetAlarm", &ALARM_TEMPLATES)
        .add("GetAlarmRule", rule::get)
        .add("PatchAlarmRule", rule::patch)
}

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(rule::get, rule::patch))]
pub(crate) struct Docs;
