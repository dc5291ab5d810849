//! Back-off for failed sign-ins, kept in the database: a restart forgives nothing.
//!
//! Four subjects are counted. A *name from an address*, so that a stranger elsewhere cannot lock a user out. An *address*
//! over all names, once for each name that fails there: one that tries one password on many names is slowed down, one
//! script with an old password does not lock out its whole office. A *name from anywhere*, so that many addresses together
//! guess no faster than one each minute; that is also the longest that they can hold the user up. A *user's second factor*,
//! from wherever: whoever gets that far knows the password.
//!
//! An attempt is charged before it is judged and given back when it succeeds, so a hundred at once count as a hundred. With
//! it goes the instant of the charge: a right password does not begin anybody's wait anew.

use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::api::error::ApiError;
use crate::clock::{HOUR, MINUTE};
use crate::id::UserUid;
use crate::net::source;
use crate::store::{FailureCount, Store, StoreError, Tx};

/// The first wait.
const FIRST: i64 = 1_000;
/// All subjects are forgotten after so long: no rule remembers for longer.
const FORGET: i64 = HOUR;

/// How failures turn into waiting.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Failures that cost nothing.
    free: i64,
    /// The longest wait.
    longest: i64,
    /// After so long without a failure all is forgotten.
    memory: i64,
}

const NAME: Rule = Rule { free: 5, longest: 5 * MINUTE, memory: 15 * MINUTE };
const ANYWHERE: Rule = Rule { free: 50, longest: MINUTE, memory: HOUR };
const ADDRESS: Rule = Rule { free: 20, longest: 15 * MINUTE, memory: HOUR };
const FACTOR: Rule = Rule { free: 5, longest: 15 * MINUTE, memory: HOUR };
const RESET: Rule = Rule { free: 3, longest: HOUR, memory: HOUR };

impl Rule {
    fn wait(self, known: Option<FailureCount>, now: i64) -> Option<Duration> {
        let known = known.filter(|known| now.saturating_sub(known.last_at) < self.memory)?;
        let beyond = u32::try_from(known.count - self.free).ok()?;
        let until = known.last_at.saturating_add((FIRST << beyond.min(20)).min(self.longest));
        // A clock that was set back must not lock anybody out for years.
        let left = until.saturating_sub(now).min(self.longest);
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }
}

/// What is counted, as its hash.
type Subject = [u8; 32];

fn subject(kind: &str, parts: &[&[u8]]) -> Subject {
    let mut digest = Sha256::new().chain_update("keelson failures ").chain_update(kind);
    for part in parts {
        digest = digest.chain_update(part.len().to_be_bytes()).chain_update(part);
    }
    digest.finalize().into()
}

/// Somebody who tries to sign in.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    name: Subject,
    address: Subject,
    anywhere: Subject,
    /// When it counted.
    at: i64,
    /// What it counted against beside its own name and address, and when the failure before it was.
    charged: Vec<(Subject, i64)>,
}

impl Attempt {
    /// Counts an attempt at `name` from `address`, or says that it comes too soon.
    pub(crate) async fn begin(
        store: &Store,
        name: &str,
        address: IpAddr,
        now: i64,
    ) -> Result<Self, ApiError> {
        let from = source(address).to_string();
        let folded = name.to_lowercase();
        let mut attempt = Self {
            name: subject("name", &[folded.as_bytes(), from.as_bytes()]),
            address: subject("address", &[from.as_bytes()]),
            anywhere: subject("anywhere", &[folded.as_bytes()]),
            at: now,
            charged: Vec::new(),
        };
        // First without the database's only writer: whoever must wait shall not hold up those who need not.
        attempt.check(&mut store.read().await?, now).await?;
        let mut tx = store.write().await?;
        attempt.check(&mut tx, now).await?;
        let mut failures = tx.failures();
        failures.sweep(now.saturating_sub(FORGET)).await?;
        let is_first = failures.charge(&attempt.name, now, now - NAME.memory).await? == 1;
        attempt.charge(&mut tx, attempt.anywhere, ANYWHERE).await?;
        if is_first {
            attempt.charge(&mut tx, attempt.address, ADDRESS).await?;
        }
        tx.commit().await?;
        Ok(attempt)
    }

    /// Counts against what others count against too.
    async fn charge(&mut self, tx: &mut Tx, subject: Subject, rule: Rule) -> Result<(), StoreError> {
        let mut failures = tx.failures();
        let before = failures.get(&subject).await?.map_or(self.at, |known| known.last_at);
        failures.charge(&subject, self.at, self.at - rule.memory).await?;
        self.charged.push((subject, before));
        Ok(())
    }

