//! Views of plugins: what the console shows of them, and the buttons in it.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::behalf::{company, failed, plugin};
use crate::api::ApiState;
use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::plugins::{ViewInfo, plugin_uid};

/// The slot whose views a company's people see too; the others are the provider's.
const OF_COMPANIES: &str = "company.tab";

/// A view of a plugin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginViewInfo {
    plugin_id: Uuid,
    /// Of the view, in its plugin.
    view: String,
    title: String,
    /// Where it stands: `dashboard.card`, `company.tab`, `page`, `settings`.
    slot: &'static str,
}

/// What a view shows: an object of `wit/views.schema.json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
#[serde(transparent)]
pub(crate) struct PluginViewContent(Value);

/// What came of a button.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginViewOutcome {
    /// For whoever pressed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Whether the view is to be rendered anew.
    render: bool,
}

/// The views that there are for the caller.
#[utoipa::path(
    get, path = "/plugins/views", operation_id = "GetPluginViews",
    responses((status = 200, description = "Views of the plugins that run", body = Envelope<Vec<PluginViewInfo>>)),
)]
pub(super) async fn list(State(state): State<ApiState>, caller: Caller) -> Result<Response, ApiError> {
    let mut views = state.plugins().all_views();
    views.retain(|view| may_see(&caller, view));
    if let Some(company) = caller.scope.company() {
        views.retain(|view| state.plugins().serves(&view.plugin, company));
    }
    let info = |ViewInfo { plugin, view, title, slot }: ViewInfo| PluginViewInfo {
        plugin_id: plugin_uid(&plugin),
        view,
        title,
        slot,
    };
    envelope::all(&views.into_iter().map(info).collect::<Vec<_>>(), &Shape::default())
}

/// What a view shows.
#[utoipa::path(
    get, path = "/plugins/{pluginId}/views/{view}", operation_id = "RenderPluginView",
    params(
        ("pluginId" = Uuid, Path), ("view" = String, Path),
        ("company" = Option<Uuid>, Query, description = "The company on whose behalf it is"),
        ("parameters" = Option<String>, Query, description = "A JSON object that the plugin gets"),
    ),
    responses((status = 200, description = "What it shows", body = Envelope<PluginViewContent>)),
)]
pub(super) async fn render(ask: Ask) -> Result<Response, ApiError> {
    let asked = Asked::of(&ask).await?;
    let parameters = match ask.parameter("parameters")? {
        None => Value::Object(Map::new()),
        Some(text) => object("parameters", serde_json::from_str(text).ok())?,
    };
    let plugins = ask.state.plugins();
    let content =
        plugins.render(&asked.plugin, &asked.view, parameters, asked.company).await.map_err(failed)?;
    envelope::one(&PluginViewContent(content), &Shape::default())
}

/// Does what a button of a view is for.
#[utoipa::path(
    post, path = "/plugins/{pluginId}/views/{view}/actions/{action}", operation_id = "ActOnPluginView",
    params(
        ("pluginId" = Uuid, Path), ("view" = String, Path), ("action" = String, Path),
        ("company" = Option<Uuid>, Query, description = "The company on whose behalf it is"),
    ),
    request_body = Object,
    responses((status = 200, description = "What came of it", body = Envelope<PluginViewOutcome>)),
)]
pub(super) async fn act(ask: Ask, JsonBody(body): JsonBody<Value>) -> Result<Response, ApiError> {
    let asked = Asked::of(&ask).await?;
    let parameters = object("body", Some(body))?;
    let action = ask.word("action")?;
    let plugins = ask.state.plugins();
    let outcome =
        plugins.act(&asked.plugin, (&asked.view, action), parameters, asked.company).await.map_err(failed)?;
    let outcome = PluginViewOutcome { message: outcome.message, render: outcome.render };
    envelope::one(&outcome, &Shape::default())
}

/// Which view of which plugin, and for whom.
struct Asked {
    plugin: String,
    view: String,
    company: Option<crate::id::CompanyUid>,
}

impl Asked {
    async fn of(ask: &Ask) -> Result<Self, ApiError> {
        let (uid, view) = (ask.uid("pluginId")?, ask.word("view")?);
        let company = company(&ask.state, &ask.caller, ask.uid_parameter("company")?).await?;
        let plugin = plugin(&ask.state, &ask.caller, uid, company).await?.id;
        let known = ask.state.plugins().all_views();
        let seen = known
            .iter()
            .any(|known| known.plugin == plugin && known.view == view && may_see(&ask.caller, known));
        if !seen {
            return Err(ApiError::not_found(format!("{plugin} has no view `{}`", view.escape_default())));
        }
        Ok(Self { plugin, view: view.to_owned(), company })
    }
}

fn may_see(caller: &Caller, view: &ViewInfo) -> bool {
    caller.scope.company().is_none() || view.slot == OF_COMPANIES
}

fn object(name: &'static str, value: Option<Value>) -> Result<Value, ApiError> {
    value
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::parameter(name, format!("{name} must be a JSON object")))
}
