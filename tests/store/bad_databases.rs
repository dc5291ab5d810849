//! A database that is newer, locked, or nonsense: a clear message, and nothing lost.

use std::time::Duration;

use keelson::store::{Store, StoreError};
use keelson_tests::{TestDatabase, on_both};
use sqlx::{Connection, Executor};

on_both! {
    fn a_database_of_a_newer_version_is_refused_by_the_migration_that_is_not_known(database) {
        database.store().await.close().await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (20990101000000, 'later', true, '', 0)";
        if database.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            connection.execute(newer).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            connection.execute(newer).await.unwrap();
        }
        let refused = Store::open(&database.url).await.unwrap_err();
        assert!(matches!(refused, StoreError::Newer { migration: 20_990_101_000_000 }), "{refused:?}");
        assert!(refused.to_string().contains("newer Keelson"));
    }
}

#[tokio::test]
async fn a_locked_sqlite_database_is_unavailable_and_comes_back() {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    let mut other = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = store.write().await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    let mut reader = store.read().await.unwrap();
    reader.ping().await.unwrap();
    other.execute("ROLLBACK").await.unwrap();
    store.write().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.db");
    let letter = "Dear reader, this is no database at all.".repeat(100);
    std::fs::write(&file, &letter).unwrap();
    let refused = Store::open(&format!("sqlite:{}", file.display())).await.unwrap_err();
    assert!(refused.to_string().contains("letter.db"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), letter);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let opening = Store::open("postgres://me:secret@127.0.0.1:1/keelson");
    let refused = tokio::time::timeout(Duration::from_secs(30), opening).await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("postgres://me:***@127.0.0.1:1/keelson"), "{refused}");
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused() {
    assert!(matches!(Store::open("mysql://x").await, Err(StoreError::Url)));
}
