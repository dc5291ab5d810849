//! Veeam Backup & Replication, by its REST API 1.3 (`x-api-version: 1.3-rev1`), which no shell and no console is needed for.
//!
//! - `tls`, `token`, `client`, `pages`: the line. The server's certificate is pinned at set-up, the password stays in its file,
//!   every answer has limits, and a list is whole or an error;
//! - `model`, `words`: what the server says, and how the API of the host says it;
//! - `collect`: from lists to an inventory. As few questions as there are lists, however many machines there are; `horizon`: how
//!   far back runs are read;
//! - `orders`, `licence`, `restore`: what a host may have done;
//! - `setup`: the first acquaintance, for `enroll`.

mod address;
mod call;
mod client;
mod collect;
mod error;
mod horizon;
mod licence;
mod model;
mod mounts;
mod orders;
mod pages;
mod restore;
mod setup;
mod tls;
mod token;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{Done, Driver, DriverError, Order, Refused};
use crate::clock::SharedClock;
use crate::config::DataFolder;
use crate::error::chain;
use crate::inventory::Inventory;
use crate::tls::Pin;
use client::Client;
use collect::Memory;
use horizon::Horizon;
use mounts::Mounts;

pub use address::{VbrAddress, VbrAddressError};
pub use error::VbrError;
pub use setup::{Found, acquaint};
pub use tls::{ServerCertificate, look};

/// What the agent speaks.
pub const API_VERSION: &str = "1.3-rev1";

/// How often it is noted that a mount is in use, in milliseconds: less than the shortest idle time.
const IN_USE: u64 = 30_000;

/// How to get into a backup server; `[driver]` of agent.toml.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Where its REST API listens.
    pub address: VbrAddress,
    /// Of an account with the role Veeam Backup Administrator, without multi-factor authentication.
    pub user: String,
    /// Where its password is. The agent reads it to log in, and keeps it nowhere.
    pub password_file: PathBuf,
    /// SHA-256 of the public key of the server's certificate, as it was at set-up.
    pub fingerprint: Pin,
}

/// How patient the driver is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub answer: Duration,
    /// For the whole of an answer, unless it is a download.
    pub whole: Duration,
    /// How often a question is repeated when the server fails at it.
    pub tries: u32,
    /// Before the first repetition; twice as long before each further one.
    pub back_off: Duration,
    /// The longest wait that a server may ask for.
    pub patience: Duration,
    /// Between two looks at something that takes a while.
    pub look: Duration,
    /// How long a search or the making of a download may take.
    pub task: Duration,
}

impl Pace {
    /// For real servers.
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(15),
        // A mount is answered when it is there.
        answer: Duration::from_mins(5),
        whole: Duration::from_mins(15),
        tries: 4,
        back_off: Duration::from_millis(500),
        patience: Duration::from_mins(1),
        look: Duration::from_secs(2),
        task: Duration::from_mins(30),
    };
}

/// The driver of one backup server.
#[derive(Debug)]
pub struct Vbr {
    access: Access,
    pace: Pace,
    clock: SharedClock,
    client: OnceCell<Client>,
    memory: tokio::sync::Mutex<Memory>,
    horizon: Horizon,
    mounts: Mounts,
}

impl Vbr {
    /// `folder` is where the driver notes what it mounted, and since when it has to read runs.
    pub fn new(access: Access, pace: Pace, folder: &DataFolder, clock: SharedClock) -> Self {
        let (mounts, horizon) = (Mounts::new(folder.vbr_mounts()), Horizon::new(folder));
        let (client, memory) = (OnceCell::new(), tokio::sync::Mutex::default());
        Self { access, pace, clock, client, memory, horizon, mounts }
    }

    async fn client(&self) -> Result<&Client, VbrError> {
        let make = || std::future::ready(Client::new(&self.access, self.pace, Arc::clone(&self.clock)));
        self.client.get_or_try_init(make).await
    }

    async fn inventory(&self) -> Result<Inventory, VbrError> {
        let client = self.client().await?;
        self.mounts.sweep(client).await;
        collect::inventory(client, &mut *self.memory.lock().await, &self.horizon).await
    }

    async fn act(&self, order: &Order) -> Result<Done, Refused> {
        let client = self.client().await.map_err(|error| refused(&error))?;
        match order.kind.as_str() {
            kind if kind.starts_with("job-") => orders::job(client, order).await,
            kind if kind.starts_with("license-") => licence::act(client, order).await,
            kind if kind.starts_with("restore-") => restore::act(client, &self.mounts, order).await,
            _ => Err(Refused::unknown("vbr", order)),
        }
    }

    /// Reads files that `restore-fetch` made ready, piece by piece: of an open session, by the task that it answered with.
    pub async fn download(
        &self,
        session: &str,
        task: &str,
        take: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<u64, Refused> {
        let open = self.mounts.find(session).filter(|_| orders::is_id(task));
        let open = open.ok_or_else(|| Refused("there is nothing made ready to be fetched".to_owned()))?;
        let client = self.client().await.map_err(|error| refused(&error))?;
        let mut used = self.clock.now_ms();
        self.mounts.used(session, used);
        // A large one takes longer than a mount may be idle.
        let mut take = |piece: &[u8]| {
            let now = self.clock.now_ms();
            if now.abs_diff(used) >= IN_USE {
                used = now;
                self.mounts.used(session, now);
            }
            take(piece)
        };
        let downloaded = restore::download(client, &open.id, task, &mut take).await;
        self.mounts.used(session, self.clock.now_ms());
        downloaded.map_err(|error| refused(&error))
    }
}

/// In plain words, with what the server said.
fn refused(error: &VbrError) -> Refused {
    Refused(chain(error))
}

impl Driver for Vbr {
    fn kind(&self) -> &'static str {
        "vbr"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(async { self.inventory().await.map_err(|error| DriverError::Vbr(Box::new(error))) })
    }

    fn delivered(&self) {
        self.horizon.delivered();
    }

    fn lost(&self) {
        self.horizon.lost();
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        Box::pin(self.act(order))
    }
}
