//! restic: the program itself is asked, with `--json`, without a lock and within a time limit.
//!
//! `command` runs it and names what went wrong, `snapshot` turns its answers into an inventory. The password reaches
//! restic by the name of its file, in the environment; the agent never reads it.

mod command;
mod snapshot;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keelson_proto::v1::BackupServer;
use serde::Deserialize;

use super::{Driver, DriverError};
use crate::inventory::Inventory;
use command::Command;

pub use command::ResticError;

const TIME_LIMIT: Duration = Duration::from_mins(5);

/// The driver of one repository.
#[derive(Debug)]
pub struct Restic {
    command: Command,
    server_name: String,
}

#[derive(Deserialize)]
struct RepositoryConfig {
    id: String,
}

impl Restic {
    /// `repository` as restic takes it; `cache` is where restic may keep its index copies.
    pub fn new(
        repository: String,
        password_file: PathBuf,
        server_name: Option<String>,
        cache: PathBuf,
    ) -> Self {
        let server_name = server_name.unwrap_or_else(|| snapshot::default_name(&repository));
        let command =
            Command { program: PathBuf::from("restic"), repository, password_file, cache, limit: TIME_LIMIT };
        Self { command, server_name }
    }

    /// Another program or time limit than the usual.
    #[cfg(test)]
    fn with_program(mut self, program: &str, limit: Duration) -> Self {
        self.command.program = PathBuf::from(program);
        self.command.limit = limit;
        self
    }

    async fn inventory(&self) -> Result<Inventory, ResticError> {
        let version = self.command.run(&["version"]).await?;
        let config: RepositoryConfig = self.command.json(&["cat", "config", "--no-lock"]).await?;
        let snapshots = self.command.json(&["snapshots", "--json", "--no-lock"]).await?;
        let server = BackupServer {
            key: config.id,
            name: self.server_name.clone(),
            engine: "restic".to_owned(),
            version: snapshot::version(&version),
            ..BackupServer::default()
        };
        snapshot::inventory(server, snapshots, &self.command.repository)
    }
}

impl Driver for Restic {
    fn kind(&self) -> &'static str {
        "restic"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(async { self.inventory().await.map_err(DriverError::Restic) })
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
