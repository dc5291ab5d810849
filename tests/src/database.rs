//! A database of one's own.

use std::path::PathBuf;

use keelson::store::Store;
use tempfile::TempDir;
use uuid::Uuid;

/// A fresh, empty database. Dropped, the SQLite file goes; a PostgreSQL database goes with its throw-away cluster.
#[derive(Debug)]
pub struct TestDatabase {
    /// What a host is given.
    pub url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A file in a temporary folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("keelson.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// A database in the cluster that `cargo xtask test` starts.
    pub async fn postgres() -> Self {
        let (cluster, name) = (cluster(), format!("test_{}", unique()));
        administer(&format!("CREATE DATABASE {name}")).await;
        let (server, _) = cluster.rsplit_once('/').expect("a URL with a database");
        Self { url: format!("{server}/{name}"), _folder: None }
    }

    /// One that is there already, and stays.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: None }
    }

    /// Opens it.
    pub async fn store(&self) -> Store {
        Store::open(&self.url).await.expect("the database opens")
    }

    /// Does something to it that no host knows of.
    pub async fn execute(&self, statement: &str) {
        use sqlx::{Connection, Executor};
        let statement = sql(statement.to_owned());
        if self.is_sqlite() {
            let mut connection =
                sqlx::SqliteConnection::connect(&self.url).await.expect("the database opens");
            connection.execute(statement).await.expect("the statement succeeds");
            // Left to itself, it would close at some time, as the last one perhaps, and tidy the files up.
            connection.close().await.expect("the database closes");
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("the database opens");
            connection.execute(statement).await.expect("the statement succeeds");
            connection.close().await.expect("the database closes");
        }
    }

    /// The same to a PostgreSQL database that may refuse it, or end in the middle of it.
    pub async fn try_execute(&self, statement: &str) -> Result<(), sqlx::Error> {
        use sqlx::{Connection, Executor};
        let mut connection = sqlx::PgConnection::connect(&self.url).await?;
        connection.execute(sql(statement.to_owned())).await.map(drop)
    }

    /// The one number that a query gives.
    pub async fn count(&self, query: &str) -> i64 {
        use sqlx::Connection;
        let query = sql(query.to_owned());
        if self.is_sqlite() {
            let mut connection =
                sqlx::SqliteConnection::connect(&self.url).await.expect("the database opens");
            let number = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number");
            connection.close().await.expect("the database closes");
            number
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("the database opens");
            let number = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number");
            connection.close().await.expect("the database closes");
            number
        }
    }

    /// The file of an SQLite database, or one beside it.
    pub fn file(&self, suffix: &str) -> PathBuf {
        let path = self.url.strip_prefix("sqlite:").expect("an SQLite database");
        PathBuf::from(format!("{path}{suffix}"))
    }

    /// The name of a PostgreSQL database.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().expect("a URL with a database")
    }

    /// Whether it is a file.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}

/// SQL that a test puts together.
#[expect(clippy::disallowed_methods, reason = "a test's own words")]
pub fn sql(text: String) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(text)
}

/// A name that no other test has.
#[expect(
    clippy::disallowed_methods,
    reason = "tests run at once, in processes that know nothing of each other"
)]
pub fn unique() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Holds every writer of the agents' rows up: what arrives is received but cannot be stored.
#[derive(Debug)]
pub enum Jam {
    /// By the one write lock.
    Sqlite(sqlx::SqliteConnection),
    /// By a lock on their table.
    Postgres(sqlx::PgConnection),
}

impl Jam {
    /// From now on.
    pub async fn on(database: &TestDatabase) -> Self {
        use sqlx::{Connection, Executor};
        if database.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("the database");
            connection.execute("BEGIN IMMEDIATE").await.expect("the write lock");
            Self::Sqlite(connection)
        } else {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.expect("the database");
            connection.execute("BEGIN; LOCK TABLE agents IN SHARE MODE").await.expect("the lock");
            Self::Postgres(connection)
        }
    }

    /// No longer.
    pub async fn clear(self) {
        use sqlx::Connection;
        match self {
            Self::Sqlite(connection) => connection.close().await.expect("the lock is given back"),
            Self::Postgres(connection) => connection.close().await.expect("the lock is given back"),
        }
    }
}

/// A copy of a database as an administrator may make one, without Keelson's help; nobody may be at the database meanwhile.
#[derive(Debug)]
pub enum Copy {
    /// The files.
    Sqlite(TempDir),
    /// Another database of the cluster.
    Postgres(String),
}

impl Copy {
    /// Of what it holds now.
    pub async fn of(database: &TestDatabase) -> Self {
        if database.is_sqlite() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            for suffix in ["", "-wal"] {
                let file = folder.path().join(format!("copy{suffix}"));
                // A database that was closed in order has no journal.
                drop(std::fs::copy(database.file(suffix), file));
            }
            Self::Sqlite(folder)
        } else {
            let name = format!("copy_{}", unique());
            clone_database(database.name(), &name).await;
            Self::Postgres(name)
        }
    }

    /// Puts it back.
    pub async fn put_back(&self, database: &TestDatabase) {
        match self {
            Self::Sqlite(folder) => {
                for suffix in ["-wal", "-shm"] {
                    drop(std::fs::remove_file(database.file(suffix)));
                }
                for suffix in ["", "-wal"] {
                    let file = folder.path().join(format!("copy{suffix}"));
                    if file.exists() {
                        std::fs::copy(file, database.file(suffix)).expect("the copy is put back");
                    }
                }
            }
            Self::Postgres(name) => {
                administer(&format!("DROP DATABASE {} WITH (FORCE)", database.name())).await;
                clone_database(name, database.name()).await;
            }
        }
    }
}

async fn clone_database(from: &str, to: &str) {
    let gone =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{from}'");
    administer(&gone).await;
    administer(&format!("CREATE DATABASE {to} TEMPLATE {from}")).await;
}

/// Does something in the cluster that `cargo xtask test` starts.
async fn administer(statement: &str) {
    use sqlx::{Connection, Executor};
    let mut admin = sqlx::PgConnection::connect(&cluster()).await.expect("the test cluster answers");
    admin.execute(sqlx::query(sql(statement.to_owned()))).await.expect("the statement succeeds");
}

fn cluster() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names no PostgreSQL cluster; run the tests with: cargo xtask test")
}
