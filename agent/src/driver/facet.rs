//! Facets: what a program beside the engine adds to what the driver finds. VBR's REST API has no word for Cloud Connect's
//! tenants, and Microsoft 365 backups are another product; both have PowerShell, so both are asked by a script.
//!
//! Who acts: `program` runs the script, with fixed arguments and the request as JSON on its standard input, within limits of
//! time and size; `cloud` and `vb365` hold what it answers to the contract and turn it into facts. Commands about tenants go
//! the same way. An answer is whole or it is an error: nothing is gone because a script failed.

mod check;
mod cloud;
mod license;
mod program;
mod vb365;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use keelson_proto::v1::BackupServer;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Done, Driver, DriverError, Order, Refused};
use crate::config::DataFolder;
use crate::error::chain;
use crate::inventory::Inventory;
use program::Program;

pub use program::FacetError;

/// `[facets]` in agent.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Facets {
    /// The machine is a Cloud Connect server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_connect: Option<Script>,
    /// The machine is a server of Veeam Backup for Microsoft 365.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vb365: Option<Script>,
}

/// What is run for a facet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The program; absent: the script that the agent brings, which needs Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// Always the same; what is asked goes to its standard input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// Why facets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FacetsError {
    /// A service has no folder that it starts from.
    #[error("the program of the facet {} must be named from the root on: {}", .0, .1.display())]
    Relative(&'static str, PathBuf),
    /// The scripts are for Windows.
    #[error(
        "the script of the facet {0} that the agent brings needs Windows; name a program that answers by its contract"
    )]
    System(&'static str),
}

const CLOUD: &str = "cloud-connect";
const VB365: &str = "vb365";

impl Facets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cloud_connect.is_none() && self.vb365.is_none()
    }

    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), FacetsError> {
        for (name, script) in [(CLOUD, &self.cloud_connect), (VB365, &self.vb365)] {
            match script {
                Some(Script { program: Some(program), .. }) if !program.is_absolute() => {
                    return Err(FacetsError::Relative(name, program.clone()));
                }
                Some(Script { program: None, .. }) if !cfg!(windows) => {
                    return Err(FacetsError::System(name));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The driver with its facets.
    pub(crate) fn around(&self, driver: Arc<dyn Driver>, folder: &DataFolder) -> Arc<dyn Driver> {
        if self.is_empty() {
            return driver;
        }
        let program = |name, script: &Option<Script>, source| {
            script.as_ref().map(|script| Program::new(name, script, source, folder))
        };
        Arc::new(Faceted {
            driver,
            cloud: program(CLOUD, &self.cloud_connect, include_str!("../../facets/cloud-connect.ps1")),
            vb365: program(VB365, &self.vb365, include_str!("../../facets/vb365.ps1")),
            one_at_a_time: tokio::sync::Mutex::default(),
        })
    }
}

/// A driver with facets.
#[derive(Debug)]
struct Faceted {
    driver: Arc<dyn Driver>,
    cloud: Option<Program>,
    vb365: Option<Program>,
    /// A list that is made while a tenant is would show half of it.
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Faceted {
    async fn whole(&self) -> Result<Inventory, DriverError> {
        let mut inventory = self.driver.collect().await?;
        let _one_at_a_time = self.one_at_a_time.lock().await;
        if let Some(program) = &self.cloud {
            let answer = program.ask(&json!({"version": VERSION, "action": "collect"})).await;
            answer
                .and_then(|answer| cloud::add(&mut inventory, &answer))
                .map_err(|error| DriverError::Facet(CLOUD, error))?;
        }
        if let Some(program) = &self.vb365 {
            let answer = program.ask(&json!({"version": VERSION, "action": "collect"})).await;
            answer
                .and_then(|answer| vb365::add(&mut inventory, &answer))
                .map_err(|error| DriverError::Facet(VB365, error))?;
        }
        Ok(inventory)
    }

    async fn order(&self, program: &Program, order: &Order) -> Result<Done, Refused> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let request = json!({
            "version": VERSION,
            "action": "execute",
            "kind": order.kind,
            "payload": order.payload,
            "secret": order.secret,
        });
        let answer = program.ask(&request).await.map_err(|error| Refused(chain(&error)))?;
        let executed: Executed = program::parse(&answer).map_err(|error| Refused(chain(&error)))?;
        if !executed.done {
            return Err(Refused(executed.message));
        }
        let result = executed.key.map(|key| json!({"key": key}));
        Ok(Done { message: executed.message, result })
    }
}

/// Of the contract between agent and script.
const VERSION: u64 = 1;

/// The answer to a command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Executed {
    #[expect(dead_code, reason = "looked at before all else")]
    version: u64,
    done: bool,
    #[serde(default)]
    message: String,
    /// What was made, by the server's own name of it.
    key: Option<String>,
}

impl Driver for Faceted {
    fn kind(&self) -> &'static str {
        self.driver.kind()
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(self.whole())
    }

    fn delivered(&self) {
        self.driver.delivered();
    }

    fn lost(&self) {
        self.driver.lost();
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        match &self.cloud {
            Some(program) if is_cloud(&order.kind) => Box::pin(self.order(program, order)),
            _ => self.driver.execute(order),
        }
    }
}

/// Whether a command is about a Cloud Connect server's tenants.
pub(crate) fn is_cloud(kind: &str) -> bool {
    ["site-", "tenant-", "backup-resource-", "subtenant-"].iter().any(|start| kind.starts_with(start))
}

/// What a script says of the server that it stands beside.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Server {
    key: String,
    name: String,
    #[serde(default)]
    version: String,
}

/// An engine of its own, where the driver has none.
fn adopt(inventory: &mut Inventory, server: &Server, engine: &str) {
    if inventory.server.key.is_empty() {
        inventory.server = BackupServer {
            key: server.key.clone(),
            name: server.name.clone(),
            engine: engine.to_owned(),
            version: server.version.clone(),
            ..BackupServer::default()
        };
    }
}

/// No engine: all that is known comes from facets.
#[derive(Debug)]
pub(super) struct Nothing;

impl Driver for Nothing {
    fn kind(&self) -> &'static str {
        "none"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        Box::pin(std::future::ready(Ok(Inventory::default())))
    }
}

#[cfg(test)]
mod tests;
