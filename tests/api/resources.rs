//! What the resources look like and take.

use keelson_tests::{TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

on_both! {
    fn a_company_is_made_found_and_not_made_twice(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let input = json!({
            "organizationInput": { "name": "Bakery", "city": "Bonn" },
            "ownerCredentials": { "userName": "owner", "password": "correct horse battery" },
        });
        let (status, made) = client.json(Method::POST, "/organizations/companies", &input).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let uid = made["data"]["instanceUid"].as_str().unwrap();
        let found = client.data(&format!("/organizations/companies/{uid}?expand=Organization")).await;
        assert_eq!(found["name"], "Bakery");
        assert_eq!(found["_embedded"]["organization"]["city"], "Bonn");
        let again = json!({ "organizationInput": { "name": "BAKERY" }, "ownerCredentials": { "userName": "o" } });
        let (status, _) = client.json(Method::POST, "/organizations/companies", &again).await;
        assert_eq!(status, StatusCode::CONFLICT);
        host.stop().await;
    }

    fn a_companys_input_is_judged_property_by_property(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let owner = json!({ "userName": "owner" });
        for (input, property) in [
            (json!({ "ownerCredentials": owner }), "organizationInput"),
            (json!({ "organizationInput": { "name": "" }, "ownerCredentials": owner }), "organizationInput.name"),
            (json!({ "organizationInput": { "name": "a<b" }, "ownerCredentials": owner }), "organizationInput.name"),
            (json!({ "organizationInput": { "name": 5 }, "ownerCredentials": owner }), "organizationInput.name"),
        ] {
            let (status, body) = client.json(Method::POST, "/organizations/companies", &input).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{input}: {body}");
            assert!(body["errors"][0].to_string().contains(property), "{input}: {body}");
        }
        let request = client.request(Method::POST, "/api/v3/organizations/companies").body("{ not json");
        let (status, _) = keelson_tests::Client::send(request.header("content-type", "application/json")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        host.stop().await;
    }

    fn a_rules_parameter_out_of_bounds_is_refused_by_name_and_nothing_changes(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let templates = keelson_tests::eventually("the templates", || async {
            let templates = client.data("/alarms/templates").await;
            (templates.as_array().unwrap().len() == 3).then_some(templates)
        })
        .await;
        let late = templates.as_array().unwrap().iter().find(|one| one["name"] == "Computer without backup").unwrap();
        let rule = format!("/alarms/templates/{}/rule", late["instanceUid"].as_str().unwrap());
        for value in [json!(-1), json!("soon"), json!(null)] {
            let patch = json!([{ "op": "replace", "path": "/parameters/rpoHours", "value": value }]);
            let (status, body) = client.json(Method::PATCH, &rule, &patch).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{value}: {body}");
            assert!(body.to_string().contains("rpoHours"), "{body}");
        }
        let patch = json!([{ "op": "replace", "path": "/plugin", "value": "another" }]);
        let (status, body) = client.json(Method::PATCH, &rule, &patch).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(body.to_string().contains("/plugin"), "a read-only path is refused by name: {body}");
        assert_eq!(client.data(&rule).await["parameters"]["rpoHours"], 24);
        host.stop().await;
    }

    fn the_document_that_is_served_is_the_one_that_is_committed(database) {
        let host = TestHost::start(database).await;
        let (status, served) = host.client.get("/openapi.json").await;
        assert_eq!(status, StatusCode::OK);
        let committed = include_str!("../../host/openapi.json");
        assert_eq!(served, serde_json::from_str::<serde_json::Value>(committed).unwrap());
        host.stop().await;
    }

    fn an_unsupported_client_version_is_told_so(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        for (version, expected) in [("3.6.1", StatusCode::OK), ("3.7", StatusCode::OK), ("2.0", StatusCode::BAD_REQUEST)] {
            let request = client.request(Method::GET, "/api/v3/about").header("X-Client-Version", version);
            let (status, body) = keelson_tests::Client::send(request).await;
            assert_eq!(status, expected, "{version}: {body}");
        }
        host.stop().await;
    }
}
