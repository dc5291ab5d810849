//! SQLite's: the backup is a database of its own.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::super::{BUSY, Connection, SQLITE, StoreError, Tx, inspect};
use super::{Restored, begin_another_life, beside, fresh, put};
use crate::clock::Clock;
use crate::error::chain;
use crate::store::NewAuditRow;

/// One snapshot of all of it, whoever writes meanwhile.
const BACK_UP: &str = "VACUUM INTO $1";
const CHECK: &str = "PRAGMA integrity_check(1)";

pub(super) async fn back_up(url: &str, draft: &Path) -> Result<(), StoreError> {
    let opening = |error| StoreError::opening(url, error);
    let options: SqliteConnectOptions = url.parse().map_err(opening)?;
    let options = options.create_if_missing(false).busy_timeout(BUSY);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(opening)?;
    fresh(draft);
    let name = draft.to_str().ok_or_else(|| StoreError::no_backup(draft, "its name is not UTF-8"))?;
    sqlx::query(BACK_UP).bind(name).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

pub(super) async fn restore(
    url: &str,
    file: &Path,
    clock: &dyn Clock,
    note: NewAuditRow,
) -> Result<Restored, StoreError> {
    let options: SqliteConnectOptions = url.parse().map_err(|error| StoreError::opening(url, error))?;
    let target = options.get_filename().to_owned();
    let draft = beside(&target, ".restoring");
    let outcome = async {
        copy(file, &draft).map_err(|error| StoreError::file("copy the backup to", &draft, error))?;
        let incarnation = prepare(&draft, file, clock, note).await?;
        fold(&target).await;
        let former = exchange(&draft, &target)
            .map_err(|error| StoreError::file("put the backup at", &target, error))?;
        Ok(Restored { incarnation, former })
    }
    .await;
    if outcome.is_err() {
        drop(std::fs::remove_file(&draft));
    }
    outcome
}

fn copy(file: &Path, draft: &Path) -> std::io::Result<()> {
    let mut source = std::fs::File::open(file)?;
    fresh(draft);
    std::io::copy(&mut source, &mut std::fs::File::options().write(true).open(draft)?)?;
    Ok(())
}

/// Checks the copy, and makes of it what the host will find.
async fn prepare(
    draft: &Path,
    file: &Path,
    clock: &dyn Clock,
    note: NewAuditRow,
) -> Result<Uuid, StoreError> {
    let unreadable = |error: sqlx::Error| StoreError::no_backup(file, &chain(&error));
    let options = SqliteConnectOptions::new().filename(draft).foreign_keys(true);
    // One file in the end, with nothing beside it.
    let options = options.journal_mode(SqliteJournalMode::Delete);
    let pool: SqlitePool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(unreadable)?;
    let check: String = sqlx::query_scalar(CHECK).fetch_one(&pool).await.map_err(unreadable)?;
    if check != "ok" {
        return Err(StoreError::no_backup(file, &format!("it is damaged: {check}")));
    }
    let table: i64 = sqlx::query_scalar(inspect::SQLITE_TABLE).fetch_one(&pool).await.map_err(unreadable)?;
    if table == 0 {
        return Err(StoreError::no_backup(file, "it is no database of Keelson"));
    }
    SQLITE.run(&pool).await.map_err(StoreError::migrating)?;
    let connection = Connection::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?);
    let mut tx = Tx::writing(connection);
    let incarnation = begin_another_life(&mut tx, file, clock, note).await?;
    tx.commit().await?;
    pool.close().await;
    Ok(incarnation)
}

/// Brings what a host that was killed left in the journal into the database of before, so that one rename exchanges all of it. One
/// that is too damaged for that keeps its journal.
async fn fold(target: &Path) {
    if !target.exists() {
        return;
    }
    let options = SqliteConnectOptions::new().filename(target).create_if_missing(false).busy_timeout(BUSY);
    let folded = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        connection.close().await
    };
    if let Err(error) = folded.await {
        tracing::warn!(error = chain(&error), "store.restore: the database of before keeps its journal");
    }
}

/// The database of before goes aside, under a name that nothing has yet, first its journal: left behind, SQLite would play it into
/// the new one.
fn exchange(draft: &Path, target: &Path) -> std::io::Result<Option<PathBuf>> {
    let names = std::iter::once(".before-restore".to_owned())
        .chain((2..).map(|number| format!(".before-restore-{number}")));
    let former = names.map(|name| beside(target, &name)).find(|name| !name.exists());
    let former = former.unwrap_or_else(|| beside(target, ".before-restore"));
    let existed = target.exists();
    if existed {
        std::fs::hard_link(target, &former)?;
    }
    for suffix in ["-wal", "-shm"] {
        match std::fs::rename(beside(target, suffix), beside(&former, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    put(draft, target)?;
    Ok(existed.then_some(former))
}
