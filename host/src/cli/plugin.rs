//! Plugins, looked at from outside a host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;

use super::{Place, say};
use crate::clock::SystemClock;
use crate::plugins::{PluginOptions, PluginState, Plugins, Services};
use crate::seal::Seal;
use access::AccessCommand;
use author::AuthorCommand;
use manage::ManageCommand;
use work::WorkCommand;

mod access;
mod author;
mod catalogue;
mod manage;
mod report;
mod sources;
mod work;

/// Plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    #[command(flatten)]
    Author(AuthorCommand),
    #[command(flatten)]
    Manage(ManageCommand),
    #[command(flatten)]
    Access(AccessCommand),
    #[command(flatten)]
    Work(WorkCommand),
    /// List the plugins, and say how each is
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
        matches!(self, Self::List { plugins: None, .. } | Self::Manage(_) | Self::Access(_) | Self::Work(_))
    }

    /// Whether it reads standard input without being told to by a flag.
    pub(super) fn reads_input(&self) -> bool {
        matches!(self, Self::Access(command) if command.reads_input())
    }

    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Author(command) => command.run().await,
            Self::Access(command) => command.run(place).await,
            Self::Manage(command) => command.run(place).await,
            Self::Work(command) => command.run(place).await,
            Self::List { plugins: Some(folder), json } => {
                let options = PluginOptions { folder: Some(folder), ..PluginOptions::default() };
                let plugins = Plugins::start(options, Arc::new(SystemClock)).await?;
                let outcome = list(&plugins, json).await;
                plugins.stop().await;
                outcome
            }
            Self::List { plugins: None, json } => {
                let plugins = open(place).await?;
                let outcome = list(&plugins, json).await;
                if place.running.is_none() {
                    plugins.stop().await;
                }
                outcome
            }
        }
    }
}

/// Those of the running host, or this process's own on the same database.
async fn open(place: &Place) -> anyhow::Result<Plugins> {
    if let Some(running) = &place.running {
        return Ok(running.plugins.clone());
    }
    let store = place.store().await?;
    let seal = Seal::open(&place.data)?;
    let options = PluginOptions {
        folder: place.config.plugins(&place.data),
        library: place.config.library(),
        developer: place.config.unsigned_plugins,
        services: Some(Services { store, seal }),
    };
    Ok(Plugins::start(options, Arc::new(SystemClock)).await?)
}

async fn list(plugins: &Plugins, json: bool) -> anyhow::Result<()> {
    let all = plugins.views().await?;
    if json {
        return say(&serde_json::to_string_pretty(&all)?);
    }
    for plugin in all {
        let state = match &plugin.state {
            None => "disabled".to_owned(),
            Some(PluginState::Loaded) => "loaded".to_owned(),
            Some(PluginState::Refused { step, reason }) => format!("refused at {step}: {reason}"),
            Some(PluginState::CircuitOpen { retry_in, .. }) => {
                format!("resting for {} s", retry_in.as_secs())
            }
            Some(PluginState::Quarantined { failures }) => {
                format!("stopped after {failures} failures; mend it, or disable and enable it to try again")
            }
        };
        say(&format!("{} {} {state}", plugin.id, plugin.version))?;
        if let Some(waiting) = &plugin.pending_version {
            say(&format!("  {waiting} waits for `keelson plugin approve {}`", plugin.id))?;
        }
        if let Some(refused) = &plugin.update_refused {
            say(&format!("  its newer files do not run: {refused}"))?;
        }
    }
    Ok(())
}

/// The path of a package is handed over as a running host finds it, which stands in another folder.
pub(super) fn from_the_root(argument: String) -> String {
    let path = Path::new(&argument);
    let is_package = path.extension().is_some_and(|extension| extension == "kpkg") && path.is_file();
    let absolute = is_package.then(|| std::path::absolute(&argument).ok()).flatten();
    absolute.and_then(|path| path.into_os_string().into_string().ok()).unwrap_or(argument)
}
