//! The spool of a simulated agent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::{Batch, CommandResult, Gap};
use prost::Message as _;

use super::{Answer, Appended, Heard, Incarnation, Limits, Position, Spool, SpoolError, both, earliest};
use crate::clock::Clock;
use crate::inventory::{Addition, Known};

/// A spool in this process.
#[derive(Debug)]
pub(super) struct MemorySpool {
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl Spool for MemorySpool {
    async fn position(&self) -> Result<Position, SpoolError> {
        let state = self.state();
        let oldest = state.replay.front().map(|(batch, _)| batch).or(state.batches.front());
        Ok(Position {
            epoch: state.known.epoch,
            acknowledged: state.acknowledged,
            last: state.last,
            reaches: oldest.map_or(state.last, |batch| batch.sequence - 1),
            heard: state.heard,
            incarnation: state.incarnation,
        })
    }

    async fn known(&self) -> Result<Known, SpoolError> {
        Ok(self.state().known.clone())
    }

    async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError> {
        let mut state = self.state();
        if state.known.epoch != epoch {
            return Ok(Appended::Superseded);
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
            return Ok(Appended::Full);
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
        Ok(Appended::Stored)
    }

    async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError> {
        let wanted = |batch: &&Batch| batch.epoch == epoch && batch.sequence > sequence;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let state = self.state();
        let replayed = state.replay.iter().map(|(batch, _)| batch);
        Ok(replayed.chain(&state.batches).filter(wanted).take(count).cloned().collect())
    }

    async fn acknowledge(&self, epoch: u64, sequence: u64, clock: &dyn Clock) -> Result<(), SpoolError> {
        let now = clock.now_ms();
        let mut state = self.state();
        let sequence = sequence.min(state.last);
        if state.known.epoch != epoch || sequence <= state.acknowledged {
            return Ok(());
        }
        while let Some(batch) = state.batches.pop_front_if(|batch| batch.sequence <= sequence) {
            state.bytes = state.bytes.saturating_sub(batch.encoded_len() as u64);
            state.keep(batch, now, &self.limits);
        }
        state.acknowledged = sequence;
        state.heard = Heard { epoch, sequence, at: now };
        state.gap = None;
        Ok(())
    }

    async fn meet(&self, incarnation: Incarnation) -> Result<(), SpoolError> {
        self.state().incarnation = incarnation;
        Ok(())
    }

    async fn remember(&self, answer: &Answer, _clock: &dyn Clock) -> Result<(), SpoolError> {
        let mut answers = self.answers();
        if answers.len() >= ANSWERS {
            answers.pop_front();
        }
        answers.push_back((answer.clone(), false));
        Ok(())
    }

    async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError> {
        let answers = self.answers();
        Ok(answers.iter().find(|(answer, _)| answer.uid == uid).map(|(answer, _)| answer.result.clone()))
    }

    async fn unheard(&self) -> Result<Vec<Answer>, SpoolError> {
        Ok(self.answers().iter().filter(|(_, heard)| !heard).map(|(answer, _)| answer.clone()).collect())
    }

    async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        for (answer, heard) in self.answers().iter_mut() {
            *heard |= answer.uid == uid;
        }
        Ok(())
    }

    async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError> {
        self.answers().retain(|(answer, _)| answer.uid != uid);
        Ok(())
    }

    async fn begin_epoch(&self, floor: u64, gap: Option<Gap>, clock: &dyn Clock) -> Result<u64, SpoolError> {
        let mut state = self.state();
        let epoch = earliest(floor, clock).max(state.known.epoch.saturating_add(1));
        let fresh = State::fresh(epoch, both(state.gap, gap));
        let heard = gap.map_or(state.heard, |gap| Heard {
            epoch: gap.held_epoch,
            sequence: gap.held_sequence,
            ..state.heard
        });
        *state = State { heard, incarnation: state.incarnation, ..fresh };
        Ok(epoch)
    }
}
