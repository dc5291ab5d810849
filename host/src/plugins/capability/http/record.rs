//! Every request is written down before it leaves; what cannot be written down does not leave.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::route::milliseconds;
use super::{Asker, HttpDesk};
use crate::clock::{DAY, SharedClock};
use crate::error::chain;
use crate::plugins::abi::http::Request;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::services::Services;
use crate::plugins::text::cut;
use crate::store::{NewPluginRequest, REQUESTS_KEPT, RequestEnd, StoreError};

/// For how long requests are known.
const MEMORY: i64 = 30 * DAY;
/// How often old ones are forgotten.
const TIDY: Duration = Duration::from_hours(1);
/// Bytes of a path that are kept.
const LONGEST_PATH: usize = 512;
/// Of another word of the guest's.
const LONGEST_WORD: usize = 64;
/// What it was, if nothing else is known.
const CUT: &str = "cut";

/// What is learnt of a request on its way.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) status: Option<u16>,
    pub(super) bytes_out: usize,
    pub(super) bytes_in: usize,
}

/// What is known of a request before anybody looked at it: the guest's words, made fit for a row.
pub(super) fn of(plugin: &str, asker: &Asker, request: &Request) -> NewPluginRequest {
    let path = request.path.split(['?', '#']).next().unwrap_or_default();
    note(plugin, asker, (&request.destination, &request.method, path))
}

fn note(plugin: &str, asker: &Asker, what: (&str, &str, &str)) -> NewPluginRequest {
    let (destination, method, path) = what;
    NewPluginRequest {
        plugin: plugin.to_owned(),
        call: asker.call.to_string(),
        destination: fit(destination, LONGEST_WORD),
        company: asker.company,
        method: fit(method, LONGEST_WORD),
        path: fit(path, LONGEST_PATH),
    }
}

fn fit(text: &str, longest: usize) -> String {
    let plain = text.chars().take(longest).map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut plain = plain.collect();
    cut(&mut plain, longest);
    plain
}

impl HttpDesk {
    /// What the host asks by itself, for the plugin.
    pub(super) fn own(&self, asker: &Asker, destination: &str, path: &str) -> NewPluginRequest {
        note(&self.plugin, asker, (destination, "POST", path))
    }

    /// Does `work` and writes down what became of it.
    pub(super) async fn recorded<T>(
        &self,
        note: &NewPluginRequest,
        work: impl AsyncFnOnce(&mut Record) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let services = self.services()?;
        let clock = &*self.outside.clock;
        let uid = async {
            let mut tx = services.store.write().await?;
            let uid = tx.plugin_requests().begin(clock, note, CUT).await?;
            tx.commit().await?;
            Ok(uid)
        };
        let uid = uid.await.map_err(|error: StoreError| Refusal::no_store(&error))?;
        let (began, mut record) = (Instant::now(), Record::default());
        let outcome = work(&mut record).await;
        let end = RequestEnd {
            status: record.status,
            outcome: outcome.as_ref().map_or_else(|refusal| refusal.code, |_| "ok").to_owned(),
            bytes_out: record.bytes_out,
            bytes_in: record.bytes_in,
            milliseconds: milliseconds(began.elapsed()),
        };
        let ended = async {
            let mut tx = services.store.write().await?;
            tx.plugin_requests().end(uid, &end).await?;
            tx.commit().await
        };
        if let Err(error) = ended.await {
            tracing::warn!(plugin = %self.plugin, error = %chain(&error), "plugins: what became of a request is not noted");
        }
        outcome
    }

    /// Writes down one that was refused at once.
    pub(super) async fn note_refused(&self, note: &NewPluginRequest, refusal: &Refusal) {
        let Ok(services) = self.services() else { return };
        let noted = async {
            let mut tx = services.store.write().await?;
            tx.plugin_requests().begin(&*self.outside.clock, note, refusal.code).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(plugin = %self.plugin, error = %chain(&error), "plugins: a refused request is not noted");
        }
    }
}

/// Forgets old requests, until `stop`.
pub(in crate::plugins) async fn keep_tidy(services: Services, clock: SharedClock, stop: CancellationToken) {
    loop {
        let tidied = async {
            let mut tx = services.store.write().await?;
            let before = clock.now_ms().saturating_sub(MEMORY);
            let gone = tx.plugin_requests().forget(before, REQUESTS_KEPT).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(gone)
        };
        match tidied.await {
            Ok(gone) => tracing::debug!(gone, "plugins: forgot old requests"),
            Err(error) => tracing::warn!(error = %chain(&error), "plugins: cannot forget old requests"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}
