//! Which plugin runs. A new generation takes over only after it has passed every step; what is refused is kept with its
//! reason, for the list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::circuit::Circuit;
use super::error::{LoadError, LoadFault};
use super::load::{self, Loaded};
use super::manifest::Manifest;
use super::rule::{CheckedRule, LoadedRule, RuleSet};
use super::sandbox::{Guest, Sandbox};
use super::source::{Candidate, Offer, Source};
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

/// What one source holds.
#[derive(Clone, Default)]
struct Slot {
    /// Of what was looked at last.
    mark: Option<String>,
    generation: Option<Arc<Generation>>,
    /// Why the last files do not run.
    refusal: Option<LoadError>,
}

/// What calls see: it never changes, a new one takes its place.
#[derive(Default)]
pub(super) struct Snapshot {
    slots: BTreeMap<Source, Slot>,
    pub(super) rules: Arc<RuleSet>,
}

impl Snapshot {
    /// The running plugin of that id.
    pub(super) fn get(&self, plugin: &str) -> Option<&Arc<Generation>> {
        self.generations().find(|generation| generation.manifest.id == plugin)
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.slots.values().filter_map(|slot| slot.generation.as_ref())
    }

    /// All sources, whatever became of them.
    pub(super) fn list(&self, now: i64) -> Vec<PluginStatus> {
        self.slots.iter().map(|(source, slot)| slot.status(source, now)).collect()
    }

    fn from_slots(slots: BTreeMap<Source, Slot>) -> Self {
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

    fn status(&self, source: &Source, now: i64) -> PluginStatus {
        let refused = self.refusal.as_ref();
        let Some(generation) = &self.generation else {
            return PluginStatus::refused(source, refused);
        };
        let manifest = &generation.manifest;
        let state = generation.circuit(|circuit| match (circuit.given_up(), circuit.rests(now)) {
            (true, _) => PluginState::Quarantined { failures: circuit.failures() },
            (false, Some(retry_in)) => PluginState::CircuitOpen { retry_in, failures: circuit.failures() },
            (false, None) => PluginState::Loaded,
        });
        PluginStatus {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            generation: generation.number,
            state,
            update_refused: refused.map(ToString::to_string),
            folder: source.folder(),
        }
    }
}

/// What a scan brought.
pub(super) struct Scan {
    pub(super) snapshot: Snapshot,
    /// Whether a plugin came, went or was replaced.
    pub(super) changed: bool,
}

/// Looks at everything that is to run and loads what changed. `next` numbers the generations.
pub(super) async fn scan(
    sandbox: &Arc<Sandbox>,
    before: &Snapshot,
    offers: &[Offer],
    next: impl Fn() -> u64,
) -> Scan {
    let mut slots = before.slots.clone();
    let sources: Vec<Source> = offers.iter().map(Offer::source).collect();
    let mut changed = false;
    slots.retain(|source, slot| {
        let stays = sources.contains(source);
        if !stays && slot.generation.is_some() {
            changed = true;
            tracing::info!(plugin = %source.place().display(), "plugin unloaded: it is not there any more, or disabled");
        }
        stays
    });
    for offer in offers {
        changed |= visit(sandbox, &mut slots, offer, &next).await;
    }
    Scan { snapshot: Snapshot::from_slots(slots), changed }
}

/// One of them. Whether a new generation took over.
async fn visit(
    sandbox: &Arc<Sandbox>,
    slots: &mut BTreeMap<Source, Slot>,
    offer: &Offer,
    next: &impl Fn() -> u64,
) -> bool {
    let source = offer.source();
    let known = slots.get(&source).filter(|slot| slot.settled()).and_then(|slot| slot.mark.clone());
    if known.as_deref().is_some_and(|mark| offer.is_known(mark)) {
        return false;
    }
    let store = sandbox.outside.services.as_ref().map(|services| &services.store);
    let (mark, outcome) = match offer.read(store).await {
        Ok(candidate) if known.as_ref() == Some(&candidate.mark) => return false,
        Ok(candidate) => (Some(candidate.mark.clone()), admit(sandbox, slots, &source, candidate).await),
        Err(fault) => (None, Err(source.refusal(source.id(), fault))),
    };
    let slot = slots.entry(source).or_default();
    let news = slot.refusal.as_ref() != outcome.as_ref().err();
    slot.mark = mark;
    match outcome {
        Ok(loaded) => {
            let generation = Generation::new(loaded, next());
            generation.announce();
            *slot = Slot { mark: slot.mark.take(), generation: Some(Arc::new(generation)), refusal: None };
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
    slots: &BTreeMap<Source, Slot>,
    source: &Source,
    candidate: Candidate,
) -> Result<Loaded, LoadError> {
    let Candidate { package, grants, .. } = candidate;
    let id = package.manifest.as_ref().ok().map(|manifest| manifest.id.clone());
    let twin = slots.iter().find(|(other, slot)| {
        *other != source
            && slot.generation.as_ref().is_some_and(|running| Some(&running.manifest.id) == id.as_ref())
    });
    if let (Some((other, _)), Some(id)) = (twin, &id) {
        let fault = LoadFault::Duplicate { id: id.clone(), other: other.to_string() };
        return Err(source.refusal(Some(id.clone()), fault));
    }
    load::load(sandbox, package, grants).await
}
