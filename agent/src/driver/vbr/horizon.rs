//! How far back runs are read: to where the host is known to have them.
//!
//! Runs come and go by themselves, so one that ended while no agent ran, or while what was found did not reach the host, is not
//! found again by looking at the last day. A file keeps, for each backup server, up to when all runs were read and delivered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::warn;

use super::collect::DAY;
use crate::config::DataFolder;
use crate::error::chain;

/// Less than this is not worth a write: a day is read anyway.
const STEP: i64 = 3_600_000;

#[derive(Debug)]
pub(super) struct Horizon {
    folder: DataFolder,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the file says, once it was read: by server, up to when runs are delivered.
    delivered: Option<HashMap<String, i64>>,
    /// What the last collection read.
    read: Option<(String, i64)>,
}

impl Horizon {
    pub(super) fn new(folder: &DataFolder) -> Self {
        Self { folder: folder.clone(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From when on a server's runs are to be read. For one that is met for the first time: from a day ago, and that holds until
    /// they are delivered.
    pub(super) fn since(&self, server: &str, now: i64) -> i64 {
        let mut state = self.state();
        if let Some(since) = self.delivered_of(&mut state).get(server) {
            return *since;
        }
        self.note(&mut state, server, now - DAY);
        now - DAY
    }

    /// A collection read a server's runs up to an instant; without one, not all that belongs to them.
    pub(super) fn read(&self, server: &str, until: Option<i64>) {
        self.state().read = until.map(|until| (server.to_owned(), until));
    }

    /// The host has what the last collection read.
    pub(super) fn delivered(&self) {
        let mut state = self.state();
        let Some((server, until)) = state.read.take() else { return };
        let known = self.delivered_of(&mut state).get(&server).copied();
        if known.is_none_or(|known| until.abs_diff(known) >= STEP.unsigned_abs()) {
            self.note(&mut state, &server, until);
        }
    }

    /// What the host has of any server's runs is not known any more: they are read as far back as it keeps them.
    pub(super) fn lost(&self) {
        let mut state = self.state();
        state.read = None;
        let delivered = self.delivered_of(&mut state);
        if delivered.values().any(|until| *until > 0) {
            for until in delivered.values_mut() {
                *until = 0;
            }
            self.keep(&mut state);
        }
    }

    /// A file that cannot be read is no reason to read nothing.
    fn delivered_of<'s>(&self, state: &'s mut State) -> &'s mut HashMap<String, i64> {
        state.delivered.get_or_insert_with(|| {
            let path = self.folder.vbr_runs();
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return HashMap::new(),
                Err(error) => {
                    warn!("up to when runs are delivered cannot be read: {}", chain(&error));
                    return HashMap::new();
                }
            };
            serde_json::from_str(&text).unwrap_or_else(|error| {
                warn!("{} is damaged, runs of the last day are read: {}", path.display(), chain(&error));
                HashMap::new()
            })
        })
    }

    fn note(&self, state: &mut State, server: &str, until: i64) {
        self.delivered_of(state).insert(server.to_owned(), until);
        self.keep(state);
    }

    /// What cannot be written is read again after a restart of the agent.
    fn keep(&self, state: &mut State) {
        let text = serde_json::to_string(self.delivered_of(state)).unwrap_or_default();
        if let Err(error) = self.folder.replace(&self.folder.vbr_runs(), text.as_bytes()) {
            warn!("up to when runs are delivered is not kept: {}", chain(&error));
        }
    }
}
