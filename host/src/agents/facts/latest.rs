//! The last state of each key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The last state of each key, in the order of first mention, so that a statement meets no key twice.
pub(super) struct Latest<K, V> {
    places: HashMap<K, usize>,
    entries: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self { places: HashMap::new(), entries: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Latest<K, V> {
    /// `None`: it is gone.
    pub(super) fn put(&mut self, key: K, value: Option<V>) {
        match self.places.entry(key.clone()) {
            Entry::Occupied(place) => {
                if let Some(entry) = self.entries.get_mut(*place.get()) {
                    entry.1 = value;
                }
            }
            Entry::Vacant(place) => {
                place.insert(self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    /// Takes back what was said about some keys.
    pub(super) fn forget(&mut self, which: impl Fn(&K) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|(key, _)| !which(key));
        if self.entries.len() == before {
            return;
        }
        self.places = self.entries.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    }

    /// What is there at the end, and what is gone.
    pub(super) fn split(self) -> (Vec<V>, Vec<K>) {
        let (mut present, mut gone) = (Vec::new(), Vec::new());
        for (key, value) in self.entries {
            match value {
                Some(value) => present.push(value),
                None => gone.push(key),
            }
        }
        (present, gone)
    }
}
