//! The plugin host: the only place that names wasmtime.
//!
//! # Cast
//!
//! - [`Plugins`] is the handle that the rest of Keelson has. Nothing of the engine shows through it.
//! - `sandbox` is what all plugins share: `engine` (settings, the epoch thread), what is linked (`capability`), a small
//!   runtime on which guests run, and the `gate` before it.
//! - `load` takes a plugin through the pipeline: `package` reads its folder or its `.kpkg` and holds it to its signature,
//!   `manifest`, `schema` and `inspect` judge it before
//!   anything is compiled, then it compiles, links, says who it is and lists its rules (`rule`). `keelson plugin check`
//!   runs the same code.
//! - `registry` holds what runs: a *generation* per loaded package in one snapshot that is swapped whole. A call keeps
//!   its generation until it ends. `watch` asks for a scan when files change.
//! - `call` is one call: a fresh store, a budget of processor time and of wall time, and, if it fails, whose fault that
//!   was (`error`). `circuit` rests a plugin that fails too often. `abi` holds the generated bindings.
//!
//! # What is written
//!
//! Requests that plugins send (`capability/http`): each before it leaves, so that one that a crash cuts is known as `cut`. Else
//! this module reads folders and holds memory. A plugin keeps no state between calls, so a crash of the host or of a guest at
//! any instant loses nothing; the next start or call begins afresh.

mod abi;
mod audience;
mod author;
mod call;
mod capability;
mod circuit;
mod declared;
mod engine;
mod error;
mod exports;
mod facts;
pub(crate) mod fleet;
mod gate;
mod grants;
mod inspect;
mod installed;
mod library;
mod limits;
mod load;
mod manifest;
mod package;
mod registry;
mod rule;
mod sandbox;
mod schema;
mod secret;
mod served;
mod services;
mod source;
mod status;
mod terms;
mod text;
mod trust;
mod verdict;
mod watch;
mod widgets;
mod work;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::SharedClock;
use crate::id::CompanyUid;
use crate::store::StoreError;

use audience::Audience;
use call::alert_rules::Evaluate;
use registry::{Generation, Snapshot};
use sandbox::Sandbox;
use source::Offer;

pub use author::{Inspection, Packed, PackedFile, inspect, pack, sign};
pub use call::lifecycle::Health;
pub use call::routes::{RouteRequest, RouteResponse};
pub use call::views::ViewOutcome;
pub use declared::{Declared, DeclaredDestination, DeclaredSecret, check_origin};
pub use error::{Blame, CallError, GuestFault, LoadError, LoadFault, PluginError, Refusal};
pub use facts::{ABSENT, CHUNK_ROWS, Column, FactTable, Kind, SUBJECTS, Subject, Values};
pub use grants::Ask;
pub use installed::{
    Actor, Found, InstallError, Installed, Offered, OfferedPlugin, PackageAbout, PluginView, SettingsForm,
    Vouched, plugin_uid, read_package,
};
pub use library::{Index, Library, LibraryError, Listed, ListedVersion, make_index};
pub use load::Report;
pub use package::{PublicKey, SecretKey};
pub use rule::{LoadedRule, RuleDescription, RuleSet};
pub use secret::EnteredSecret;
pub use services::Services;
pub use status::{PluginState, PluginStatus, ViewInfo};
pub use verdict::{Evaluation, Severity, Verdict};

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct PluginOptions {
    /// The folder whose folders are plugins; none for a host without plugins.
    pub folder: Option<PathBuf>,
    /// The library that ships with the host.
    pub library: Option<PathBuf>,
    /// Whether packages that nobody signed may be installed.
    pub developer: bool,
    /// What capabilities work with; none for a host that only looks at plugins.
    pub services: Option<Services>,
}

/// The handle: cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Option<PathBuf>,
    library: Option<PathBuf>,
    developer: bool,
    sandbox: Arc<Sandbox>,
    snapshot: ArcSwap<Snapshot>,
    audience: ArcSwap<Audience>,
    /// One scan at a time.
    scanning: tokio::sync::Mutex<()>,
    generations: AtomicU64,
    changed: tokio::sync::watch::Sender<u64>,
    stop: CancellationToken,
    /// Forgets old requests.
    _tidy: Option<AbortOnDropHandle<()>>,
    watcher: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl std::fmt::Debug for Plugins {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Plugins")
            .field("folder", &self.inner.folder)
            .field("rules", &self.rules().len())
            .finish_non_exhaustive()
    }
}

