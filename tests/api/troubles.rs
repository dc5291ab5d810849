//! The database locked or gone: a server fault in the API's own way, and the host comes back by itself.

use keelson_tests::database::sql;
use keelson_tests::{HostProcess, TestDatabase, TestHost, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

fn input(name: &str) -> serde_json::Value {
    json!({ "organizationInput": { "name": name }, "ownerCredentials": { "userName": "owner" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn while_sqlite_is_locked_writes_are_told_to_come_again_and_reads_go_on() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let client = host.administrator();
    let file = host.database_url();
    let mut other = SqliteConnection::connect(&file).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (status, body) = client.json(Method::POST, "/organizations/companies", &input("Bakery")).await;
    assert_eq!(status.as_u16(), 520, "{body}");
    assert_eq!(body["errors"][0]["code"], 503);
    assert_eq!(body["errors"][0]["type"], "retryableLogical");
    assert!(!body.to_string().contains("sqlite"), "the inner chain stays inside: {body}");
    assert_eq!(client.get("/organizations/companies").await.0, StatusCode::OK);
    other.execute("ROLLBACK").await.unwrap();
    let (status, _) = client.json(Method::POST, "/organizations/companies", &input("Bakery")).await;
    assert_eq!(status, StatusCode::OK);
    host.stop().await;
}

/// Takes all connections of a database away, and its name with them.
async fn rename(admin: &mut PgConnection, from: &str, to: &str) {
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
    let rename = format!("ALTER DATABASE {from} RENAME TO {to}");
    let begun = std::time::Instant::now();
    // A connection may come back between the two statements.
    loop {
        admin.execute(sql(end.clone())).await.unwrap();
        match admin.execute(sql(rename.clone())).await {
            Ok(_) => return,
            Err(error) => assert!(begun.elapsed().as_secs() < 30, "{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_went_away_is_a_520_and_its_return_needs_no_restart() {
    let host = HostProcess::start(TestDatabase::postgres().await, None).await;
    let client = host.administrator();
    let (server, name) = host.database.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let away = format!("{name}_away");
    rename(&mut admin, name, &away).await;
    let (status, body) = client.get("/organizations/companies").await;
    assert_eq!(status.as_u16(), 520, "{body}");
    assert_eq!(body["errors"][0]["type"], "retryableLogical");
    rename(&mut admin, &away, name).await;
    eventually("the host to answer again", || async {
        (client.get("/organizations/companies").await.0 == StatusCode::OK).then_some(())
    })
    .await;
}
