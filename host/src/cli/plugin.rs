//! Plugins, looked at from outside a host.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;

use super::{Place, say};
use crate::clock::SystemClock;
use crate::plugins::{PluginOptions, PluginState, PluginStatus, Plugins};
use author::AuthorCommand;

mod author;

/// Plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    #[command(flatten)]
    Author(AuthorCommand),
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
    /// Whether a running host does it: not what is about files of the caller's.
    pub(super) fn is_for_a_host(&self) -> bool {
        matches!(self, Self::List { plugins: None, .. })
    }

    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Author(command) => command.run().await,
            Self::List { plugins, json } => {
                let all = match &place.running {
                    Some(running) => running.plugins.list(),
                    None => loaded(plugins.or_else(|| place.config.plugins(&place.data))).await?,
                };
                list(all, json)
            }
        }
    }
}

async fn loaded(folder: Option<PathBuf>) -> anyhow::Result<Vec<PluginStatus>> {
    let folder = folder.context("there is no folder of plugins; say which with --plugins")?;
    let plugins =
        Plugins::start(PluginOptions { folder: Some(folder), services: None }, Arc::new(SystemClock)).await?;
    let all = plugins.list();
    plugins.stop().await;
    Ok(all)
}

fn list(all: Vec<PluginStatus>, json: bool) -> anyhow::Result<()> {
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
