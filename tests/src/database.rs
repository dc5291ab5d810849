//! A database of one's own.

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
        use sqlx::{Connection, Executor};
        let cluster = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL names no PostgreSQL cluster; run the tests with: cargo xtask test");
        let name = format!("test_{}", unique());
        let mut admin = sqlx::PgConnection::connect(&cluster).await.expect("the test cluster answers");
        admin
            .execute(sqlx::query(sql(format!("CREATE DATABASE {name}"))))
            .await
            .expect("a database of the test's own");
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
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("the database opens");
            connection.execute(statement).await.expect("the statement succeeds");
        }
    }

    /// The one number that a query gives.
    pub async fn count(&self, query: &str) -> i64 {
        use sqlx::Connection;
        let query = sql(query.to_owned());
        if self.is_sqlite() {
            let mut connection =
                sqlx::SqliteConnection::connect(&self.url).await.expect("the database opens");
            sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number")
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("the database opens");
            sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number")
        }
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
