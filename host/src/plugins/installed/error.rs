//! Why a plugin was not installed, enabled or changed.

use crate::plugins::error::{Blame, LoadError};
use crate::plugins::grants::Ask;
use crate::store::StoreError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The package does not pass a step of the pipeline.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// Nobody whom this host believes stands for it.
    #[error("{id} {version} may not be installed: {reason}")]
    Refused {
        /// Which plugin.
        id: String,
        /// Which version.
        version: String,
        /// With the way out.
        reason: String,
    },
    /// No such plugin.
    #[error("{0}")]
    NotInstalled(String),
    /// It asks for more than was granted.
    #[error("{id} {version} asks for what nobody has granted: {}; approve it, or leave the plugin as it is", list(.lacking))]
    NeedsApproval {
        /// Which plugin.
        id: String,
        /// Which version.
        version: String,
        /// What.
        lacking: Vec<Ask>,
    },
    /// It does not go with how things are.
    #[error("{0}")]
    Conflict(String),
    /// The plugin itself did not want to take another version's place.
    #[error("{id} does not go from {from} to {to}: {blame}; {from} stays")]
    Migrate {
        /// Which plugin.
        id: String,
        /// The version that stays.
        from: String,
        /// The version that was to come.
        to: String,
        /// Why.
        blame: Box<Blame>,
    },
    /// Only a host has a database.
    #[error("plugins cannot be installed without a database")]
    NoDatabase,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LoadError> for InstallError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl InstallError {
    pub(super) fn not_installed(id: &str) -> Self {
        Self::NotInstalled(format!("the plugin {id} is not installed; `keelson plugin list` shows what is"))
    }
}

/// `kv (Remembers where it stopped), http:psa (Reads agreements)`.
fn list(asks: &[Ask]) -> String {
    asks.iter().map(|ask| format!("{} ({})", ask.capability, ask.reason)).collect::<Vec<_>>().join(", ")
}