    async fn check(&self, tx: &mut Tx, now: i64) -> Result<(), ApiError> {
        let mut failures = tx.failures();
        if let Some(wait) = NAME.wait(failures.get(&self.name).await?, now) {
            return Err(too_many("with this user name from this address", wait));
        }
        if let Some(wait) = ADDRESS.wait(failures.get(&self.address).await?, now) {
            return Err(too_many("from this address", wait));
        }
        if let Some(wait) = ANYWHERE.wait(failures.get(&self.anywhere).await?, now) {
            return Err(too_many("with this user name", wait));
        }
        Ok(())
    }

    /// It succeeded: all is forgiven, but not what the address did with other names, and others with the name.
    pub(crate) async fn succeeded(self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut failures = tx.failures();
        failures.forgive(&self.name).await?;
        for (subject, before) in &self.charged {
            failures.discharge(subject, self.at, *before).await?;
        }
        Ok(())
    }
}

/// Counts a try at a user's second factor, or says that it comes too soon.
pub(crate) async fn try_factor(tx: &mut Tx, user: UserUid, now: i64) -> Result<(), ApiError> {
    let subject = subject("factor", &[user.0.as_bytes()]);
    let mut failures = tx.failures();
    if let Some(wait) = FACTOR.wait(failures.get(&subject).await?, now) {
        return Err(too_many("with a wrong code", wait));
    }
    failures.charge(&subject, now, now - FACTOR.memory).await?;
    Ok(())
}

/// A right code: the wrong ones before it are forgiven.
pub(crate) async fn forgive_factor(tx: &mut Tx, user: UserUid) -> Result<(), StoreError> {
    tx.failures().forgive(&subject("factor", &[user.0.as_bytes()])).await
}

/// Counts a request for a mail to a user, whether there is one or not, or says that it comes too soon.
pub(crate) async fn ask_for_mail(tx: &mut Tx, name: &str, address: IpAddr, now: i64) -> Result<(), ApiError> {
    let from = source(address).to_string();
    let by_name = subject("mail", &[name.to_lowercase().as_bytes()]);
    let by_address = subject("mails", &[from.as_bytes()]);
    let mut failures = tx.failures();
    let known = [(failures.get(&by_name).await?, RESET), (failures.get(&by_address).await?, ADDRESS)];
    if let Some(wait) = known.into_iter().filter_map(|(known, rule)| rule.wait(known, now)).max() {
        let message = "too many requests for a new password; wait, and look at the mails that came";
        return Err(ApiError::too_many_requests(message, wait));
    }
    failures.charge(&by_name, now, now - RESET.memory).await?;
    failures.charge(&by_address, now, now - ADDRESS.memory).await?;
    Ok(())
}

