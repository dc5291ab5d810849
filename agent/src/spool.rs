//! The spool: facts that the host has not acknowledged, and what it knows or will know once it has.
//!
//! Who writes: the collector appends, the session removes what was acknowledged; either may begin a new epoch.
//! Who reads: the collector (known objects), the session (batches). A batch and the change of what is known are one
//! transaction, so a crash at any instant leaves a spool from which the host can be brought to the engine's state.
//!
//! An **epoch** is a history that starts with a full inventory. A new one begins when the old cannot go on: a fresh or
//! damaged spool, one that is full, a host that lost data or asks for it. Epochs only grow, over any loss of the
//! spool, because they start at the wall clock.
//!
//! What was acknowledged stays for a while, as a **replay window**: a host whose database was restored from a backup is told it
//! again. What no longer is in the window is a gap, which the next epoch's first batch names; the spool remembers it until the
//! host has acknowledged that.
//!
//! `sqlite` is the durable one, `memory` serves simulated fleets: losing it means a new epoch, nothing worse.

mod answers;
mod memory;
mod sqlite;

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keelson_proto::v1::{Batch, CommandResult, Gap};

use crate::clock::Clock;
use crate::inventory::{Addition, Known};

/// Where a spool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The current epoch.
    pub epoch: u64,
    /// The last batch of it that the host acknowledged; 0 when none.
    pub acknowledged: u64,
    /// The last batch of it that was spooled; 0 when none.
    pub last: u64,
    /// The batches of it after this one are at hand, acknowledged or not.
    pub reaches: u64,
    /// The last batch of any epoch that was acknowledged, and is not told of as lost.
    pub heard: Heard,
    /// Which life of the host's database the agent last met; all zero before the first.
    pub incarnation: Incarnation,
}

/// Which life of its database a host is in.
pub type Incarnation = [u8; 16];

/// A batch that was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Its epoch; 0 when none was.
    pub epoch: u64,
    /// Its sequence.
    pub sequence: u64,
    /// When, in unix milliseconds.
    pub at: i64,
}

impl Position {
    /// What a host lacks that stands at a batch, if it is not sent again.
    pub fn gap_after(&self, epoch: u64, sequence: u64) -> Gap {
        Gap {
            held_epoch: epoch,
            held_sequence: sequence,
            lost_epoch: self.heard.epoch,
            lost_sequence: self.heard.sequence,
            lost_at: self.heard.at,
        }
    }
}

/// How much of what was acknowledged is kept, for a host that comes back from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayWindow {
    /// For how long.
    pub age: Duration,
    /// At most so many bytes.
    pub bytes: u64,
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self { age: Duration::from_hours(72), bytes: 256 << 20 }
    }
}

impl ReplayWindow {
    /// What was acknowledged before this is not kept.
    fn oldest(&self, now: i64) -> i64 {
        now.saturating_sub(i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX))
    }
}

/// How large a spool may become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes that wait for the host.
    pub waiting: u64,
    /// What stays beside them.
    pub replay: ReplayWindow,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The command.
    pub uid: Vec<u8>,
    /// Under which the host asked last.
    pub attempt: u32,
    /// How it ended.
    pub result: CommandResult,
}

/// How long a command's result is known, in milliseconds: no host asks for longer.
const MEMORY: i64 = 30 * 24 * 3_600_000;

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is spooled.
    Stored,
    /// The spool would grow past its bound: begin a new epoch, which needs no more than the latest state.
    Full,
    /// Another epoch began since the addition was worked out: work it out again.
    Superseded,
}

