//! `GET` and `PATCH /alarms/templates/{alarmUid}/rule`, ours: the thresholds of a rule, and whether it is judged at all.

use std::slice::from_ref;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::ApiState;
use crate::api::body::JsonBody;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::patch::{self, JsonPatch};
use crate::api::peer::PathUid;
use crate::api::query::{Offer, Shape};
use crate::id::AlarmTemplateUid;
use crate::model::AlarmTemplate;
use crate::plugins::{Blame, CallError, GuestFault, Refusal};

const OFFER: Offer = Offer { schema: "AlarmRule" };
/// What a patch may change.
const WRITABLE: &[&str] = &["/parameters", "/isEnabled"];

/// The rule behind an alarm template.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlarmRule {
    alarm_uid: uuid::Uuid,
    /// The plugin that has the rule.
    plugin: String,
    /// The rule's id there.
    rule: String,
    /// Whether it is evaluated.
    is_enabled: bool,
    /// Its thresholds, with all defaults.
    #[schema(value_type = Object)]
    parameters: Value,
    /// JSON Schema of the parameters; absent while the plugin does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    parameters_schema: Option<Value>,
}

/// What a patch changes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    parameters: Value,
    is_enabled: bool,
}

/// The rule behind an alarm template.
#[utoipa::path(
    get, path = "/alarms/templates/{alarmUid}/rule", operation_id = "GetAlarmRule",
    params(("alarmUid" = uuid::Uuid, Path)),
    responses((status = 200, description = "The rule", body = Envelope<AlarmRule>)),
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    PathUid(uid): PathUid<AlarmTemplateUid>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let template = state.store().read().await?.templates().get(uid).await?;
    let template = template.ok_or_else(|| ApiError::absent("alarm template", uid))?;
    envelope::one(&AlarmRule::new(&state, template)?, &shape)
}

/// Changes the rule behind an alarm template: `[{"op":"replace","path":"/parameters/hours","value":48}]`.
#[utoipa::path(
    patch, path = "/alarms/templates/{alarmUid}/rule", operation_id = "PatchAlarmRule",
    params(("alarmUid" = uuid::Uuid, Path)),
    request_body = Vec<JsonPatch>,
    responses((status = 200, description = "The rule as it is now", body = Envelope<AlarmRule>)),
)]
pub(super) async fn patch(
    mut change: Change,
    JsonBody(steps): JsonBody<Vec<JsonPatch>>,
) -> Result<Response, ApiError> {
    let shape = change.ask.shape(OFFER.schema)?;
    let uid = AlarmTemplateUid(change.ask.object()?.1);
    let state = change.ask.state.clone();
    let absent = || ApiError::absent("alarm template", uid);
    let seen = state.store().read().await?.templates().get(uid).await?.ok_or_else(absent)?;
    let changed = changed(&seen, &steps)?;
    let parameters = settled(&state, &seen, &changed.parameters).await?;

    let mut tx = change.begin().await?;
    let mut template = tx.templates().get(uid).await?.ok_or_else(absent)?;
    // The plugin was asked outside the transaction, so that one that is slow holds up no other writer.
    if (&template.parameters, template.enabled) != (&seen.parameters, seen.enabled) {
        return Err(ApiError::conflict(
            "the rule was changed by somebody else meanwhile; send the patch again",
        ));
    }
    (template.parameters, template.enabled) = (parameters, changed.is_enabled);
    tx.templates().set_rule(uid, &template.parameters, template.enabled).await?;
    tx.due().mark_all().await?;
    let object = Object { kind: OFFER.schema, uid: uid.0, name: &template.name, organization: None };
    let shown =
        |template: &AlarmTemplate| json!({"parameters": template.parameters, "isEnabled": template.enabled});
    change.note(&object, Some(&shown(&seen)), Some(&shown(&template)));
    change.commit(tx).await?;
    envelope::one(&AlarmRule::new(&state, template)?, &shape)
}

fn changed(template: &AlarmTemplate, steps: &[JsonPatch]) -> Result<Changed, ApiError> {
    let mut document = json!({"parameters": stored(template)?, "isEnabled": template.enabled});
    patch::apply(&mut document, steps, WRITABLE)?;
    serde_json::from_value(document).map_err(|error| {
        let message = format!("isEnabled must be true or false, and parameters an object: {error}");
        ApiError::property("isEnabled", message)
    })
}

