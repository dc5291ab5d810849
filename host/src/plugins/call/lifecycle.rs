//! What a plugin says of itself.

use serde::Deserialize;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::plugins::abi::CONTRACT;
use crate::plugins::abi::types::Context;
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;

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
        let lifecycle = guest.lifecycle.load(&mut *store, instance)?;
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
