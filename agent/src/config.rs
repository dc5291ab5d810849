//! What an agent keeps in its data folder, and how it is written.
//!
//! - `agent.toml`: [`Settings`], no secrets; safe to show to a support engineer;
//! - `agent.key` (mode 0600), `agent.pem`, `ca.pem`: see [`crate::identity`];
//! - `spool.db`: see [`crate::spool`]; `agent.lock`: held while an agent runs, so that no two share a folder.
//!
//! Every file is replaced by writing a temporary one, syncing it and renaming it: after a power cut there is the old
//! content or the new.

mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::driver::facet::{Facets, FacetsError};
use crate::driver::{Driver, DriverSettings};
use crate::spool::ReplayWindow;
use crate::tls::{Address, AddressError, Pin, PinError};

pub use folder::{DataFolder, FileError, FolderLock};

/// `agent.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The agent's id, given by the host.
    pub agent_uid: Uuid,
    /// Where the host listens, in the order in which to try.
    pub addresses: Vec<Address>,
    /// The host's CA.
    pub pin: Pin,
    /// What the agent sits beside.
    pub driver: DriverSettings,
    /// What else it may do here.
    pub extras: Extras,
    /// What it keeps for a host that comes back from a backup.
    pub replay: ReplayWindow,
}

/// What an administrator of the agent's machine allows beside the driver; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Folders beneath which files may be restored, beside where they were.
    pub restore_roots: Vec<PathBuf>,
    /// Programs that know what the driver does not.
    pub facets: Facets,
}

impl Extras {
    /// Refuses what cannot work with a driver.
    pub fn check(&self, driver: &DriverSettings) -> Result<(), ExtrasError> {
        if let Some(root) = self.restore_roots.iter().find(|root| !root.is_absolute()) {
            return Err(ExtrasError::Root(root.clone()));
        }
        if matches!(driver, DriverSettings::None {}) && self.facets.is_empty() {
            return Err(ExtrasError::Nothing);
        }
        self.facets.check().map_err(ExtrasError::Facets)
    }
}

/// Why extras cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExtrasError {
    /// A service has no folder that it starts from.
    #[error("the restore root {} must be named from the root on", .0.display())]
    Root(PathBuf),
    /// There would be nothing to report.
    #[error(
        "the driver is none and there is no facet; name a driver, or a facet with --cloud-connect or --vb365"
    )]
    Nothing,
    /// A facet cannot be run.
    #[error("`[facets]` cannot be used")]
    Facets(#[source] FacetsError),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    agent_uid: Uuid,
    addresses: Vec<String>,
    pin: String,
    #[serde(default, rename = "restore-roots", skip_serializing_if = "Vec::is_empty")]
    restore_roots: Vec<PathBuf>,
    driver: DriverSettings,
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    facets: Facets,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
}

/// `[replay]`: how much of what was acknowledged is kept. Left out, an agent of before reads the file as well.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Replay {
    hours: u32,
    mebibytes: u32,
}

impl Default for Replay {
    fn default() -> Self {
        ReplayWindow::default().into()
    }
}

impl From<ReplayWindow> for Replay {
    fn from(window: ReplayWindow) -> Self {
        let least = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Self { hours: least(window.age.as_secs() / 3600), mebibytes: least(window.bytes >> 20) }
    }
}

