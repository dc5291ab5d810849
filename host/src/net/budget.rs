//! How much somebody may ask for over time: a bucket of tokens for each, that fills at a rate. Short bursts pass, a
//! client that never stops waits, and the others do not notice it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Spenders that are remembered at the same time; a bucket that is full again is as good as forgotten.
const CAPACITY: usize = 20_000;

/// A rate and what may be saved up of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Tokens a second; 0: no limit.
    pub(crate) per_second: u32,
    /// Tokens of a full bucket.
    pub(crate) burst: u32,
}

/// The buckets of all who spend.
#[derive(Debug)]
pub(crate) struct Budget<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rate {
    /// So many a second, with ten seconds' worth saved up.
    pub(crate) fn per_second(per_second: u32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(10) }
    }

    fn refilled(self, bucket: Bucket, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * f64::from(self.per_second);
        (bucket.tokens + gained).min(f64::from(self.burst))
    }
}

impl<K: Eq + Hash + Clone> Budget<K> {
    /// Full buckets for everybody.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Takes one token, or says how long to wait for the next.
    pub(crate) fn spend(&self, who: &K) -> Result<(), Duration> {
        if self.rate.per_second == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.get(who).copied();
        if known.is_none() && buckets.len() >= CAPACITY {
            self.make_room(&mut buckets, now);
        }
        let tokens = known.map_or(f64::from(self.rate.burst), |bucket| self.rate.refilled(bucket, now));
        let enough = tokens >= 1.0;
        let left = if enough { tokens - 1.0 } else { tokens };
        buckets.insert(who.clone(), Bucket { tokens: left, at: now });
        if enough {
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - tokens) / f64::from(self.rate.per_second)))
    }

    /// Forgets who has spent nothing lately; if all have, the one whose bucket is fullest.
    fn make_room(&self, buckets: &mut HashMap<K, Bucket>, now: Instant) {
        let full = f64::from(self.rate.burst);
        buckets.retain(|_, bucket| self.rate.refilled(*bucket, now) < full);
        if buckets.len() >= CAPACITY {
            let fullest = buckets.iter().max_by(|(_, a), (_, b)| {
                self.rate.refilled(**a, now).total_cmp(&self.rate.refilled(**b, now))
            });
            if let Some(who) = fullest.map(|(who, _)| who.clone()) {
                buckets.remove(&who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(per_second: u32) -> Budget<u32> {
        Budget::new(Rate { per_second, burst: 3 })
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_what_follows_waits_for_the_rate() {
        let budget = budget(2);
        assert!((0..3).all(|_| budget.spend(&1).is_ok()));
        assert_eq!(budget.spend(&1), Err(Duration::from_millis(500)));
        assert!(budget.spend(&2).is_ok(), "another has its own");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(budget.spend(&1).is_ok() && budget.spend(&1).is_err());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(
            (0..3).all(|_| budget.spend(&1).is_ok()) && budget.spend(&1).is_err(),
            "no more than a burst"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_of_nothing_limits_nothing() {
        let budget = budget(0);
        assert!((0..1000).all(|_| budget.spend(&1).is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_stays_bounded_whoever_comes() {
        let budget = budget(1);
        for who in 0..u32::try_from(CAPACITY).unwrap() + 50 {
            assert!(budget.spend(&who).is_ok());
        }
        assert!(budget.buckets.lock().unwrap().len() <= CAPACITY);
    }
}
