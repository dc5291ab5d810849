//! HTTP in: the REST API, and the console's page.
//!
//! **Cast.** [`serve`] accepts connections (TLS, limits, time-outs) and hands each request to the router. On the way in
//! `guard` gives it an id, holds it to time and to what the client says it understands. `operations` mounts every
//! handler by its operationId; [`context`] proves who asks and that the operation admits them, and gives a scope that
//! every read of the store takes. `query` turns a list's parameters into typed conditions; `envelope` wraps the answer;
//! `error` alone turns a failure into a status. `token` and `session` hand out what callers prove themselves with: they
//! are the only ones that write rows here, beside the operations that create or change something.
//!
//! **Crash.** A request is one transaction: it happened whole, or the client got no answer and it did not happen, or
//! (cut between commit and answer) it happened and a repeated `POST` is refused as a conflict by its unique name.
//!
//! **To add an endpoint** of the contract: a resource in `store/resources` (a line a property), and in its area's
//! `routes()` one line: `.list("GetThings", &THINGS)`, `.get("GetThing", &THINGS)`, or `.add("CreateThing", create)` with
//! one file for the handler, which takes a [`change::Change`] and an `Input<T>` and can write no other way. For an addition
//! of ours also a row in `operations-keelson.tsv`, `#[utoipa::path]` on the handler, and the handler in the area's `Docs`.
//! Then `cargo xtask generate`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{Clock, MINUTE, SharedClock};
use crate::model::Installation;
use crate::plugins::Plugins;
use crate::store::Store;

mod about;
mod agents;
mod alarms;
mod app;
mod ask;
mod body;
mod change;
mod companies;
mod context;
mod contract;
mod docs;
mod envelope;
mod error;
mod guard;
mod health;
mod openapi;
mod operations;
mod patch;
mod peer;
mod plugins;
mod query;
mod server;
mod servers;
mod session;
pub mod token;
mod ui;
mod users;
mod workloads;

pub use server::{serve, serve_health};

use operations::Routes;
use token::lockout::Lockout;
use token::password::Turnstile;

/// What handlers need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    plugins: Plugins,
    clock: SharedClock,
    installation: Installation,
    turnstile: Turnstile,
    lockout: Lockout,
    key_uses: Mutex<HashMap<i64, i64>>,
}

impl ApiState {
    /// The state of one host.
    pub fn new(store: Store, plugins: Plugins, clock: SharedClock, installation: Installation) -> Self {
        let (turnstile, lockout, key_uses) = (Turnstile::default(), Lockout::default(), Mutex::default());
        Self(Arc::new(Inner { store, plugins, clock, installation, turnstile, lockout, key_uses }))
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn plugins(&self) -> &Plugins {
        &self.0.plugins
    }

    fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    fn installation(&self) -> Installation {
        self.0.installation
    }

    fn turnstile(&self) -> &Turnstile {
        &self.0.turnstile
    }

    fn lockout(&self) -> &Lockout {
        &self.0.lockout
    }

    /// Notes that an API key was used, at most once a minute, and beside the request: a busy database must not slow
    /// down a read for the sake of a remark.
    fn note_key_use(&self, id: i64, last_noted: Option<i64>) {
        let now = self.clock().now_ms();
        let mut uses = self.0.key_uses.lock().unwrap_or_else(PoisonError::into_inner);
        let last = uses.get(&id).copied().max(last_noted);
        if last.is_some_and(|last| (0..MINUTE).contains(&(now - last))) {
            return;
        }
        uses.insert(id, now);
        drop(uses);
        let state = self.clone();
        tokio::spawn(async move {
            if let Err(error) = state.touch_key(id).await {
                tracing::debug!(
                    key.id = id,
                    error = crate::error::chain(&error),
                    "cannot note the use of API key {id}"
                );
            }
        });
    }

    async fn touch_key(&self, id: i64) -> Result<(), crate::store::StoreError> {
        let mut tx = self.store().write().await?;
        tx.credentials().touch_key(self.clock(), id).await?;
        tx.commit().await
    }
}

/// The OpenAPI document, pretty, in a stable order: what `host/openapi.json` holds.
pub fn openapi() -> String {
    openapi::text()
}

/// All operations below `/api/v3`.
fn routes() -> Routes {
    [
        about::routes(),
        agents::routes(),
        alarms::routes(),
        companies::routes(),
        plugins::routes(),
        servers::routes(),
        token::routes(),
        users::routes(),
        workloads::routes(),
    ]
    .into_iter()
    .fold(Routes::default(), Routes::merge)
}

#[cfg(test)]
mod tests;
