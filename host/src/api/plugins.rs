//! `/plugins`: what is there, what runs and what may.

use axum::response::Response;
use utoipa::OpenApi;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::ask::Ask;
use crate::api::change::{Change, Input};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::model::Scope;
use crate::plugins::{Actor, InstallError, PluginView};
use crate::store::{NewAuditRow, ORGANIZATIONS};

mod behalf;
mod catalogue;
mod info;
mod routes;
mod settings;
mod tasks;
mod views;

use info::{PluginInfo, PluginVersionInfo};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetAllPlugins", info::list)
        .add("GetPlugin", info::get)
        .add("GetPluginVersions", info::versions)
        .add("GetPluginCharges", info::charges)
        .add("UninstallPlugin", uninstall)
        .add("EnableDisablePlugin", enable)
        .add("UpdateOrganizationRules", organizations)
        .add("AssignApiKey", api_key)
        .add("ApprovePlugin", approve)
        .add("RollBackPlugin", roll_back)
        .add("SearchPluginLibraries", catalogue::search)
        .add("InstallPlugin", catalogue::install)
        .add("GetPluginSettings", settings::get)
        .add("SetPluginSettings", settings::put)
        .add("GetPluginTasks", tasks::list)
        .add("RunPluginTask", tasks::run)
        .add("GetPluginViews", views::list)
        .add("RenderPluginView", views::render)
        .add("ActOnPluginView", views::act)
        .add("GetFromPluginRoute", routes::get)
        .add("PostToPluginRoute", routes::post)
        .add("PutToPluginRoute", routes::put)
        .add("DeleteFromPluginRoute", routes::delete)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(
        info::list,
        approve,
        roll_back,
        catalogue::search,
        catalogue::install,
        settings::get,
        settings::put,
        tasks::list,
        tasks::run,
        views::list,
        views::render,
        views::act,
        routes::get,
        routes::post,
        routes::put,
        routes::delete,
    ),
    components(schemas(PluginInfo, PluginVersionInfo))
)]
pub(crate) struct Docs;

/// `EnableDisablePluginRequest`.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnableInput {
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// `UpdatePluginOrganizationRulesRequest`.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationsInput {
    allow_organizations_by_default: Option<bool>,
    allow_organization_ids: Option<Vec<String>>,
    deny_organization_ids: Option<Vec<String>>,
}

/// Lets a plugin run, or ends it. Nothing is granted by that: what it asks for is approved by `ApprovePlugin`.
async fn enable(change: Change, Input(input): Input<EnableInput>) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    let plugins = change.ask.state.plugins();
    if input.enabled {
        plugins.enable(&plugin.id, false, &actor).await?;
    } else {
        plugins.disable(&plugin.id, &actor).await?;
    }
    Ok(envelope::empty())
}

async fn uninstall(change: Change) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    change.ask.state.plugins().remove(&plugin.id, false, &actor).await?;
    Ok(envelope::empty())
}

/// `AssignPluginApiKeyRequest`.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiKeyInput {
    api_key: Option<String>,
}

/// A plugin works in the host's sandbox and has no way to the API that would need a key, so that there is none to take away, and
/// one that is given would only lie about.
async fn api_key(change: Change, Input(input): Input<ApiKeyInput>) -> Result<Response, ApiError> {
    let plugin = find(&change.ask).await?;
    if input.api_key.is_none() {
        return Ok(envelope::empty());
    }
    let message = format!(
        "apiKey: {} has no use for a key to the API: it works in the host's sandbox, with what ApprovePlugin grants it",
        plugin.id
    );
    Err(ApiError::property("apiKey", message))
}

/// Grants what a plugin asks for. A version that waits for that takes the older one's place.
#[utoipa::path(
    post, path = "/plugins/{pluginId}/approve", operation_id = "ApprovePlugin",
    params(("pluginId" = Uuid, Path)),
    responses((status = 200, description = "It has what it asks for", body = envelope::EmptyResponse)),
)]
async fn approve(change: Change) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    change.ask.state.plugins().approve(&plugin.id, &actor).await?;
    Ok(envelope::empty())
}

/// Goes back to the version before.
#[utoipa::path(
    post, path = "/plugins/{pluginId}/rollback", operation_id = "RollBackPlugin",
    params(("pluginId" = Uuid, Path)),
    responses((status = 200, description = "The version before runs", body = envelope::EmptyResponse)),
)]
async fn roll_back(change: Change) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    change.ask.state.plugins().roll_back(&plugin.id, &actor).await?;
    Ok(envelope::empty())
}

