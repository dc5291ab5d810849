//! The durable spool: one SQLite file, one connection, every commit synced.

mod contents;
mod known;
mod replay;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keelson_proto::v1::{Batch, CommandResult, Gap};
use prost::Message as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::Mutex;
use tracing::warn;

use super::{
    Answer, Appended, Heard, Incarnation, Limits, MEMORY, Position, Spool, SpoolError, answers, both,
    earliest, first_epoch,
};
use crate::clock::Clock;
use crate::inventory::{Addition, Digest, Known};
use contents::{check_contents, seal, unsealed};
use known::{known_rows, learn, object_id};

/// Stands in `user_version`.
pub(super) const FORMAT: i64 = 3;

// Integers are signed in SQLite; epochs are milliseconds and sequences count, so both stay far below 2^63.
const SCHEMA: &str = "
CREATE TABLE position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    last INTEGER NOT NULL,
    inventory_due INTEGER NOT NULL,
    heard_epoch INTEGER NOT NULL DEFAULT 0,
    heard_sequence INTEGER NOT NULL DEFAULT 0,
    heard_at INTEGER NOT NULL DEFAULT 0,
    incarnation BLOB,
    gap BLOB
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
";
/// What each format lacked that the next one has.
const SINCE: &[(i64, &str)] = &[
    // SQLite does not notice a bit that turned over within a value. Batches of before have no digest.
    (1, "ALTER TABLE batch ADD COLUMN digest BLOB"),
    (
        2,
        "ALTER TABLE position ADD COLUMN heard_epoch INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE position ADD COLUMN heard_sequence INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE position ADD COLUMN heard_at INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE position ADD COLUMN incarnation BLOB;
         ALTER TABLE position ADD COLUMN gap BLOB;
         UPDATE position SET heard_epoch = epoch, heard_sequence = acknowledged WHERE acknowledged > 0",
    ),
];

const BEGIN_EPOCH: &str = "INSERT INTO position (only, epoch, acknowledged, last, inventory_due)
    VALUES (1, $1, 0, 0, 1)
    ON CONFLICT (only) DO UPDATE SET epoch = max($1, epoch + 1), acknowledged = 0, last = 0, inventory_due = 1
    RETURNING epoch";
const SET_GAP: &str = "UPDATE position SET gap = $1";
const HOLDS: &str = "UPDATE position SET heard_epoch = $1, heard_sequence = $2";
const GAP: &str = "SELECT gap FROM position";
const MEET: &str = "UPDATE position SET incarnation = $1";
const POSITION: &str =
    "SELECT epoch, acknowledged, last, inventory_due, (SELECT MIN(sequence) FROM batch) AS oldest,
    heard_epoch, heard_sequence, heard_at, incarnation FROM position";
const WAITING_BYTES: &str = "SELECT COALESCE(SUM(bytes), 0) FROM batch WHERE sequence > $1";
const INSERT_BATCH: &str = "INSERT INTO batch (sequence, bytes, payload, digest) VALUES ($1, $2, $3, $4)";
const MOVE_LAST: &str =
    "UPDATE position SET last = $1, inventory_due = CASE WHEN $2 THEN 0 ELSE inventory_due END";
const READ: &str = "SELECT payload, digest FROM batch, position
    WHERE position.epoch = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
const ACKNOWLEDGE: &str =
    "UPDATE position SET acknowledged = $1, heard_epoch = epoch, heard_sequence = $1, heard_at = $2,
    gap = NULL";

/// A spool in a file.
#[derive(Debug)]
pub(super) struct SqliteSpool {
    limits: Limits,
    connection: Mutex<SqliteConnection>,
}

impl SqliteSpool {
    pub(super) async fn open(path: &Path, limits: Limits, clock: &dyn Clock) -> Result<Self, SpoolError> {
        let connection = match connect(path, &limits, clock).await {
            Err(error) if error.is_corrupt() => {
                warn!(error = %crate::error::chain(&error), "the spool is damaged: it is moved aside and everything is sent again");
                move_aside(path).map_err(SpoolError::Aside)?;
                connect(path, &limits, clock).await?
            }
            other => other?,
        };
        Ok(Self { limits, connection: Mutex::new(connection) })
    }
}

#[tonic::async_trait]
impl Spool for SqliteSpool {
    async fn position(&self) -> Result<Position, SpoolError> {
        let mut connection = self.connection.lock().await;
        Ok(position(&mut connection).await.map_err(step("read"))?.0)
    }

