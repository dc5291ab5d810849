//! What an administrator lets a plugin reach: where its destinations are, and the secrets that go there.

use anyhow::{anyhow, bail};
use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::open;
use super::report::Access;
use crate::cli::Place;
use crate::cli::log::WHO;
use crate::cli::output::hear;
use crate::clock::{Clock as _, SystemClock};
use crate::plugins::{Declared, check_origin};
use crate::seal::Seal;
use crate::store::{BoundDestination, NewAuditRow, Tx};

/// Destinations and secrets.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccessCommand {
    /// Say where a destination of a plugin is, and let the plugin call it
    Bind {
        /// Its id
        plugin: String,
        /// The destination's label in plugin.toml
        label: String,
        /// <https://HOST> or <https://HOST:PORT>
        origin: String,
        /// It stands in a private network; only then may it be http://
        #[arg(long)]
        private_network: bool,
    },
    /// Take a destination away from a plugin
    Unbind {
        /// Its id
        plugin: String,
        /// The destination's label
        label: String,
    },
    /// Secrets that go to destinations; the plugin never sees them
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Say what a plugin asks for, what it was given and what it did with it
    Access {
        /// Its id
        plugin: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Secrets.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SecretCommand {
    /// Read a secret from one line of standard input: a token as it is, {"user","password"} or {"clientId","clientSecret"} as JSON
    Set {
        /// The plugin's id
        plugin: String,
        /// The secret's label in plugin.toml
        label: String,
    },
    /// Forget a secret
    Remove {
        /// The plugin's id
        plugin: String,
        /// The secret's label
        label: String,
    },
}

impl AccessCommand {
    /// Whether it reads standard input.
    pub(in crate::cli) fn reads_input(&self) -> bool {
        matches!(self, Self::Secret(SecretCommand::Set { .. }))
    }

    pub(in crate::cli) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Bind { plugin, label, origin, private_network } => {
                let to = BoundDestination { label, origin, private_network, bound_at: SystemClock.now_ms() };
                bind(place, &plugin, &to).await
            }
            Self::Unbind { plugin, label } => unbind(place, &plugin, &label).await,
            Self::Secret(SecretCommand::Set { plugin, label }) => set(place, &plugin, &label).await,
            Self::Secret(SecretCommand::Remove { plugin, label }) => remove(place, &plugin, &label).await,
            Self::Access { plugin, json } => {
                let asked = asked(place, &plugin).await;
                let store = place.store().await?;
                let mut tx = store.read().await?;
                let access = Access::read(&mut tx, &plugin, asked.as_ref().ok()).await?;
                match asked {
                    // What was given to a plugin outlives it; what is not there at all is a mistake.
                    Err(error) if access.is_empty() => Err(error),
                    _ => access.print(json),
                }
            }
        }
    }
}

/// What the plugin asks for.
async fn asked(place: &Place, plugin: &str) -> anyhow::Result<Declared> {
    let plugins = open(place).await?;
    let declared = plugins.declared(plugin).await;
    if place.running.is_none() {
        plugins.stop().await;
    }
    declared.map_err(|error| anyhow!(error))
}

async fn bind(place: &Place, plugin: &str, to: &BoundDestination) -> anyhow::Result<()> {
    asked(place, plugin).await?.destination(&to.label).map_err(|error| anyhow!(error))?;
    check_origin(&to.origin, to.private_network).map_err(|error| anyhow!(error))?;
    let store = place.store().await?;
    let mut tx = store.write().await?;
    let before = tx.plugin_access().destination(plugin, &to.label).await?;
    tx.plugin_access().bind(plugin, to).await?;
    let shown = |bound: &BoundDestination| {
        json!({ "origin": bound.origin, "privateNetwork": bound.private_network }).to_string()
    };
    let note = Note {
        command: "plugin bind",
        plugin,
        message: format!("bound the destination \"{}\" of {plugin} to {}", to.label, to.origin),
        before: before.as_ref().map(shown),
        after: Some(shown(to)),
    };
    note.write(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn unbind(place: &Place, plugin: &str, label: &str) -> anyhow::Result<()> {
    let store = place.store().await?;
    let mut tx = store.write().await?;
    if !tx.plugin_access().unbind(plugin, label).await? {
        bail!(
            "{plugin} has no destination '{label}' that is bound; keelson plugin access {plugin} lists them"
        );
    }
    let message = format!("took the destination \"{label}\" away from {plugin}");
    Note { command: "plugin unbind", plugin, message, before: None, after: None }.write(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn set(place: &Place, plugin: &str, label: &str) -> anyhow::Result<()> {
    let asked = asked(place, plugin).await?;
    let secret = asked.secret(label).map_err(|error| anyhow!(error))?;
    let entered = secret.read(&Zeroizing::new(hear()?)).map_err(|error| anyhow!(error))?;
    let store = place.store().await?;
    let seal = Seal::open(&place.data)?;
    let mut tx = store.write().await?;
    let row = (label, entered.kind, entered.expires, SystemClock.now_ms());
    tx.plugin_access().set_secret(&seal, plugin, row, &entered.value).await?;
    let message = format!("entered the secret \"{label}\" of {plugin}");
    Note { command: "plugin secret set", plugin, message, before: None, after: None }.write(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn remove(place: &Place, plugin: &str, label: &str) -> anyhow::Result<()> {
    let store = place.store().await?;
    let mut tx = store.write().await?;
    if !tx.plugin_access().remove_secret(plugin, label).await? {
        bail!("{plugin} has no secret '{label}' that is set; keelson plugin access {plugin} lists them");
    }
    let message = format!("removed the secret \"{label}\" of {plugin}");
    Note { command: "plugin secret remove", plugin, message, before: None, after: None }
        .write(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// A line of the activity log.
struct Note<'n> {
    command: &'n str,
    plugin: &'n str,
    message: String,
    before: Option<String>,
    after: Option<String>,
}

impl Note<'_> {
    /// Comes last before the commit: others wait for the end of the chain.
    async fn write(self, tx: &mut Tx) -> anyhow::Result<()> {
        let provider = tx.installation().ensure(&SystemClock).await?.uid;
        let row = NewAuditRow {
            at: SystemClock.now_ms(),
            user_name: WHO.to_owned(),
            address: "local".to_owned(),
            operation: self.command.to_owned(),
            outcome: "Succeeded",
            organization_uid: Some(provider),
            object_type: "Plugin".to_owned(),
            object_name: self.plugin.to_owned(),
            message: format!("{WHO}: {} {}", self.command, self.message),
            before: self.before,
            after: self.after,
            ..NewAuditRow::default()
        };
        tx.audit().add(&row).await?;
        Ok(())
    }
}
