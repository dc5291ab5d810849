//! What can go wrong with a database, sorted by what the caller can do about it.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

use super::limit;
use crate::error::Error;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no database that is known here.
    #[error("the database URL must begin with 'sqlite:' or 'postgres:'")]
    Url,
    /// It could not be opened.
    #[error(
        "cannot open the database at {url}; check that the place exists and that this user may read and write it"
    )]
    Open {
        /// Without its password.
        url: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// Its schema is of a version this host does not know.
    #[error(
        "the database was written by a newer Keelson (it has migration {migration}, which this version does not know); \
         start that version again, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The first migration that is not known here.
        migration: i64,
    },
    /// Bringing its schema up to date failed.
    #[error("cannot bring the database's schema up to date")]
    Migrate(#[source] MigrateError),
    /// It is away, busy or locked; later may be better.
    #[error("the database does not answer")]
    Unavailable {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// No room is left.
    #[error("the database is full")]
    Full {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A unique key is taken, or a row that is referred to is absent.
    #[error("the constraint {constraint} does not hold")]
    Conflict {
        /// Its name, or its columns.
        constraint: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A secret could not be sealed.
    #[error("a secret cannot be stored")]
    Seal(#[from] crate::seal::SealError),
    /// A read took longer than reads may.
    #[error("the database was still searching when its time was over")]
    Slow {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// Whoever asked for it has cancelled it.
    #[error("the action was cancelled before its change was made")]
    Canceled,
    /// Somebody took the file from beneath the host.
    #[error(
        "the database's file {} was removed or replaced while it was open: stop the host, put the file back or restore a backup \
         with `keelson db restore`, and start the host again",
        file.display()
    )]
    Gone {
        /// Where it was.
        file: PathBuf,
    },
    /// The disk answered a sync with an error. What it has of the last writes, nobody can say.
    #[error(
        "the disk did not keep what was written to the database, so nothing is written any more: check the disk, then start the \
         host again"
    )]
    Unkept,
    /// What the database reads is not what it wrote.
    #[error(
        "the database is damaged: stop the host, keep a copy of the database, and restore a backup with `keelson db restore`"
    )]
    Damaged {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// The code that wrote has panicked; nothing of it is in the database.
    #[error("the host failed while it wrote")]
    Panicked,
    /// A file that is not as it should be for a restore.
    #[error("{} cannot be restored: {why}", file.display())]
    NoBackup {
        /// The backup.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of a backup or a restore cannot be read or written.
    #[error("cannot {what} {}", file.display())]
    File {
        /// What was to be done.
        what: &'static str,
        /// To which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Somebody is at a database that has to be alone.
    #[error(
        "{others} other connections are open to this database; stop every keelson that uses it, and whatever else does"
    )]
    InUse {
        /// How many.
        others: i64,
    },
    /// A restore would take away what is not ours.
    #[error("the database holds tables that are not Keelson's; restore into an empty one")]
    Foreign,
    /// Anything else: a fault of the host.
    #[error("the database refused a statement")]
    Statement(#[source] sqlx::Error),
}

impl StoreError {
    pub(super) fn opening(url: &str, source: sqlx::Error) -> Self {
        if is_damage(&source) {
            return Self::Damaged { source };
        }
        Self::Open { url: without_password(url), source }
    }

    pub(super) fn no_backup(file: &Path, why: &str) -> Self {
        Self::NoBackup { file: file.to_owned(), why: why.to_owned() }
    }

    pub(super) fn file(what: &'static str, file: &Path, source: std::io::Error) -> Self {
        Self::File { what, file: file.to_owned(), source }
    }

    pub(super) fn migrating(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(migration) | MigrateError::VersionTooNew(migration, _) => {
                Self::Newer { migration }
            }
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
                if is_damage(&source) =>
            {
                Self::Damaged { source }
            }
            other => Self::Migrate(other),
        }
    }

    /// The host stops, and writes no more.
    pub(crate) fn closed() -> Self {
        Self::Unavailable { source: sqlx::Error::PoolClosed }
    }

    /// The database could not be written to, as somebody else was told already.
    pub(crate) fn unavailable(why: String) -> Self {
        Self::Unavailable { source: sqlx::Error::Io(std::io::Error::other(why)) }
    }

    /// Whether what was to be written is at fault, and would be at any time and with any database. Whatever else a database refuses,
    /// it may take when it is well again.
    pub fn is_of_the_data(&self) -> bool {
        let Self::Statement(source) = self else {
            return matches!(self, Self::Conflict { .. } | Self::Panicked);
        };
        let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
        match code.as_deref() {
            // A value that does not fit, a constraint, a statement that is too large.
            Some(code) if code.len() == 5 => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
            // SQL logic (a sum that overflows), too big, constraint, mismatch.
            Some(code) => matches!(primary(code), Some(1 | 18 | 19 | 20)),
            // What the driver could not encode.
            None => true,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Gone { .. } | Self::Unkept)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        let Some(database) = source.as_database_error() else {
            return match source {
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::WorkerCrashed => Self::Unavailable { source },
                _ => Self::Statement(source),
            };
        };
        if database.is_unique_violation() || database.is_foreign_key_violation() {
            let constraint = database.constraint().unwrap_or_else(|| database.message()).to_owned();
            return Self::Conflict { constraint, source };
        }
        match database.code().as_deref() {
            // What was a database when it was opened and is none any more is damaged, too.
            Some("26") => Self::Damaged { source },
            _ if is_damage(&source) => Self::Damaged { source },
            Some(code) if limit::CODES.contains(&code) => Self::Slow { source },
            Some(code) if is_busy(code) => Self::Unavailable { source },
            Some("13" | "53100") => Self::Full { source },
            _ => Self::Statement(source),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::Unavailable {
                message: "the database does not answer; try again in a moment".to_owned(),
                source: Some(Box::new(error)),
            },
            StoreError::Gone { .. } | StoreError::Unkept => {
                Self::Unavailable { message: error.to_string(), source: Some(Box::new(error)) }
            }
            StoreError::Full { .. } => Self::StorageFull(Box::new(error)),
            StoreError::Conflict { ref constraint, .. } => Self::Conflict {
                message: format!(
                    "another entry with the same key exists already ({constraint}); choose another"
                ),
            },
            StoreError::Slow { .. } => Self::Slow {
                message: "the database searched for too long and was stopped; ask for less, or filter by what it has an \
                    index of"
                    .to_owned(),
            },
            StoreError::Canceled => Self::Conflict { message: error.to_string() },
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// The primary code of SQLite: the low byte of an extended one.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// SQLite: corrupt. PostgreSQL: a page or an index that contradicts itself.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some("XX001" | "XX002") => true,
        Some(code) => code.len() < 5 && primary(code) == Some(11),
        None => false,
    }
}

/// SQLite: busy, locked, I/O error, cannot open. PostgreSQL: class 08 (connection), 53 (resources, but for the full disk),
/// 57P (shutting down), a serialization failure, a deadlock, or a database that is not there: a host that runs has seen it,
/// so it is being restored or moved.
fn is_busy(code: &str) -> bool {
    if code.len() == 5 {
        return code != "53100"
            && (code.starts_with("08")
                || code.starts_with("53")
                || code.starts_with("57P")
                || matches!(code, "40001" | "40P01" | "3D000"));
    }
    matches!(primary(code), Some(5 | 6 | 10 | 14))
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{place}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_a_message_has_no_password() {
        assert_eq!(without_password("postgres://me:secret@db/keelson"), "postgres://me:***@db/keelson");
        assert_eq!(without_password("sqlite:/var/keelson.db"), "sqlite:/var/keelson.db");
    }

    #[test]
    fn a_busy_database_is_told_from_a_broken_statement() {
        assert!(is_busy("5") && is_busy("517") && is_busy("40001") && is_busy("57P01"));
        assert!(!is_busy("1") && !is_busy("42601") && !is_busy("53100"));
    }
}