impl Plugins {
    /// Loads what the folder holds and starts to watch it. A plugin that is refused does not stop the host: it is in
    /// [`Plugins::list`] with its reason.
    pub async fn start(options: PluginOptions, clock: SharedClock) -> Result<Self, PluginError> {
        let stop = CancellationToken::new();
        let tidy = options.services.clone().map(|services| {
            let tidy = capability::http::keep_tidy(services, Arc::clone(&clock), stop.clone());
            AbortOnDropHandle::new(tokio::spawn(tidy))
        });
        let inner = Arc::new(Inner {
            folder: options.folder.clone(),
            library: options.library,
            developer: options.developer,
            sandbox: Sandbox::start(clock, options.services)?,
            snapshot: ArcSwap::default(),
            audience: ArcSwap::default(),
            scanning: tokio::sync::Mutex::default(),
            generations: AtomicU64::new(0),
            changed: tokio::sync::watch::Sender::new(0),
            stop,
            _tidy: tidy,
            watcher: Mutex::default(),
        });
        let listed = options.folder.as_deref().map_or(Ok(Vec::new()), watch::list);
        let listed = listed.map_err(|error| PluginError::Folder {
            folder: options.folder.clone().unwrap_or_default(),
            reason: error.to_string(),
        })?;
        inner.look(listed).await.map_err(|error| PluginError::Database(error.to_string()))?;
        let watcher = tokio::spawn(watch::run(options.folder, Arc::downgrade(&inner), inner.stop.clone()));
        *inner.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
        Ok(Self { inner })
    }

    /// All rules of this moment.
    pub fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.inner.snapshot.load().rules)
    }

    /// Bumps each time that a plugin came, went or was replaced, and when other companies have one.
    pub fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Whether a company has a plugin.
    pub fn serves(&self, plugin: &str, company: CompanyUid) -> bool {
        self.inner.audience.load().has(plugin, company)
    }

    /// Whether a plugin is to run, whether it does or not.
    pub fn is_meant_to_run(&self, plugin: &str) -> bool {
        let snapshot = self.inner.snapshot.load();
        snapshot.list(0).iter().any(|status| status.id == plugin)
    }

    /// Everything that is installed and enabled, and every folder of the folder of plugins, with how each is.
    pub fn list(&self) -> Vec<PluginStatus> {
        self.inner.snapshot.load().list(self.inner.sandbox.clock.now_ms())
    }

    /// Looks at the database and the folder now instead of when the watcher does.
    pub async fn reload(&self) {
        self.inner.reload().await;
    }

    /// Judges one chunk of at most [`CHUNK_ROWS`] rows. `parameters` is a JSON object; what it leaves out gets the
    /// rule's defaults.
    pub async fn evaluate(
        &self,
        plugin: &str,
        rule: &str,
        parameters: &str,
        now: i64,
        facts: FactTable,
    ) -> Result<Evaluation, CallError> {
        let step = format!("evaluating the rule {rule}");
        let fail = |blame: Blame| CallError::new(plugin, step.as_str(), blame);
        let generation = self.generation(plugin).map_err(fail)?;
        let call = prepare(&generation, rule, parameters, now, facts).map_err(fail)?;
        let (verdicts, recheck) = self.guarded(&generation, call).await.map_err(fail)?;
        Ok(Evaluation { verdicts, recheck, generation: generation.number })
    }

    /// `parameters` under the rule's schema with defaults filled in, or all complaints.
    pub fn validate_parameters(
        &self,
        plugin: &str,
        rule: &str,
        parameters: &Value,
    ) -> Result<Value, Vec<String>> {
        let complain = |refusal: Refusal| vec![refusal.to_string()];
        let snapshot = self.inner.snapshot.load();
        let generation = snapshot.get(plugin).ok_or_else(|| complain(Refusal::NotLoaded))?;
        let rule = generation.rule(rule).ok_or_else(|| complain(Refusal::NoSuchRule(rule.to_owned())))?;
        rule.parameters.fill(parameters)
    }

    /// Lets the rule judge an empty table, to see whether it takes `parameters` that its schema takes: a schema cannot
    /// say everything.
    pub async fn try_parameters(
        &self,
        plugin: &str,
        rule: &str,
        parameters: &Value,
    ) -> Result<(), CallError> {
        let loaded = self.rules().get(plugin, rule).cloned();
        let facts = loaded.map_or_else(FactTable::default, |loaded| FactTable::empty(&loaded.rule.subject));
        let now = self.inner.sandbox.clock.now_ms();
        self.evaluate(plugin, rule, &parameters.to_string(), now, facts).await.map(drop)
    }

    /// Stops watching; calls that run go on until their budget ends.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let watcher = self.inner.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher
            && let Err(error) = watcher.await
        {
            tracing::error!(error = %error, "the plugin watcher did not end well");
        }
    }

    fn generation(&self, plugin: &str) -> Result<Arc<Generation>, Blame> {
        let snapshot = self.inner.snapshot.load();
        snapshot.get(plugin).cloned().ok_or(Blame::Policy(Refusal::NotLoaded))
    }

    /// One call past the circuit, which learns how it went.
    async fn guarded<C: call::GuestCall>(
        &self,
        generation: &Generation,
        call: C,
    ) -> Result<C::Output, Blame> {
        let sandbox = &self.inner.sandbox;
        if generation.circuit(|circuit| circuit.given_up()) {
            return Err(Blame::Policy(Refusal::GivenUp));
        }
        if let Some(rest) = generation.circuit(|circuit| circuit.rests(sandbox.clock.now_ms())) {
            return Err(Blame::Policy(Refusal::CircuitOpen(rest)));
        }
        let outcome = call::run(sandbox, &generation.guest, call).await;
        let now = sandbox.clock.now_ms();
        match &outcome {
            Ok(_) => generation.circuit(|circuit| circuit.success(now)),
            // An orderly "no" is an answer, not a strike.
            Err(Blame::Guest(fault)) if !matches!(fault, GuestFault::Answered { .. }) => {
                if generation.circuit(|circuit| circuit.strike(now)) {
                    tracing::warn!(plugin = generation.manifest.id, %fault, "plugin paused after repeated failures");
                }
            }
            Err(_) => {}
        }
        outcome
    }
}

