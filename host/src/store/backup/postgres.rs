//! PostgreSQL's: every table's rows, by `COPY`, of one snapshot; and back in one transaction, schema and all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::super::{BUSY, Connection, POSTGRES, StoreError, Tx, trusted};
use super::archive::{Head, Reader, Table, Writer};
use super::{Restored, begin_another_life};
use crate::clock::Clock;
use crate::store::NewAuditRow;

/// One snapshot for all tables.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const SCHEMA: &str = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
const COLUMNS: &str = "SELECT c.relname::TEXT, a.attname::TEXT, a.attidentity <> '' FROM pg_class c \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::REGNAMESPACE AND c.relname <> '_sqlx_migrations' \
    ORDER BY c.relname, a.attnum";
/// (table, a table that its rows refer to)
const REFERENCES: &str = "SELECT DISTINCT c.conrelid::REGCLASS::TEXT, c.confrelid::REGCLASS::TEXT FROM pg_constraint c \
    JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'f' AND c.conrelid <> c.confrelid \
    AND t.relnamespace = current_schema()::REGNAMESPACE";
const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND usename IS NOT NULL";
const TABLES: &str = "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = current_schema()";
/// Each table with its columns, and which of them count by themselves.
type Shape = BTreeMap<String, Vec<(String, bool)>>;

async fn open(url: &str) -> Result<PgPool, StoreError> {
    let opening = |error| StoreError::opening(url, error);
    let options: PgConnectOptions = url.parse().map_err(opening)?;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(BUSY);
    pool.connect_with(options).await.map_err(opening)
}

pub(super) async fn back_up(url: &str, draft: &Path) -> Result<(), StoreError> {
    let pool = open(url).await?;
    let mut snapshot = pool.begin_with(SNAPSHOT).await?;
    let schema: Option<i64> = sqlx::query_scalar(SCHEMA).fetch_one(&mut *snapshot).await?;
    let head = Head { keelson: env!("CARGO_PKG_VERSION").to_owned(), schema: schema.unwrap_or_default() };
    let failed = |error| StoreError::file("write the backup", draft, error);
    let mut writer = Writer::create(draft, &head).await.map_err(failed)?;
    let shape = shape(&mut snapshot).await?;
    for table in in_order(&shape, &mut snapshot).await? {
        let columns = shape.get(&table).into_iter().flatten().map(|(name, _)| name.clone());
        let table = Table { columns: columns.collect(), table };
        writer.begin(&table).await.map_err(failed)?;
        let mut rows = snapshot.copy_out_raw(&copy(&table, "TO STDOUT")).await?;
        while let Some(piece) = rows.try_next().await? {
            writer.rows(&piece).await.map_err(failed)?;
        }
        drop(rows);
        writer.end().await.map_err(failed)?;
    }
    writer.finish().await.map_err(failed)?;
    snapshot.rollback().await?;
    pool.close().await;
    Ok(())
}

pub(super) async fn restore(
    url: &str,
    file: &Path,
    clock: &dyn Clock,
    note: NewAuditRow,
) -> Result<Restored, StoreError> {
    let (mut reader, head) = Reader::open(file).await?;
    if !POSTGRES.version_exists(head.schema) {
        return Err(StoreError::Newer { migration: head.schema });
    }
    let pool = open(url).await?;
    let mut transaction = pool.begin().await?;
    alone(&mut transaction).await?;
    clear(&mut transaction).await?;
    // The rows are those of the schema that they were written under.
    POSTGRES.run_direct(Some(head.schema), &mut *transaction, false).await.map_err(StoreError::migrating)?;
    let shape = shape(&mut transaction).await?;
    let all = shape.keys().map(|table| quoted(table)).collect::<Vec<_>>().join(", ");
    sqlx::query(trusted(format!("TRUNCATE {all}"))).execute(&mut *transaction).await?;
    fill(&mut transaction, &mut reader, file, &shape).await?;
    POSTGRES.run_direct(None, &mut *transaction, false).await.map_err(StoreError::migrating)?;
    let connection = Connection::Postgres(transaction);
    let mut tx = Tx::writing(connection);
    let incarnation = begin_another_life(&mut tx, file, clock, note).await?;
    tx.commit().await?;
    pool.close().await;
    Ok(Restored { incarnation, former: None })
}