    async fn known(&self) -> Result<Known, SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("read"))?;
        let (position, inventory_due) = position(&mut transaction).await.map_err(step("read"))?;
        let rows = known_rows(&mut transaction).await.map_err(step("read"))?;
        let gap = gap(&mut transaction).await.map_err(step("read"))?;
        let objects = rows.into_iter().filter_map(|(server, workload, point, kind, digest)| {
            // What cannot be read counts as not known, and is told again.
            let digest = Digest::try_from(digest).ok()?;
            Some((object_id(kind, server, workload, point)?, digest))
        });
        Ok(Known { epoch: position.epoch, inventory_due, gap, objects: objects.collect() })
    }

    async fn append(&self, epoch: u64, addition: &Addition) -> Result<Appended, SpoolError> {
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
        let waiting: i64 = sqlx::query_scalar(WAITING_BYTES)
            .bind(signed(position.acknowledged))
            .fetch_one(&mut *transaction)
            .await
            .map_err(step("write"))?;
        // A full inventory is the least that can be kept, whatever the bound; dropping the transaction undoes it all.
        if !addition.completes && waiting > signed(self.limits.waiting) {
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

    async fn read(&self, epoch: u64, sequence: u64, count: u32) -> Result<Vec<Batch>, SpoolError> {
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

    async fn acknowledge(&self, epoch: u64, sequence: u64, clock: &dyn Clock) -> Result<(), SpoolError> {
        let now = clock.now_ms();
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("write"))?;
        let (position, _) = position(&mut transaction).await.map_err(step("write"))?;
        let sequence = sequence.min(position.last);
        if position.epoch != epoch || sequence <= position.acknowledged {
            return Ok(());
        }
        let (from, to) = (signed(position.acknowledged), signed(sequence));
        replay::mark(&mut transaction, (from, to), now).await.map_err(step("write"))?;
        replay::shrink(&mut transaction, &self.limits.replay, now).await.map_err(step("write"))?;
        let query = sqlx::query(ACKNOWLEDGE).bind(to).bind(now);
        query.execute(&mut *transaction).await.map_err(step("write"))?;
        transaction.commit().await.map_err(step("write"))
    }

    async fn meet(&self, incarnation: Incarnation) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        let query = sqlx::query(MEET).bind(incarnation.as_slice());
        query.execute(&mut *connection).await.map_err(step("write"))?;
        Ok(())
    }

    async fn remember(&self, answer: &Answer, clock: &dyn Clock) -> Result<(), SpoolError> {
        let now = clock.now_ms();
        let mut connection = self.connection.lock().await;
        answers::remember(&mut connection, answer, now, now - MEMORY).await.map_err(step("write"))
    }

    async fn recall(&self, uid: &[u8]) -> Result<Option<CommandResult>, SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::recall(&mut connection, uid).await.map_err(step("read"))
    }

    async fn unheard(&self) -> Result<Vec<Answer>, SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::unheard(&mut connection).await.map_err(step("read"))
    }

    async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::heard(&mut connection, uid).await.map_err(step("write"))
    }

    async fn forget(&self, uid: &[u8]) -> Result<(), SpoolError> {
        let mut connection = self.connection.lock().await;
        answers::forget(&mut connection, uid).await.map_err(step("write"))
    }

    async fn begin_epoch(&self, floor: u64, lost: Option<Gap>, clock: &dyn Clock) -> Result<u64, SpoolError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await.map_err(step("write"))?;
        if let Some(gap) = lost {
            let query = sqlx::query(HOLDS).bind(signed(gap.held_epoch)).bind(signed(gap.held_sequence));
            query.execute(&mut *transaction).await.map_err(step("write"))?;
        }
        let lost = both(gap(&mut transaction).await.map_err(step("write"))?, lost);
        for statement in ["DELETE FROM batch", "DELETE FROM acknowledged", "DELETE FROM known"] {
            sqlx::query(statement).execute(&mut *transaction).await.map_err(step("write"))?;
        }
        let epoch: i64 = sqlx::query_scalar(BEGIN_EPOCH)
            .bind(signed(earliest(floor, clock)))
            .fetch_one(&mut *transaction)
            .await
            .map_err(step("write"))?;
        let query = sqlx::query(SET_GAP).bind(lost.map(|gap| gap.encode_to_vec()));
        query.execute(&mut *transaction).await.map_err(step("write"))?;
        transaction.commit().await.map_err(step("write"))?;
        Ok(unsigned(epoch))
    }
}

async fn connect(path: &Path, limits: &Limits, clock: &dyn Clock) -> Result<SqliteConnection, SpoolError> {
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
    if format < FORMAT {
        bring_up(&mut connection, format, clock).await.map_err(step("create"))?;
    }
    sqlx::raw_sql(answers::SCHEMA).execute(&mut connection).await.map_err(step("create"))?;
    check_contents(&mut connection).await?;
    replay::shrink(&mut connection, &limits.replay, clock.now_ms()).await.map_err(step("write"))?;
    Ok(connection)
}

/// Makes a new file's tables, or brings those of an agent of before up to this format.
async fn bring_up(
    connection: &mut SqliteConnection,
    format: i64,
    clock: &dyn Clock,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    if format == 0 {
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        sqlx::query(BEGIN_EPOCH).bind(signed(first_epoch(clock))).execute(&mut *transaction).await?;
    } else {
        for (_, change) in SINCE.iter().filter(|(before, _)| *before >= format) {
            sqlx::raw_sql(*change).execute(&mut *transaction).await?;
        }
    }
    sqlx::raw_sql(replay::SCHEMA).execute(&mut *transaction).await?;
    sqlx::raw_sql("PRAGMA user_version = 3").execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn position(connection: &mut SqliteConnection) -> Result<(Position, bool), sqlx::Error> {
    let row = sqlx::query(POSITION).fetch_one(connection).await?;
    let number = |column| row.try_get::<i64, _>(column).map(unsigned);
    let last = number("last")?;
    let oldest: Option<i64> = row.try_get("oldest")?;
    let incarnation: Option<Vec<u8>> = row.try_get("incarnation")?;
    let position = Position {
        epoch: number("epoch")?,
        acknowledged: number("acknowledged")?,
        last,
        reaches: oldest.map_or(last, |oldest| unsigned(oldest - 1)),
        heard: Heard {
            epoch: number("heard_epoch")?,
            sequence: number("heard_sequence")?,
            at: row.try_get("heard_at")?,
        },
        incarnation: incarnation.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
    };
    Ok((position, row.try_get("inventory_due")?))
}

/// What the host lost for good and has not acknowledged to know.
async fn gap(connection: &mut SqliteConnection) -> Result<Option<Gap>, sqlx::Error> {
    let gap: Option<Vec<u8>> = sqlx::query_scalar(GAP).fetch_one(connection).await?;
    gap.map(|gap| Gap::decode(gap.as_slice()).map_err(|error| sqlx::Error::Decode(error.into()))).transpose()
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
