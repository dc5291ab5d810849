//! What stands for chance: the same number always gives the same answer, and ids sort as things were made.

use uuid::Uuid;

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Thing {
    Provider,
    Reseller,
    Company,
    Location,
    Agent,
    Server,
    User,
    Login,
    Token,
    Unverified,
    Site,
    Pool,
    Gateway,
    HostedServer,
    HostedRepository,
    CloudRepository,
    Accelerator,
    Tenant,
    BackupResource,
    ReplicationResource,
    Plan,
    CloudBackup,
    Repository,
    Job,
    Workload,
    Backup,
    Point,
    MicrosoftObject,
    Template,
    Alarm,
    Activation,
    Command,
    /// What is outside: machines, jobs and hosts that only an engine knows.
    Foreign,
    Setting,
}

/// When the first thing was made, for the ids alone.
const FIRST: u64 = 1_789_000_000_000;

impl Thing {
    /// The id of the `n`-th one.
    pub fn at(self, n: i64) -> Uuid {
        let n = n.unsigned_abs();
        let time = FIRST + n;
        let kind = self as u64 & 0xfff;
        let high = (time << 16) | 0x7000 | kind;
        let low = (scrambled((kind << 40) ^ n) >> 2) | (1 << 63);
        Uuid::from_u64_pair(high, low)
    }
}

/// A number below `of` that looks like chance, the same for the same `n` and `salt`.
pub(super) fn chance(n: i64, salt: u64, of: i64) -> i64 {
    let scrambled = scrambled(n.unsigned_abs() ^ (salt << 48));
    i64::try_from(scrambled >> 1).unwrap_or_default() % of.max(1)
}

/// One of these.
pub(super) fn one_of<T: Copy>(choices: &[T], n: i64) -> T {
    choices[usize::try_from(n).unwrap_or_default() % choices.len()]
}

/// `splitmix64`.
fn scrambled(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An instant as JSON has it.
pub(super) fn instant(milliseconds: i64) -> String {
    use time::format_description::well_known::Rfc3339;
    let instant =
        time::OffsetDateTime::from_unix_timestamp(milliseconds / 1000).expect("an instant of our days");
    instant.format(&Rfc3339).expect("a year of four digits")
}
