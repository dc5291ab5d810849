//! Plugins of the libraries.

use axum::response::Response;
use semver::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::Change;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::plugins::{InstallError, Listed, ListedVersion, OfferedPlugin, plugin_uid};

/// A plugin that a library has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LibraryPlugin {
    /// The `UUIDv5` of `id`.
    plugin_id: Uuid,
    /// `vendor.name`.
    id: String,
    name: String,
    description: String,
    /// Whose it is, by the library's word.
    publisher: String,
    /// The library that has it: `shipped` is the host's own.
    library: String,
    /// The newest version that works with this host; absent if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[schema(inline)]
    versions: Vec<LibraryPluginVersion>,
}

/// One of its versions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LibraryPluginVersion {
    version: String,
    /// Bytes.
    size: u64,
    /// What it asks for.
    capabilities: Vec<String>,
    /// Whether the library took it back.
    withdrawn: bool,
    /// What its users should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    advisory: Option<String>,
}

/// What to install.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstallPluginInput {
    /// `vendor.name`, as a library has it.
    id: String,
    /// The newest that works with this host, if it is left out.
    version: Option<String>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginInstallation {
    plugin_id: Uuid,
    /// `New`, `Already`, `Upgraded`, or `Waiting` for `ApprovePlugin`.
    outcome: &'static str,
}

/// Lists the plugins of all libraries. One that cannot be used is left out; `keelson plugin search` says why.
#[utoipa::path(
    get, path = "/plugins/library", operation_id = "SearchPluginLibraries",
    responses((status = 200, description = "What can be installed", body = Envelope<Vec<LibraryPlugin>>)),
)]
pub(super) async fn search(ask: Ask) -> Result<Response, ApiError> {
    let offered = ask.state.plugins().offered().await?;
    for complaint in &offered.complaints {
        tracing::warn!(%complaint, "a library of plugins cannot be used");
    }
    let plugins: Vec<_> = offered.plugins.into_iter().map(LibraryPlugin::from).collect();
    envelope::all(&plugins, &Shape::default())
}

/// Installs a plugin of a library, or another version of one that is installed. A new one runs when it is enabled.
#[utoipa::path(
    post, path = "/plugins/", operation_id = "InstallPlugin",
    request_body = InstallPluginInput,
    responses((status = 200, description = "What became of it", body = Envelope<PluginInstallation>)),
)]
pub(super) async fn install(
    change: Change,
    JsonBody(input): JsonBody<InstallPluginInput>,
) -> Result<Response, ApiError> {
    let version = input.version.as_deref().map(|text| {
        Version::parse(text).map_err(|_| {
            ApiError::property(
                "version",
                format!("version: \"{}\" is no version like 1.2.3", text.escape_default()),
            )
        })
    });
    let plugins = change.ask.state.plugins();
    let found = plugins.find(&input.id, version.transpose()?.as_ref()).await;
    let found = found.map_err(|error| match error {
        InstallError::NotInstalled(message) => ApiError::property("id", format!("id: {message}")),
        error => error.into(),
    })?;
    let (id, outcome) = plugins.install(found.bytes, Some(found.vouched), &change.actor()).await?;
    let answer = PluginInstallation { plugin_id: plugin_uid(&id), outcome: outcome.name() };
    envelope::one(&answer, &Shape::default())
}

impl From<OfferedPlugin> for LibraryPlugin {
    fn from(offered: OfferedPlugin) -> Self {
        let OfferedPlugin { library, plugin } = offered;
        let newest = plugin.choose(None).ok().map(|listed| listed.version.to_string());
        let Listed { id, name, summary, publisher, versions, .. } = plugin;
        Self {
            plugin_id: plugin_uid(&id),
            id,
            name,
            description: summary,
            publisher,
            library: library.name,
            version: newest,
            versions: versions.into_iter().map(LibraryPluginVersion::from).collect(),
        }
    }
}

impl From<ListedVersion> for LibraryPluginVersion {
    fn from(listed: ListedVersion) -> Self {
        Self {
            version: listed.version.to_string(),
            size: listed.size,
            capabilities: listed.capabilities,
            withdrawn: listed.yanked,
            advisory: listed.advisory,
        }
    }
}
