//! The replay window: what was acknowledged stays with the batches that wait, and a mark says when and how much it was.

use sqlx::SqliteConnection;

use crate::spool::ReplayWindow;

/// One row for each acknowledgement, up to which batch it went, and the bytes that were acknowledged in this spool before and
/// after it. `batch` alone would have to be written again to bear the instant, payload and all.
pub(super) const SCHEMA: &str = "
CREATE TABLE acknowledged (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    bytes_before INTEGER NOT NULL,
    bytes_after INTEGER NOT NULL
) STRICT;
";

const MARK: &str = "INSERT INTO acknowledged (sequence, at, bytes_before, bytes_after)
    SELECT $2, $3, total.before, total.before + (
        SELECT COALESCE(SUM(bytes), 0) FROM batch WHERE batch.sequence > $1 AND batch.sequence <= $2)
    FROM (SELECT COALESCE(MAX(bytes_after), 0) AS before FROM (
        SELECT bytes_after FROM acknowledged ORDER BY sequence DESC LIMIT 1)) AS total";
const OLDEST: &str = "SELECT sequence, at, bytes_before, (
        SELECT bytes_after FROM acknowledged ORDER BY sequence DESC LIMIT 1)
    FROM acknowledged ORDER BY sequence LIMIT 1";
const DROP_BATCHES: &str = "DELETE FROM batch WHERE sequence <= $1";
const DROP_MARKS: &str = "DELETE FROM acknowledged WHERE sequence <= $1";

/// Batches after `from` up to `to` were acknowledged.
pub(super) async fn mark(
    connection: &mut SqliteConnection,
    (from, to): (i64, i64),
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(MARK).bind(from).bind(to).bind(now).execute(connection).await?;
    Ok(())
}

/// Removes what the window has no room for.
pub(super) async fn shrink(
    connection: &mut SqliteConnection,
    window: &ReplayWindow,
    now: i64,
) -> Result<(), sqlx::Error> {
    let (oldest, most) = (window.oldest(now), i64::try_from(window.bytes).unwrap_or(i64::MAX));
    loop {
        let row: Option<(i64, i64, i64, i64)> =
            sqlx::query_as(OLDEST).fetch_optional(&mut *connection).await?;
        let Some((sequence, at, before, total)) = row else { return Ok(()) };
        if at >= oldest && total - before <= most {
            return Ok(());
        }
        forget(connection, sequence).await?;
    }
}

/// Removes what was acknowledged up to a batch.
pub(super) async fn forget(connection: &mut SqliteConnection, sequence: i64) -> Result<(), sqlx::Error> {
    for statement in [DROP_BATCHES, DROP_MARKS] {
        sqlx::query(statement).bind(sequence).execute(&mut *connection).await?;
    }
    Ok(())
}
