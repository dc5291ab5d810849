//! Waits between sessions: exponential, with full jitter, so that ten thousand agents do not come back as one.

use std::time::Duration;

use crate::random::Random;

const BASE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Backoff {
    cap: Duration,
    ceiling: Duration,
    random: Random,
}

impl Backoff {
    pub(super) fn new(cap: Duration, random: Random) -> Self {
        Self { cap, ceiling: BASE.min(cap), random }
    }

    /// Somewhere between nothing and a ceiling that doubles each time.
    pub(super) fn next(&mut self) -> Duration {
        let micros = u64::try_from(self.ceiling.as_micros()).unwrap_or(u64::MAX);
        let wait = Duration::from_micros(self.random.below(micros.saturating_add(1)));
        self.ceiling = self.ceiling.saturating_mul(2).min(self.cap);
        wait
    }

    pub(super) fn reset(&mut self) {
        self.ceiling = BASE.min(self.cap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_are_spread_and_start_again() {
        let cap = Duration::from_secs(4);
        let mut backoff = Backoff::new(cap, Random::for_parts(1, &[]));
        assert!(backoff.next() <= BASE);
        for _ in 0..4 {
            backoff.next();
        }
        let waits: Vec<Duration> = (0..200).map(|_| backoff.next()).collect();
        assert!(waits.iter().all(|wait| *wait <= cap));
        assert!(waits.iter().any(|wait| *wait > cap / 2) && waits.iter().any(|wait| *wait < cap / 4));
        backoff.reset();
        assert!(backoff.next() <= BASE);
    }
}
