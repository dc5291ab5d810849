//! Backups: a whole database as one file, and back.
//!
//! Neither goes through an open [`Store`](super::Store): a backup is taken beside a host that runs, a restore while none does. A
//! backup of SQLite is an SQLite database again; one of PostgreSQL is the rows of every table as `COPY` writes them (`archive.rs`).
//!
//! **Another life.** With the same step by which the old rows are back, the database begins another life
//! (`installation.incarnation`): from that, agents learn why their host has lost what it had acknowledged, and send it again.
//!
//! **Crash.** A backup has its name once it is whole and on the disk. A restore is one transaction in PostgreSQL, and in SQLite a
//! rename of a file that was made ready beside the database.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Dialect, NewAuditRow, StoreError, Tx, make_private};
use crate::clock::Clock;

mod archive;
mod postgres;
mod sqlite;

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The life that the database has begun.
    pub incarnation: Uuid,
    /// Where the database of before is, if it is a file.
    pub former: Option<PathBuf>,
}

/// Writes all that the database at `url` holds into a new file.
pub async fn back_up(url: &str, file: &Path) -> Result<(), StoreError> {
    if file.exists() {
        let taken = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StoreError::file("write the backup", file, taken));
    }
    let draft = beside(file, ".part");
    let written = match Dialect::of_url(url)? {
        Dialect::Sqlite => sqlite::back_up(url, &draft).await,
        Dialect::Postgres => postgres::back_up(url, &draft).await,
    };
    let placed = written.and_then(|()| {
        let opened = std::fs::File::open(&draft).and_then(|file| file.sync_all());
        opened
            .and_then(|()| put(&draft, file))
            .map_err(|error| StoreError::file("write the backup", file, error))
    });
    if placed.is_err() {
        drop(std::fs::remove_file(&draft));
    }
    placed
}

/// Puts a backup in the place of all that the database at `url` holds, and begins another life of it. No host may run on it.
/// `note` goes into the activity log with it.
pub async fn restore(
    url: &str,
    file: &Path,
    clock: &dyn Clock,
    note: NewAuditRow,
) -> Result<Restored, StoreError> {
    match Dialect::of_url(url)? {
        Dialect::Sqlite => sqlite::restore(url, file, clock, note).await,
        Dialect::Postgres => postgres::restore(url, file, clock, note).await,
    }
}

/// What stands in the database from a restore on.
async fn begin_another_life(
    tx: &mut Tx,
    file: &Path,
    clock: &dyn Clock,
    note: NewAuditRow,
) -> Result<Uuid, StoreError> {
    let Some(installation) = tx.installation().begin_another_life(clock).await? else {
        return Err(StoreError::no_backup(file, "it holds no installation of Keelson"));
    };
    let note = NewAuditRow { organization_uid: Some(installation.uid), ..note };
    tx.audit().add(&note).await?;
    Ok(installation.incarnation)
}

/// A file's name with more at its end.
fn beside(file: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(more);
    name.into()
}

/// An empty file for nobody but its owner, in the place of what an attempt before may have left.
fn fresh(draft: &Path) {
    drop(std::fs::remove_file(draft));
    make_private(draft);
}

/// Renames, for good.
fn put(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
