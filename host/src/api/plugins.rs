//! `GET /plugins/`: what is loaded, and why the rest is not.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::{Uuid, uuid};

use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::{Offer, Shape};
use crate::model::Scope;
use crate::plugins::{PluginState, PluginStatus};

const OFFER: Offer = Offer { schema: "PluginInfo" };
/// The API wants a UUID for a plugin: the `UUIDv5` of its id in this namespace.
const NAMESPACE: Uuid = uuid!("6f0b7c52-6d3c-5c3e-9b0e-2f6f1f3c9a71");

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetAllPlugins", list)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list))]
pub(crate) struct Docs;

/// A plugin in the host's folder of plugins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginInfo {
    /// The `UUIDv5` of `id`.
    plugin_id: Uuid,
    /// `vendor.name`; ours.
    id: String,
    name: String,
    /// Of what runs; absent if nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Whether it runs.
    enabled: bool,
    /// How it is; ours.
    #[schema(inline)]
    state: PluginCondition,
    /// Why it, or its newer version, does not run; ours, for the provider only.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

/// How a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum PluginCondition {
    Loaded,
    Refused,
    Paused,
}

/// Lists the plugins.
#[utoipa::path(
    get, path = "/plugins/", operation_id = "GetAllPlugins",
    responses((status = 200, description = "All plugins", body = Envelope<Vec<PluginInfo>>)),
)]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let shape = Shape::parse(query.as_deref(), OFFER)?;
    let mut plugins: Vec<_> = state.plugins().list().into_iter().map(PluginInfo::from).collect();
    if caller.scope != Scope::Provider {
        // It may name files and addresses of the provider's.
        for plugin in &mut plugins {
            plugin.refusal = None;
        }
    }
    envelope::all(&plugins, &shape)
}

impl From<PluginStatus> for PluginInfo {
    fn from(status: PluginStatus) -> Self {
        let (state, refusal) = match status.state {
            PluginState::Loaded => (PluginCondition::Loaded, status.update_refused),
            PluginState::Refused { step, reason } => {
                (PluginCondition::Refused, Some(format!("{step}: {reason}")))
            }
            PluginState::CircuitOpen { retry_in, failures } => {
                let rest = retry_in.as_secs().max(1);
                (
                    PluginCondition::Paused,
                    Some(format!("it failed {failures} times; the next try is in {rest} s")),
                )
            }
        };
        Self {
            plugin_id: Uuid::new_v5(&NAMESPACE, status.id.as_bytes()),
            id: status.id,
            name: status.name,
            version: Some(status.version).filter(|version| !version.is_empty()),
            enabled: state != PluginCondition::Refused,
            state,
            refusal,
        }
    }
}
