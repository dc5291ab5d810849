//! Drivers: how an agent learns the state of the backup engine beside it.
//!
//! - `restic`: a repository is a backup server, host and paths are a workload, a snapshot is a restore point;
//! - `simulated`: a believable backup server made from a seed;
//! - `vbr`: Veeam Backup & Replication, by its REST API.
//!
//! What a facet adds to it is in `facet`, what all engines share of file restore in `restore`, what an agent
//! refuses whatever the engine could do in `guard`.
//!
//! A driver answers with the whole state or with an error. It never answers with less because the engine failed: what
//! is missing from an inventory is reported as gone.

pub mod facet;
pub(crate) mod guard;
pub mod restic;
pub mod restore;
pub mod simulated;
pub mod vbr;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use keelson_proto::v1::Computer;
use serde::{Deserialize, Serialize};

use crate::clock::SharedClock;
use crate::computer;
use crate::config::DataFolder;
use crate::inventory::Inventory;
use restic::{Restic, ResticError};
use simulated::{Simulated, SiteSettings};
use vbr::{Access, Pace, Vbr, VbrError};

/// Asks one kind of engine.
pub trait Driver: Debug + Send + Sync {
    /// As the protocol names it: "restic", "simulated".
    fn kind(&self) -> &'static str;

    /// The engine's whole state, or why it could not be had.
    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>>;

    /// The host has all that the last collection brought: what only had to be read until then need not be read again.
    fn delivered(&self) {}

    /// The host starts over, and may have lost what it was delivered: all that it keeps is to be read again.
    fn lost(&self) {}

    /// Does something to the engine. It may be asked for what it did before, after a crash between the deed and the note of
    /// it: it looks at what is before it changes it. An engine that can do nothing refuses everything.
    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        Box::pin(std::future::ready(Err(Refused::unknown(self.kind(), order))))
    }
}

/// What the host wants of an engine.
#[derive(Clone, PartialEq)]
pub struct Order {
    /// As the protocol names it: "job-start".
    pub kind: String,
    /// To what, and how.
    pub payload: serde_json::Value,
    /// What is nobody else's business; null when there is nothing.
    pub secret: serde_json::Value,
}

impl Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("kind", &self.kind)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

/// It was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// For people; may be empty.
    pub message: String,
    /// For the host.
    pub result: Option<serde_json::Value>,
}

impl Done {
    /// With words alone.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { message: message.into(), result: None }
    }
}

/// Why it was not done, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    /// Nothing that this driver does.
    pub fn unknown(driver: &str, order: &Order) -> Self {
        Self(format!("an agent with the driver {driver} cannot do \"{}\"", order.kind))
    }
}

/// Why there is no inventory this time.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// restic or its repository.
    #[error("cannot read the restic repository")]
    Restic(#[source] ResticError),
    /// Veeam Backup & Replication, or the way to it.
    #[error("cannot read the backup server")]
    Vbr(#[source] Box<VbrError>),
    /// What stands beside the engine.
    #[error("the facet {0} gives no answer")]
    Facet(&'static str, #[source] facet::FacetError),
}

/// `[driver]` in agent.toml.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum DriverSettings {
    /// A restic repository.
    Restic {
        /// As in `restic --repo`.
        repository: String,
        /// As in `restic --password-file`. The password itself is never kept by the agent.
        password_file: PathBuf,
        /// The backup server's name; the repository's own when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_name: Option<String>,
    },
    /// A made-up backup server.
    Simulated {
        /// The fleet's.
        seed: u64,
        /// Which server of the fleet.
        server: u32,
        /// How many computers it backs up.
        workloads: u32,
        /// When it came to life, in unix milliseconds: what stopped being backed up did so before.
        since: i64,
        /// It is a Cloud Connect server, too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<SiteSettings>,
    },
    /// Veeam Backup & Replication.
    Vbr(Access),
    /// No engine: all that is known comes from facets.
    None {},
}

/// Why driver settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Nothing named.
    #[error("the restic repository is empty; name it with --restic-repo")]
    Repository,
    /// A secret where there must be none.
    #[error(
        "the restic repository's URL carries a password, which would be stored and shown; leave it out and set \
         RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD for the agent's service"
    )]
    PasswordInUrl,
    /// Nobody to log in as.
    #[error("the backup server's account has no name; name it with --vbr-user")]
    VbrUser,
}

impl DriverSettings {
    /// Refuses what cannot work or must not be stored.
    pub fn check(&self) -> Result<(), SettingsError> {
        match self {
            Self::Restic { repository, .. } if repository.trim().is_empty() => Err(SettingsError::Repository),
            Self::Restic { repository, .. } if restic::has_password(repository) => {
                Err(SettingsError::PasswordInUrl)
            }
            Self::Vbr(access) if access.user.trim().is_empty() => Err(SettingsError::VbrUser),
            Self::Restic { .. } | Self::Simulated { .. } | Self::Vbr(_) | Self::None {} => Ok(()),
        }
    }

    /// The driver that these settings describe; `roots` are where it may restore files to beside where they were.
    pub fn driver(&self, folder: &DataFolder, roots: &[PathBuf], clock: &SharedClock) -> Arc<dyn Driver> {
        match self.clone() {
            Self::Restic { repository, password_file, server_name } => {
                let (cache, restore_roots) = (folder.restic_cache(), roots.to_vec());
                let setup = restic::Setup { repository, password_file, server_name, cache, restore_roots };
                Arc::new(Restic::new(setup, Arc::clone(clock)))
            }
            Self::Simulated { seed, server, workloads, since, site } => {
                let simulated = Simulated::new(seed, server, workloads, since, Arc::clone(clock));
                Arc::new(simulated.with_site(site.as_ref()))
            }
            Self::Vbr(access) => Arc::new(Vbr::new(access, Pace::USUAL, folder, Arc::clone(clock))),
            Self::None {} => Arc::new(facet::Nothing),
        }
    }

    /// The machine the agent says it runs on: each simulated server has one of its own.
    pub fn computer(&self) -> Computer {
        match *self {
            Self::Restic { .. } | Self::Vbr(_) | Self::None {} => computer::this_machine(),
            Self::Simulated { seed, server, site: None, .. } => simulated::computer(seed, server),
            Self::Simulated { seed, server, site: Some(_), .. } => simulated::site_computer(seed, server),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_repository_url_is_refused_before_it_is_stored() {
        let settings = |repository: &str| DriverSettings::Restic {
            repository: repository.to_owned(),
            password_file: PathBuf::from("pw"),
            server_name: None,
        };
        assert!(settings("rest:https://backup.example/").check().is_ok());
        assert!(settings("/srv/a:b@c").check().is_ok());
        assert!(settings("sftp:user@host:/srv").check().is_ok());
        let error = settings("rest:https://me:geheim@backup.example/").check().unwrap_err().to_string();
        assert!(error.contains("RESTIC_REST_PASSWORD") && !error.contains("geheim"));
        assert!(settings(" ").check().is_err());
    }
}
