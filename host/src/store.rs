//! The database: the only SQL.
//!
//! **Cast.** A [`Store`] is open on SQLite or PostgreSQL. Everything happens in a [`Tx`], one transaction, which [`Tx::commit`]
//! consumes; dropped, it rolls back. The repositories ([`Tx::companies`], [`Tx::agents`], …) are views of a transaction,
//! one file each: the statements, then the methods. Lists go through the one list engine (`list.rs`), bulk writes through
//! `bulk.rs`.
//!
//! **One text for both databases.** A statement is a constant with `$1` placeholders that both understand; the `on!` macro
//! stamps its execution for both, and a test prepares every one of them on both. What differs has a name: [`Dialect`].
//!
//! **Crash.** What was committed is there (SQLite: WAL with `synchronous = FULL`), what was not never happened.
//!
//! **To add a table**: a migration in both folders, a file here with its statements and repository, its `STATEMENTS` in
//! [`every_statement`], a method on [`Tx`], contract tests in `tests/store/`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;

mod accounts;
mod actions;
mod agents;
mod alarms;
mod audit;
mod backup;
mod bulk;
mod cloud;
mod commands;
mod companies;
mod credentials;
mod due;
mod error;
mod every;
mod failures;
mod guard;
mod hosted;
mod infrastructure;
mod ingest;
mod inspect;
mod installation;
mod inventory;
mod join_tokens;
mod limit;
pub mod list;
mod locations;
mod logins;
mod mails;
mod notifications;
mod onboarding;
mod organization_sites;
mod organizations;
mod owners;
mod plugin_access;
mod plugin_requests;
mod plugins;
mod point;
mod removal;
mod resellers;
mod resources;
mod settings;
mod standing;
mod subtenants;
mod sums;
mod templates;
mod unverified;
mod users;
mod workloads;
mod world;

pub use accounts::{Accounts, TenantShare};
pub use actions::Actions;
pub use agents::{Admitted, Agents, Arrival, NewAgent};
pub use alarms::{Alarms, OpenAlarm, Raise};
pub use audit::{Audit, AuditRow, Extent, NewAuditRow};
pub use backup::{Restored, back_up, restore};
pub use bulk::Dialect;
pub use cloud::{
    BackupResource, BackupResourceFact, Cloud, CloudBackupFact, CloudFacts, CloudRepository, CloudSource,
    CloudTenant, GatewayFact, GatewayPoolFact, HardwarePlanFact, NewBackupResource, NewCloudTenant,
    ReplicationFact, ReplicationUsageFact, RepositoryFact, Site, SiteFact, SiteIds, TenantFact,
    TenantSettingsFact, WanAcceleratorFact,
};
pub use commands::{Commands, Lease, Put, Refusal, Said};
pub use companies::Companies;
pub use credentials::{Credentials, SignedIn};
pub use due::{Due, DueAgent, DueWorkload, Settled};
pub use error::StoreError;
pub use every::every_statement;
pub use failures::{FailureCount, Failures};
pub use hosted::{Hosted, HostedResource};
pub use infrastructure::{
    AgentJobFact, BackupFact, BackupKey, BackupRepositoryFact, ComputerFact, CopyJobFact, FileShareJobFact,
    Infrastructure, JobDetails, JobFact, LicenseFact, PointDetails, RemovedAgent, ReplicationJobFact,
    RestorePointFact, SESSIONS_KEPT, ServerDetails, ServerFact, ServerJob, ServerRole, SessionFact, Source,
    Vb365Fact, VmJobFact, WorkloadDetails, WorkloadFact,
};
pub use ingest::{Facts, Ingest, Move, Offset};
pub use inspect::{Inspection, inspect};
pub use installation::InstallationRow;
pub use inventory::Inventory;
pub use join_tokens::{JoinTokens, NewJoinToken};
pub use locations::{LocationRow, Locations, MOVED_WITH_A_LOCATION, NewLocation};
pub use logins::Logins;
pub use mails::{MailLease, Mails, open_words};
pub use notifications::{Notifications, SmtpOwner, SmtpRow};
pub use onboarding::Onboardings;
pub use organization_sites::OrganizationSites;
pub use organizations::Organizations;
pub use owners::Owners;
pub use plugin_access::{BoundDestination, PluginAccess, SecretRow};
pub use plugin_requests::{
    DestinationUse, NewPluginRequest, PluginRequest, PluginRequests, REQUESTS_KEPT, RequestEnd,
};
pub use plugins::{
    CompanyRule, EntrySpace, InstalledPlugin, InstalledVersion, NewPackage, NextWrite, OrganizationRule,
    PluginEntry, PluginKey, PluginLibrary, PluginRows, PluginTask, PluginUsage, RunningPlugin, TakeTask,
    TaskLease, TaskStep,
};
pub use point::CommitPoint;
pub use removal::Removal;
pub use resellers::{ResellerLimits, Resellers};
pub use resources::*;
pub use settings::{Named, Settings};
pub use standing::Standing;
pub use subtenants::{SharePart, Subtenants};
pub use templates::Templates;
pub use unverified::{UnverifiedAgent, UnverifiedAgents};
pub use users::Users;
pub use workloads::{GoneWorkload, Workloads};
pub use world::World;

