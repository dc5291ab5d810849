//! A plugin's settings and their form.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{asked, find};
use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::Change;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;

/// Settings, and what they may be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginSettings {
    /// As they count, defaults filled in.
    #[schema(value_type = Object)]
    settings: Value,
    /// JSON Schema 2020-12; absent if the plugin takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    schema: Option<Value>,
}

/// A plugin's settings.
#[utoipa::path(
    get, path = "/plugins/{pluginId}/settings", operation_id = "GetPluginSettings",
    params(("pluginId" = Uuid, Path)),
    responses((status = 200, description = "The settings and their form", body = Envelope<PluginSettings>)),
)]
pub(super) async fn get(ask: Ask) -> Result<Response, ApiError> {
    answer(&ask, &find(&ask).await?.id).await
}

/// Gives a plugin other settings. They must fit its schema, and count from now on.
#[utoipa::path(
    put, path = "/plugins/{pluginId}/settings", operation_id = "SetPluginSettings",
    params(("pluginId" = Uuid, Path)),
    request_body = Object,
    responses((status = 200, description = "The settings as they count now", body = Envelope<PluginSettings>)),
)]
pub(super) async fn put(change: Change, JsonBody(input): JsonBody<Value>) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    change.ask.state.plugins().set_settings(&plugin.id, &input, &actor).await?;
    answer(&change.ask, &plugin.id).await
}

async fn answer(ask: &Ask, id: &str) -> Result<Response, ApiError> {
    let form = ask.state.plugins().settings(id).await?;
    let answer = PluginSettings { settings: form.settings, schema: form.schema };
    envelope::one(&answer, &Shape::default())
}
