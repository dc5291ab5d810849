//! A backup of the whole database, and what is made of it.

use std::path::{Path, PathBuf};

use keelson::clock::ManualClock;
use keelson::store::{NewAuditRow, Restored, Store, StoreError, back_up, restore};
use keelson_tests::{HostProcess, TestDatabase, on_both};
use tempfile::TempDir;

use super::fixtures::NOW;

/// A database that has been in use, and a backup of it.
async fn place(database: TestDatabase) -> (HostProcess, TempDir, PathBuf) {
    let host = HostProcess::start(database, None).await;
    host.command(&["company", "add", "--name", "Bäckerei \\ \"Korn\" & Söhne"]);
    host.administrator();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    back_up(&host.database.url, &file).await.unwrap();
    (host, folder, file)
}

async fn restored(database: &TestDatabase, file: &Path) -> Result<Restored, StoreError> {
    restore(&database.url, file, &*ManualClock::at(NOW), NewAuditRow::default()).await
}

/// Each table of a database with how many rows it has.
async fn sizes(database: &TestDatabase) -> Vec<(String, i64)> {
    let mut sizes = Vec::new();
    for table in tables(database).await {
        let rows = database.count(&format!("SELECT COUNT(*) FROM \"{table}\"")).await;
        // The restore stands there.
        sizes.push((table.clone(), if table == "audit" { rows.min(1) } else { rows }));
    }
    sizes
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    use sqlx::Connection as _;
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let tables = "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename";
        sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap()
    }
}

/// Brings an empty database to what a version of before made of it.
async fn make_old(database: &TestDatabase, migration: i64) {
    let folder = if database.is_sqlite() { "sqlite" } else { "postgres" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
    let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
    if database.is_sqlite() {
        let options: sqlx::sqlite::SqliteConnectOptions = database.url.parse().unwrap();
        let pool = sqlx::SqlitePool::connect_with(options.create_if_missing(true)).await.unwrap();
        migrator.run_to(migration, &pool).await.unwrap();
        pool.close().await;
    } else {
        let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
        migrator.run_to(migration, &pool).await.unwrap();
        pool.close().await;
    }
}

async fn another(database: &TestDatabase) -> TestDatabase {
    if database.is_sqlite() { TestDatabase::sqlite() } else { TestDatabase::postgres().await }
}

async fn incarnation(database: &TestDatabase) -> uuid::Uuid {
    let store: Store = database.store().await;
    let installation =
        store.write().await.unwrap().installation().ensure(&*ManualClock::at(NOW)).await.unwrap();
    store.close().await;
    installation.incarnation
}

on_both! {
    fn a_backup_comes_back_whole_and_in_another_life(database) {
        let (mut host, _folder, file) = place(database).await;
        let before = sizes(&host.database).await;
        let former = incarnation(&host.database).await;
        host.kill();
        // Into an empty database, into one that has something, and over itself.
        let other = another(&host.database).await;
        for target in [&other, &other, &host.database] {
            let restored = restored(target, &file).await.unwrap();
            assert_ne!(restored.incarnation, former);
            assert_eq!(incarnation(target).await, restored.incarnation);
            assert_eq!(sizes(target).await, before);
        }
        host.restart().await;
        host.command(&["apikey", "add", "--user", "admin"]);
        assert!(host.command(&["db", "verify-audit"]).contains("is whole"));
        let name = "SELECT COUNT(*) FROM companies WHERE name_folded = 'bäckerei \\ \"korn\" & söhne'";
        assert_eq!(host.database.count(name).await, 1);
    }

    fn a_backup_of_a_version_before_is_brought_up_to_this_one(database) {
        make_old(&database, 20_261_122_000_800).await;
        let id = if database.is_sqlite() { "x'01020304050607080910111213141516'" } else { "gen_random_uuid()" };
        database.execute(&format!("INSERT INTO installation VALUES (1, {id}, {id}, 7)")).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        back_up(&database.url, &file).await.unwrap();
        let target = another(&database).await;
        restored(&target, &file).await.unwrap();
        assert_eq!(target.count("SELECT installed_at FROM installation").await, 7);
        let store = target.store().await;
        store.close().await;
        assert_eq!(target.count("SELECT COUNT(*) FROM agents WHERE gap_seen_at IS NULL").await, 0);
    }

    fn a_file_that_is_no_whole_backup_is_refused_and_nothing_changes(database) {
        let (mut host, folder, file) = place(database).await;
        host.kill();
        let before = (sizes(&host.database).await, incarnation(&host.database).await);
        let whole = std::fs::read(&file).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        // Enough of it that it is not all in a page nobody uses.
        changed.iter_mut().skip(middle).take(9_000).for_each(|byte| *byte ^= 0x55);
        for (name, content) in
            [("short", &whole[..whole.len() * 2 / 3]), ("changed", &changed), ("text", b"not a backup\n")]
        {
            let bad = folder.path().join(name);
            std::fs::write(&bad, content).unwrap();
            let refused = restored(&host.database, &bad).await.unwrap_err();
            assert!(matches!(refused, StoreError::NoBackup { .. }), "{name}: {refused:?}");
            assert!(refused.to_string().contains(name), "{refused}");
        }
        let refused = restored(&host.database, &folder.path().join("absent")).await.unwrap_err();
        assert!(matches!(refused, StoreError::File { .. }), "{refused:?}");
        assert_eq!((sizes(&host.database).await, incarnation(&host.database).await), before);
        let refused = back_up(&host.database.url, &file).await.unwrap_err();
        assert!(matches!(refused, StoreError::File { .. }), "a backup is not overwritten: {refused:?}");
    }

    fn nothing_is_restored_beneath_a_host_that_runs(database) {
        let (host, _folder, file) = place(database).await;
        let mut command = std::process::Command::new(keelson_tests::process::keelson());
        command.args(["db", "restore", file.to_str().unwrap(), "--database", &host.database.url]);
        command.arg("--data").arg(host.log_file().parent().unwrap());
        let refused = command.output().unwrap();
        assert!(!refused.status.success());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains("another keelson runs on"), "{said}");
    }
}

/// Whoever gives the wrong address must not lose what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_database_of_somebody_elses_is_left_alone() {
    let (_host, _folder, file) = place(TestDatabase::postgres().await).await;
    let other = TestDatabase::postgres().await;
    other.execute("CREATE TABLE theirs (x INT)").await;
    let refused = restored(&other, &file).await.unwrap_err();
    assert!(matches!(refused, StoreError::Foreign), "{refused:?}");
    assert_eq!(other.count("SELECT COUNT(*) FROM theirs").await, 0);
}

/// The other host may run on another machine: PostgreSQL knows who is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_database_that_others_are_at_is_not_restored() {
    let (host, _folder, file) = place(TestDatabase::postgres().await).await;
    let refused = restored(&host.database, &file).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("stop every keelson"), "{refused}");
}