use guard::FileGuard;
use limit::ReadLimit;

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// How long a writer waits for its turn before the caller is told to try again.
const BUSY: Duration = Duration::from_secs(5);

/// Makes a new database's file for nobody but the host to read; SQLite gives the files beside it the same mode. Where that
/// fails, a file that is there already among the reasons, SQLite says it better.
fn make_private(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = file.as_os_str().as_encoded_bytes();
    // What SQLite keeps in memory has no file.
    if !name.starts_with(b":") && !name.starts_with(b"file:") {
        drop(std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file));
    }
}

/// Runs the same tokens against whichever database the transaction is open on.
macro_rules! on {
    ($tx:expr, $connection:ident => $body:expr) => {
        match &mut $tx.connection {
            $crate::store::Connection::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::store::Connection::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}

/// Constants for a file's statements, and the list of them that the prepare test reads.
macro_rules! statements {
    ($($name:ident = $text:expr;)+) => {
        $(const $name: &str = $text;)+
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((concat!(module_path!(), "::", stringify!($name)), $name),)+];
    };
}

pub(crate) use {on, statements};

/// Text that this module put together from its own constants; what a client sent is always bound.
#[expect(
    clippy::disallowed_methods,
    reason = "only the bulk statements and the list engine build text, and only here"
)]
fn trusted(text: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(text)
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    limit: ReadLimit,
    /// Poked after each commit by which an agent has something to do.
    outbox: Arc<Notify>,
}

#[derive(Debug, Clone)]
enum Pools {
    /// SQLite has one writer: a pool of one hands it out in turn, while readers go on beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// For the host's own long reads.
        patient: SqlitePool,
        /// Holds the database open for as long as the store is.
        anchor: SqlitePool,
        guard: FileGuard,
    },
    Postgres(PgPool),
}

pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// One transaction. Dropped without [`Tx::commit`], it never happened.
pub struct Tx {
    pub(crate) connection: Connection,
    /// Whether its commit is a change that cannot be taken back.
    writes: bool,
    /// What its commit has to be kept by.
    guard: Option<FileGuard>,
    /// To be poked when it has committed.
    outbox: Option<Arc<Notify>>,
    /// Whether by its commit an agent has something to do.
    orders: bool,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("dialect", &self.dialect()).finish()
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`), makes it if it is SQLite and absent, and brings it
    /// up to this version's schema.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let limit = ReadLimit::default();
        let pools = match Dialect::of_url(url)? {
            Dialect::Sqlite => Self::sqlite(url, &limit).await?,
            Dialect::Postgres => Self::postgres(url).await?,
        };
        let store = Self { pools, limit, outbox: Arc::default() };
        store.migrate().await?;
        Ok(store)
    }

    /// How long a read may take; 10 s unless it is set.
    pub fn limit_reads(&self, limit: Duration) {
        self.limit.set(limit);
    }

    /// Poked after each commit of this store by which an agent has something to do. A hint: what another host over the same
    /// database commits pokes nobody here.
    pub fn outbox(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    async fn sqlite(url: &str, limit: &ReadLimit) -> Result<Pools, StoreError> {
        let options: SqliteConnectOptions = url.parse().map_err(|error| StoreError::opening(url, error))?;
        make_private(options.get_filename());
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged batch must survive a power cut; NORMAL would lose the last commits.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(256);
        // A full disk makes SQLite end a transaction by itself. The driver believes that it is still open, and would begin none
        // on this connection ever again.
        let pool = || {
            SqlitePoolOptions::new().acquire_timeout(BUSY).before_acquire(|connection, _| {
                let is_free = !connection.is_in_transaction();
                Box::pin(std::future::ready(Ok(is_free)))
            })
        };
        let failed = |error| StoreError::opening(url, error);
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(failed)?;
        let limit = limit.clone();
        let readers = pool().max_connections(4).after_connect(move |connection, _| {
            let limit = limit.clone();
            Box::pin(async move { limit.watch(connection).await })
        });
        let readers = readers.connect_with(options.clone()).await.map_err(failed)?;
        let patient = pool().max_connections(1).connect_lazy_with(options.clone());
        let anchor = pool().max_connections(1).idle_timeout(None).max_lifetime(None);
        let anchor = anchor.connect_with(options.clone()).await.map_err(failed)?;
        // SQLite opens the journal at the first read.
        sqlx::query(TOUCH).execute(&anchor).await.map_err(failed)?;
        let guard = FileGuard::of(options.get_filename());
        Ok(Pools::Sqlite { writer, readers, patient, anchor, guard })
    }

    async fn postgres(url: &str) -> Result<Pools, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|error| StoreError::opening(url, error))?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(BUSY)
            // PostgreSQL takes a statement over many rows for a long one, and compiles it for longer than it then runs.
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute("SET jit = off").await.map(drop) })
            })
            .connect_with(options)
            .await
            .map_err(|error| StoreError::opening(url, error))?;
        Ok(Pools::Postgres(pool))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => SQLITE.run(writer).await,
            Pools::Postgres(pool) => POSTGRES.run(pool).await,
        }
        .map_err(StoreError::migrating)
    }

    /// A transaction that only reads, and not for long: one snapshot on SQLite, each statement its own on PostgreSQL.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let connection = match &self.pools {
            Pools::Sqlite { readers, guard, .. } => {
                guard.is_there()?;
                Connection::Sqlite(readers.begin().await?)
            }
            Pools::Postgres(pool) => {
                Connection::Postgres(pool.begin_with(trusted(self.limit.begin())).await?)
            }
        };
        Ok(Tx::reading(connection))
    }

    /// A transaction that only reads, for as long as it takes: for the host itself, never for a request.
    pub async fn read_long(&self) -> Result<Tx, StoreError> {
        let connection = match &self.pools {
            Pools::Sqlite { patient, .. } => Connection::Sqlite(patient.begin().await?),
            Pools::Postgres(pool) => Connection::Postgres(pool.begin().await?),
        };
        Ok(Tx::reading(connection))
    }

    /// A transaction that may write. On SQLite it takes the write lock at once: a transaction that first reads and then
    /// wants to write would fail when another has written in between.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let (connection, guard) = match &self.pools {
            Pools::Sqlite { writer, guard, .. } => {
                guard.is_sound()?;
                (Connection::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?), Some(guard.clone()))
            }
            Pools::Postgres(pool) => (Connection::Postgres(pool.begin().await?), None),
        };
        Ok(Tx { guard, outbox: Some(self.outbox()), ..Tx::writing(connection) })
    }

    /// Whether what is written to it stays, as far as the file beneath it shows.
    pub fn is_sound(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { guard, .. } => guard.is_sound(),
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Waits for what is under way, then closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, patient, anchor, guard } => {
                guard.release();
                patient.close().await;
                readers.close().await;
                writer.close().await;
                anchor.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    fn reading(connection: Connection) -> Self {
        Self { writes: false, ..Self::writing(connection) }
    }

    /// One that nobody watches: of a database without a host.
    fn writing(connection: Connection) -> Self {
        Self { connection, writes: true, guard: None, outbox: None, orders: false }
    }

    /// Makes all of it durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.writes {
            point::pass(&mut self).await?;
        }
        match self.connection {
            // To SQLite, a read that ends by a rollback is one that ends: `limit.rs` listens for it.
            Connection::Sqlite(transaction) if !self.writes => transaction.rollback().await?,
            Connection::Sqlite(transaction) => match self.guard {
                Some(guard) => {
                    guard.is_there()?;
                    guard.judge(transaction.commit().await)?;
                }
                None => transaction.commit().await?,
            },
            Connection::Postgres(transaction) => transaction.commit().await?,
        }
        if let Some(outbox) = self.outbox.filter(|_| self.orders) {
            outbox.notify_one();
        }
        Ok(())
    }

    /// Which database it is on.
    pub fn dialect(&self) -> Dialect {
        match &self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Asks the database for nothing but an answer.
    pub async fn ping(&mut self) -> Result<(), StoreError> {
        on!(self, db => sqlx::query(PING).execute(db).await?.rows_affected());
        Ok(())
    }

    /// This installation.
    pub fn installation(&mut self) -> InstallationRow<'_> {
        InstallationRow(self)
    }

    /// Companies.
    pub fn companies(&mut self) -> Companies<'_> {
        Companies(self)
    }

    /// Users.
    pub fn users(&mut self) -> Users<'_> {
        Users(self)
    }

    /// Tokens.
    pub fn credentials(&mut self) -> Credentials<'_> {
        Credentials(self)
    }

    /// Join tokens.
    pub fn join_tokens(&mut self) -> JoinTokens<'_> {
        JoinTokens(self)
    }

    /// Management agents.
    pub fn agents(&mut self) -> Agents<'_> {
        Agents(self)
    }

    /// Protected workloads.
    pub fn workloads(&mut self) -> Workloads<'_> {
        Workloads(self)
    }

    /// What agents send.
    pub fn ingest(&mut self) -> Ingest<'_> {
        Ingest(self)
    }

    /// What the rules must look at.
    pub fn due(&mut self) -> Due<'_> {
        Due(self)
    }

    /// Alarm templates.
    pub fn templates(&mut self) -> Templates<'_> {
        Templates(self)
    }

    /// Alarms.
    pub fn alarms(&mut self) -> Alarms<'_> {
        Alarms(self)
    }
}

const PING: &str = "SELECT 1";
const TOUCH: &str = "SELECT count(*) FROM sqlite_schema";
