//! What is too large, too long or too much.

use keelson_tests::client::escape;
use keelson_tests::{Client, TestDatabase, TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_ten_megabytes_is_a_413_and_an_endless_address_a_414() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let client = host.administrator();
    for size in [2, 10] {
        let body = vec![b' '; size * 1024 * 1024];
        let request = client.request(Method::POST, "/api/v3/organizations/companies");
        let request = request.header("content-type", "application/json").body(body);
        let (status, body) = Client::send(request).await;
        assert_eq!((status.as_u16(), &body["errors"][0]["code"]), (413, &json!(413)), "{size} MB");
    }
    let (status, body) = client.get(&format!("/organizations/companies?filter={}", "x".repeat(62_000))).await;
    assert_eq!((status.as_u16(), &body["errors"][0]["code"]), (414, &json!(414)), "{body}");
    let ids: Vec<_> = (0..1000_u128).map(|id| uuid::Uuid::from_u128(id).to_string()).collect();
    let filter = json!([{ "property": "instanceUid", "operation": "in", "value": ids }]).to_string();
    let (status, body) = client.get(&format!("/organizations/companies?filter={}", escape(&filter))).await;
    assert_eq!(status, StatusCode::OK, "a thousand ids fit: {body}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_takes_too_long_says_what_would_have_been_quick() {
    let host = TestHost::start(TestDatabase::postgres().await).await;
    let client = host.administrator();
    // Whatever keeps the statement: here, that nobody may read the table for a while.
    let mut other = PgConnection::connect(&host.database_url()).await.unwrap();
    other.execute("BEGIN; LOCK TABLE companies IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let (status, body) = client.get("/organizations/companies").await;
    assert_eq!(status.as_u16(), 520, "{body}");
    assert_eq!(body["errors"][0]["code"], 504);
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("has an index of"), "{body}");
    other.execute("ROLLBACK").await.unwrap();
    host.stop().await;
}

on_both! {
    fn a_client_of_an_older_version_reads_unknown_for_what_it_does_not_know(database) {
        let host = TestHost::start(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let tenant = host.member("CompanyTenant", "Bakery");
        for (version, role) in [("3.5.1", "Unknown"), ("3.6", "CompanyTenant"), ("3.7", "CompanyTenant")] {
            let request = tenant.request(Method::GET, "/api/v3/users/me").header("X-Client-Version", version);
            let (status, body) = Client::send(request).await;
            assert_eq!((status, &body["data"]["role"]), (StatusCode::OK, &json!(role)), "{version}");
        }
        host.stop().await;
    }
}
