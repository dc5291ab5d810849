//! What an administrator does with plugins.

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use super::super::log::WHO;
use super::super::{Place, output, say};
use super::catalogue::{install, search};
use super::open;
use super::sources::{KeyCommand, LibraryCommand};
use crate::clock::{Clock as _, SystemClock};
use crate::plugins::{Actor, Plugins};
use crate::store::{NewAuditRow, Tx};

/// Of an administrator's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ManageCommand {
    /// Look for plugins in the libraries
    Search {
        /// Part of an id, a name or a summary; nothing for all
        #[arg(default_value = "")]
        word: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Install a plugin, or another version of one; it runs when it is enabled
    Install {
        /// `vendor.name` or `vendor.name@1.2.3` of a library, or the path of a .kpkg
        plugin: String,
        /// Enable it at once
        #[arg(long)]
        enable: bool,
        /// Grant what it asks for
        #[arg(long)]
        approve: bool,
    },
    /// Install the newest version of a plugin that its library has
    Upgrade {
        /// `vendor.name`
        plugin: String,
        /// Grant what the newer version asks for beyond the older one
        #[arg(long)]
        approve: bool,
    },
    /// Let a plugin run
    Enable {
        /// `vendor.name`
        plugin: String,
        /// Grant what it asks for
        #[arg(long)]
        approve: bool,
    },
    /// End a plugin; its settings and its data stay
    Disable {
        /// `vendor.name`
        plugin: String,
    },
    /// Grant what a waiting version asks for, and have it take the older one's place
    Approve {
        /// `vendor.name`
        plugin: String,
    },
    /// Go back to the version before
    Rollback {
        /// `vendor.name`
        plugin: String,
    },
    /// Remove a plugin; what it stored is kept for 30 days
    Remove {
        /// `vendor.name`
        plugin: String,
        /// Erase what it stored at once, and forget its publisher's key
        #[arg(long)]
        purge: bool,
    },
    /// Show or change a plugin's settings
    Settings {
        /// `vendor.name`
        plugin: String,
        /// Take new ones from standard input, as one JSON object
        #[arg(long)]
        settings_stdin: bool,
    },
    /// Say which companies have a plugin
    Companies {
        /// `vendor.name`
        plugin: String,
        /// For all without a rule of their own
        #[arg(long, value_enum)]
        others: Option<Access>,
        /// Ids of companies and resellers that have it
        #[arg(long, value_name = "UID")]
        allow: Vec<Uuid>,
        /// Ids of companies and resellers that do not
        #[arg(long, value_name = "UID")]
        deny: Vec<Uuid>,
    },
    #[command(flatten)]
    Keys(KeyCommand),
    /// Libraries: folders of packages with a signed index
    #[command(subcommand)]
    Library(LibraryCommand),
}

/// Whether.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Access {
    /// They have it.
    Allow,
    /// They do not.
    Deny,
}

impl ManageCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let plugins = open(place).await?;
        let outcome = self.on(place, &plugins).await;
        if place.running.is_none() {
            plugins.stop().await;
        }
        outcome
    }

    async fn on(self, place: &Place, plugins: &Plugins) -> anyhow::Result<()> {
        match self {
            Self::Search { word, json } => search(plugins, &word, json).await,
            Self::Install { plugin, enable, approve } => {
                let id = install(place, plugins, &plugin, approve).await?;
                if enable {
                    plugins.enable(&id, approve, &actor(place, "plugin enable").await?).await?;
                    say(&format!("{id} is enabled"))?;
                }
                Ok(())
            }
            Self::Upgrade { plugin, approve } => install(place, plugins, &plugin, approve).await.map(drop),
            Self::Enable { plugin, approve } => {
                plugins.enable(&plugin, approve, &actor(place, "plugin enable").await?).await?;
                say(&format!("{plugin} is enabled"))
            }
            Self::Disable { plugin } => {
                plugins.disable(&plugin, &actor(place, "plugin disable").await?).await?;
                say(&format!("{plugin} is disabled; its settings and its data stay"))
            }
            Self::Approve { plugin } => {
                let version = plugins.approve(&plugin, &actor(place, "plugin approve").await?).await?;
                say(&format!("{plugin} {version} has what it asks for"))
            }
            Self::Rollback { plugin } => {
                let version = plugins.roll_back(&plugin, &actor(place, "plugin rollback").await?).await?;
                say(&format!("{plugin} is at {version} again"))
            }
            Self::Remove { plugin, purge } => {
                plugins.remove(&plugin, purge, &actor(place, "plugin remove").await?).await?;
                let kept = if purge {
                    "with everything that it stored"
                } else {
                    "and what it stored is kept for 30 days"
                };
                say(&format!("{plugin} is removed, {kept}"))
            }
            Self::Settings { plugin, settings_stdin } => {
                settings(place, plugins, &plugin, settings_stdin).await
            }
            Self::Companies { plugin, others, allow, deny } => {
                let rules: Vec<_> = allow
                    .into_iter()
                    .map(|uid| (uid, true))
                    .chain(deny.into_iter().map(|uid| (uid, false)))
                    .collect();
                let others = others.map(|access| matches!(access, Access::Allow));
                let actor = actor(place, "plugin companies").await?;
                plugins.set_companies(&plugin, others, Some(&rules), &actor).await?;
                say(&format!("{plugin}: {} rules", rules.len()))
            }
            Self::Keys(command) => command.run(place).await,
            Self::Library(command) => command.run(place, plugins).await,
        }
    }
}

/// Who does it, for the activity log.
pub(super) async fn actor(place: &Place, operation: &str) -> anyhow::Result<Actor> {
    let mut tx = place.store().await?.write().await?;
    let provider = tx.installation().ensure(&SystemClock).await?.uid;
    tx.commit().await?;
    Ok(Actor::new(row(operation, provider)))
}

fn row(operation: &str, provider: Uuid) -> NewAuditRow {
    NewAuditRow {
        at: SystemClock.now_ms(),
        user_name: WHO.to_owned(),
        address: "local".to_owned(),
        operation: operation.to_owned(),
        outcome: "Succeeded",
        organization_uid: Some(provider),
        ..NewAuditRow::default()
    }
}

/// Writes down a change that is not one plugin's.
pub(super) async fn note(tx: &mut Tx, operation: &str, name: &str) -> anyhow::Result<()> {
    let provider = tx.installation().ensure(&SystemClock).await?.uid;
    let message = format!("{WHO}: {operation} {name}");
    let row = NewAuditRow {
        object_type: "PluginInfo".to_owned(),
        object_name: name.to_owned(),
        message,
        ..row(operation, provider)
    };
    Ok(tx.audit().add(&row).await?)
}

async fn settings(place: &Place, plugins: &Plugins, id: &str, from_stdin: bool) -> anyhow::Result<()> {
    if from_stdin {
        let text = output::hear_all()?;
        let given = serde_json::from_str(&text).context("the settings must be one JSON object")?;
        plugins.set_settings(id, &given, &actor(place, "plugin settings").await?).await?;
        return say(&format!("{id} has new settings"));
    }
    let form = plugins.settings(id).await?;
    say(&serde_json::to_string_pretty(&form.settings)?)
}
