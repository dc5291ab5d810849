//! The durable spool: one SQLite file, one connection, every commit synced.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use keelson_proto::v1::{Batch, CommandResult};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Mutex;
use tracing::warn;

use super::{Answer, Appended, Position, SpoolError, answers, first_epoch};
use crate::clock::Clock;
use crate::inventory::{Addition, CloudKind, Digest, Known, ObjectId};

/// Stands in `user_version`.
pub(super) const FORMAT: i64 = 2;

// Integers are signed in SQLite; epochs are milliseconds and sequences count, so both stay far below 2^63.
const SCHEMA: &str = "
CREATE TABLE position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    last INTEGER NOT NULL,
    inventory_due INTEGER NOT NULL
) STRICT;
CREATE TABLE batch (
    sequence INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL,
    digest BLOB
) STRICT;
CREATE TABLE known (
    server TEXT NOT NULL,
    workload TEXT NOT NULL,
    point TEXT NOT NULL,
    kind INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (server, workload, point, kind)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
";
/// What format 1 lacked: SQLite does not notice a bit that turned over within a value. Batches of before have none.
const FROM_1: &str = "ALTER TABLE batch ADD COLUMN digest BLOB; PRAGMA user_version = 2;";

const BEGIN_EPOCH: &str = "INSERT INTO position (only, epoch, acknowledged, last, inventory_due)
    VALUES (1, $1, 0, 0, 1)
    ON CONFLICT (only) DO UPDATE SET epoch = max($1, epoch + 1), acknowledged = 0, last = 0, inventory_due = 1
    RETURNING epoch";
const POSITION: &str = "SELECT epoch, acknowledged, last, inventory_due FROM position";
const STORED_BYTES: &str = "SELECT COALESCE(SUM(bytes), 0) FROM batch";
const INSERT_BATCH: &str = "INSERT INTO batch (sequence, bytes, payload, digest) VALUES ($1, $2, $3, $4)";
const MOVE_LAST: &str =
    "UPDATE position SET last = $1, inventory_due = CASE WHEN $2 THEN 0 ELSE inventory_due END";
const LEARN: &str = "INSERT INTO known (server, workload, point, kind, digest) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (server, workload, point, kind) DO UPDATE SET digest = excluded.digest";
const FORGET: &str = "DELETE FROM known WHERE server = $1 AND workload = $2 AND point = $3 AND kind = $4";
const KNOWN: &str = "SELECT server, workload, point, kind, digest FROM known";
const READ: &str = "SELECT payload, digest FROM batch, position
    WHERE position.epoch = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
const READ_ALL: &str = "SELECT sequence, payload, digest FROM batch ORDER BY sequence";
const DELETE_ACKNOWLEDGED: &str = "DELETE FROM batch WHERE sequence <= $1";
const ACKNOWLEDGE: &str = "UPDATE position SET acknowledged = max(acknowledged, min($1, last))";

/// A spool in a file.
#[derive(Debug)]
pub struct SqliteSpool {
    limit: u64,
    connection: Mutex<SqliteConnection>,
}

impl SqliteSpool {
    pub(super) async fn open(path: &Path, limit: u64, clock: &dyn Clock) -> Result<Self, SpoolError> {
        let connection = match connect(path, clock).await {
            Err(error) if error.is_corrupt() => {
                warn!(error = %crate::error::chain(&error), "the spool is damaged: it is moved aside and everything is sent again");
                move_aside(path).map_err(SpoolError::Aside)?;
                connect(path, clock).await?
            }
            other => other?,
        };
        Ok(Self { limit, connection: Mutex::new(connection) })
    }

    pub(super) async fn position(&self) -> Result<Position, SpoolError> {
        let mut connection = self.connection.lock().await;
        Ok(position(&mut connection).await.map_err(step("read"))?.0)
    }

    pub(super) async fn known(&self) -> Result<Known, SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("read"))?;
        let (position, inventory_due) = position(&mut transaction).await.map_err(step("read"))?;
        let rows = known_rows(&mut transaction).await.map_err(step("read"))?;
        let objects = rows.into_iter().filter_map(|(server, workload, point, kind, digest)| {
            // What cannot be read counts as not known, and is told again.
            let digest = Digest::try_from(digest).ok()?;
            Some((object_id(kind, server, workload, point)?, digest))
        });
        Ok(Known { epoch: position.epoch, inventory_due, objects: objects.collect() })
    }

    pub(super) async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("write"))?;
        let (position, _) = position(&mut transaction).await.map_err(step("write"))?;
        if position.epoch != epoch {
            return Ok(Appended::Superseded);
        }
        let mut last = position.last;
        for records in &addition.batches {
            last += 1;
            let payload = Batch { epoch, sequence: last, records: records.clone() }.encode_to_vec();
            sqlx::query(INSERT_BATCH)
                .bind(signed(last))
                .bind(signed(payload.len() as u64))
                .bind(payload.as_slice())
                .bind(seal(&payload).as_slice())
                .execute(&mut *transaction)
                .await
                .map_err(step("write"))?;
        }
        let stored: i64 =
            sqlx::query_scalar(STORED_BYTES).fetch_one(&mut *transaction).await.map_err(step("write"))?;
        // A full inventory is the least that can be kept, whatever the bound; dropping the transaction undoes it all.
        if !addition.completes && stored > signed(self.limit) {
            return Ok(Appended::Full);
        }
        learn(&mut transaction, addition).await.map_err(step("write"))?;
        sqlx::query(MOVE_LAST)
            .bind(signed(last))
            .bind(addition.completes)
            .execute(&mut *transaction)
            .await
            .map_err(step("write"))?;
        transaction.commit().await.map_err(step("write"))?;
        Ok(Appended::Stored)
    }

    pub(super) async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError> {
        let mut connection = self.connection.lock().await;
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = sqlx::query_as(READ)
            .bind(signed(epoch))
            .bind(signed(sequence))
            .bind(i64::from(count))
            .fetch_all(&mut *connection)
            .await
            .map_err(step("read"))?;
        rows.iter().map(|(payload, digest)| unsealed(payload, digest.as_deref())).collect()
    }

    pub(super) async fn acknowledge(&self, epoch: u64, sequence: u64) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("write"))?;
        let (position, _) = position(&mut transaction).await.map_err(step("write"))?;
        if position.epoch != epoch {
            return Ok(());
        }
        for statement in [DELETE_ACKNOWLEDGED, ACKNOWLEDGE] {
            let query = sqlx::query(statement).bind(signed(sequence));
            query.execute(&mut *transaction).await.map_err(step("write"))?;
        }
        transaction.commit().await.map_err(step("write"))
    }

    pub(super) async fn remember(&self, answer: &Answer, now: i64, oldest: i64) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::remember(&mut connection, answer, now, oldest).await.map_err(step("write"))
    }

    pub(super) async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::recall(&mut connection, uid).await.map_err(step("read"))
    }

    pub(super) async fn unheard(&self) -> Result<Vec<Answer>, SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::unheard(&mut connection).await.map_err(step("read"))
    }

    pub(super) async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::heard(&mut connection, uid).await.map_err(step("write"))
    }

    pub(super) async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::forget(&mut connection, uid).await.map_err(step("write"))
    }

    pub(super) async fn begin_epoch(&self, earliest: u64) -> Result<u64, SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("write"))?;
        for statement in ["DELETE FROM batch", "DELETE FROM known"] {
            sqlx::query(statement).execute(&mut *transaction).await.map_err(step("write"))?;
        }
        let epoch: i64 = sqlx::query_scalar(BEGIN_EPOCH)
            .bind(signed(earliest))
            .fetch_one(&mut *transaction)
            .await
            .map_err(step("write"))?;
        transaction.commit().await.map_err(step("write"))?;
        Ok(unsigned(epoch))
    }
}

