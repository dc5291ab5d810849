//! Seeded chance. Each who asks has dice of their own, so that one more throw here changes nothing there.

use keelson_agent::random::Random;

/// As the agents' own.
#[derive(Debug, Clone)]
pub(super) struct Dice(Random);

impl Dice {
    /// Those of one among many.
    pub(super) fn of(seed: u64, parts: &[u64]) -> Self {
        Self(Random::for_parts(seed, parts))
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From `least` to `most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Once in so many times.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of so many.
    pub(super) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap()
    }
}