/// A spool that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// SQLite refused; the disk is full, for instance. What was spooled is safe.
    #[error("cannot {0} the spool; check the disk's free space and the folder's owner")]
    Database(&'static str, #[source] sqlx::Error),
    /// The file is damaged: an agent that starts anew replaces it and sends everything again.
    #[error("the spool is damaged; restart the agent, it will begin a new spool by itself")]
    Corrupt(#[source] sqlx::Error),
    /// A batch in it cannot be decoded: damaged as well.
    #[error("the spool holds a batch that cannot be read")]
    Decode(#[source] prost::DecodeError),
    /// Made by a newer agent.
    #[error("the spool has format {0}, this agent knows {known}: update the agent, or remove spool.db (it will send everything again)", known = sqlite::FORMAT)]
    Format(i64),
    /// The damaged file cannot be moved aside.
    #[error("cannot move the damaged spool aside")]
    Aside(#[source] std::io::Error),
}

impl SpoolError {
    /// Only a fresh start mends it.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Decode(_))
    }
}

/// Default bound of a spool.
pub const DEFAULT_LIMIT: u64 = 64 << 20;

/// A spool of any kind. Each call is one step: after a crash it has happened or it has not.
#[tonic::async_trait]
pub trait Spool: Debug + Send + Sync {
    /// Where it stands.
    async fn position(&self) -> Result<Position, SpoolError>;

    /// What the host knows or will know.
    async fn known(&self) -> Result<Known, SpoolError>;

    /// Adds batches to `epoch`, and what is known by them, as one step.
    async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError>;

    /// At most `count` batches of `epoch` after `sequence`, those of the replay window too; none when the epoch is over.
    async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError>;

    /// The batches of `epoch` up to `sequence` need not be sent any more: they go into the replay window, and what has no room
    /// in it is removed. An older epoch's acknowledgement changes nothing, nor does a second one.
    async fn acknowledge(&self, epoch: u64, sequence: u64, clock: &dyn Clock) -> Result<(), SpoolError>;

    /// Notes in which life of its database the host was met.
    async fn meet(&self, incarnation: Incarnation) -> Result<(), SpoolError>;

    /// Keeps what a command came to.
    async fn remember(&self, answer: &Answer, clock: &dyn Clock) -> Result<(), SpoolError>;

    /// What a command came to, if it was done before.
    async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError>;

    /// The results that the host has not heard yet.
    async fn unheard(&self) -> Result<Vec<Answer>, SpoolError>;

    /// The host has heard a result that is not worth keeping: the command would be done again without harm.
    async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError>;

    /// The host has heard the result of a command.
    async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError>;

    /// Drops everything and begins an epoch above the current one and above `floor`, with its inventory due, and with what the
    /// host lost for good, if it did: from then on, what it still has counts as what it was heard to acknowledge.
    async fn begin_epoch(&self, floor: u64, gap: Option<Gap>, clock: &dyn Clock) -> Result<u64, SpoolError>;
}

/// A spool that several tasks share.
pub type SharedSpool = Arc<dyn Spool>;

/// Opens or makes the spool at `path`; one that is damaged is moved aside and begun anew.
pub async fn durable(path: &Path, limits: Limits, clock: &dyn Clock) -> Result<SharedSpool, SpoolError> {
    Ok(Arc::new(sqlite::SqliteSpool::open(path, limits, clock).await?))
}

/// A fresh spool in memory.
pub fn memory(limits: Limits, clock: &dyn Clock) -> SharedSpool {
    Arc::new(memory::MemorySpool::new(limits, first_epoch(clock)))
}

/// The least that a new epoch may be.
fn earliest(floor: u64, clock: &dyn Clock) -> u64 {
    floor.saturating_add(1).max(first_epoch(clock))
}

/// The wall clock: past every epoch that was begun before, unless the clock was set back; then the host's Welcome
/// tells the epoch to go beyond.
fn first_epoch(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.now_ms()).unwrap_or(0).max(1)
}

/// Two gaps of which the host has heard neither, as one: from where it stood first to what was lost last.
fn both(earlier: Option<Gap>, later: Option<Gap>) -> Option<Gap> {
    let (Some(first), Some(second)) = (earlier, later) else { return later.or(earlier) };
    let (held_epoch, held_sequence) =
        (first.held_epoch, first.held_sequence).min((second.held_epoch, second.held_sequence));
    let (lost_epoch, lost_sequence) =
        (first.lost_epoch, first.lost_sequence).max((second.lost_epoch, second.lost_sequence));
    let lost_at = first.lost_at.max(second.lost_at);
    Some(Gap { held_epoch, held_sequence, lost_epoch, lost_sequence, lost_at })
}

#[cfg(test)]
mod tests;
