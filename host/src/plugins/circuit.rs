//! Quarantine, first cut: a plugin that fails three times in five minutes rests, so that one that spins cannot eat the
//! host. It lives in memory: a restart gives a new chance, and so does a new file.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MINUTE;

/// So many strikes …
const STRIKES: usize = 3;
/// … in this time open the circuit.
const WINDOW: i64 = 5 * MINUTE;
/// The first rest.
const FIRST_REST: i64 = 1_000;
/// The longest.
const LONGEST_REST: i64 = 5 * MINUTE;
/// After so long without a strike, all is forgotten.
const HEALTHY: i64 = MINUTE;

/// The memory of one generation's failures.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    strikes: VecDeque<i64>,
    rest: i64,
    open_until: Option<i64>,
    failures: u64,
}

impl Circuit {
    /// How long a call has to wait, if it may not run now.
    pub(super) fn rests(&self, now: i64) -> Option<Duration> {
        let left = self.open_until?.saturating_sub(now);
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// All strikes since the load.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// A call failed by the guest's fault. Whether that opens the circuit.
    pub(super) fn strike(&mut self, now: i64) -> bool {
        self.failures += 1;
        self.strikes.push_back(now);
        self.strikes.retain(|strike| now.saturating_sub(*strike) < WINDOW);
        // A probe after a rest needs no three strikes: the first is enough.
        let probing = self.open_until.is_some();
        if !probing && self.strikes.len() < STRIKES {
            return false;
        }
        self.rest = if probing { (self.rest * 2).clamp(FIRST_REST, LONGEST_REST) } else { FIRST_REST };
        self.open_until = Some(now.saturating_add(self.rest));
        true
    }

    /// A call went well.
    pub(super) fn success(&mut self, now: i64) {
        let healthy = self.strikes.back().is_some_and(|last| now.saturating_sub(*last) >= HEALTHY);
        if healthy {
            *self = Self { failures: self.failures, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Circuit {
        let mut circuit = Circuit::default();
        assert!(!circuit.strike(0) && !circuit.strike(1) && circuit.strike(2));
        circuit
    }

    #[test]
    fn three_strikes_open_it_for_a_second_and_a_failed_probe_doubles_that() {
        let mut circuit = open();
        assert_eq!(circuit.rests(2), Some(Duration::from_secs(1)));
        assert_eq!(circuit.rests(1_002), None);
        assert!(circuit.strike(1_002));
        assert_eq!(circuit.rests(1_002), Some(Duration::from_secs(2)));
        for _ in 0..20 {
            circuit.strike(2_000);
        }
        assert_eq!(circuit.rests(2_000), Some(Duration::from_mins(5)));
    }

    #[test]
    fn strikes_far_apart_do_not_open_it() {
        let mut circuit = Circuit::default();
        assert!((0..10).all(|n| !circuit.strike(n * WINDOW / 2)));
    }

    #[test]
    fn a_healthy_minute_forgets() {
        let mut circuit = open();
        circuit.success(3_000);
        assert!(circuit.strike(3_000), "a probe that fails opens it again");
        circuit.success(3_000 + HEALTHY);
        assert!(!circuit.strike(3_000 + HEALTHY));
        assert_eq!(circuit.failures(), 5);
    }
}