fn too_many(what: &str, wait: Duration) -> ApiError {
    ApiError::too_many_requests(format!("too many failed sign-ins {what}; wait, then try again"), wait)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const NOW: i64 = 1_700_000_000_000;

    struct Door(Store, tempfile::TempDir);

    impl Door {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&format!("sqlite:{}/db", folder.path().display())).await.unwrap();
            Self(store, folder)
        }

        async fn fail(&self, name: &str, address: IpAddr, now: i64) -> bool {
            Attempt::begin(&self.0, name, address, now).await.is_ok()
        }

        async fn succeed(&self, name: &str, address: IpAddr, now: i64) {
            let attempt = Attempt::begin(&self.0, name, address, now).await.unwrap();
            let mut tx = self.0.write().await.unwrap();
            attempt.succeeded(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    #[test]
    fn the_failures_that_are_not_free_cost_a_second_and_each_further_one_twice_as_much() {
        let seconds = |count| {
            let known = Some(FailureCount { count, last_at: NOW });
            NAME.wait(known, NOW).map(|wait| wait.as_secs())
        };
        assert_eq!([4, 5, 6, 7].map(seconds), [None, Some(1), Some(2), Some(4)]);
        assert_eq!([13, 14, 1_000_000].map(seconds), [Some(256), Some(300), Some(300)]);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_the_longest_wait() {
        let known = Some(FailureCount { count: 9, last_at: NOW });
        assert_eq!(NAME.wait(known, 0), Some(Duration::from_mins(5)));
        assert_eq!(NAME.wait(known, NOW + NAME.memory), None);
    }

    #[tokio::test]
    async fn after_five_failures_one_waits_even_after_a_restart() {
        let door = Door::new().await;
        for _ in 0..5 {
            assert!(door.fail("Ada", HERE, NOW).await);
        }
        assert!(!door.fail("ada", HERE, NOW).await);
        let again = Store::open(&format!("sqlite:{}/db", door.1.path().display())).await.unwrap();
        let refused = Attempt::begin(&again, "ADA", HERE, NOW).await.unwrap_err();
        assert_eq!(refused.status(), http::StatusCode::TOO_MANY_REQUESTS);
        assert!(door.fail("ada", ELSEWHERE, NOW).await && door.fail("bob", HERE, NOW).await);
        assert!(door.fail("ada", HERE, NOW + 1_000).await, "the wait is over");
    }

    #[tokio::test]
    async fn signing_in_forgives() {
        let door = Door::new().await;
        for _ in 0..4 {
            door.fail("ada", HERE, NOW).await;
        }
        door.succeed("ada", HERE, NOW).await;
        for _ in 0..4 {
            assert!(door.fail("ada", HERE, NOW).await);
        }
    }

    #[tokio::test]
    async fn one_password_on_many_names_is_slowed_down_by_address() {
        let door = Door::new().await;
        for number in 0..20 {
            assert!(door.fail(&format!("user{number}"), HERE, NOW).await, "{number}");
        }
        assert!(!door.fail("user20", HERE, NOW).await);
        assert!(door.fail("user20", ELSEWHERE, NOW).await);
    }

    #[tokio::test]
    async fn one_name_that_fails_for_ever_and_everybody_elses_sign_ins_leave_the_address_open() {
        let door = Door::new().await;
        for minute in 0..60 {
            door.fail("script", HERE, NOW + minute * MINUTE).await;
            door.succeed("ada", HERE, NOW + minute * MINUTE).await;
        }
        assert!(door.fail("bob", HERE, NOW + HOUR).await);
    }

    #[tokio::test]
    async fn signing_in_does_not_begin_the_wait_of_the_address_anew() {
        let door = Door::new().await;
        for number in 0..20 {
            assert!(door.fail(&format!("user{number}"), HERE, NOW).await, "{number}");
        }
        for (name, after) in [("user20", 1_000), ("user21", 3_000)] {
            assert!(door.fail(name, HERE, NOW + after).await, "{name}");
        }
        // The twenty-second failure costs four seconds.
        assert!(!door.fail("bob", HERE, NOW + 6_999).await);
        door.succeed("ada", HERE, NOW + 7_000).await;
        assert!(door.fail("bob", HERE, NOW + 7_000).await);
    }

    #[tokio::test]
    async fn many_addresses_guess_no_faster_than_one_each_minute_and_hold_nobody_up_for_longer() {
        let door = Door::new().await;
        let address = |number: u8| IpAddr::V4(Ipv4Addr::new(198, 51, number, 1));
        for number in 0..50 {
            assert!(door.fail("ada", address(number), NOW).await, "{number}");
        }
        assert!(!door.fail("Ada", HERE, NOW).await);
        assert!(door.fail("bob", HERE, NOW).await, "it is the name");
        door.succeed("ada", HERE, NOW + 1_000).await;
        for number in 50..60 {
            assert!(door.fail("ada", address(number), NOW + i64::from(number) * MINUTE).await, "{number}");
        }
        let known = Some(FailureCount { count: 1_000_000, last_at: NOW });
        assert_eq!(ANYWHERE.wait(known, NOW), Some(Duration::from_mins(1)));
    }

    #[tokio::test]
    async fn a_hundred_attempts_at_once_are_not_one() {
        let door = Door::new().await;
        let attempts = (0..30).map(|_| door.fail("ada", HERE, NOW));
        let passed = futures_util::future::join_all(attempts).await;
        assert_eq!(passed.into_iter().filter(|passed| *passed).count(), 5);
    }

    #[tokio::test]
    async fn what_is_long_past_is_not_kept() {
        let door = Door::new().await;
        for number in 0..10 {
            door.fail(&number.to_string(), HERE, NOW).await;
        }
        door.fail("ada", HERE, NOW + 2 * HOUR).await;
        let mut tx = door.0.write().await.unwrap();
        assert_eq!(tx.failures().sweep(i64::MAX).await.unwrap(), 3, "ada here, ada anywhere, and here");
    }
}
