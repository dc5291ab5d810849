//! From a folder to a running plugin, step by step; each failure names its step, both sides, and what to do. The same
//! code runs at start, on a change and in `keelson plugin check`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wasmtime::component::Component;

use super::call::{self, alert_rules::ListRules, lifecycle::Describe};
use super::capability::config::ConfigView;
use super::capability::http::HttpDesk;
use super::capability::inventory::InventoryDesk;
use super::capability::kv::KvDesk;
use super::capability::log::LogBudget;
use super::capability::secrets::SecretsDesk;
use super::error::{LoadError, LoadFault};
use super::exports::Exports;
use super::grants::Grants;
use super::inspect::{self, Surface};
use super::limits::{MAX_MEMORY, MEMORIES, TABLES, mebibytes};
use super::manifest::{Capabilities, Manifest};
use super::package::Package;
use super::rule::{self, CheckedRule, RuleDescription};
use super::sandbox::{Guest, Sandbox};

/// A page of WASM memory.
const PAGE: usize = 64 << 10;

/// A plugin that passed every step.
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) guest: Arc<Guest>,
    pub(super) rules: Vec<CheckedRule>,
    surface: Surface,
}

/// What `keelson plugin check` says of a plugin that passes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Where it lies.
    pub folder: PathBuf,
    /// `vendor.name`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Its own.
    pub version: String,
    /// Over all files of the package.
    pub sha256: String,
    /// What it asks of the host.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
    /// Its alert rules.
    pub rules: Vec<RuleDescription>,
}

/// Reads a folder or a `.kpkg` off the runtime.
pub(super) async fn read(folder: &Path) -> Result<Package, LoadFault> {
    let folder = folder.to_path_buf();
    blocking(move || Package::read(&folder)).await?
}

/// Reads a `.kpkg` from memory off the runtime. `settings` are JSON; an empty object stands for none.
pub(super) async fn unpack(place: PathBuf, bytes: Vec<u8>, settings: String) -> Result<Package, LoadFault> {
    let settings = (settings != "{}").then(|| settings.into_bytes());
    blocking(move || Package::unpack(&place, &bytes, settings)).await?
}

/// All steps after reading. The package comes back with the outcome: its digest is worth keeping either way.
pub(super) async fn load(
    sandbox: &Arc<Sandbox>,
    package: Package,
    grants: Grants,
) -> Result<Loaded, LoadError> {
    let folder = package.place.clone();
    let plugin = package.manifest.as_ref().ok().map(|manifest| manifest.id.clone());
    steps(sandbox, package, grants).await.map_err(|fault| LoadError { folder, plugin, fault })
}

async fn steps(sandbox: &Arc<Sandbox>, mut package: Package, grants: Grants) -> Result<Loaded, LoadFault> {
    let manifest = package.manifest.clone()?;
    // Whose it is, is asked where it is let in; a signature that does not fit its files is wrong anywhere.
    package.signed()?;
    let settings = package.settings()?;
    let bytes = package.take_component();
    let compiler = Arc::clone(sandbox);
    let checked = manifest.clone();
    let (surface, component) = blocking(move || compile(&compiler, &checked, &bytes)).await??;
    let guest = Arc::new(link(sandbox, &manifest, &component, (ConfigView::new(&settings), grants))?);
    identify(sandbox, &guest, &manifest).await?;
    let raw = match guest.exports.alert_rules {
        Some(_) => call::run(sandbox, &guest, ListRules).await.map_err(LoadFault::ListRules)?,
        None => Vec::new(),
    };
    let rules = rule::check_all(raw).map_err(LoadFault::Rules)?;
    Ok(Loaded { manifest, guest, rules, surface })
}

/// Work that takes processor time or waits for a disk. A panic of the compiler is an answer too.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadFault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        if error.is_panic() {
            LoadFault::Compile("the compiler panicked on it; please report the file".to_owned())
        } else {
            LoadFault::Host("the runtime is shutting down".to_owned())
        }
    })
}

fn compile(sandbox: &Sandbox, manifest: &Manifest, bytes: &[u8]) -> Result<(Surface, Component), LoadFault> {
    let surface = inspect::surface(bytes)?;
    inspect::check(&surface, manifest)?;
    let component = Component::new(sandbox.engine.wasm(), bytes)
        .map_err(|error| LoadFault::Compile(format!("{error:#}")))?;
    check_resources(&component, manifest)?;
    Ok((surface, component))
}

