//! From described rows to a filled database: COPY on PostgreSQL, statements of some hundred rows on SQLite, a transaction for
//! each table. Where there is much to write, the indexes come last.

use anyhow::{Context as _, bail, ensure};
use keelson::store::Store;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{Arguments as _, ConnectOptions as _, Connection as _, Executor as _};
use uuid::Uuid;

use super::cell::Cell;
use super::table::{Table, rows};
use super::{DAY, Fleet, Scale, Thing, audit, tables};
use crate::database::sql;

/// From so many workloads on it pays to make the indexes anew.
const MANY: i64 = 100_000;
/// What SQLite takes in one statement, and how many rows are worth it.
const PLACES: usize = 30_000;
const ROWS: usize = 400;
/// What goes to PostgreSQL at once.
const PIECE: usize = 1 << 20;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// What belongs to what.
    pub fleet: Fleet,
    /// All rows.
    pub rows: i64,
}

/// Fills the database at `url`, which is made if it is a file and absent, with a fleet as it is at `now`.
///
/// # Errors
/// If the database cannot be opened or already has companies.
pub async fn plant(url: &str, scale: Scale, now: i64) -> anyhow::Result<Planted> {
    let store = Store::open(url).await.context("the database does not open")?;
    let mut ground = Ground::open(url).await?;
    let provider = ground.provider().await?;
    let fleet = Fleet { scale, now, provider: provider.unwrap_or_else(|| Thing::Provider.at(0)) };
    let mut rows = 0;
    if provider.is_none() {
        for table in installation(fleet) {
            rows += ground.fill(table).await?;
        }
    }
    let indexes = if scale.workloads >= MANY { ground.take_indexes().await? } else { Vec::new() };
    for table in tables(fleet) {
        let name = table.name;
        rows += ground.fill(table).await.with_context(|| format!("cannot fill {name}"))?;
    }
    for index in indexes {
        ground.run(&index).await?;
    }
    rows += audit::write(&store, fleet).await?;
    store.close().await;
    ground.settle().await?;
    Ok(Planted { fleet, rows })
}

/// Of a database that no host has opened yet.
fn installation(fleet: Fleet) -> Vec<Table> {
    let installation = rows!("installation", 1..2_i64, |one| () {
        singleton: one,
        uid: fleet.provider,
        incarnation: Thing::Foreign.at(0),
        installed_at: fleet.now - 60 * DAY,
    });
    let provider = rows!("organizations", 1..2_i64, |_| () {
        uid: fleet.provider,
        type: "Provider",
        name: "Provider",
        name_folded: "provider",
        alias: "No. 1",
        city: "Zürich",
        company_id: "HR-1",
        country: 41_i64,
        country_name: "Switzerland",
        domain: "provider.test",
        email: "office@provider.test",
        legal_name: "Provider AG",
        location_admin0_code: "CH",
        location_admin1_code: "CH-ZH",
        location_admin2_code: "112",
        notes: "Keeps the lights on",
        phone: "+41 44 0000001",
        region_name: "Zürich",
        state: 1_i64,
        street: "Straße 1",
        tax_id: "CHE-1",
        veeam_tenant_id: "provider",
        website: "https://provider.test/",
        zip_code: "8001",
        created_at: fleet.now - 60 * DAY,
    });
    vec![installation, provider]
}

/// A connection of one's own, without the checks that make a host slow and safe.
enum Ground {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

const SQLITE_INDEXES: &str = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
const POSTGRES_INDEXES: &str = "SELECT i.indexname::text, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public' \
    AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)";
const PROVIDER: &str = "SELECT uid FROM installation";
const COMPANIES: &str = "SELECT count(*) FROM companies";

impl Ground {
    async fn open(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse()?;
            let options = options
                .synchronous(SqliteSynchronous::Off)
                .foreign_keys(false)
                .pragma("cache_size", "-400000")
                .pragma("temp_store", "MEMORY");
            return Ok(Self::Sqlite(options.connect().await?));
        }
        let mut connection = PgConnection::connect(url).await?;
        connection.execute("SET synchronous_commit = off").await?;
        connection.execute("SET maintenance_work_mem = '512MB'").await?;
        // Only a superuser may; others wait for the checks of foreign keys.
        drop(connection.execute("SET session_replication_role = replica").await);
        Ok(Self::Postgres(connection))
    }

