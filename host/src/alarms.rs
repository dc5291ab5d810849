//! Alarms: what the rules of plugins say about what agents report.
//!
//! **Cast.** The *pass* (`pass.rs`) takes what is due, objects that changed and objects whose time has come, hands their
//! facts to the rules as columns, and settles the outcome in one transaction: alarms opened, reworded, resolved, and for
//! each object when to look again. `subject.rs` says what each kind of object is to a rule and to an alarm; `decide.rs`,
//! without I/O, compares what the rules say with the alarms that exist. [`Engine`] runs passes: when poked, and every
//! second, since time alone may make something due.
//!
//! **Rows.** Reads `workloads`, `agents` (by `due_at`), `alarm_templates`. Writes `alarms`, `alarm_activations`, and
//! `due_at`. A template exists for each rule a plugin has brought; its parameters and switch belong to the provider.
//!
//! **Crash.** A pass that did not commit did not happen, and what it looked at is still due. An object that changed while
//! the rules looked at it keeps its mark (its revision moved) and is looked at again.
//!
//! **No plugin, no alarm**: the host has no rule of its own. While a plugin cannot run its alarms stand as they are; when it is
//! disabled, or is none of the company's, they end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::{MINUTE, SharedClock};
use crate::error::chain;
use crate::model::NewTemplate;
use crate::plugins::{LoadedRule, Plugins};
use crate::store::{Store, StoreError};

mod decide;
mod pass;
mod subject;

pub use pass::Report;

/// How often time is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Runs passes.
#[derive(Debug, Clone)]
pub struct Engine {
    store: Store,
    plugins: Plugins,
    clock: SharedClock,
    poke: Arc<Notify>,
    /// When this engine was made, with the host.
    awake_since: i64,
}

impl Engine {
    /// An engine that does nothing until it is run. `poke` wakes it up.
    pub fn new(store: Store, plugins: Plugins, clock: SharedClock, poke: Arc<Notify>) -> Self {
        let awake_since = clock.now_ms();
        Self { store, plugins, clock, poke, awake_since }
    }

    /// Runs until `stopping`.
    pub async fn run(self, stopping: CancellationToken) {
        let mut plugins = self.plugins.changed();
        let mut all_is_due = true;
        let mut latest = self.clock.now_ms();
        loop {
            // A clock that was set back would have objects wait for a time that has been: look at everything.
            let now = self.clock.now_ms();
            all_is_due |= now + MINUTE < latest;
            latest = now;
            if all_is_due {
                all_is_due = !self.try_sync().await;
            }
            self.try_pass().await;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.poke.notified() => {}
                () = tokio::time::sleep(TICK) => {}
                changed = plugins.changed() => all_is_due |= changed.is_ok(),
            }
        }
    }

    /// Takes over the rules of all plugins as templates, and has everything looked at again.
    pub async fn sync(&self) -> Result<(), StoreError> {
        let rules = self.plugins.rules();
        let mut tx = self.store.write().await?;
        for rule in rules.iter() {
            tx.templates().sync(&*self.clock, &template(rule)).await?;
        }
        tx.due().mark_all().await?;
        tx.commit().await
    }

    /// Looks at everything that is due; what was done.
    pub async fn pass(&self) -> Result<Report, StoreError> {
        pass::run(&self.store, &self.plugins, &*self.clock, self.awake_since).await
    }

    async fn try_sync(&self) -> bool {
        match self.sync().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "alarms.sync: cannot take over the rules; trying again");
                false
            }
        }
    }

    async fn try_pass(&self) {
        match self.pass().await {
            Ok(report) if report.moved() => {
                let Report { looked_at, opened, resolved, failed } = report;
                tracing::info!(
                    looked_at,
                    opened,
                    resolved,
                    failed,
                    "alarms.pass: {opened} opened, {resolved} resolved"
                );
            }
            Ok(report) => tracing::trace!(looked_at = report.looked_at, "alarms.pass"),
            Err(error) => tracing::warn!(error = %chain(&error), "alarms.pass: cannot finish; trying again"),
        }
    }
}

fn template(loaded: &LoadedRule) -> NewTemplate {
    let rule = &loaded.rule;
    NewTemplate {
        plugin: loaded.plugin.clone(),
        rule: rule.id.clone(),
        subject: rule.subject.clone(),
        internal_id: i64::from(rule.internal_id),
        name: rule.name.clone(),
        category: subject::category(&rule.subject).to_owned(),
        parameters: rule.default_parameters.to_string(),
        summary: rule.summary.clone(),
        cause: rule.cause.clone(),
        resolution: rule.resolution.clone(),
    }
}