async fn connect(path: &Path, clock: &dyn Clock) -> Result<SqliteConnection, SpoolError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10));
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(step("open"))?;
    let check: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await.map_err(step("open"))?;
    if check != "ok" {
        return Err(SpoolError::Corrupt(sqlx::Error::Protocol(check)));
    }
    let format: i64 =
        sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await.map_err(step("open"))?;
    if format > FORMAT {
        return Err(SpoolError::Format(format));
    }
    if format == 0 {
        let mut transaction = connection.begin().await.map_err(step("create"))?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await.map_err(step("create"))?;
        let first = sqlx::query(BEGIN_EPOCH).bind(signed(first_epoch(clock)));
        first.execute(&mut *transaction).await.map_err(step("create"))?;
        transaction.commit().await.map_err(step("create"))?;
    }
    if format == 1 {
        let mut transaction = connection.begin().await.map_err(step("create"))?;
        sqlx::raw_sql(FROM_1).execute(&mut *transaction).await.map_err(step("create"))?;
        transaction.commit().await.map_err(step("create"))?;
    }
    sqlx::raw_sql(answers::SCHEMA).execute(&mut connection).await.map_err(step("create"))?;
    check_contents(&mut connection).await?;
    Ok(connection)
}

/// SQLite has checked how the file hangs together, not what stands in it. What could not be read later would stop the agent
/// each time it comes to it; found here, the spool is begun anew.
async fn check_contents(connection: &mut SqliteConnection) -> Result<(), SpoolError> {
    let torn = |what: &str| SpoolError::Corrupt(sqlx::Error::Protocol(what.to_owned()));
    let (position, _) = position(connection).await.map_err(step("open"))?;
    known_rows(connection).await.map_err(step("open"))?;
    answers::unheard(connection).await.map_err(step("open"))?;
    let mut next = position.acknowledged;
    let mut rows = sqlx::query_as::<_, (i64, Vec<u8>, Option<Vec<u8>>)>(READ_ALL).fetch(&mut *connection);
    while let Some((sequence, payload, digest)) = rows.try_next().await.map_err(step("open"))? {
        let batch = unsealed(&payload, digest.as_deref())?;
        next += 1;
        if (batch.epoch, batch.sequence, sequence) != (position.epoch, next, signed(next)) {
            return Err(torn("a batch is not where it belongs"));
        }
    }
    if next == position.last { Ok(()) } else { Err(torn("batches are missing")) }
}