/// Nobody else may be at it. A host that was just stopped may need a moment to hang up.
async fn alone(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut others: i64 = 0;
    for _ in 0..100 {
        others = sqlx::query_scalar(OTHERS).fetch_one(&mut *connection).await?;
        if others == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(StoreError::InUse { others })
}

/// Takes away what the database holds, if that is Keelson's.
async fn clear(connection: &mut PgConnection) -> Result<(), StoreError> {
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *connection).await?;
    if tables.is_empty() {
        return Ok(());
    }
    // Other programs name their migrations' table like that, too.
    let ours = ["_sqlx_migrations", "installation", "join_tokens"];
    if !ours.iter().all(|ours| tables.iter().any(|table| table == ours)) {
        return Err(StoreError::Foreign);
    }
    let all = tables.iter().map(|table| quoted(table)).collect::<Vec<_>>().join(", ");
    sqlx::query(trusted(format!("DROP TABLE {all} CASCADE"))).execute(connection).await?;
    Ok(())
}

/// All rows of the backup into the empty tables.
async fn fill(
    connection: &mut PgConnection,
    reader: &mut Reader,
    file: &Path,
    shape: &Shape,
) -> Result<(), StoreError> {
    let mut filled = BTreeSet::new();
    while let Some(table) = reader.table(file).await? {
        let known = shape.get(&table.table).map(|columns| columns.iter().map(|(name, _)| name));
        if !known.is_some_and(|known| known.eq(&table.columns)) {
            let why = format!("its table {} is none of the schema that it names", table.table);
            return Err(StoreError::no_backup(file, &why));
        }
        let mut rows = connection.copy_in_raw(&copy(&table, "FROM STDIN")).await?;
        while let Some(piece) = reader.rows(file).await? {
            rows.send(piece).await?;
        }
        rows.finish().await?;
        filled.insert(table.table);
    }
    if let Some(missing) = shape.keys().find(|table| !filled.contains(*table)) {
        return Err(StoreError::no_backup(file, &format!("the table {missing} is missing")));
    }
    for (table, columns) in shape {
        for (column, _) in columns.iter().filter(|(_, counts)| *counts) {
            let next = format!(
                "SELECT setval(pg_get_serial_sequence($1, $2), COALESCE(MAX({}), 0) + 1, FALSE) FROM {}",
                quoted(column),
                quoted(table)
            );
            let next = sqlx::query(trusted(next)).bind(quoted(table)).bind(column);
            next.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn shape(connection: &mut PgConnection) -> Result<Shape, StoreError> {
    let rows: Vec<(String, String, bool)> = sqlx::query_as(COLUMNS).fetch_all(connection).await?;
    let mut shape = Shape::new();
    for (table, column, counts) in rows {
        shape.entry(table).or_default().push((column, counts));
    }
    Ok(shape)
}

/// What rows refer to comes before them.
async fn in_order(shape: &Shape, connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let references: Vec<(String, String)> = sqlx::query_as(REFERENCES).fetch_all(connection).await?;
    let mut left: BTreeSet<&String> = shape.keys().collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |table: &str| references.iter().any(|(from, to)| from == table && left.contains(to));
        let ready: Vec<_> = left.iter().copied().filter(|table| !waits(table)).collect();
        // Tables that refer to each other in a circle could not be filled one after the other; the first of them says so.
        let ready = if ready.is_empty() { left.iter().copied().collect() } else { ready };
        for table in ready {
            left.remove(table);
            order.push(table.clone());
        }
    }
    Ok(order)
}

fn copy(table: &Table, direction: &str) -> String {
    let columns = table.columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    format!("COPY {} ({columns}) {direction}", quoted(&table.table))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
