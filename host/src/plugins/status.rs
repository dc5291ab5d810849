//! What `keelson plugin list` shows.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::error::LoadError;
use super::manifest::{Manifest, View};
use super::source::Source;

/// One plugin, whatever became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginStatus {
    /// `vendor.name`, or the folder's name where the manifest cannot be read.
    pub id: String,
    /// For people.
    pub name: String,
    /// Of what runs; empty if nothing does.
    pub version: String,
    /// Grows with each load; 0 if nothing runs.
    pub generation: u64,
    /// How it is.
    pub state: PluginState,
    /// Why the newer files in the folder do not run, while the older generation does.
    pub update_refused: Option<String>,
    /// Where it lies; none if it is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
}

/// How a plugin is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PluginState {
    /// It runs.
    Loaded,
    /// It may not run.
    Refused {
        /// The step of the pipeline.
        step: String,
        /// With the way out.
        reason: String,
    },
    /// It failed too often and rests.
    CircuitOpen {
        /// Until it is tried again.
        retry_in: Duration,
        /// Since its load.
        failures: u64,
    },
    /// It failed at every try and is given up until it is loaded again.
    Quarantined {
        /// Since its load.
        failures: u64,
    },
}

impl PluginStatus {
    pub(super) fn refused(source: &Source, refusal: Option<&LoadError>) -> Self {
        let place = source.place();
        let file_name = || place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let id =
            refusal.and_then(|error| error.plugin.clone()).or_else(|| source.id()).unwrap_or_else(file_name);
        Self {
            name: id.clone(),
            id,
            version: String::new(),
            generation: 0,
            state: PluginState::Refused {
                step: refusal.map_or("read", |error| error.fault.step()).to_owned(),
                reason: refusal.map(|error| error.fault.to_string()).unwrap_or_default(),
            },
            update_refused: None,
            folder: source.folder(),
        }
    }
}

/// A view of a plugin that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewInfo {
    /// `vendor.name`.
    pub plugin: String,
    /// Of the view, in its plugin.
    pub view: String,
    /// For people.
    pub title: String,
    /// Where it stands: `dashboard.card`, `company.tab`, `page`, `settings`.
    pub slot: &'static str,
}

impl ViewInfo {
    pub(super) fn of(manifest: &Manifest) -> Vec<Self> {
        let of = |view: &View| Self {
            plugin: manifest.id.clone(),
            view: view.id.clone(),
            title: view.title.clone(),
            slot: view.slot.name(),
        };
        manifest.extends.views.iter().map(of).collect()
    }
}
