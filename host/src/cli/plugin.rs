//! Plugins, looked at from outside a host.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;

use super::{Place, say};
use crate::clock::SystemClock;
use crate::plugins::{self, PluginOptions, PluginState, Plugins};

/// Plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Take a folder through everything the host does at a load
    Check {
        /// With plugin.toml and plugin.wasm
        folder: PathBuf,
    },
    /// Load every plugin of the folder of plugins, and say how each is
    List {
        /// The folder whose folders are plugins
        #[arg(long, value_name = "FOLDER")]
        plugins: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl PluginCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Check { folder } => {
                let report = plugins::check(&folder, Arc::new(SystemClock)).await?;
                say(&serde_json::to_string_pretty(&report)?)
            }
            Self::List { plugins, json } => {
                list(plugins.or_else(|| place.config.plugins(&place.data)), json).await
            }
        }
    }
}

async fn list(folder: Option<PathBuf>, json: bool) -> anyhow::Result<()> {
    let folder = folder.context("there is no folder of plugins; say which with --plugins")?;
    let plugins = Plugins::start(PluginOptions { folder: Some(folder) }, Arc::new(SystemClock)).await?;
    let all = plugins.list();
    plugins.stop().await;
    if json {
        return say(&serde_json::to_string_pretty(&all)?);
    }
    for plugin in all {
        let state = match &plugin.state {
            PluginState::Loaded => "loaded".to_owned(),
            PluginState::Refused { step, reason } => format!("refused at {step}: {reason}"),
            PluginState::CircuitOpen { retry_in, .. } => format!("resting for {} s", retry_in.as_secs()),
        };
        say(&format!("{} {} {state}", plugin.id, plugin.version))?;
    }
    Ok(())
}
