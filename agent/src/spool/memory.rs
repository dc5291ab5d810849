//! The spool of a simulated agent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::{Batch, CommandResult};
use prost::Message as _;

use super::{Answer, Appended, Position};
use crate::inventory::{Addition, Known};

/// A spool in this process.
#[derive(Debug)]
pub struct MemorySpool {
    limit: u64,
    state: Mutex<State>,
    /// With whether the host has heard them.
    answers: Mutex<VecDeque<(Answer, bool)>>,
}

#[derive(Debug)]
struct State {
    known: Known,
    acknowledged: u64,
    last: u64,
    bytes: u64,
    batches: VecDeque<Batch>,
}

/// Results that are kept: a simulated agent that did more forgets the oldest.
const ANSWERS: usize = 256;

impl State {
    fn fresh(epoch: u64) -> Self {
        let known = Known { epoch, inventory_due: true, ..Known::default() };
        Self { known, acknowledged: 0, last: 0, bytes: 0, batches: VecDeque::new() }
    }
}

impl MemorySpool {
    pub(super) fn new(limit: u64, epoch: u64) -> Self {
        Self { limit, state: Mutex::new(State::fresh(epoch)), answers: Mutex::default() }
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<(Answer, bool)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, answer: &Answer) {
        let mut answers = self.answers();
        if answers.len() >= ANSWERS {
            answers.pop_front();
        }
        answers.push_back((answer.clone(), false));
    }

    pub(super) fn recall(&self, uid: &[u8]) -> Option<CommandResult> {
        self.answers().iter().find(|(answer, _)| answer.uid == uid).map(|(answer, _)| answer.result.clone())
    }

    pub(super) fn unheard(&self) -> Vec<Answer> {
        self.answers().iter().filter(|(_, heard)| !heard).map(|(answer, _)| answer.clone()).collect()
    }

    pub(super) fn heard(&self, uid: &[u8]) {
        for (answer, heard) in self.answers().iter_mut() {
            *heard |= answer.uid == uid;
        }
    }

    pub(super) fn forget(&self, uid: &[u8]) {
        self.answers().retain(|(answer, _)| answer.uid != uid);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn position(&self) -> Position {
        let state = self.state();
        Position { epoch: state.known.epoch, acknowledged: state.acknowledged, last: state.last }
    }

    pub(super) fn known(&self) -> Known {
        self.state().known.clone()
    }

    pub(super) fn append(&self, epoch: u64, addition: &Addition) -> Appended {
        let mut state = self.state();
        if state.known.epoch != epoch {
            return Appended::Superseded;
        }
        let mut last = state.last;
        let batches: Vec<Batch> = addition
            .batches
            .iter()
            .map(|records| {
                last += 1;
                Batch { epoch, sequence: last, records: records.clone() }
            })
            .collect();
        let bytes: u64 = batches.iter().map(|batch| batch.encoded_len() as u64).sum();
        if !addition.completes && state.bytes + bytes > self.limit {
            return Appended::Full;
        }
        state.last = last;
        state.bytes += bytes;
        state.batches.extend(batches);
        for (id, digest) in &addition.known {
            match digest {
                Some(digest) => state.known.objects.insert(id.clone(), *digest),
                None => state.known.objects.remove(id),
            };
        }
        state.known.inventory_due &= !addition.completes;
        Appended::Stored
    }

    pub(super) fn read(&self, epoch: u64, sequence: u64, count: u32) -> Vec<Batch> {
        let wanted = |batch: &&Batch| batch.epoch == epoch && batch.sequence > sequence;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.state().batches.iter().filter(wanted).take(count).cloned().collect()
    }

    pub(super) fn acknowledge(&self, epoch: u64, sequence: u64) {
        let mut state = self.state();
        if state.known.epoch != epoch {
            return;
        }
        while state.batches.front().is_some_and(|batch| batch.sequence <= sequence) {
            let removed = state.batches.pop_front().map_or(0, |batch| batch.encoded_len() as u64);
            state.bytes = state.bytes.saturating_sub(removed);
        }
        state.acknowledged = state.acknowledged.max(sequence.min(state.last));
    }

    pub(super) fn begin_epoch(&self, earliest: u64) -> u64 {
        let mut state = self.state();
        let epoch = earliest.max(state.known.epoch.saturating_add(1));
        *state = State::fresh(epoch);
        epoch
    }
}