    async fn run(&mut self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => {
                connection.execute(sqlx::raw_sql(sql(text.to_owned()))).await.map(drop)?;
            }
            Self::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(sql(text.to_owned()))).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// The provider of a database that has one already; one with companies is refused.
    async fn provider(&mut self) -> anyhow::Result<Option<Uuid>> {
        let (companies, provider): (i64, Option<Uuid>) = match self {
            Self::Sqlite(connection) => (
                sqlx::query_scalar(COMPANIES).fetch_one(&mut *connection).await?,
                sqlx::query_scalar(PROVIDER).fetch_optional(connection).await?,
            ),
            Self::Postgres(connection) => (
                sqlx::query_scalar(COMPANIES).fetch_one(&mut *connection).await?,
                sqlx::query_scalar(PROVIDER).fetch_optional(connection).await?,
            ),
        };
        if companies > 0 {
            bail!("the database has {companies} companies already; name an empty one");
        }
        Ok(provider)
    }

    /// Drops all indexes that are not part of a table's definition; what makes them again.
    async fn take_indexes(&mut self) -> anyhow::Result<Vec<String>> {
        let indexes: Vec<(String, String)> = match self {
            Self::Sqlite(connection) => {
                connection.fetch_all(SQLITE_INDEXES).await?.iter().map(named).collect()
            }
            Self::Postgres(connection) => {
                connection.fetch_all(POSTGRES_INDEXES).await?.iter().map(named).collect()
            }
        };
        for (name, _) in &indexes {
            self.run(&format!("DROP INDEX {name}")).await?;
        }
        Ok(indexes.into_iter().map(|(_, text)| text).collect())
    }

    async fn fill(&mut self, table: Table) -> anyhow::Result<i64> {
        ensure!(!table.columns.is_empty(), "no columns");
        match self {
            Self::Sqlite(connection) => fill_sqlite(connection, table).await,
            Self::Postgres(connection) => fill_postgres(connection, table).await,
        }
    }

    /// Lets the database know what it has.
    async fn settle(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(mut connection) => {
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
                connection.execute("ANALYZE").await?;
                connection.close().await?;
            }
            Self::Postgres(mut connection) => {
                connection.execute("VACUUM ANALYZE").await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}

fn named<R: sqlx::Row>(row: &R) -> (String, String)
where
    usize: sqlx::ColumnIndex<R>,
    String: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    (row.get(0), row.get(1))
}

async fn fill_sqlite(connection: &mut SqliteConnection, table: Table) -> anyhow::Result<i64> {
    let Table { name, columns, mut rows } = table;
    let at_once = (PLACES / columns.len()).min(ROWS);
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let text = |rows: usize| {
        format!("INSERT INTO {name} ({}) VALUES {}", columns.join(","), vec![row.as_str(); rows].join(","))
    };
    let whole = text(at_once);
    let mut transaction = connection.begin().await?;
    let mut written = 0;
    loop {
        let mut arguments = SqliteArguments::default();
        let mut taken = 0;
        for cells in rows.by_ref().take(at_once) {
            cells.into_iter().try_for_each(|cell| bind(&mut arguments, cell))?;
            taken += 1;
        }
        if taken == 0 {
            break;
        }
        let text = if taken == at_once { whole.clone() } else { text(taken) };
        sqlx::query_with(sql(text), arguments).execute(&mut *transaction).await?;
        written += i64::try_from(taken)?;
    }
    transaction.commit().await?;
    Ok(written)
}

fn bind(arguments: &mut SqliteArguments, cell: Cell) -> anyhow::Result<()> {
    match cell {
        Cell::Null => arguments.add(None::<i64>),
        Cell::Integer(number) => arguments.add(number),
        Cell::Number(number) => arguments.add(number),
        Cell::Word(text) => arguments.add(text),
        Cell::Text(text) => arguments.add(text),
        Cell::Uuid(uid) => arguments.add(uid),
        Cell::Flag(flag) => arguments.add(flag),
        Cell::Bytes(bytes) => arguments.add(bytes),
    }
    .map_err(|error| anyhow::anyhow!(error))
}

async fn fill_postgres(connection: &mut PgConnection, table: Table) -> anyhow::Result<i64> {
    let statement = format!("COPY {} ({}) FROM STDIN", table.name, table.columns.join(","));
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut piece = String::with_capacity(PIECE + 4096);
    for cells in table.rows {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                piece.push('\t');
            }
            cell.copy_to(&mut piece);
        }
        piece.push('\n');
        if piece.len() >= PIECE {
            copy.send(piece.as_bytes()).await?;
            piece.clear();
        }
    }
    copy.send(piece.as_bytes()).await?;
    Ok(i64::try_from(copy.finish().await?)?)
}
