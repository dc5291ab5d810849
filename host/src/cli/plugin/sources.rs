//! Whose packages are believed, and where they come from.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;

use super::super::{Place, say};
use super::manage::note;
use crate::clock::{Clock as _, SystemClock};
use crate::plugins::{self, Library, Plugins};
use crate::store::{PluginKey, PluginLibrary};

/// Whose packages are believed.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Believe packages that are signed with a key
    Trust {
        /// `ed25519:…`
        key: String,
        /// Whose it is
        #[arg(long)]
        name: String,
        /// It is this provider's own
        #[arg(long)]
        own: bool,
    },
    /// No longer believe a key; what is installed stays
    Distrust {
        /// `ed25519:…`
        key: String,
    },
}

impl KeyCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Trust { key, name, own } => trust(place, &key, name, own).await,
            Self::Distrust { key } => {
                let mut tx = place.store().await?.write().await?;
                if !tx.plugins().distrust(&key).await? {
                    bail!("{key} is not among the keys that are believed");
                }
                note(&mut tx, "plugin distrust", &key).await?;
                tx.commit().await?;
                say(&format!("{key} is no longer believed"))
            }
        }
    }
}

/// Libraries.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LibraryCommand {
    /// Add one
    Add {
        /// As it is to be called
        name: String,
        /// The folder with its index.json, from the root
        folder: PathBuf,
        /// The key that signs its index
        #[arg(long)]
        key: String,
    },
    /// Remove one; what is installed stays
    Remove {
        /// As it is called
        name: String,
    },
    /// List them
    List,
}

async fn trust(place: &Place, key: &str, name: String, own: bool) -> anyhow::Result<()> {
    let parsed: plugins::PublicKey = key.parse().map_err(anyhow::Error::msg)?;
    let tier = if own { "OwnKey" } else { "VerifiedPublisher" }.to_owned();
    let mut tx = place.store().await?.write().await?;
    let row = PluginKey { key: parsed.to_string(), name: name.clone(), tier, added_at: SystemClock.now_ms() };
    tx.plugins().trust(&row).await?;
    note(&mut tx, "plugin trust", &format!("{name} {parsed}")).await?;
    tx.commit().await?;
    say(&format!("packages signed with {parsed} are believed to be by {name}"))
}

impl LibraryCommand {
    pub(super) async fn run(self, place: &Place, plugins: &Plugins) -> anyhow::Result<()> {
        match self {
            Self::Add { name, folder, key } => add(place, name, folder, &key).await,
            Self::Remove { name } => {
                let mut tx = place.store().await?.write().await?;
                if !tx.plugins().remove_library(&name).await? {
                    bail!("there is no library {name}; `keelson plugin library list` shows them");
                }
                note(&mut tx, "plugin library remove", &name).await?;
                tx.commit().await?;
                say(&format!("the library {name} is removed; what was installed from it stays"))
            }
            Self::List => {
                for library in plugins.libraries().await? {
                    match library {
                        Ok(library) => {
                            say(&format!("{} {} {}", library.name, library.folder.display(), library.key))?;
                        }
                        Err(error) => say(&error.to_string())?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// A library is read once before it is added: a typo shows now, not at the next search.
async fn add(place: &Place, name: String, folder: PathBuf, key: &str) -> anyhow::Result<()> {
    if name == "shipped" || name.trim().is_empty() {
        bail!("`{name}` cannot be a library's name; choose another");
    }
    if !folder.is_absolute() {
        bail!("give the folder from the root: the host looks for it, not this shell");
    }
    let key: plugins::PublicKey = key.parse().map_err(anyhow::Error::msg)?;
    let library = Library { name: name.clone(), folder, key, serial: 0 };
    let index = library.index(SystemClock.now_ms())?;
    let row = PluginLibrary {
        name: name.clone(),
        place: library.folder.display().to_string(),
        key: key.to_string(),
        serial: 0,
        added_at: SystemClock.now_ms(),
    };
    let mut tx = place.store().await?.write().await?;
    if !tx.plugins().add_library(&row).await? {
        bail!("there is a library {name} already; remove it first, or choose another name");
    }
    tx.plugins().advance_library(&name, index.serial).await?;
    note(&mut tx, "plugin library add", &name).await?;
    tx.commit().await?;
    say(&format!("the library {name} has {} plugins", index.plugins.len()))
}