/// Everything that can be wrong before the guest is asked.
fn prepare(
    generation: &Generation,
    rule: &str,
    parameters: &str,
    now: i64,
    facts: FactTable,
) -> Result<Evaluate, Blame> {
    let no_such = || Blame::Policy(Refusal::NoSuchRule(rule.to_owned()));
    let checked = generation.rule(rule).ok_or_else(no_such)?;
    let bad = |complaints| Blame::Policy(Refusal::Parameters(complaints));
    let given: Value = serde_json::from_str(parameters).map_err(|error| bad(vec![error.to_string()]))?;
    let parameters = checked.parameters.fill(&given).map_err(bad)?.to_string();
    let description = &checked.description;
    let facts = facts.project(&description.subject, &description.columns).map_err(Blame::Host)?;
    let (rule, messages) = (description.id.clone(), description.messages.clone());
    Ok(Evaluate { rule, parameters, messages, now, facts })
}

impl Inner {
    /// What cannot be listed stays as it is.
    async fn reload(&self) {
        let listed = self.folder.as_deref().map_or(Ok(Vec::new()), watch::list);
        match listed {
            Ok(listed) => {
                if let Err(error) = self.look(listed).await {
                    tracing::warn!(%error, "cannot read which plugins are installed");
                }
            }
            Err(error) => {
                let folder = self.folder.as_deref().unwrap_or(Path::new("")).display();
                tracing::warn!(%folder, %error, "cannot list the folder of plugins");
            }
        }
    }

    /// Reads what is installed, and has all of it and the folders run.
    async fn look(&self, folders: Vec<PathBuf>) -> Result<(), StoreError> {
        let _one = self.scanning.lock().await;
        let (running, rules) = match &self.sandbox.outside.services {
            None => (Vec::new(), Vec::new()),
            Some(services) => {
                let mut tx = services.store.read().await?;
                (tx.plugins().running().await?, tx.plugins().company_rules().await?)
            }
        };
        let audience = Audience::new(&running, rules);
        let others = **self.audience.load() != audience;
        self.audience.store(Arc::new(audience));
        let installed = running.into_iter().map(Offer::Installed);
        let offers: Vec<_> = installed.chain(folders.into_iter().map(Offer::Folder)).collect();
        let moved = self.scan(&offers).await;
        if moved || others {
            self.changed.send_modify(|version| *version += 1);
        }
        Ok(())
    }

    /// Whether a plugin came, went or was replaced.
    async fn scan(&self, offers: &[Offer]) -> bool {
        let before = self.snapshot.load_full();
        let next = || self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let scan = registry::scan(&self.sandbox, &before, offers, next).await;
        self.snapshot.store(Arc::new(scan.snapshot));
        scan.changed
    }
}

/// Takes a folder or a `.kpkg` through the whole pipeline, as at a load.
pub async fn check(folder: &Path, clock: SharedClock) -> Result<Report, LoadError> {
    let host = |error: PluginError| LoadError {
        folder: folder.to_path_buf(),
        plugin: None,
        fault: LoadFault::Host(error.to_string()),
    };
    load::check(&Sandbox::start(clock, None).map_err(host)?, folder).await
}
