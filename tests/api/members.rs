//! The names in bodies: read without regard to case, and refused where nothing knows them.

use keelson_tests::{TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn host(database: keelson_tests::TestDatabase) -> (TestHost, keelson_tests::Client) {
    let host = TestHost::start_with(database, None, std::sync::Arc::new(keelson::clock::SystemClock)).await;
    let admin = host.administrator();
    (host, admin)
}

fn refusal(body: &Value) -> (&str, &str) {
    let error = &body["errors"][0];
    (error["propertyName"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default())
}

on_both! {
    fn a_body_is_read_whatever_the_case_of_its_names(database) {
        let (host, admin) = host(database).await;
        let body = json!({
            "OrganizationInput": {"Name": "Bakery", "TAXID": "7"}, "IsAlarmDetectEnabled": true,
            "ownercredentials": {"USERNAME": "baker", "Password": "correct horse"},
            "CompanyServices": {"RemoteServices": {"BackupAgentsManagement": {"ServerAgentsQuota": 5}}},
        });
        let (status, made) = admin.json(Method::POST, "/organizations/companies?expand=Organization", &body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let company = &made["data"];
        assert_eq!((&company["isAlarmDetectEnabled"], &company["name"]), (&json!(true), &json!("Bakery")));
        assert_eq!(company["companyServices"]["remoteServices"]["backupAgentsManagement"]["serverAgentsQuota"], 5);
        let path = format!("/organizations/companies/{}", company["instanceUid"].as_str().unwrap());
        let steps = json!([{"Op": "replace", "PATH": "/companyServices/remoteServices/backupAgentsManagement",
            "value": {"workstationagentsquota": 9}}]);
        let (status, patched) = admin.json(Method::PATCH, &path, &steps).await;
        assert_eq!(status, StatusCode::OK, "{patched}");
        let agents = &patched["data"]["companyServices"]["remoteServices"]["backupAgentsManagement"];
        assert_eq!(agents["workstationAgentsQuota"], 9);
        let pass = format!("{path}/onboarding/cloudConnect/override");
        let (status, answer) = admin.json(Method::POST, &pass, &json!({"Reason": "our own additions too"})).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        host.stop().await;
    }

    fn a_name_that_nothing_knows_is_refused_with_its_path_and_the_nearest(database) {
        let (host, admin) = host(database).await;
        let body = |more: Value| {
            let mut body = json!({
                "organizationInput": {"name": "Bakery"}, "ownerCredentials": {"userName": "baker", "password": "correct horse"},
            });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (more, path, hint) in [
            (json!({"isAlarmDetectEnabld": true}), "isAlarmDetectEnabld", "did you mean \"isAlarmDetectEnabled\"?"),
            (json!({"companyServices": {"remoteServices": {"isBackupResourceEnabled": true}}}),
                "companyServices.remoteServices.isBackupResourceEnabled", "did you mean \"isBackupResourcesEnabled\"?"),
            (json!({"IsAlarmDetectEnabled": true, "isAlarmDetectEnabled": true}), "isAlarmDetectEnabled", "twice"),
        ] {
            let (status, answer) = admin.json(Method::POST, "/organizations/companies", &body(more)).await;
            let (property, message) = refusal(&answer);
            assert_eq!((status, property), (StatusCode::BAD_REQUEST, path), "{answer}");
            assert!(message.contains(hint), "{message}");
        }
        // What only an older version of the contract has is nobody's slip.
        let (status, made) = admin.json(Method::POST, "/organizations/companies", &body(json!({"permissions": []}))).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let company = made["data"]["instanceUid"].as_str().unwrap();
        let steps = json!([{"op": "replace", "path": "/companyServices", "value": {"remoteService": {}}}]);
        let (status, answer) = admin.json(Method::PATCH, &format!("/organizations/companies/{company}"), &steps).await;
        assert_eq!((status, refusal(&answer).0), (StatusCode::BAD_REQUEST, "companyServices.remoteService"), "{answer}");
        let pass = format!("/organizations/companies/{company}/onboarding/cloudConnect/override");
        let (status, answer) = admin.json(Method::POST, &pass, &json!({"reason": "x", "because": "y"})).await;
        assert_eq!((status, refusal(&answer).0), (StatusCode::BAD_REQUEST, "because"), "{answer}");
        host.stop().await;
    }

    fn a_form_may_have_fields_of_its_own(database) {
        let (host, _) = host(database).await;
        let fields = [("grant_type", "password"), ("username", "nobody"), ("password", "x"), ("client_id", "script")];
        let (status, body) = host.client.form("/token", &fields).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")), "{body}");
        host.stop().await;
    }
}
