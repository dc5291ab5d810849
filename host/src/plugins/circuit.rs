//! Quarantine: a plugin that fails three times in five minutes rests, longer each time that a try after a rest fails, and is
//! given up after five such tries, so that one that spins cannot eat the host. It lives in memory: a restart gives a new
//! chance, and so does another load.

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
/// After so many failed tries it is given up.
const PROBES: u32 = 5;
/// After so long without a strike, all is forgotten.
const HEALTHY: i64 = MINUTE;

/// The memory of one generation's failures.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    strikes: VecDeque<i64>,
    rest: i64,
    open_until: Option<i64>,
    failures: u64,
    failed_probes: u32,
}

impl Circuit {
    /// How long a call has to wait, if it may not run now.
    pub(super) fn rests(&mut self, now: i64) -> Option<Duration> {
        // A clock that went backwards must not make the rest longer than it was: the end moves along with it.
        if self.given_up() {
            return Some(Duration::MAX);
        }
        let until = self.open_until?.min(now.saturating_add(self.rest.min(LONGEST_REST)));
        self.open_until = Some(until);
        let left = until.saturating_sub(now);
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// Whether it is given up: only another load tries it again.
    pub(super) fn given_up(&self) -> bool {
        self.failed_probes >= PROBES
    }

    /// All strikes since the load.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// A call failed by the guest's fault. Whether that opens the circuit.
    pub(super) fn strike(&mut self, now: i64) -> bool {
        self.failures += 1;
        self.strikes.push_back(now);
        self.strikes.retain(|strike| apart(now, *strike) < WINDOW);
        // A probe after a rest needs no three strikes: the first is enough.
        let probing = self.open_until.is_some();
        self.failed_probes += u32::from(probing);
        if !probing && self.strikes.len() < STRIKES {
            return false;
        }
        self.rest = if probing { (self.rest * 2).clamp(FIRST_REST, LONGEST_REST) } else { FIRST_REST };
        self.open_until = Some(now.saturating_add(self.rest));
        true
    }

    /// A call went well.
    pub(super) fn success(&mut self, now: i64) {
        let healthy =
            !self.given_up() && self.strikes.back().is_some_and(|last| apart(now, *last) >= HEALTHY);
        if healthy {
            *self = Self { failures: self.failures, ..Self::default() };
        }
    }
}

/// How far apart two instants are. A strike from the future, after the clock went backwards, ages like any other.
fn apart(now: i64, then: i64) -> i64 {
    now.saturating_sub(then).saturating_abs()
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
        for _ in 0..3 {
            circuit.strike(2_000);
        }
        assert_eq!(circuit.rests(2_000), Some(Duration::from_secs(16)));
        assert!(!circuit.given_up());
        circuit.strike(20_000);
        assert!(circuit.given_up(), "after five tries that failed");
        circuit.success(99 * MINUTE);
        assert_eq!(circuit.rests(i64::MAX), Some(Duration::MAX));
    }

    #[test]
    fn strikes_far_apart_do_not_open_it() {
        let mut circuit = Circuit::default();
        assert!((0..10).all(|n| !circuit.strike(n * WINDOW / 2)));
    }

    #[test]
    fn a_clock_that_goes_backwards_makes_no_rest_longer() {
        const YEAR: i64 = 365 * 24 * 60 * MINUTE;
        let mut circuit = Circuit::default();
        assert!((0..3).all(|n| circuit.strike(YEAR + n) == (n == 2)));
        assert_eq!(circuit.rests(0), Some(Duration::from_secs(1)));
        assert_eq!(circuit.rests(999), Some(Duration::from_millis(1)), "and it ends");
        assert_eq!(circuit.rests(1_000), None);
        circuit.success(1_000);
        assert!(!circuit.strike(1_001) && !circuit.strike(1_002), "strikes from the future are forgotten");
        assert!(!Circuit { strikes: [YEAR, YEAR + 1].into(), ..Circuit::default() }.strike(0));
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
