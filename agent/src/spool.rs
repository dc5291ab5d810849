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
//! `sqlite` is the durable one, `memory` serves simulated fleets: losing it means a new epoch, nothing worse.

mod answers;
mod memory;
mod sqlite;

use std::path::Path;

use keelson_proto::v1::{Batch, CommandResult};

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

/// A spool of either kind.
#[derive(Debug)]
pub enum Spool {
    /// On disk.
    Durable(sqlite::SqliteSpool),
    /// In this process.
    Memory(memory::MemorySpool),
}

/// Default bound of a spool.
pub const DEFAULT_LIMIT: u64 = 64 << 20;

impl Spool {
    /// Opens or makes the spool at `path`; one that is damaged is moved aside and begun anew.
    pub async fn durable(path: &Path, limit: u64, clock: &dyn Clock) -> Result<Self, SpoolError> {
        sqlite::SqliteSpool::open(path, limit, clock).await.map(Self::Durable)
    }

    /// A fresh spool in memory.
    pub fn memory(limit: u64, clock: &dyn Clock) -> Self {
        Self::Memory(memory::MemorySpool::new(limit, first_epoch(clock)))
    }

    /// Where it stands.
    pub async fn position(&self) -> Result<Position, SpoolError> {
        match self {
            Self::Durable(spool) => spool.position().await,
            Self::Memory(spool) => Ok(spool.position()),
        }
    }

    /// What the host knows or will know.
    pub async fn known(&self) -> Result<Known, SpoolError> {
        match self {
            Self::Durable(spool) => spool.known().await,
            Self::Memory(spool) => Ok(spool.known()),
        }
    }

    /// Adds batches to `epoch`, and what is known by them, as one step.
    pub async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError> {
        match self {
            Self::Durable(spool) => spool.append(epoch, addition).await,
            Self::Memory(spool) => Ok(spool.append(epoch, addition)),
        }
    }

    /// At most `count` batches of `epoch` after `sequence`; none when the epoch is over.
    pub async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError> {
        match self {
            Self::Durable(spool) => spool.read(epoch, sequence, count).await,
            Self::Memory(spool) => Ok(spool.read(epoch, sequence, count)),
        }
    }

    /// Removes the batches of `epoch` up to `sequence`. An older epoch's acknowledgement changes nothing.
    pub async fn acknowledge(&self, epoch: u64, sequence: u64) -> Result<(), SpoolError> {
        match self {
            Self::Durable(spool) => spool.acknowledge(epoch, sequence).await,
            Self::Memory(spool) => {
                spool.acknowledge(epoch, sequence);
                Ok(())
            }
        }
    }

    /// Keeps what a command came to.
    pub async fn remember(&self, answer: &Answer, clock: &dyn Clock) -> Result<(), SpoolError> {
        match self {
            Self::Durable(spool) => spool.remember(answer, clock.now_ms(), clock.now_ms() - MEMORY).await,
            Self::Memory(spool) => {
                spool.remember(answer);
                Ok(())
            }
        }
    }

    /// What a command came to, if it was done before.
    pub async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError> {
        match self {
            Self::Durable(spool) => spool.recall(uid).await,
            Self::Memory(spool) => Ok(spool.recall(uid)),
        }
    }

    /// The results that the host has not heard yet.
    pub async fn unheard(&self) -> Result<Vec<Answer>, SpoolError> {
        match self {
            Self::Durable(spool) => spool.unheard().await,
            Self::Memory(spool) => Ok(spool.unheard()),
        }
    }

    /// The host has heard a result that is not worth keeping: the command would be done again without harm.
    pub async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError> {
        match self {
            Self::Durable(spool) => spool.forget(uid).await,
            Self::Memory(spool) => {
                spool.forget(uid);
                Ok(())
            }
        }
    }

    /// The host has heard the result of a command.
    pub async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        match self {
            Self::Durable(spool) => spool.heard(uid).await,
            Self::Memory(spool) => {
                spool.heard(uid);
                Ok(())
            }
        }
    }

    /// Drops everything and begins an epoch above the current one and above `floor`, with its inventory due.
    pub async fn begin_epoch(&self, floor: u64, clock: &dyn Clock) -> Result<u64, SpoolError> {
        let earliest = floor.saturating_add(1).max(first_epoch(clock));
        match self {
            Self::Durable(spool) => spool.begin_epoch(earliest).await,
            Self::Memory(spool) => Ok(spool.begin_epoch(earliest)),
        }
    }
}

/// The wall clock: past every epoch that was begun before, unless the clock was set back; then the host's Welcome
/// tells the epoch to go beyond.
fn first_epoch(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.now_ms()).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests;