/// What is to be stored of the parameters that were asked for, after the schema and the rule itself took them.
async fn settled(state: &ApiState, template: &AlarmTemplate, asked: &Value) -> Result<String, ApiError> {
    // To switch off a rule whose plugin is gone must be possible; to give it values that nobody can judge must not.
    if *asked == stored(template)? {
        return Ok(template.parameters.clone());
    }
    let (plugins, AlarmTemplate { plugin, rule, .. }) = (state.plugins(), template);
    let filled =
        plugins.validate_parameters(plugin, rule, asked).map_err(|complaints| refuse(&complaints))?;
    plugins.try_parameters(plugin, rule, &filled).await.map_err(|error| untaken(&error))?;
    Ok(filled.to_string())
}

/// An orderly "no" of the rule is about the parameters; that it crashed or had no time says nothing of them.
fn untaken(error: &CallError) -> ApiError {
    match &error.blame {
        Blame::Guest(GuestFault::Answered { message, retryable: false, .. }) => refuse(from_ref(message)),
        Blame::Policy(Refusal::Parameters(complaints)) => refuse(complaints),
        _ => ApiError::unavailable(
            format!("the rule could not try these parameters, so nothing was changed: {error}"),
            None,
        ),
    }
}

fn stored(template: &AlarmTemplate) -> Result<Value, ApiError> {
    serde_json::from_str(&template.parameters).map_err(ApiError::internal)
}

/// The schema's complaints begin with the pointer of what they are about.
fn refuse(complaints: &[String]) -> ApiError {
    let place = complaints.first().and_then(|first| first.strip_prefix('/')?.split_once(": "));
    let path = match place {
        Some((pointer, _)) => format!("parameters.{}", pointer.replace('/', ".")),
        None => "parameters".to_owned(),
    };
    ApiError::property(&path, format!("the rule does not take these parameters: {}", complaints.join("; ")))
}

impl AlarmRule {
    fn new(state: &ApiState, template: AlarmTemplate) -> Result<Self, ApiError> {
        let stored = stored(&template)?;
        let plugins = state.plugins();
        let loaded = plugins.rules().get(&template.plugin, &template.rule).cloned();
        // While the plugin does not run nobody knows the defaults: then what is stored is all there is to show.
        let filled = plugins.validate_parameters(&template.plugin, &template.rule, &stored);
        Ok(Self {
            alarm_uid: template.uid.0,
            plugin: template.plugin,
            rule: template.rule,
            is_enabled: template.enabled,
            parameters: filled.unwrap_or(stored),
            parameters_schema: loaded.map(|loaded| loaded.rule.parameters_schema.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(blame: Blame) -> ApiError {
        let (plugin, step) = ("a.b".to_owned(), "evaluating the rule r".to_owned());
        untaken(&CallError { plugin, step, blame })
    }

    #[test]
    fn only_an_orderly_no_is_the_callers_fault() {
        let answered = |retryable| {
            Blame::Guest(GuestFault::Answered {
                code: "bad-parameters".to_owned(),
                message: "no such moon".to_owned(),
                retryable,
            })
        };
        let no = after(answered(false));
        assert_eq!((no.status().as_u16(), no.property_name()), (400, Some("parameters")));
        assert!(no.message().contains("no such moon"), "{}", no.message());
        for blame in [
            answered(true),
            Blame::Guest(GuestFault::Trap("unreachable".to_owned())),
            Blame::Policy(Refusal::Stopping),
        ] {
            assert_eq!(after(blame).status().as_u16(), 520);
        }
    }

    #[test]
    fn a_complaint_names_the_parameter_it_is_about() {
        let error = refuse(&["/mail/port: 0 is less than the minimum of 1".to_owned()]);
        assert_eq!(error.property_name(), Some("parameters.mail.port"));
        let error = refuse(&["Additional properties are not allowed ('x' was unexpected)".to_owned()]);
        assert_eq!(error.property_name(), Some("parameters"));
    }
}
