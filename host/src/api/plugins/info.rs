//! What there is to know of plugins.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{find, visible};
use crate::api::ApiState;
use crate::api::ask::Ask;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::{Offer, Shape};
use crate::model::Scope;
use crate::plugins::{Ask as Request, PluginState, PluginView};

const PLUGIN: Offer = Offer { schema: "PluginInfo" };
const VERSION: Offer = Offer { schema: "PluginVersionInfo" };
const CHARGE: Offer = Offer { schema: "PluginCharge" };

/// A plugin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginInfo {
    /// The `UUIDv5` of `id`.
    plugin_id: Uuid,
    /// `vendor.name`; ours.
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The version that runs, if it is enabled; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// All that are here.
    available_versions: Vec<String>,
    /// Whether it is meant to run, and does if `state` says so.
    enabled: bool,
    /// A plugin works in the host's sandbox and has no key to its API.
    has_api_key: bool,
    supported_features: Vec<String>,
    organization_permission_rules: OrganizationRules,
    agent_permission_rules: AgentRules,
    /// How it is; ours.
    #[schema(inline)]
    state: PluginCondition,
    /// Why it, or its newer version, does not run; ours, for the provider only.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// What of it only the provider sees; ours.
    #[serde(flatten)]
    inside: Option<Inside>,
}

/// What only the provider sees.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Inside {
    /// How far its publisher is trusted: `Shipped`, `VerifiedPublisher`, `OwnKey`, `Unsigned`; absent for a plugin in the
    /// developer's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<String>,
    /// Its publisher, by the name that a library or an administrator vouches for.
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    /// The version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_version: Option<String>,
    /// A version that waits for `ApprovePlugin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_version: Option<String>,
    /// What it may do.
    granted: Vec<String>,
    /// What it asks for beyond that.
    #[schema(inline)]
    lacking: Vec<Capability>,
}

/// Something that a plugin asks for.
#[derive(Debug, Serialize, ToSchema)]
struct Capability {
    /// `kv`, `inventory:read`, `http:LABEL`, `secret:LABEL`.
    capability: String,
    /// Why, in the publisher's words.
    reason: String,
}

/// Which organisations have it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrganizationRules {
    organizations_are_allowed_by_default: bool,
    rules: Vec<Rule>,
}

/// Which management agents have it: all, since a plugin does not run on them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AgentRules {
    agents_are_allowed_by_default: bool,
    rules: Vec<Rule>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct Rule {
    id: String,
    allowed: bool,
}

/// How a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum PluginCondition {
    Loaded,
    Disabled,
    Refused,
    Paused,
    Quarantined,
}

/// A version of a plugin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginVersionInfo {
    plugin_id: Uuid,
    version: String,
}

/// Lists the plugins.
#[utoipa::path(
    get, path = "/plugins/", operation_id = "GetAllPlugins",
    responses((status = 200, description = "All plugins", body = Envelope<Vec<PluginInfo>>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), PLUGIN)?;
    let views = visible(&state, caller.scope).await?;
    let plugins: Vec<_> = views.into_iter().map(|view| PluginInfo::new(view, caller.scope)).collect();
    envelope::all(&plugins, &shape)
}

/// One of them.
pub(super) async fn get(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), PLUGIN)?;
    envelope::one(&PluginInfo::new(find(&ask).await?, ask.caller.scope), &shape)
}

/// The versions that are here.
pub(super) async fn versions(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), VERSION)?;
    let view = find(&ask).await?;
    let of = |version| PluginVersionInfo { plugin_id: view.uid, version };
    envelope::all(&view.versions.into_iter().map(of).collect::<Vec<_>>(), &shape)
}

/// What plugins charge for: none of those that can be installed here can.
pub(super) async fn charges(_caller: Caller, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), CHARGE)?;
    envelope::all::<PluginVersionInfo>(&[], &shape)
}

impl PluginInfo {
    fn new(view: PluginView, scope: Scope) -> Self {
        let (state, refusal) = condition(&view);
        let provider = scope == Scope::Provider;
        let rules = view.rules.iter().map(|(uid, allowed)| Rule { id: uid.to_string(), allowed: *allowed });
        let capability = |Request { capability, reason }: Request| Capability { capability, reason };
        Self {
            plugin_id: view.uid,
            name: view.name,
            description: view.about.and_then(|about| about.summary),
            version: Some(view.version).filter(|version| !version.is_empty()),
            available_versions: view.versions,
            enabled: view.enabled && state != PluginCondition::Refused,
            has_api_key: false,
            supported_features: vec!["HealthMonitoring".to_owned(), "DataPurge".to_owned()],
            organization_permission_rules: OrganizationRules {
                organizations_are_allowed_by_default: view.companies_allowed,
                // Whom else the provider serves is nobody else's affair.
                rules: if provider { rules.collect() } else { Vec::new() },
            },
            agent_permission_rules: AgentRules { agents_are_allowed_by_default: true, rules: Vec::new() },
            state,
            // It may name files and addresses of the provider's.
            refusal: refusal.filter(|_| provider),
            inside: provider.then(|| Inside {
                trust: view.trust,
                publisher: view.publisher,
                former_version: view.former_version,
                pending_version: view.pending_version,
                granted: view.granted,
                lacking: view.lacking.into_iter().map(capability).collect(),
            }),
            id: view.id,
        }
    }
}

fn condition(view: &PluginView) -> (PluginCondition, Option<String>) {
    match &view.state {
        None => (PluginCondition::Disabled, None),
        Some(PluginState::Loaded) => (PluginCondition::Loaded, view.update_refused.clone()),
        Some(PluginState::Refused { step, reason }) => {
            (PluginCondition::Refused, Some(format!("{step}: {reason}")))
        }
        Some(PluginState::CircuitOpen { retry_in, failures }) => {
            let rest = retry_in.as_secs().max(1);
            let reason = format!("it failed {failures} times; the next try is in {rest} s");
            (PluginCondition::Paused, Some(reason))
        }
        Some(PluginState::Quarantined { failures }) => {
            let reason = format!("it failed {failures} times; disable and enable it to try again");
            (PluginCondition::Quarantined, Some(reason))
        }
    }
}
