//! The two databases are one: same migrations, same columns, and every statement is understood by both.

use std::collections::BTreeSet;
use std::path::Path;

use keelson::store::{Dialect, every_statement};
use keelson_tests::database::sql;
use keelson_tests::{TestDatabase, on_both};
use sqlx::{Connection, Executor, Row};

on_both! {
    fn every_statement_is_understood(database) {
        database.store().await.close().await;
        if database.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            for (name, text) in every_statement(Dialect::Sqlite) {
                let prepared = connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql(text.clone()))).await;
                assert!(prepared.is_ok(), "{name}: {}\n{text}", prepared.err().unwrap());
            }
        } else {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            for (name, text) in every_statement(Dialect::Postgres) {
                let prepared = connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql(text.clone()))).await;
                assert!(prepared.is_ok(), "{name}: {}\n{text}", prepared.err().unwrap());
            }
        }
    }
}

/// (table, column)
async fn columns(database: &TestDatabase) -> BTreeSet<(String, String)> {
    database.store().await.close().await;
    let read = |rows: Vec<(String, String)>| {
        rows.into_iter().filter(|(table, _)| table != "_sqlx_migrations").collect()
    };
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        let rows = connection
            .fetch_all("SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'")
            .await
            .unwrap();
        read(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let rows = connection
            .fetch_all(
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public'",
            )
            .await
            .unwrap();
        read(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

#[tokio::test]
async fn both_databases_end_up_with_the_same_columns() {
    let sqlite = columns(&TestDatabase::sqlite()).await;
    let postgres = columns(&TestDatabase::postgres().await).await;
    assert!(sqlite.len() > 50);
    assert_eq!(sqlite, postgres);
}

#[test]
fn both_folders_have_the_same_migrations() {
    let names = |dialect: &str| -> BTreeSet<_> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(dialect);
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
