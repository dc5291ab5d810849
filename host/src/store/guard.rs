//! Whether the file beneath an SQLite database is still the one that was opened, and keeps what is written to it.
//!
//! SQLite would go on writing into a file that was deleted, and would write again what a disk did not keep: in both cases a
//! commit succeeds and what it stored is not there after the next start. Neither may be acknowledged.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreError;

/// `SQLITE_IOERR_FSYNC`, `SQLITE_IOERR_DIR_FSYNC`.
const NOT_KEPT: [&str; 2] = ["1034", "1290"];

/// Watches one file.
#[derive(Debug, Clone)]
pub(super) struct FileGuard(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    file: PathBuf,
    /// Device and number; none of what has no file.
    identity: Option<(u64, u64)>,
    /// From the first failure until the process ends: what the disk has now, nobody knows.
    unkept: AtomicBool,
}

impl FileGuard {
    /// Of a file that SQLite has just opened.
    pub(super) fn of(file: &Path) -> Self {
        let watched =
            Watched { identity: identity(file), file: file.to_owned(), unkept: AtomicBool::new(false) };
        Self(Arc::new(watched))
    }

    /// Whether it is there.
    pub(super) fn is_there(&self) -> Result<(), StoreError> {
        if self.0.identity.is_none() || identity(&self.0.file) == self.0.identity {
            return Ok(());
        }
        Err(StoreError::Gone { file: self.0.file.clone() })
    }

    /// Whether what is written to it stays.
    pub(super) fn is_sound(&self) -> Result<(), StoreError> {
        self.is_there()?;
        if self.0.unkept.load(Ordering::SeqCst) { Err(StoreError::Unkept) } else { Ok(()) }
    }

    /// What a commit came to.
    pub(super) fn judge(&self, committed: Result<(), sqlx::Error>) -> Result<(), StoreError> {
        let Err(error) = committed else { return Ok(()) };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| NOT_KEPT.contains(&code.as_ref())) {
            self.0.unkept.store(true, Ordering::SeqCst);
            tracing::error!(%error, file = %self.0.file.display(), "store: {}", StoreError::Unkept);
            return Err(StoreError::Unkept);
        }
        Err(error.into())
    }
}

fn identity(file: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(file).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