impl From<Replay> for ReplayWindow {
    fn from(wire: Replay) -> Self {
        Self { age: Duration::from_hours(wire.hours.into()), bytes: u64::from(wire.mebibytes) << 20 }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no enrolment in this folder.
    #[error("{} holds no enrolled agent; run `keelson-agent enroll --data {}` first", .0.display(), .0.display())]
    NotEnrolled(PathBuf),
    /// The file system refused.
    #[error("cannot use the agent's data folder")]
    File(#[source] FileError),
    /// No TOML, or an unknown key.
    #[error("{} cannot be read; mend the line or enrol again with `--force`", .0.display())]
    Parse(PathBuf, #[source] toml::de::Error),
    /// Not to be expected.
    #[error("the settings cannot be written as TOML")]
    Write(#[source] toml::ser::Error),
    /// The list of addresses was emptied: an agent would run and find no host for ever.
    #[error(
        "`addresses` in {} is empty; put the host's name and port there, as \"host.example:6180\", or enrol again with `--force`",
        .0.display()
    )]
    NoAddress(PathBuf),
    /// An address was edited badly.
    #[error("`addresses` in agent.toml cannot be used")]
    Address(#[source] AddressError),
    /// The pin was edited badly.
    #[error("`pin` in agent.toml cannot be used")]
    Pin(#[source] PinError),
    /// A driver setting was edited badly.
    #[error("`[driver]` in agent.toml cannot be used")]
    Driver(#[source] crate::driver::SettingsError),
    /// What is allowed beside it was edited badly.
    #[error("agent.toml cannot be used")]
    Extras(#[source] ExtrasError),
}

impl Settings {
    /// Reads `agent.toml`.
    pub fn load(folder: &DataFolder) -> Result<Self, ConfigError> {
        let path = folder.settings();
        if !path.exists() {
            return Err(ConfigError::NotEnrolled(folder.path().to_owned()));
        }
        let text = folder::read_text(&path).map_err(ConfigError::File)?;
        Self::from_toml(&text, &path)
    }

    fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let wire: Wire = toml::from_str(text).map_err(|error| ConfigError::Parse(path.to_owned(), error))?;
        wire.driver.check().map_err(ConfigError::Driver)?;
        let extras = Extras { restore_roots: wire.restore_roots, facets: wire.facets };
        extras.check(&wire.driver).map_err(ConfigError::Extras)?;
        if wire.addresses.is_empty() {
            return Err(ConfigError::NoAddress(path.to_owned()));
        }
        let addresses = wire.addresses.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        Ok(Self {
            agent_uid: wire.agent_uid,
            addresses: addresses.map_err(ConfigError::Address)?,
            pin: wire.pin.parse().map_err(ConfigError::Pin)?,
            driver: wire.driver,
            extras,
            replay: wire.replay.unwrap_or_default().into(),
        })
    }

    /// The driver, with what the agent may do beside.
    pub fn driver(&self, folder: &DataFolder, clock: &SharedClock) -> Arc<dyn Driver> {
        let driver = self.driver.driver(folder, &self.extras.restore_roots, clock);
        self.extras.facets.around(driver, folder)
    }

    /// Writes `agent.toml`.
    pub fn store(&self, folder: &DataFolder) -> Result<(), ConfigError> {
        let wire = Wire {
            agent_uid: self.agent_uid,
            addresses: self.addresses.iter().map(ToString::to_string).collect(),
            pin: self.pin.to_string(),
            driver: self.driver.clone(),
            restore_roots: self.extras.restore_roots.clone(),
            facets: self.extras.facets.clone(),
            replay: Some(self.replay.into()).filter(|replay| *replay != Replay::default()),
        };
        let text = toml::to_string_pretty(&wire).map_err(ConfigError::Write)?;
        folder.replace(&folder.settings(), text.as_bytes()).map_err(ConfigError::File)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::facet::Script;

    #[test]
    fn settings_survive_the_file_and_an_unknown_key_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(place.path().join("data")).unwrap();
        let settings = Settings {
            agent_uid: Uuid::from_u128(7),
            addresses: vec!["localhost:6180".parse().unwrap()],
            pin: "ab".repeat(32).parse().unwrap(),
            driver: DriverSettings::Restic {
                repository: "/srv/backup".to_owned(),
                password_file: "/etc/restic.password".into(),
                server_name: None,
            },
            extras: Extras {
                restore_roots: vec!["/srv/restore".into()],
                facets: Facets {
                    cloud_connect: Some(Script {
                        program: Some("/opt/cloud".into()),
                        arguments: vec!["-x".into()],
                    }),
                    vb365: None,
                },
            },
            replay: ReplayWindow { age: Duration::from_hours(5), bytes: 7 << 20 },
        };
        assert!(matches!(Settings::load(&folder), Err(ConfigError::NotEnrolled(_))));
        settings.store(&folder).unwrap();
        assert_eq!(Settings::load(&folder).unwrap(), settings);

        let text = std::fs::read_to_string(folder.settings()).unwrap();
        let error = Settings::from_toml(&format!("colour = 1\n{text}"), Path::new("agent.toml")).unwrap_err();
        assert!(crate::error::chain(&error).contains("colour"));
    }

    #[test]
    fn settings_without_an_address_are_refused_with_the_files_name() {
        let pin = "ab".repeat(32);
        let settings = |addresses: &str| {
            let text = format!(
                "agent_uid = \"{}\"\naddresses = {addresses}\npin = \"{pin}\"\n\
                [driver]\nkind = \"simulated\"\nseed = 1\nserver = 0\nworkloads = 1\nsince = 0\n",
                Uuid::from_u128(7)
            );
            Settings::from_toml(&text, Path::new("/srv/agent.toml"))
        };
        settings(r#"["localhost:6180"]"#).unwrap();
        let error = settings("[]").unwrap_err();
        assert!(matches!(error, ConfigError::NoAddress(_)), "{error}");
        let message = error.to_string();
        assert!(message.starts_with("`addresses` in /srv/agent.toml is empty"), "{message}");
    }
}
