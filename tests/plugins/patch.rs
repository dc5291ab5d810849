//! New parameters of a rule, from the API to the guest: what is kept is what the rule takes.

use std::sync::Arc;

use keelson::clock::SystemClock;
use keelson_tests::{Client, TestHost, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::Shelf;

/// Where the rule of the alarm of that name is.
async fn rule_of(client: &Client, name: &str) -> String {
    eventually("the template", || async {
        let templates = client.data("/alarms/templates").await;
        let template = templates.as_array()?.iter().find(|template| template["name"] == name)?;
        Some(format!("/alarms/templates/{}/rule", template["instanceUid"].as_str()?))
    })
    .await
}

async fn set(client: &Client, rule: &str, parameter: &str, value: Value) -> (StatusCode, Value) {
    let path = format!("/parameters/{parameter}");
    client.json(Method::PATCH, rule, &json!([{ "op": "replace", "path": path, "value": value }])).await
}

on_both! {
    fn a_whole_float_is_kept_as_the_integer_that_it_is(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let rule = rule_of(&client, "Computer without backup").await;
        let (status, body) = set(&client, &rule, "rpoHours", json!(48.0)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["data"]["parameters"].to_string(), r#"{"rpoHours":48}"#);
        let mut tx = host.store.read().await.unwrap();
        let kept = tx.templates().all().await.unwrap();
        assert!(kept.iter().any(|template| template.parameters == r#"{"rpoHours":48}"#), "{kept:?}");
        drop(tx);
        host.stop().await;
    }

    fn parameters_that_the_rule_itself_refuses_are_not_kept(database) {
        let shelf = Shelf::with_evil(&json!({}));
        let host = TestHost::start_with(database, Some(shelf.folder()), Arc::new(SystemClock)).await;
        let client = host.administrator();
        let rule = rule_of(&client, "Misbehave").await;
        let (status, body) = set(&client, &rule, "mode", json!("refuse")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let error = &body["errors"][0];
        assert!(error["message"].as_str().unwrap().contains("no such mode under this moon"), "{body}");
        assert_eq!(error["propertyName"], "parameters");

        // A rule that crashes says nothing of the parameters.
        let (status, body) = set(&client, &rule, "mode", json!("trap")).await;
        assert_eq!((status.as_u16(), &body["errors"][0]["code"]), (520, &json!(503)), "{body}");
        assert!(body.to_string().contains("evil on purpose"), "{body}");
        assert_eq!(client.data(&rule).await["parameters"]["mode"], "behave");

        let (status, body) = set(&client, &rule, "mode", json!("calm")).await;
        assert_eq!((status, &body["data"]["parameters"]["mode"]), (StatusCode::OK, &json!("calm")));
        host.stop().await;
    }
}
