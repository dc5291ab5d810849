//! A look at a database that changes nothing: whether it is there, which schema it has, and what its clock says.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{BUSY, Dialect, POSTGRES, SQLITE, StoreError, statements};

statements! {
    APPLIED = "SELECT version, success FROM _sqlx_migrations ORDER BY version";
}

pub(super) const SQLITE_TABLE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
const POSTGRES_TABLE: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = '_sqlx_migrations' \
    AND table_schema = ANY (current_schemas(false))";
const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The newest migration that it has; none in an empty database.
    pub schema: Option<i64>,
    /// How many it lacks, which the next start brings.
    pub pending: usize,
    /// What its clock says, where that is another machine's; unix milliseconds.
    pub clock: Option<i64>,
}

/// Looks; none if it is a file that is not there.
pub async fn inspect(url: &str) -> Result<Option<Inspection>, StoreError> {
    let opening = |error| StoreError::opening(url, error);
    if Dialect::of_url(url)? == Dialect::Sqlite {
        let options: SqliteConnectOptions = url.parse().map_err(opening)?;
        if !options.get_filename().exists() {
            return Ok(None);
        }
        let options = options.create_if_missing(false).busy_timeout(BUSY);
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(opening)?;
        let table = sqlx::query_scalar::<_, i64>(SQLITE_TABLE).fetch_one(&mut connection).await;
        // Only now does SQLite read the file.
        let table = table.map_err(opening)?;
        let applied = match table {
            0 => Vec::new(),
            _ => sqlx::query_as(APPLIED).fetch_all(&mut connection).await?,
        };
        return judge(&SQLITE, &applied, None).map(Some);
    }
    let options: PgConnectOptions = url.parse().map_err(opening)?;
    let connecting = tokio::time::timeout(BUSY, PgConnection::connect_with(&options)).await;
    let late = |_| opening(sqlx::Error::PoolTimedOut);
    let mut connection = connecting.map_err(late)?.map_err(opening)?;
    let table: i64 = sqlx::query_scalar(POSTGRES_TABLE).fetch_one(&mut connection).await?;
    let applied = match table {
        0 => Vec::new(),
        _ => sqlx::query_as(APPLIED).fetch_all(&mut connection).await?,
    };
    let clock: i64 = sqlx::query_scalar(CLOCK).fetch_one(&mut connection).await?;
    judge(&POSTGRES, &applied, Some(clock)).map(Some)
}

fn judge(migrator: &Migrator, applied: &[(i64, bool)], clock: Option<i64>) -> Result<Inspection, StoreError> {
    let known = || migrator.iter().map(|migration| migration.version);
    for (version, success) in applied {
        if !known().any(|one| one == *version) {
            return Err(StoreError::Newer { migration: *version });
        }
        if !success {
            return Err(StoreError::Migrate(sqlx::migrate::MigrateError::Dirty(*version)));
        }
    }
    let schema = applied.last().map(|(version, _)| *version);
    Ok(Inspection { schema, pending: known().count() - applied.len(), clock })
}
