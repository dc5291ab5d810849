//! Requests that are remembered, through crashes of the host.

use std::time::Duration;

use keelson_tests::client::escape;
use keelson_tests::{Client, HostProcess, TestHost, eventually, on_both};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

fn company(name: &str) -> Value {
    json!({
        "organizationInput": { "name": name },
        "ownerCredentials": { "userName": format!("{name} owner"), "password": "correct horse" },
    })
}

fn create(client: &Client, name: &str, id: u128) -> RequestBuilder {
    let request = client.request(Method::POST, "/api/v3/organizations/companies").json(&company(name));
    request.header("X-Request-id", Uuid::from_u128(id).to_string())
}

async fn made(client: &Client, name: &str) -> usize {
    let filter = json!([{ "property": "name", "operation": "equals", "value": name }]).to_string();
    let rows = client.data(&format!("/organizations/companies?filter={}", escape(&filter))).await;
    rows.as_array().unwrap().len()
}

on_both! {
    fn a_repeated_request_acts_once_and_reads_the_same(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let (status, first) = Client::send(create(&client, "Bakery", 1)).await;
        assert_eq!(status, StatusCode::OK, "{first}");
        let (status, again) = Client::send(create(&client, "Bakery", 1)).await;
        assert_eq!((status, &again), (StatusCode::OK, &first));
        let (status, other) = Client::send(create(&client, "Butcher", 1)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{other}");
        assert_eq!(client.data("/asyncActions").await[0]["status"], "succeed");
        let nobodys = create(&client, "Bakery", 0).header("X-Request-id", "7");
        assert_eq!(Client::send(nobodys).await.0, StatusCode::BAD_REQUEST);
        host.stop().await;
    }

    fn a_client_that_asks_for_it_reads_its_answer_later(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let response = create(&client, "Bakery", 1).header("Prefer", "respond-async").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let action = location.strip_prefix("/api/v3").unwrap();
        eventually("the action to end", || async {
            (client.data(action).await["status"] == "succeed").then_some(())
        }).await;
        let result = client.data(&format!("{action}/result")).await;
        assert_eq!(result["name"], "Bakery");
        assert_eq!(client.data("/organizations/companies").await[0]["instanceUid"], result["instanceUid"]);
        let (status, _) = client.get(&format!("/asyncActions/{}", Uuid::nil())).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        host.stop().await;
    }

    /// Cases 13 and 14, at this door: whatever the host was at when it was killed, the repeat acts at most once, and its
    /// answer is true.
    fn killed_at_any_moment_it_acts_once_or_says_that_it_did_not(database) {
        let mut host = HostProcess::start(database, None).await;
        let client = host.administrator();
        for round in 0..6 {
            let (name, id) = (format!("company {round}"), 1 + round);
            let request = tokio::spawn(create(&client, &name, id).send());
            tokio::time::sleep(Duration::from_millis(u64::try_from(round).unwrap() * 8)).await;
            host.restart().await;
            drop(request.await);
            let (status, answer) = eventually("an answer to the repeat", || async {
                let (status, answer) = Client::send(create(&client, &name, id)).await;
                (status != StatusCode::ACCEPTED).then_some((status, answer))
            }).await;
            let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
            let expected = usize::from(status == StatusCode::OK || message.contains("is in effect"));
            assert_eq!(made(&client, &name).await, expected, "{status} {answer}");
            assert!(expected == 1 || message.contains("nothing of it happened"), "{status} {answer}");
        }
    }
}
