//! Where plugins come from: a folder while one is written, the database once it is installed.

use std::path::PathBuf;

use super::error::{LoadError, LoadFault};
use super::grants::Grants;
use super::load;
use super::package::Package;
use crate::store::{RunningPlugin, Store, StoreError};

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The database, by its id. What an administrator installed comes first.
    Installed(String),
    /// A folder.
    Folder(PathBuf),
}

impl Source {
    /// For messages.
    pub(super) fn place(&self) -> PathBuf {
        match self {
            Self::Installed(id) => PathBuf::from(format!("{id}.kpkg")),
            Self::Folder(folder) => folder.clone(),
        }
    }

    /// The folder, if it is one.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Installed(_) => None,
            Self::Folder(folder) => Some(folder.clone()),
        }
    }

    /// The plugin's id, where it is known before its manifest is.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Installed(id) => Some(id.clone()),
            Self::Folder(_) => None,
        }
    }

    pub(super) fn refusal(&self, plugin: Option<String>, fault: LoadFault) -> LoadError {
        LoadError { folder: self.place(), plugin, fault }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Installed(id) => write!(formatter, "the installed {id}"),
            Self::Folder(folder) => write!(formatter, "the folder {}", folder.display()),
        }
    }
}

/// What is to run, before it was looked at.
#[derive(Debug, Clone)]
pub(super) enum Offer {
    Installed(RunningPlugin),
    Folder(PathBuf),
}

/// A package with what its plugin may do.
pub(super) struct Candidate {
    pub(super) package: Package,
    pub(super) grants: Grants,
    /// Changes when anything of it does.
    pub(super) mark: String,
}

impl Offer {
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Installed(row) => Source::Installed(row.id.clone()),
            Self::Folder(folder) => Source::Folder(folder.clone()),
        }
    }

    /// Whether it is what was looked at last, as far as can be said without reading it.
    pub(super) fn is_known(&self, mark: &str) -> bool {
        match self {
            Self::Installed(row) => mark_of(row) == mark,
            Self::Folder(_) => false,
        }
    }

    /// Reads it.
    pub(super) async fn read(&self, store: Option<&Store>) -> Result<Candidate, LoadFault> {
        match self {
            Self::Folder(folder) => {
                let package = load::read(folder).await?;
                let mark = package.digest.clone();
                Ok(Candidate { package, grants: Grants::Everything, mark })
            }
            Self::Installed(row) => {
                let store = store.ok_or_else(|| LoadFault::Host("there is no database".to_owned()))?;
                let bytes = stored(store, &row.id, &row.version).await.map_err(|error| {
                    LoadFault::Read(format!("the package cannot be read from the database: {error}"))
                })?;
                let bytes = bytes.ok_or_else(|| {
                    LoadFault::Read(format!("the database has no package of {} {}", row.id, row.version))
                })?;
                let package = load::unpack(self.source().place(), bytes, row.settings.clone()).await?;
                Ok(Candidate { package, grants: Grants::parse(&row.granted), mark: mark_of(row) })
            }
        }
    }
}

fn mark_of(row: &RunningPlugin) -> String {
    let RunningPlugin { version, sha256, settings, granted, .. } = row;
    serde_json::json!([version, sha256, settings, granted]).to_string()
}

async fn stored(store: &Store, id: &str, version: &str) -> Result<Option<Vec<u8>>, StoreError> {
    store.read().await?.plugins().package(id, version).await
}
