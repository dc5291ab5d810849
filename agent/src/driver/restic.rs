//! restic: the program itself is asked, with `--json`, without a lock and within a time limit.
//!
//! `command` runs it and names what went wrong, `snapshot` turns its answers into an inventory, `files` looks into snapshots
//! and brings files back. The password reaches restic by the name of its file, in the environment; the agent never reads it.

mod command;
mod files;
mod snapshot;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keelson_proto::v1::BackupServer;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::restore::{self, Sessions};
use super::{Done, Driver, DriverError, Order, Refused};
use crate::clock::SharedClock;
use crate::computer;
use crate::inventory::Inventory;
use command::Command;
use files::Files;

pub use command::ResticError;

const TIME_LIMIT: Duration = Duration::from_mins(5);

/// One repository, and what may be done with it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// As restic takes it.
    pub repository: String,
    /// As in `restic --password-file`.
    pub password_file: PathBuf,
    /// The backup server's name; the repository's own when absent.
    pub server_name: Option<String>,
    /// Where restic may keep its index copies.
    pub cache: PathBuf,
    /// Where files may be restored to beside where they were.
    pub restore_roots: Vec<PathBuf>,
}

/// The driver of one repository.
#[derive(Debug)]
pub struct Restic {
    command: Arc<Command>,
    server_name: String,
    sessions: Arc<Sessions>,
}

#[derive(Deserialize)]
struct RepositoryConfig {
    id: String,
}

impl Restic {
    /// Nothing is run before it is asked for.
    pub fn new(setup: Setup, clock: SharedClock) -> Self {
        Self::with_program(setup, clock, "restic", TIME_LIMIT)
    }

    fn with_program(setup: Setup, clock: SharedClock, program: &str, limit: Duration) -> Self {
        let Setup { repository, password_file, server_name, cache, restore_roots: roots } = setup;
        let server_name = server_name.unwrap_or_else(|| snapshot::default_name(&repository));
        let program = PathBuf::from(program);
        let command = Arc::new(Command { program, repository, password_file, cache, limit });
        let host_name = computer::this_machine().host_name;
        let files = Files { command: Arc::clone(&command), roots, host_name, repository: OnceCell::new() };
        Self { command, server_name, sessions: Sessions::new(Arc::new(files), clock) }
    }

    async fn inventory(&self) -> Result<Inventory, ResticError> {
        let version = self.command.run(&["version"]).await?;
        let key = self.command.repository_id().await?;
        let snapshots = self.command.json(&["snapshots", "--json", "--no-lock"]).await?;
        let server = BackupServer {
            key,
            name: self.server_name.clone(),
            engine: "restic".to_owned(),
            version: snapshot::version(&version),
            ..BackupServer::default()
        };
        snapshot::inventory(server, snapshots, &self.command.repository)
    }
}

impl Command {
    async fn repository_id(&self) -> Result<String, ResticError> {
        let config: RepositoryConfig = self.json(&["cat", "config", "--no-lock"]).await?;
        Ok(config.id)
    }
}

impl Driver for Restic {
    fn kind(&self) -> &'static str {
        "restic"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(async { self.inventory().await.map_err(DriverError::Restic) })
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        if restore::is_restore(&order.kind) {
            return Box::pin(self.sessions.execute(order));
        }
        Box::pin(std::future::ready(Err(Refused::unknown(self.kind(), order))))
    }
}

/// Whether a repository's URL carries a password: `…://user:password@host/…`.
pub fn has_password(repository: &str) -> bool {
    let Some((_, rest)) = repository.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests;
