//! A simulated fleet: many agents in one process, each enrolled and connected like a real one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::agent::{Agent, AgentError, Options};
use crate::clock::SharedClock;
use crate::config::{DataFolder, Extras, FileError};
use crate::driver::DriverSettings;
use crate::driver::simulated::SiteSettings;
use crate::enroll::{EnrollError, Enrolment, enroll};
use crate::token::JoinToken;
use crate::work::Ended;

/// Enrolments under way at once.
const AT_ONCE: usize = 8;
/// Between the starts of two agents: a fleet must not arrive as one.
const STAGGER: Duration = Duration::from_millis(2);

/// What a fleet looks like.
#[derive(Debug)]
pub struct Fleet {
    /// How many servers, each with an agent.
    pub servers: u32,
    /// How many computers each of them backs up.
    pub workloads: u32,
    /// The same seed gives the same fleet.
    pub seed: u64,
    /// Agent n lives in the folder n of this one.
    pub data: PathBuf,
    /// Needed, with a use for each, while some are not enrolled yet.
    pub token: Option<JoinToken>,
    /// One more server, in the folder `site`.
    pub site: Option<FleetSite>,
    /// Of each agent.
    pub options: Options,
}

/// A provider's Cloud Connect server in a fleet.
#[derive(Debug)]
pub struct FleetSite {
    /// How many tenants it has from the start.
    pub tenants: u32,
    /// The provider's; the fleet's when absent.
    pub token: Option<JoinToken>,
}

/// The site's number among the servers: no fleet has so many.
const SITE: u32 = 999_999;

/// Why a fleet does not run.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The folder cannot be made, or another fleet uses it.
    #[error("cannot use the fleet's data folder")]
    Folder(#[source] FileError),
    /// Agents are missing, and there is no token to enrol them.
    #[error(
        "agent {0} of the fleet is not enrolled yet; give --token-file with a token of at least {1} uses"
    )]
    NoToken(u32, u32),
    /// An enrolment failed.
    #[error("cannot enrol agent {0} of the fleet")]
    Enroll(u32, #[source] EnrollError),
    /// An agent ended.
    #[error("agent {0} of the fleet ended")]
    Agent(u32, #[source] AgentError),
    /// An agent's task broke.
    #[error("an agent's task broke")]
    Task(#[source] JoinError),
}

impl Fleet {
    /// Enrols who is not yet, then runs all until `stop`. The first agent that ends takes the fleet with it.
    pub async fn run(self, clock: SharedClock, stop: CancellationToken) -> Result<(), FleetError> {
        let folder = DataFolder::create(&self.data).map_err(FleetError::Folder)?;
        let lock = folder.lock().map_err(FleetError::Folder)?;
        let enrolled = tokio::select! {
            enrolled = self.enroll_missing(&clock) => enrolled?,
            () = stop.cancelled() => return Ok(()),
        };
        info!(servers = self.servers, enrolled, "the fleet starts");
        let mut agents = JoinSet::new();
        for (place, index) in (0..).zip(self.members()) {
            let data = self.folder_of(index);
            let (options, clock, stop) = (self.options, SharedClock::clone(&clock), stop.clone());
            agents.spawn(async move {
                let wait = STAGGER * place;
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.cancelled() => return Ok(()),
                }
                run_one(&data, options, clock, stop).await.map_err(|error| FleetError::Agent(index, error))
            });
        }
        let mut outcome = Ok(());
        while let Some(ended) = agents.join_next().await {
            let ended = ended.map_err(FleetError::Task).and_then(|ended| ended);
            if outcome.is_ok() && ended.is_err() {
                stop.cancel();
                outcome = ended;
            }
        }
        drop(lock);
        outcome
    }

    fn members(&self) -> impl Iterator<Item = u32> {
        (0..self.servers).chain(self.site.is_some().then_some(SITE))
    }

    fn folder_of(&self, index: u32) -> PathBuf {
        let site = index == SITE && self.site.is_some();
        self.data.join(if site { "site".to_owned() } else { index.to_string() })
    }

    /// How an agent of the fleet is enrolled, and with which token.
    fn settings_of(&self, index: u32, since: i64) -> (DriverSettings, Option<JoinToken>) {
        let site = self.site.as_ref().filter(|_| index == SITE);
        let driver = DriverSettings::Simulated {
            seed: self.seed,
            server: index,
            // A provider's Cloud Connect server has no backups of its own.
            workloads: if site.is_some() { 0 } else { self.workloads },
            since,
            site: site.map(|site| SiteSettings { tenants: site.tenants }),
        };
        let own = site.and_then(|site| site.token.clone());
        (driver, own.or_else(|| self.token.clone()))
    }

    /// How many were enrolled.
    async fn enroll_missing(&self, clock: &SharedClock) -> Result<usize, FleetError> {
        let missing: Vec<u32> = self
            .members()
            .filter(|index| !DataFolder::at(self.folder_of(*index)).certificate().exists())
            .collect();
        let count = missing.len();
        let uses = u32::try_from(count).unwrap_or(u32::MAX);
        let since = clock.now_ms();
        stream::iter(missing)
            .map(|index| async move {
                let (driver, token) = self.settings_of(index, since);
                let token = token.ok_or(FleetError::NoToken(index, uses))?;
                let enrolment = Enrolment {
                    token,
                    data: self.folder_of(index),
                    computer: driver.computer(),
                    driver,
                    extras: Extras::default(),
                    force: false,
                };
                enroll(enrolment).await.map_err(|error| FleetError::Enroll(index, error))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(count)
    }
}

async fn run_one(
    data: &Path,
    options: Options,
    clock: SharedClock,
    stop: CancellationToken,
) -> Result<(), AgentError> {
    loop {
        let agent = Agent::open_in_memory(data, options, SharedClock::clone(&clock))?;
        match agent.run(stop.clone()).await? {
            // One that the host removed has left the fleet; the others go on.
            Ended::Stopped | Ended::Removed => return Ok(()),
            Ended::Restart => {}
        }
    }
}
