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
use std::time::Duration;

use crate::agents::AgentAccess;
use crate::clock::{Clock, MINUTE, SharedClock};
use crate::config::Config;
use crate::mail::{MailOptions, Mailer};
use crate::model::Installation;
use crate::plugins::Plugins;
use crate::seal::Seal;
use crate::store::Store;

mod about;
mod actions;
mod activity;
mod agents;
mod alarms;
mod app;
mod ask;
mod body;
mod change;
mod cloud;
mod companies;
mod context;
mod contract;
mod denials;
mod diagnostics;
mod docs;
mod envelope;
mod error;
mod guard;
mod health;
mod jobs;
mod licenses;
mod locations;
mod misc;
mod openapi;
mod operations;
mod order;
mod organizations;
mod patch;
mod peer;
mod permissions;
mod plugins;
mod provider;
mod query;
mod resellers;
mod server;
mod servers;
mod session;
pub mod token;
mod traffic;
mod ui;
mod usage;
mod users;
mod versions;
mod workloads;

pub(crate) use diagnostics::failed_handshakes;
pub(crate) use permissions::all_claims;
pub use server::{serve, serve_health};

use actions::Actions;
use denials::{Denial, Denials};
use operations::Routes;
use token::password::Turnstile;
use traffic::Traffic;

/// How long a client waits for an answer before it is told where to ask for it later.
const PATIENCE: Duration = Duration::from_secs(5);

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
    seal: Seal,
    key_uses: Mutex<HashMap<i64, i64>>,
    actions: Actions,
    denials: Denials,
    traffic: Traffic,
    mailer: Mailer,
    address: String,
    agents: AgentAccess,
}

/// What a host sets of its API.
#[derive(Debug)]
pub struct ApiOptions {
    /// For what must be read again and nobody else may read.
    pub seal: Seal,
    /// How long a client waits for an answer before it is told where to ask for it later.
    pub patience: Duration,
    /// Budgets, and proxies in front.
    pub config: Config,
    /// How mail leaves.
    pub mail: MailOptions,
    /// Where people reach it: `https://console.example:1280`, for links in mails.
    pub address: String,
    /// Where agents are, and what they are told.
    pub agents: AgentAccess,
}

impl ApiOptions {
    /// As the settings say.
    pub fn new(config: &Config, seal: Seal) -> Self {
        let address = address(config, config.api.port());
        let agents = AgentAccess::none();
        let mail = MailOptions::named(config.advertise());
        Self { seal, patience: PATIENCE, config: config.clone(), mail, address, agents }
    }
}

/// Where people reach a host that listens on this port.
pub(crate) fn address(config: &Config, port: u16) -> String {
    let name = config.advertise();
    if name.contains(':') { format!("https://[{name}]:{port}") } else { format!("https://{name}:{port}") }
}

impl ApiState {
    /// The state of one host.
    pub fn new(
        store: Store,
        plugins: Plugins,
        clock: SharedClock,
        installation: Installation,
        options: ApiOptions,
    ) -> Self {
        let (turnstile, key_uses) = (Turnstile::default(), Mutex::default());
        let mailer = Mailer::new(store.clone(), options.seal.clone(), Arc::clone(&clock), options.mail);
        let (actions, traffic) =
            (Actions::new(options.seal.clone(), options.patience), Traffic::new(&options.config));
        let (seal, address) = (options.seal, options.address);
        Self(Arc::new(Inner {
            store,
            plugins,
            clock,
            installation,
            turnstile,
            seal,
            key_uses,
            actions,
            denials: Denials::default(),
            traffic,
            mailer,
            address,
            agents: options.agents,
        }))
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

    /// Where people reach it, without a path.
    fn address(&self) -> &str {
        &self.0.address
    }

    fn agents(&self) -> &AgentAccess {
        &self.0.agents
    }

    fn installation(&self) -> Installation {
        self.0.installation
    }

    fn turnstile(&self) -> &Turnstile {
        &self.0.turnstile
    }

    fn actions(&self) -> &Actions {
        &self.0.actions
    }

    /// What sends the host's mail.
    pub fn mailer(&self) -> &Mailer {
        &self.0.mailer
    }

    fn denials(&self) -> &Denials {
        &self.0.denials
    }

    /// Remembers, for the activity log, that somebody was refused something.
    fn deny(&self, denial: Denial) {
        self.denials().note(denial, self.clock().now_ms());
    }

    fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    fn seal(&self) -> &Seal {
        &self.0.seal
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
        tx.logins().touch(self.clock(), id).await?;
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
        actions::routes(),
        activity::routes(),
        agents::routes(),
        alarms::routes(),
        cloud::routes(),
        companies::routes(),
        diagnostics::routes(),
        jobs::routes(),
        locations::routes(),
        misc::routes(),
        organizations::routes(),
        permissions::routes(),
        plugins::routes(),
        provider::routes(),
        resellers::routes(),
        licenses::routes(),
        servers::routes(),
        token::routes(),
        usage::routes(),
        users::routes(),
        workloads::routes(),
    ]
    .into_iter()
    .fold(Routes::default(), Routes::merge)
}

#[cfg(test)]
mod tests;
