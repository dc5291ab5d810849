//! Which plugin runs. A new generation takes over only after it has passed every step; what is refused is kept with its
//! reason, for the list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::circuit::Circuit;
use super::error::{LoadError, LoadFault};
use super::load::{self, Loaded};
use super::manifest::Manifest;
use super::package::Package;
use super::rule::{CheckedRule, LoadedRule, RuleSet};
use super::sandbox::{Guest, Sandbox};
use super::status::{PluginState, PluginStatus};

/// One load of one plugin. Calls hold it until they end, whatever takes its place meanwhile.
pub(super) struct Generation {
    pub(super) manifest: Manifest,
    pub(super) number: u64,
    pub(super) guest: Arc<Guest>,
    pub(super) rules: Vec<(Arc<LoadedRule>, CheckedRule)>,
    circuit: Mutex<Circuit>,
}

impl Generation {
    fn new(loaded: Loaded, number: u64) -> Self {
        let Loaded { manifest, guest, rules, .. } = loaded;
        let describe = |checked: CheckedRule| {
            let rule = LoadedRule {
                plugin: manifest.id.clone(),
                plugin_version: manifest.version.to_string(),
                generation: number,
                rule: checked.description.clone(),
            };
            (Arc::new(rule), checked)
        };
        let rules = rules.into_iter().map(describe).collect();
        Self { manifest, number, guest, rules, circuit: Mutex::default() }
    }

    fn announce(&self) {
        let Manifest { id, version, .. } = &self.manifest;
        tracing::info!(plugin = id, %version, rules = self.rules.len(), "plugin loaded");
    }

    pub(super) fn rule(&self, id: &str) -> Option<&CheckedRule> {
        self.rules.iter().map(|(_, checked)| checked).find(|checked| checked.description.id == id)
    }

    pub(super) fn circuit<T>(&self, ask: impl FnOnce(&mut Circuit) -> T) -> T {
        ask(&mut self.circuit.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one folder holds.
#[derive(Clone, Default)]
struct Slot {
    /// Of the last files that were looked at.
    digest: Option<String>,
    generation: Option<Arc<Generation>>,
    /// Why the last files do not run.
    refusal: Option<LoadError>,
}

/// What calls see: it never changes, a new one takes its place.
#[derive(Default)]
pub(super) struct Snapshot {
    slots: BTreeMap<PathBuf, Slot>,
    pub(super) rules: Arc<RuleSet>,
}

impl Snapshot {
    /// The running plugin of that id.
    pub(super) fn get(&self, plugin: &str) -> Option<&Arc<Generation>> {
        self.generations().find(|generation| generation.manifest.id == plugin)
    }

    fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.slots.values().filter_map(|slot| slot.generation.as_ref())
    }

    /// All folders, whatever became of them.
    pub(super) fn list(&self, now: i64) -> Vec<PluginStatus> {
        self.slots.iter().map(|(folder, slot)| slot.status(folder, now)).collect()
    }

    fn from_slots(slots: BTreeMap<PathBuf, Slot>) -> Self {
        let mut rules: Vec<_> = slots
            .values()
            .filter_map(|slot| slot.generation.as_ref())
            .flat_map(|generation| generation.rules.iter().map(|(rule, _)| Arc::clone(rule)))
            .collect();
        // Stable: within a plugin, the plugin's own order.
        rules.sort_by(|left, right| left.plugin.cmp(&right.plugin));
        Self { slots, rules: Arc::new(RuleSet(rules)) }
    }
}

impl Slot {
    /// Whether the same files would come to the same end.
    fn settled(&self) -> bool {
        self.refusal.as_ref().is_none_or(|error| !error.fault.may_pass_later())
    }

    fn status(&self, folder: &Path, now: i64) -> PluginStatus {
        let refused = self.refusal.as_ref();
        let Some(generation) = &self.generation else {
            return PluginStatus::refused(folder, refused);
        };
        let manifest = &generation.manifest;
        let (rests, failures) = generation.circuit(|circuit| (circuit.rests(now), circuit.failures()));
        PluginStatus {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            generation: generation.number,
            state: rests
                .map_or(PluginState::Loaded, |retry_in| PluginState::CircuitOpen { retry_in, failures }),
            update_refused: refused.map(ToString::to_string),
            folder: folder.to_path_buf(),
        }
    }
}

/// What a scan brought.
pub(super) struct Scan {
    pub(super) snapshot: Snapshot,
    /// Whether a plugin came, went or was replaced.
    pub(super) changed: bool,
}

/// Looks at every folder and loads what changed. `next` numbers the generations.
pub(super) async fn scan(
    sandbox: &Arc<Sandbox>,
    before: &Snapshot,
    folders: &[PathBuf],
    next: impl Fn() -> u64,
) -> Scan {
    let kept = |folder: &&PathBuf| before.slots.contains_key(*folder);
    let gone =
        before.slots.iter().filter(|(folder, slot)| !folders.contains(folder) && slot.generation.is_some());
    let mut changed = false;
    for (folder, _) in gone {
        changed = true;
        tracing::info!(folder = %folder.display(), "plugin unloaded: its folder is gone");
    }
    let mut slots: BTreeMap<PathBuf, Slot> = folders
        .iter()
        .filter(kept)
        .filter_map(|folder| Some((folder.clone(), before.slots.get(folder)?.clone())))
        .collect();
    for folder in folders {
        changed |= visit(sandbox, &mut slots, folder, &next).await;
    }
    Scan { snapshot: Snapshot::from_slots(slots), changed }
}

/// One folder. Whether a new generation took over.
async fn visit(
    sandbox: &Arc<Sandbox>,
    slots: &mut BTreeMap<PathBuf, Slot>,
    folder: &Path,
    next: &impl Fn() -> u64,
) -> bool {
    let known = slots.get(folder).filter(|slot| slot.settled()).and_then(|slot| slot.digest.clone());
    let (digest, outcome) = match load::read(folder).await {
        Ok(package) if known.as_ref() == Some(&package.digest) => return false,
        Ok(package) => (Some(package.digest.clone()), admit(sandbox, slots, package).await),
        Err(fault) => (None, Err(LoadError { folder: folder.to_path_buf(), plugin: None, fault })),
    };
    let slot = slots.entry(folder.to_path_buf()).or_default();
    let news = slot.refusal.as_ref() != outcome.as_ref().err();
    slot.digest = digest;
    match outcome {
        Ok(loaded) => {
            let generation = Generation::new(loaded, next());
            generation.announce();
            *slot =
                Slot { digest: slot.digest.take(), generation: Some(Arc::new(generation)), refusal: None };
            true
        }
        Err(error) => {
            if news {
                complain(&error, slot.generation.is_some());
            }
            slot.refusal = Some(error);
            false
        }
    }
}

fn complain(error: &LoadError, still_running: bool) {
    tracing::warn!(%error, still_running, "plugin refused");
}

async fn admit(
    sandbox: &Arc<Sandbox>,
    slots: &BTreeMap<PathBuf, Slot>,
    package: Package,
) -> Result<Loaded, LoadError> {
    let id = package.manifest.as_ref().ok().map(|manifest| manifest.id.clone());
    let twin = slots.iter().find(|(folder, slot)| {
        **folder != package.place
            && slot.generation.as_ref().is_some_and(|running| Some(&running.manifest.id) == id.as_ref())
    });
    if let (Some((other, _)), Some(id)) = (twin, &id) {
        return Err(LoadError {
            fault: LoadFault::Duplicate { id: id.clone(), other: other.clone() },
            plugin: Some(id.clone()),
            folder: package.place,
        });
    }
    load::load(sandbox, package).await
}
