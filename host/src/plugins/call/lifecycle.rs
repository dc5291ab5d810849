//! What a plugin says of itself.

use serde::Deserialize;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::plugins::abi::CONTRACT;
use crate::plugins::abi::types::Context;
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::limits::{MIGRATE_CALL, VIEW_CALL};
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;
use crate::plugins::text::cut;

/// Asks who it is.
#[derive(Debug)]
pub(in crate::plugins) struct Describe;

/// The answer. Other members may follow in later contracts.
#[derive(Debug, Deserialize)]
pub(in crate::plugins) struct Description {
    pub(in crate::plugins) id: String,
    pub(in crate::plugins) version: String,
}

impl GuestCall for Describe {
    type Output = Description;

    fn terms(&self, now: i64) -> Terms {
        Terms::load(now)
    }

    async fn run(
        self,
        guest: &Guest,
        _context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Description, Failure> {
        let lifecycle = guest.exports.lifecycle.load(&mut *store, instance)?;
        let host = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "contract": CONTRACT.to_string(),
        });
        let answer = lifecycle.call_describe(store, &host.to_string()).await??;
        serde_json::from_str(&answer).map_err(|error| {
            Failure::Fault(GuestFault::Contract(format!(
                "`describe` must give an object with id and version: {error}"
            )))
        })
    }
}

/// Asks it to make its data fit another version.
#[derive(Debug)]
pub(in crate::plugins) struct Migrate {
    pub(in crate::plugins) from: String,
    pub(in crate::plugins) to: String,
}

impl GuestCall for Migrate {
    type Output = ();

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(MIGRATE_CALL, None, 1)
    }

    async fn run(
        self,
        guest: &Guest,
        _context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<(), Failure> {
        let lifecycle = guest.exports.lifecycle.load(&mut *store, instance)?;
        Ok(lifecycle.call_migrate(store, &self.from, &self.to).await??)
    }
}

/// Asks how it is.
#[derive(Debug)]
pub(in crate::plugins) struct AskHealth;

/// How a plugin says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Health {
    /// Whether all is well.
    pub healthy: bool,
    /// What is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl GuestCall for AskHealth {
    type Output = Health;

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(VIEW_CALL, None, 1)
    }

    async fn run(
        self,
        guest: &Guest,
        _context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Health, Failure> {
        let lifecycle = guest.exports.lifecycle.load(&mut *store, instance)?;
        let answer = lifecycle.call_health(store).await??;
        let mut health: Health = serde_json::from_str(&answer).map_err(|error| {
            Failure::Fault(GuestFault::Contract(format!(
                "`health` must give an object with healthy: {error}"
            )))
        })?;
        if let Some(message) = &mut health.message {
            cut(message, 2048);
        }
        Ok(health)
    }
}
