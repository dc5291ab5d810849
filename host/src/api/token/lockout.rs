//! Back-off for failed sign-ins: per user name and address, so that a stranger elsewhere cannot lock a user out. In
//! memory and bounded; a restart forgives, which an attacker cannot cause.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures that cost nothing.
const FREE: u32 = 5;
/// The first wait.
const FIRST: i64 = 1_000;
/// The longest wait.
const LONGEST: i64 = 300_000;
/// After so long without a failure all is forgotten.
const MEMORY: i64 = 3 * LONGEST;
/// Names and addresses that are remembered at the same time.
const CAPACITY: usize = 10_000;

type Key = (String, IpAddr);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Failures {
    fn locked_until(self) -> i64 {
        match self.count.checked_sub(FREE) {
            None => i64::MIN,
            Some(beyond) => self.last + (FIRST << beyond.min(16)).min(LONGEST),
        }
    }
}

/// Remembers failures.
#[derive(Debug, Default)]
pub(crate) struct Lockout(Mutex<HashMap<Key, Failures>>);

impl Lockout {
    /// How long `name` from `address` must still wait.
    pub(crate) fn wait(&self, name: &str, address: IpAddr, now: i64) -> Option<Duration> {
        let failures = self.lock(|all| all.get(&key(name, address)).copied())?;
        let wait =
            u64::try_from(failures.locked_until().saturating_sub(now)).ok().filter(|wait| *wait > 0)?;
        // A clock that was set back must not lock anybody out for years.
        Some(Duration::from_millis(wait.min(LONGEST.unsigned_abs())))
    }

    /// One more failure.
    pub(crate) fn failed(&self, name: &str, address: IpAddr, now: i64) {
        self.lock(|all| {
            if all.len() >= CAPACITY {
                all.retain(|_, failures| now - failures.last < MEMORY);
            }
            if all.len() >= CAPACITY
                && let Some(oldest) =
                    all.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone())
            {
                all.remove(&oldest);
            }
            let failures = all.entry(key(name, address)).or_insert(Failures { count: 0, last: now });
            if now - failures.last >= MEMORY {
                failures.count = 0;
            }
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        });
    }

    /// All is forgiven.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        self.lock(|all| all.remove(&key(name, address)));
    }

    fn lock<T>(&self, work: impl FnOnce(&mut HashMap<Key, Failures>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn key(name: &str, address: IpAddr) -> Key {
    (name.to_lowercase(), address)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn failed(times: u32) -> Lockout {
        let lockout = Lockout::default();
        (0..times).for_each(|_| lockout.failed("Ada", HERE, 0));
        lockout
    }

    #[test]
    fn the_fifth_failure_costs_a_second_and_each_further_one_twice_as_much() {
        let seconds = |times| failed(times).wait("ada", HERE, 0).map(|wait| wait.as_secs());
        assert_eq!([4, 5, 6, 7].map(seconds), [None, Some(1), Some(2), Some(4)]);
        assert_eq!([13, 14, 100].map(seconds), [Some(256), Some(300), Some(300)]);
    }

    #[test]
    fn waiting_or_signing_in_ends_it() {
        let lockout = failed(5);
        assert_eq!(lockout.wait("ada", HERE, 1_000), None);
        lockout.succeeded("ADA", HERE);
        lockout.failed("ada", HERE, 1_000);
        assert_eq!(lockout.wait("ada", HERE, 1_000), None);
    }

    #[test]
    fn another_address_and_another_name_are_not_concerned() {
        let lockout = failed(9);
        assert_eq!(lockout.wait("ada", ELSEWHERE, 0), None);
        assert_eq!(lockout.wait("bob", HERE, 0), None);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_the_longest_wait() {
        let lockout = Lockout::default();
        (0..6).for_each(|_| lockout.failed("ada", HERE, 1_000_000_000));
        assert_eq!(lockout.wait("ada", HERE, 0), Some(Duration::from_mins(5)));
    }

    #[test]
    fn memory_stays_bounded() {
        let lockout = Lockout::default();
        for number in 0..CAPACITY + 50 {
            lockout.failed(&number.to_string(), HERE, i64::try_from(number).unwrap());
        }
        assert_eq!(lockout.lock(|all| all.len()), CAPACITY);
    }
}
