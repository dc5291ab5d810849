//! One running agent: its parts, put together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::collect::Collector;
use crate::config::{ConfigError, DataFolder, FileError, FolderLock, Settings};
use crate::driver::Driver;
use crate::driver::guard::Guard;
use crate::identity::{Identity, IdentityError};
use crate::random::Random;
use crate::session::{Link, SessionError, Shared};
use crate::spool::{self, DEFAULT_LIMIT, Limits, ReplayWindow, SharedSpool, SpoolError};
use crate::tls::{Dial, Dialler};
use crate::work::{Ended, Work};

/// What a spool in memory keeps for a host that comes back from a backup: a fleet has thousands of them in one process.
const IN_MEMORY: u64 = 64 << 10;

/// How an agent runs; what differs from machine to machine is in its settings.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Between two collections.
    pub interval: Duration,
    /// Longest wait between two sessions.
    pub max_backoff: Duration,
    /// Most bytes that wait for the host.
    pub spool_limit: u64,
    /// What waits between sessions are drawn from: the operating system, or the same numbers each time.
    pub seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(1),
            max_backoff: Duration::from_secs(30),
            spool_limit: DEFAULT_LIMIT,
            seed: None,
        }
    }
}

/// Why an agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Settings.
    #[error("cannot load the agent's settings")]
    Config(#[source] ConfigError),
    /// Another agent runs in this folder, for instance.
    #[error("cannot use the agent's data folder")]
    Folder(#[source] FileError),
    /// Key and certificate.
    #[error("cannot load the agent's identity")]
    Identity(#[source] IdentityError),
    /// The spool.
    #[error("cannot keep the agent's spool")]
    Spool(#[source] SpoolError),
    /// The host wants it gone.
    #[error(
        "the host has removed this agent; uninstall it, or enrol it again with `keelson-agent enroll --force`"
    )]
    Removed,
    /// The link to the host.
    #[error("cannot hold a session with the host")]
    Session(#[source] SessionError),
}

/// An enrolled agent, ready to run.
#[derive(Debug)]
pub struct Agent {
    folder: DataFolder,
    settings: Settings,
    identity: Identity,
    driver: Arc<dyn Driver>,
    spool: SharedSpool,
    dial: Arc<dyn Dial>,
    clock: SharedClock,
    options: Options,
    lock: Option<FolderLock>,
}

impl Agent {
    /// Loads the agent of a data folder, with its durable spool. The folder is locked for as long as the agent lives.
    pub async fn open(data: &Path, options: Options, clock: SharedClock) -> Result<Self, AgentError> {
        let folder = DataFolder::at(data);
        let settings = Settings::load(&folder).map_err(AgentError::Config)?;
        let lock = folder.lock().map_err(AgentError::Folder)?;
        let limits = Limits { waiting: options.spool_limit, replay: settings.replay };
        let spool =
            spool::durable(&folder.spool(), limits, clock.as_ref()).await.map_err(AgentError::Spool)?;
        Self::assemble(folder, settings, spool, options, clock, Some(lock))
    }

    /// Loads an agent whose spool lives in memory: for simulated fleets.
    pub fn open_in_memory(data: &Path, options: Options, clock: SharedClock) -> Result<Self, AgentError> {
        let folder = DataFolder::at(data);
        let settings = Settings::load(&folder).map_err(AgentError::Config)?;
        let replay = ReplayWindow { bytes: settings.replay.bytes.min(IN_MEMORY), ..settings.replay };
        let limits = Limits { waiting: options.spool_limit, replay };
        let spool = spool::memory(limits, clock.as_ref());
        Self::assemble(folder, settings, spool, options, clock, None)
    }

    fn assemble(
        folder: DataFolder,
        settings: Settings,
        spool: SharedSpool,
        options: Options,
        clock: SharedClock,
        lock: Option<FolderLock>,
    ) -> Result<Self, AgentError> {
        let identity = Identity::load(&folder, settings.pin).map_err(AgentError::Identity)?;
        let driver = settings.driver(&folder, &clock);
        let dial = Arc::new(Dialler);
        Ok(Self { folder, settings, identity, driver, spool, dial, clock, options, lock })
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Another driver than the settings name, for tests.
    #[must_use]
    pub fn with_driver(mut self, driver: Arc<dyn Driver>) -> Self {
        self.driver = driver;
        self
    }

    /// Another spool than the one it was opened with, for simulations.
    #[must_use]
    pub fn with_spool(mut self, spool: SharedSpool) -> Self {
        self.spool = spool;
        self
    }

    /// Another way to the host than TCP and TLS, for simulations.
    #[must_use]
    pub fn with_dial(mut self, dial: Arc<dyn Dial>) -> Self {
        self.dial = dial;
        self
    }

    /// Runs until `stop`, or until the host wants it to end. An error is one that waiting does not mend.
    pub async fn run(self, stop: CancellationToken) -> Result<Ended, AgentError> {
        // A command may end this run, not whoever started it.
        let stop = stop.child_token();
        let shared = Arc::new(Shared::new(self.spool));
        let driver: Arc<dyn Driver> = Arc::new(Guard::new(self.driver));
        let collector = Collector {
            driver: Arc::clone(&driver),
            shared: Arc::clone(&shared),
            clock: Arc::clone(&self.clock),
            interval: self.options.interval,
            stop: stop.clone(),
        };
        let work = Work::new(Arc::clone(&driver), Arc::clone(&shared), Arc::clone(&self.clock), stop.clone());
        let folder = self.folder.clone();
        let mut random = Random::seeded(self.options.seed);
        let link = Link {
            folder: self.folder,
            computer: self.settings.driver.computer(),
            settings: self.settings,
            run: random.run(),
            driver_kind: driver.kind(),
            shared,
            work: Arc::clone(&work),
            dial: self.dial,
            clock: self.clock,
            stop,
        };
        let collecting = async { collector.keep().await.map_err(AgentError::Spool) };
        let linked = async {
            let kept = link.keep(self.identity, self.options.max_backoff, random).await;
            kept.map_err(|error| match error {
                SessionError::Removed => AgentError::Removed,
                error => AgentError::Session(error),
            })
        };
        // Together they are too large for the stack of whoever waits.
        let outcome = tokio::try_join!(collecting, Box::pin(linked));
        if work.ended() == Ended::Removed {
            folder.forget_identity().map_err(AgentError::Folder)?;
        }
        drop(self.lock);
        outcome.map(|((), ())| work.ended())
    }
}

#[cfg(test)]
mod tests;
