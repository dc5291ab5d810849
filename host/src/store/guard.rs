//! Whether the files beneath an SQLite database, its journal's among them, are still those that were opened, and keep what is
//! written to them.
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

/// Watches a database's files.
#[derive(Debug, Clone)]
pub(super) struct FileGuard(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    /// The database's own, and its journal's.
    files: [(PathBuf, Identity); 2],
    /// The database was closed: SQLite takes the journal away itself.
    closed: AtomicBool,
    /// From the first failure until the process ends: what the disk has now, nobody knows.
    unkept: AtomicBool,
}

/// Device and number; none of what has no file.
type Identity = Option<(u64, u64)>;

impl FileGuard {
    /// Of a database that SQLite has just opened and holds open: when nobody does, it exchanges the journal's file itself.
    pub(super) fn of(file: &Path) -> Self {
        let mut journal = file.to_owned();
        journal.as_mut_os_string().push("-wal");
        let files = [file.to_owned(), journal].map(|file| {
            let identity = identity(&file);
            (file, identity)
        });
        Self(Arc::new(Watched { files, closed: AtomicBool::new(false), unkept: AtomicBool::new(false) }))
    }

    /// The database is about to be closed.
    pub(super) fn release(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
    }

    /// Whether they are there.
    pub(super) fn is_there(&self) -> Result<(), StoreError> {
        let gone = |(file, opened): &&(PathBuf, Identity)| opened.is_some() && identity(file) != *opened;
        let mut watched = self.0.files.iter().filter(|_| !self.0.closed.load(Ordering::SeqCst));
        match watched.find(gone) {
            Some((file, _)) => Err(StoreError::Gone { file: file.clone() }),
            None => Ok(()),
        }
    }

    /// Whether what is written to them stays.
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
            tracing::error!(%error, file = %self.0.files[0].0.display(), "store: {}", StoreError::Unkept);
            return Err(StoreError::Unkept);
        }
        Err(error.into())
    }
}

fn identity(file: &Path) -> Identity {
    std::fs::metadata(file).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
