//! The spool of a simulated agent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::{Batch, CommandResult, Gap};
use prost::Message as _;

use super::{Answer, Appended, Heard, Incarnation, Limits, Position, both};
use crate::inventory::{Addition, Known};

/// A spool in this process.
#[derive(Debug)]
pub struct MemorySpool {
    limits: Limits,
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
    heard: Heard,
    incarnation: Incarnation,
    /// What the host lost for good and has not acknowledged to know.
    gap: Option<Gap>,
    /// The replay window, and when each of it was acknowledged.
    replay: VecDeque<(Batch, i64)>,
    replay_bytes: u64,
}

/// Results that are kept: a simulated agent that did more forgets the oldest.
const ANSWERS: usize = 256;

impl State {
    fn fresh(epoch: u64, gap: Option<Gap>) -> Self {
        let known = Known { epoch, inventory_due: true, gap, ..Known::default() };
        Self {
            known,
            acknowledged: 0,
            last: 0,
            bytes: 0,
            batches: VecDeque::new(),
            heard: Heard::default(),
            incarnation: Incarnation::default(),
            gap,
            replay: VecDeque::new(),
            replay_bytes: 0,
        }
    }

    fn keep(&mut self, batch: Batch, now: i64, limits: &Limits) {
        self.replay_bytes += batch.encoded_len() as u64;
        self.replay.push_back((batch, now));
        let oldest = limits.replay.oldest(now);
        while let Some((batch, at)) = self.replay.front()
            && (*at < oldest || self.replay_bytes > limits.replay.bytes)
        {
            self.replay_bytes -= batch.encoded_len() as u64;
            self.replay.pop_front();
        }
    }
}

impl MemorySpool {
    pub(super) fn new(limits: Limits, epoch: u64) -> Self {
        Self { limits, state: Mutex::new(State::fresh(epoch, None)), answers: Mutex::default() }
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
        let oldest = state.replay.front().map(|(batch, _)| batch).or(state.batches.front());
        Position {
            epoch: state.known.epoch,
            acknowledged: state.acknowledged,
            last: state.last,
            reaches: oldest.map_or(state.last, |batch| batch.sequence - 1),
            heard: state.heard,
            incarnation: state.incarnation,
        }
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
        if !addition.completes && state.bytes + bytes > self.limits.waiting {
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
        let state = self.state();
        let replayed = state.replay.iter().map(|(batch, _)| batch);
        replayed.chain(&state.batches).filter(wanted).take(count).cloned().collect()
    }

    pub(super) fn acknowledge(&self, epoch: u64, sequence: u64, now: i64) {
        let mut state = self.state();
        let sequence = sequence.min(state.last);
        if state.known.epoch != epoch || sequence <= state.acknowledged {
            return;
        }
        while let Some(batch) = state.batches.pop_front_if(|batch| batch.sequence <= sequence) {
            state.bytes = state.bytes.saturating_sub(batch.encoded_len() as u64);
            state.keep(batch, now, &self.limits);
        }
        state.acknowledged = sequence;
        state.heard = Heard { epoch, sequence, at: now };
        state.gap = None;
    }

    pub(super) fn meet(&self, incarnation: Incarnation) {
        self.state().incarnation = incarnation;
    }

    pub(super) fn begin_epoch(&self, earliest: u64, gap: Option<Gap>) -> u64 {
        let mut state = self.state();
        let epoch = earliest.max(state.known.epoch.saturating_add(1));
        let fresh = State::fresh(epoch, both(state.gap, gap));
        let heard = gap.map_or(state.heard, |gap| Heard {
            epoch: gap.held_epoch,
            sequence: gap.held_sequence,
            ..state.heard
        });
        *state = State { heard, incarnation: state.incarnation, ..fresh };
        epoch
    }
}
