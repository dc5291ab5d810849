//! Every typed id, alphabetical and append-only, and the only place that makes one. A function that takes an `AgentUid`
//! and a `CompanyUid` cannot be called with the two swapped.

use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

use crate::clock::Clock;

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id, ordered by time.
            pub fn new(clock: &dyn Clock) -> Self {
                Self(fresh(clock))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// One change of an active alarm's state.
    ActivationUid;
    /// A management agent.
    AgentUid;
    /// An alarm that is, or was, raised for one object.
    AlarmUid;
    /// A template: a rule with its parameters.
    AlarmTemplateUid;
    /// A backup server.
    BackupServerUid;
    /// A tenant: an account on one Cloud Connect server.
    CloudTenantUid;
    /// A command to an agent.
    CommandUid;
    /// A company: one tenant of the provider.
    CompanyUid;
    /// A join token.
    JoinTokenUid;
    /// A location of a company.
    LocationUid;
    /// A mail.
    MailUid;
    /// An API key or a second factor of a user.
    LoginUid;
    /// A reseller of the provider.
    ResellerUid;
    /// A restore point.
    RestorePointUid;
    /// A site: one Cloud Connect server.
    SiteUid;
    /// A tenant's share of a backup repository.
    TenantBackupResourceUid;
    /// An access or refresh token, a page's session.
    TokenUid;
    /// A user.
    UserUid;
    /// A protected workload.
    WorkloadUid;
}

/// A `UUIDv7` of the clock's now.
pub fn fresh(clock: &dyn Clock) -> Uuid {
    let now = u64::try_from(clock.now_ms()).unwrap_or_default();
    let milliseconds = u32::try_from(now % 1000).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, now / 1000, milliseconds * 1_000_000))
}

/// The id of what an agent reports: the same name under the same parent is the same thing, however often it is reported, and
/// nothing that an agent says can name what belongs to another.
pub fn derived(parent: Uuid, key: &str) -> Uuid {
    Uuid::new_v5(&parent, key.as_bytes())
}

/// `N` random bytes of the operating system.
///
/// # Panics
/// If the system gives none: a machine that cannot give any cannot keep a secret either.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness nothing that follows is safe")]
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let clock = ManualClock::at(1_000_000);
        let earlier = CompanyUid::new(&*clock);
        clock.advance(1);
        assert!(earlier < CompanyUid::new(&*clock));
    }
}
