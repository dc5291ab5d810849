//! What became of commands, in the durable spool: an agent that is asked again, after its own end or the host's, answers what it
//! answered before and does nothing twice.

use keelson_proto::v1::CommandResult;
use prost::Message as _;
use sqlx::SqliteConnection;

/// Beside the spool's own tables: an agent of before simply does not look.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS command (
    uid BLOB PRIMARY KEY,
    attempt INTEGER NOT NULL,
    result BLOB NOT NULL,
    finished_at INTEGER NOT NULL,
    heard INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
";

const REMEMBER: &str = "INSERT INTO command (uid, attempt, result, finished_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (uid) DO UPDATE SET attempt = excluded.attempt";
const RECALL: &str = "SELECT result FROM command WHERE uid = $1";
const UNHEARD: &str = "SELECT uid, attempt, result FROM command WHERE heard = 0 ORDER BY finished_at";
const HEARD: &str = "UPDATE command SET heard = 1 WHERE uid = $1";
const FORGET: &str = "DELETE FROM command WHERE uid = $1";
const PRUNE: &str = "DELETE FROM command WHERE finished_at < $1";

/// Keeps a result, and forgets those from before `oldest`.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    answer: &super::Answer,
    now: i64,
    oldest: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(PRUNE).bind(oldest).execute(&mut *connection).await?;
    let query = sqlx::query(REMEMBER).bind(answer.uid.as_slice()).bind(i64::from(answer.attempt));
    query.bind(answer.result.encode_to_vec()).bind(now).execute(connection).await?;
    Ok(())
}

/// What a command came to.
pub(super) async fn recall(
    connection: &mut SqliteConnection,
    uid: &[u8],
) -> Result<Option<CommandResult>, sqlx::Error> {
    let row: Option<Vec<u8>> = sqlx::query_scalar(RECALL).bind(uid).fetch_optional(connection).await?;
    // What cannot be read is not known: then the command is done again, which does no harm.
    Ok(row.and_then(|bytes| CommandResult::decode(bytes.as_slice()).ok()))
}

/// What the host has not heard yet.
pub(super) async fn unheard(connection: &mut SqliteConnection) -> Result<Vec<super::Answer>, sqlx::Error> {
    let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = sqlx::query_as(UNHEARD).fetch_all(connection).await?;
    let answer = |(uid, attempt, bytes): (Vec<u8>, i64, Vec<u8>)| {
        let result = CommandResult::decode(bytes.as_slice()).ok()?;
        Some(super::Answer { uid, attempt: u32::try_from(attempt).ok()?, result })
    };
    Ok(rows.into_iter().filter_map(answer).collect())
}

/// The host has heard it. It stays known: a host that was set back may ask again.
pub(super) async fn heard(connection: &mut SqliteConnection, uid: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(HEARD).bind(uid).execute(connection).await.map(drop)
}

/// It is not worth keeping.
pub(super) async fn forget(connection: &mut SqliteConnection, uid: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(FORGET).bind(uid).execute(connection).await.map(drop)
}