fn check_resources(component: &Component, manifest: &Manifest) -> Result<(), LoadFault> {
    let Some(needed) = component.resources_required() else {
        return Err(LoadFault::Resources("it imports core modules, which plugins may not".to_owned()));
    };
    // The engine counts in pages.
    let pages =
        needed.max_initial_memory_size.and_then(|pages| usize::try_from(pages).ok()).unwrap_or_default();
    let initial = pages.saturating_mul(PAGE);
    if initial > manifest.memory {
        return Err(LoadFault::Resources(format!(
            "it starts with {}, but has {}; ask for more (up to {}) with `[limits] memory`",
            mebibytes(initial),
            mebibytes(manifest.memory),
            mebibytes(MAX_MEMORY)
        )));
    }
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    if count(needed.num_memories) > MEMORIES || count(needed.num_tables) > TABLES {
        return Err(LoadFault::Resources(format!(
            "it has {} memories and {} tables, but {MEMORIES} and {TABLES} are allowed",
            needed.num_memories, needed.num_tables
        )));
    }
    Ok(())
}

fn link(
    sandbox: &Sandbox,
    manifest: &Manifest,
    component: &Component,
    (config, grants): (ConfigView, Grants),
) -> Result<Guest, LoadFault> {
    let mismatch = |error: wasmtime::Error| {
        LoadFault::Contract(format!(
            "a type at its edge is not the contract's: {error:#}; build it with this host's SDK"
        ))
    };
    let pre = sandbox.linker.instantiate_pre(component).map_err(mismatch)?;
    let exports = Exports::find(&pre, &manifest.extends).map_err(mismatch)?;
    let (id, outside): (Arc<str>, _) = (manifest.id.as_str().into(), sandbox.outside.clone());
    let declared = granted(&manifest.capabilities, &grants);
    Ok(Guest {
        secrets: SecretsDesk::new(
            Arc::clone(&id),
            &declared,
            outside.services.clone(),
            outside.runtime.clone(),
        ),
        kv: KvDesk::new(
            Arc::clone(&id),
            (declared.kv.as_ref(), &grants),
            outside.services.clone(),
            Arc::clone(&sandbox.clock),
            outside.runtime.clone(),
        ),
        clock: Arc::clone(&sandbox.clock),
        inventory: InventoryDesk::new(&grants, outside.services.clone(), outside.runtime.clone()),
        http: HttpDesk::new(Arc::clone(&id), &declared, outside),
        id,
        exports,
        pre,
        memory: manifest.memory,
        config,
        log: LogBudget::new(Arc::clone(&sandbox.clock)),
        gate: Guest::new_gate(),
    })
}

/// What of it an administrator granted: the rest is not there.
fn granted(declared: &Capabilities, grants: &Grants) -> Capabilities {
    let mut granted = declared.clone();
    granted.http.retain(|one| grants.allow(&format!("http:{}", one.label)));
    granted.secrets.retain(|one| grants.allow(&format!("secret:{}", one.label)));
    granted
}

async fn identify(sandbox: &Arc<Sandbox>, guest: &Arc<Guest>, manifest: &Manifest) -> Result<(), LoadFault> {
    let said = call::run(sandbox, guest, Describe).await.map_err(LoadFault::Describe)?;
    let component = format!("{} {}", said.id, said.version);
    let manifest = format!("{} {}", manifest.id, manifest.version);
    if component == manifest { Ok(()) } else { Err(LoadFault::Identity { component, manifest }) }
}

/// Runs the whole pipeline on a folder or a `.kpkg` and says what it found.
pub(super) async fn check(sandbox: &Arc<Sandbox>, folder: &Path) -> Result<Report, LoadError> {
    let package = read(folder).await.map_err(|fault| LoadError {
        folder: folder.to_path_buf(),
        plugin: None,
        fault,
    })?;
    let sha256 = package.digest.clone();
    let Loaded { manifest, rules, surface, .. } = load(sandbox, package, Grants::Everything).await?;
    Ok(Report {
        folder: folder.to_path_buf(),
        id: manifest.id,
        name: manifest.name,
        version: manifest.version.to_string(),
        sha256,
        imports: surface.imports,
        exports: surface.exports,
        rules: rules.into_iter().map(|rule| rule.description).collect(),
    })
}