/// What stands with a batch, so that it is noticed when it changes.
fn seal(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

/// A batch, if it is what was put in.
fn unsealed(payload: &[u8], digest: Option<&[u8]>) -> Result<Batch, SpoolError> {
    if digest.is_some_and(|digest| digest != seal(payload)) {
        return Err(SpoolError::Corrupt(sqlx::Error::Protocol("a batch has changed".to_owned())));
    }
    Batch::decode(payload).map_err(SpoolError::Decode)
}

type KnownRow = (String, String, String, i64, Vec<u8>);

async fn known_rows(connection: &mut SqliteConnection) -> Result<Vec<KnownRow>, sqlx::Error> {
    sqlx::query_as(KNOWN).fetch_all(connection).await
}

async fn position(connection: &mut SqliteConnection) -> Result<(Position, bool), sqlx::Error> {
    let (epoch, acknowledged, last, due): (i64, i64, i64, bool) =
        sqlx::query_as(POSITION).fetch_one(connection).await?;
    let position =
        Position { epoch: unsigned(epoch), acknowledged: unsigned(acknowledged), last: unsigned(last) };
    Ok((position, due))
}

async fn learn(transaction: &mut Transaction<'_, Sqlite>, addition: &Addition) -> Result<(), sqlx::Error> {
    for (id, digest) in &addition.known {
        let (kind, server, workload, point) = columns(id);
        let query = sqlx::query(if digest.is_some() { LEARN } else { FORGET });
        let query = query.bind(server).bind(workload).bind(point).bind(kind);
        let query = match digest {
            Some(digest) => query.bind(digest.as_slice()),
            None => query,
        };
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Kinds of a Cloud Connect server's things begin here.
const CLOUD: i64 = 20;

/// What has no workload has its own key in that place.
fn columns(id: &ObjectId) -> (i64, &str, &str, &str) {
    match id {
        ObjectId::Server(server) => (1, server, "", ""),
        ObjectId::Workload(server, workload) => (2, server, workload, ""),
        ObjectId::RestorePoint(server, workload, point) => (3, server, workload, point),
        ObjectId::Repository(server, key) => (4, server, key, ""),
        ObjectId::Job(server, key) => (5, server, key, ""),
        ObjectId::Backup(server, workload, key) => (6, server, workload, key),
        ObjectId::License(server) => (7, server, "", ""),
        ObjectId::Session(server, key) => (8, server, key, ""),
        ObjectId::Machine => (9, "", "", ""),
        ObjectId::Vb365(key) => (10, "", key, ""),
        ObjectId::Cloud(kind, server, key, second) => {
            let place = CloudKind::ALL.iter().position(|one| one == kind).unwrap_or_default();
            (CLOUD + i64::try_from(place).unwrap_or_default(), server, key, second)
        }
    }
}

fn object_id(kind: i64, server: String, workload: String, point: String) -> Option<ObjectId> {
    Some(match kind {
        1 => ObjectId::Server(server),
        2 => ObjectId::Workload(server, workload),
        3 => ObjectId::RestorePoint(server, workload, point),
        4 => ObjectId::Repository(server, workload),
        5 => ObjectId::Job(server, workload),
        6 => ObjectId::Backup(server, workload, point),
        7 => ObjectId::License(server),
        8 => ObjectId::Session(server, workload),
        9 => ObjectId::Machine,
        10 => ObjectId::Vb365(workload),
        _ => {
            let kind = *CloudKind::ALL.get(usize::try_from(kind - CLOUD).ok()?)?;
            ObjectId::Cloud(kind, server, workload, point)
        }
    })
}

/// Moves the damaged file away, for whoever wants to look at it, and its journals with it.
fn move_aside(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let with = |more: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!("{more}{suffix}"));
            PathBuf::from(name)
        };
        match std::fs::rename(with(""), with(".damaged")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Names the step that failed, and tells damage (`SQLITE_CORRUPT`, `SQLITE_NOTADB`) from trouble that passes.
fn step(action: &'static str) -> impl FnOnce(sqlx::Error) -> SpoolError {
    move |error| {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        // A row that is missing, or a text that is none any more.
        let unreadable = matches!(
            error,
            sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
        );
        if unreadable || matches!(code.map(|code| code & 0xff), Some(11 | 26)) {
            SpoolError::Corrupt(error)
        } else {
            SpoolError::Database(action, error)
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
impl SqliteSpool {
    /// Pretends to be a later agent's file.
    pub(super) async fn raise_format(&self) {
        let mut connection = self.connection.lock().await;
        sqlx::raw_sql("PRAGMA user_version = 9").execute(&mut *connection).await.unwrap();
    }
}