/// Says which organisations have it. A list that is left out leaves its rules as they are.
async fn organizations(
    change: Change,
    Input(input): Input<OrganizationsInput>,
) -> Result<Response, ApiError> {
    let (plugin, actor) = asked(&change).await?;
    let allow = uids("allowOrganizationIds", input.allow_organization_ids)?;
    let deny = uids("denyOrganizationIds", input.deny_organization_ids)?;
    if let Some(uid) = allow.iter().flatten().find(|uid| deny.iter().flatten().any(|denied| denied == *uid)) {
        let message =
            format!("denyOrganizationIds: {uid} is in allowOrganizationIds too; it is one or the other");
        return Err(ApiError::property("denyOrganizationIds", message));
    }
    let kept = |wanted: bool| {
        plugin.rules.iter().filter(move |(_, allowed)| *allowed == wanted).map(|(uid, _)| *uid)
    };
    let given: Vec<Uuid> = allow.iter().chain(&deny).flatten().copied().collect();
    let of = |list: Option<Vec<Uuid>>, wanted: bool| {
        list.unwrap_or_else(|| kept(wanted).filter(|uid| !given.contains(uid)).collect())
    };
    let rules: Vec<(Uuid, bool)> = of(allow, true)
        .into_iter()
        .map(|uid| (uid, true))
        .chain(of(deny, false).into_iter().map(|uid| (uid, false)))
        .collect();
    let mut tx = change.ask.state.store().read().await?;
    for uid in &given {
        change.ask.must_see(&mut tx, &ORGANIZATIONS, *uid).await?;
    }
    drop(tx);
    let plugins = change.ask.state.plugins();
    plugins.set_companies(&plugin.id, input.allow_organizations_by_default, Some(&rules), &actor).await?;
    Ok(envelope::empty())
}

fn uids(property: &'static str, texts: Option<Vec<String>>) -> Result<Option<Vec<Uuid>>, ApiError> {
    let read = |(place, text): (usize, &String)| {
        Uuid::try_parse(text).map_err(|_| {
            let message = format!(
                "{property}[{place}] must be the UID of an organisation, not \"{}\"",
                text.escape_default()
            );
            ApiError::property(property, message)
        })
    };
    let mut uids =
        texts.map(|texts| texts.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()).transpose()?;
    if let Some(uids) = &mut uids {
        uids.sort_unstable();
        uids.dedup();
    }
    Ok(uids)
}

/// The plugin of the path, and who asks.
async fn asked(change: &Change) -> Result<(PluginView, Actor), ApiError> {
    Ok((find(&change.ask).await?, change.actor()))
}

/// The plugin of the path, if the caller may know of it.
async fn find(ask: &Ask) -> Result<PluginView, ApiError> {
    let uid = ask.object()?.1;
    let views = visible(&ask.state, ask.caller.scope).await?;
    views.into_iter().find(|view| view.uid == uid).ok_or_else(|| ApiError::absent("PluginInfo", uid))
}

/// The plugins that a caller may know of: companies know of those that work for them.
async fn visible(state: &ApiState, scope: Scope) -> Result<Vec<PluginView>, ApiError> {
    let mut views = state.plugins().views().await?;
    if let Some(company) = scope.company() {
        views.retain(|view| view.enabled && state.plugins().serves(&view.id, company));
    }
    Ok(views)
}

impl Change {
    /// Who asks, for changes that write their own row of the activity log.
    fn actor(&self) -> Actor {
        let (ask, caller) = (&self.ask, &self.ask.caller);
        Actor::new(NewAuditRow {
            at: ask.state.clock().now_ms(),
            user_uid: Some(caller.uid.0),
            user_name: caller.name.clone(),
            actor_uid: caller.actor.map(|actor| actor.0),
            address: ask.address.to_string(),
            operation: ask.operation.id.to_owned(),
            outcome: "Succeeded",
            organization_uid: Some(ask.state.installation().uid),
            ..NewAuditRow::default()
        })
    }
}

impl From<InstallError> for ApiError {
    fn from(error: InstallError) -> Self {
        let message = error.to_string();
        match error {
            InstallError::NotInstalled(_) => Self::not_found(message),
            InstallError::Load(_) | InstallError::Refused { .. } => Self::bad_request(message),
            InstallError::NeedsApproval { .. } | InstallError::Conflict(_) | InstallError::Migrate { .. } => {
                Self::conflict(message)
            }
            InstallError::NoDatabase => Self::internal(message),
            InstallError::Store(error) => error.into(),
        }
    }
}
