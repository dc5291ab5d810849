//! Who tried to come through a door and did not: what `GET /diagnostics/tls` shows.
//!
//! A failed handshake is the commonest reason why an agent does not appear, and nobody at the agent's end reads the host's
//! log. Each failure is counted under where it came from, the door and its kind. Strangers write here, so there is a bound: who
//! failed longest ago leaves first, and a failure costs an update of a map, whatever their number. Nothing of it outlives
//! the process: it tells what is wrong now.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::SharedClock;
use crate::model::Door;
use crate::net;

mod kind;

pub use kind::HandshakeKind;

/// Entries that are kept.
const MOST: usize = 1_000;
/// Characters of a detail; some of them are the stranger's own.
const LONGEST_DETAIL: usize = 200;

/// Handshakes of one kind that failed at one door, of one address; of IPv6, of one /64.
#[derive(Debug, Clone)]
pub struct HandshakeFailure {
    /// The last of them.
    pub address: IpAddr,
    /// Where they came to.
    pub door: Door,
    /// Of what kind.
    pub kind: HandshakeKind,
    /// How many there were.
    pub count: u64,
    /// Unix milliseconds.
    pub first_seen: i64,
    /// Unix milliseconds.
    pub last_seen: i64,
    /// When an agent last came in from that address, since the first failure; Unix milliseconds.
    pub last_success: Option<i64>,
    /// What was seen the last time.
    pub detail: String,
    /// Whether it was the other end that gave up, over what it was shown.
    pub refused_by_peer: bool,
}

/// One failure, as a door sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: HandshakeKind,
    pub(super) detail: String,
    pub(super) refused_by_peer: bool,
}

impl Failure {
    /// One that was seen here.
    pub(super) fn new(kind: HandshakeKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), refused_by_peer: false }
    }
}

/// All failures that are remembered.
#[derive(Debug)]
pub(super) struct Handshakes {
    clock: SharedClock,
    ledger: Mutex<Ledger>,
}

type Key = (IpAddr, Door, HandshakeKind);

#[derive(Debug, Default)]
struct Ledger {
    next: u64,
    entries: HashMap<Key, (u64, HandshakeFailure)>,
    /// The entries by the turn of their last failure.
    order: BTreeMap<u64, Key>,
}

impl Handshakes {
    /// None yet.
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, ledger: Mutex::default() }
    }

    /// One failed.
    pub(super) fn failed(&self, address: IpAddr, door: Door, failure: Failure) {
        let now = self.clock.now_ms();
        let Failure { kind, detail, refused_by_peer } = failure;
        let (address, key) = (address.to_canonical(), (net::source(address), door, kind));
        let detail = presentable(&detail);
        let mut ledger = self.ledger();
        let turn = ledger.next;
        ledger.next += 1;
        let mut entry = match ledger.entries.remove(&key) {
            Some((former, entry)) => {
                ledger.order.remove(&former);
                entry
            }
            None => HandshakeFailure {
                address,
                door,
                kind,
                count: 0,
                first_seen: now,
                last_seen: now,
                last_success: None,
                detail: String::new(),
                refused_by_peer,
            },
        };
        entry.count += 1;
        (entry.address, entry.last_seen) = (address, now);
        (entry.detail, entry.refused_by_peer) = (detail, refused_by_peer);
        if ledger.entries.len() >= MOST
            && let Some((_, oldest)) = ledger.order.pop_first()
        {
            ledger.entries.remove(&oldest);
        }
        ledger.entries.insert(key, (turn, entry));
        ledger.order.insert(turn, key);
    }

    /// An agent came in from there: what went wrong before is mended.
    pub(super) fn succeeded(&self, address: IpAddr) {
        let (now, source) = (self.clock.now_ms(), net::source(address));
        let mut ledger = self.ledger();
        for door in [Door::Remote, Door::Hosted] {
            for kind in HandshakeKind::ALL {
                if let Some((_, entry)) = ledger.entries.get_mut(&(source, door, *kind)) {
                    entry.last_success = Some(now);
                }
            }
        }
    }

    /// All of them, the latest first.
    pub(super) fn all(&self) -> Vec<HandshakeFailure> {
        let ledger = self.ledger();
        let latest = ledger.order.values().rev();
        latest.filter_map(|key| ledger.entries.get(key)).map(|(_, entry)| entry.clone()).collect()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Strangers choose some of it: nothing that a screen would obey, and not too much.
fn presentable(detail: &str) -> String {
    detail
        .chars()
        .take(LONGEST_DETAIL)
        .map(|sign| if sign.is_control() { char::REPLACEMENT_CHARACTER } else { sign })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    fn failure(kind: HandshakeKind) -> Failure {
        Failure::new(kind, "detail")
    }

    fn ledger() -> (Handshakes, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000);
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        (Handshakes::new(shared), clock)
    }

    #[test]
    fn failures_of_a_kind_are_counted_together_and_a_success_of_the_address_mends_all_of_them() {
        let (handshakes, clock) = ledger();
        let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        handshakes.failed(one, Door::Remote, failure(HandshakeKind::PlainHttp));
        clock.advance(5);
        handshakes.failed(
            "::ffff:10.0.0.1".parse().unwrap(),
            Door::Remote,
            failure(HandshakeKind::PlainHttp),
        );
        handshakes.failed(one, Door::Hosted, failure(HandshakeKind::PlainHttp));
        handshakes.failed(other, Door::Remote, failure(HandshakeKind::Timeout));
        clock.advance(5);
        handshakes.succeeded(one);
        let all = handshakes.all();
        let shown: Vec<_> = all.iter().map(|one| (one.address, one.count, one.last_success)).collect();
        assert_eq!(shown, [(other, 1, None), (one, 1, Some(1_010)), (one, 2, Some(1_010))]);
        assert_eq!((all[2].first_seen, all[2].last_seen), (1_000, 1_005));
    }

    #[test]
    fn who_failed_longest_ago_leaves_first() {
        let (handshakes, _clock) = ledger();
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let most = u32::try_from(MOST).unwrap();
        for number in 0..most {
            handshakes.failed(address(number), Door::Remote, failure(HandshakeKind::NotTls));
        }
        // The first comes again, so the second is the oldest.
        handshakes.failed(address(0), Door::Remote, failure(HandshakeKind::NotTls));
        handshakes.failed(address(most), Door::Remote, failure(HandshakeKind::NotTls));
        let all = handshakes.all();
        assert_eq!((all.len(), all[0].address), (MOST, address(most)));
        assert!(all.iter().any(|one| one.address == address(0) && one.count == 2));
        assert!(all.iter().all(|one| one.address != address(1)));
    }

    #[test]
    fn what_a_stranger_wrote_is_cut_and_holds_nothing_that_a_screen_obeys() {
        let (handshakes, _clock) = ledger();
        let detail = format!("GET \u{1b}[2J{}", "x".repeat(1_000));
        let failure = Failure::new(HandshakeKind::PlainHttp, detail);
        handshakes.failed("10.0.0.1".parse().unwrap(), Door::Remote, failure);
        let detail = handshakes.all().remove(0).detail;
        assert!(detail.starts_with("GET \u{fffd}[2J") && detail.chars().count() == LONGEST_DETAIL);
    }
}
