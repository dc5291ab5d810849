//! Requests to the servers that the manifest names and an administrator bound.
//!
//! **Cast.** A call has an [`HttpView`]; all calls of a plugin share its [`HttpDesk`], which holds what the manifest declares, how
//! much was asked for lately and the tokens that were fetched. `check` looks at a request without asking anybody, `route` adds what
//! an administrator bound and entered, `exchange` sends it. `target`, `headers` and `placement` say what a request may be made of,
//! `redact` what of an answer the guest gets to see, and `record` writes down every request before it leaves.
//!
//! **Where it runs.** On the host's runtime, not on the guests': a guest that spins holds up nobody's connections, and the database
//! is there. A call that ends takes its request with it.

mod check;
mod exchange;
mod headers;
mod placement;
mod record;
mod redact;
mod route;
mod target;
#[cfg(test)]
mod tests;
mod token;
mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{HasSelf, Linker};

use super::refusal::Refusal;
use crate::clock::SharedClock;
use crate::id::CompanyUid;
use crate::net::Authorities;
use crate::net::outbound::Network;
use crate::plugins::abi;
use crate::plugins::manifest::{Capabilities, Destination, SecretSlot};
use crate::plugins::sandbox::CallState;
use crate::plugins::services::Services;
use crate::plugins::terms::Terms;
use token::Tokens;
use window::{Admission, Window};

pub(in crate::plugins) use record::keep_tidy;

/// Requests of one plugin at once.
const AT_ONCE: usize = 4;
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest body of an answer.
const MAX_ANSWER: usize = 4 << 20;

/// What requests go through: the same for all plugins.
#[derive(Debug, Clone)]
pub(in crate::plugins) struct Outside {
    /// None where plugins are only looked at.
    pub(in crate::plugins) services: Option<Services>,
    pub(in crate::plugins) clock: SharedClock,
    pub(in crate::plugins) network: Arc<dyn Network>,
    pub(in crate::plugins) authorities: Authorities,
    /// The host's.
    pub(in crate::plugins) runtime: Handle,
}

/// What all calls of one plugin share.
#[derive(Debug)]
pub(in crate::plugins) struct HttpDesk {
    plugin: Arc<str>,
    destinations: Vec<Destination>,
    secrets: Vec<SecretSlot>,
    outside: Outside,
    turns: Arc<Semaphore>,
    window: Window,
    tokens: Tokens,
}

impl HttpDesk {
    pub(in crate::plugins) fn new(plugin: Arc<str>, declared: &Capabilities, outside: Outside) -> Arc<Self> {
        Arc::new(Self {
            plugin,
            destinations: declared.http.clone(),
            secrets: declared.secrets.clone(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            window: Window::new(Arc::clone(&outside.clock)),
            tokens: Tokens::default(),
            outside,
        })
    }

    fn secret(&self, label: &str) -> Result<&SecretSlot, Refusal> {
        self.secrets.iter().find(|slot| slot.label == label).ok_or_else(|| Refusal::unknown_secret(label))
    }

    fn services(&self) -> Result<&Services, Refusal> {
        self.outside.services.as_ref().ok_or_else(Refusal::no_services)
    }

    /// One request, from the guest's words to what the guest may see of the answer.
    async fn serve(
        &self,
        asker: &Asker,
        request: abi::http::Request,
    ) -> Result<abi::http::Response, Refusal> {
        self.services()?;
        let note = record::of(&self.plugin, asker, &request);
        let checked = match self.window.admit() {
            Admission::Yes => self.check(asker, request),
            // A flood of refusals would drive the plugin's other requests out of the record.
            Admission::No { first: false } => return Err(window::refusal()),
            Admission::No { first: true } => Err(window::refusal()),
        };
        let mut checked = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                self.note_refused(&note, &refusal).await;
                return Err(refusal);
            }
        };
        let time = checked.time;
        self.recorded(&note, async |record| {
            let late = || Refusal::later("timeout", format!("no answer within {} ms", time.as_millis()));
            let sent = async { self.exchange(asker, self.route(&mut checked).await?, record).await };
            tokio::time::timeout(time, sent).await.unwrap_or_else(|_| Err(late()))
        })
        .await
    }
}

/// On whose behalf a request is.
#[derive(Debug, Clone)]
struct Asker {
    call: Arc<str>,
    company: Option<CompanyUid>,
}

/// What a call sees of it.
#[derive(Debug)]
pub(in crate::plugins) struct HttpView {
    desk: Arc<HttpDesk>,
    asker: Asker,
    terms: Terms,
}

impl HttpView {
    pub(in crate::plugins) fn new(desk: Arc<HttpDesk>, call: &str, terms: Terms) -> Self {
        let asker = Asker { call: call.into(), company: terms.company };
        Self { desk, asker, terms }
    }
}

impl abi::http::Host for HttpView {
    async fn send(
        &mut self,
        request: abi::http::Request,
    ) -> Result<abi::http::Response, abi::types::PluginError> {
        self.terms.refuse_if_pure("http")?;
        let (desk, asker) = (Arc::clone(&self.desk), self.asker.clone());
        let task = self.desk.outside.runtime.spawn(async move { desk.serve(&asker, request).await });
        let outcome = AbortOnDropHandle::new(task).await.unwrap_or_else(|error| {
            if error.is_panic() {
                tracing::error!(plugin = %self.desk.plugin, "plugins: a request of a plugin panicked");
                return Err(Refusal::later("internal", "the host failed; its log says how"));
            }
            Err(Refusal::stopping())
        });
        Ok(outcome?)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::http::add_to_linker::<_, HasSelf<HttpView>>(linker, |state| &mut state.http)
}
