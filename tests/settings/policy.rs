//! What users must and may do, and what their managers let them.

use keelson::model::Role;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::town::{Town, patched, refused, replace};

fn policy(of: Uuid) -> String {
    format!("/organizations/{of}/configuration/policy")
}

on_both! {
    fn a_switch_works_only_where_every_manager_has_it_on(database) {
        let town = Town::open(database).await;
        let reseller = town.reseller_admin().await;
        let on = replace("/webhooksEnabled", true);
        let before = town.admin.data(&policy(town.bakery)).await;
        assert_eq!((&before["webhooksEnabled"], &before["webhooksEnabledByManager"]), (&json!(false), &json!(false)));
        let error = refused(&reseller, Method::PATCH, &policy(town.bakery), &on, StatusCode::BAD_REQUEST).await;
        assert_eq!((&error["code"], &error["propertyName"]), (&json!(1101), &json!("webhooksEnabled")));
        patched(&town.admin, &policy(town.provider), &on).await;
        refused(&reseller, Method::PATCH, &policy(town.bakery), &on, StatusCode::BAD_REQUEST).await;
        assert_eq!(patched(&reseller, &policy(town.reseller), &on).await["webhooksEnabledByManager"], true);
        assert_eq!(patched(&reseller, &policy(town.bakery), &on).await["webhooksEnabled"], true);
        patched(&town.admin, &policy(town.provider), &replace("/webhooksEnabled", false)).await;
        let after = town.admin.data(&policy(town.bakery)).await;
        assert_eq!((&after["webhooksEnabled"], &after["webhooksEnabledByManager"]), (&json!(false), &json!(false)));
        town.host.stop().await;
    }

    fn a_second_factor_is_inherited_and_shows_on_users(database) {
        let town = Town::open(database).await;
        town.client(Role::CompanyOwner, town.bakery).await;
        let status_of_users = async |organization: Uuid| {
            let filter = format!(r#"[{{"property":"organizationUid","operation":"equals","value":"{organization}"}}]"#);
            let users = town.admin.data(&format!("/users?filter={}", keelson_tests::client::escape(&filter))).await;
            let users = users.as_array().unwrap().iter().map(|user| user["mfaPolicyStatus"].clone());
            users.collect::<Vec<_>>()
        };
        assert_eq!(status_of_users(town.bakery).await, ["Disabled"]);
        patched(&town.admin, &policy(town.reseller), &replace("/enforceMfaPolicy", true)).await;
        assert_eq!(town.admin.data(&policy(town.bakery)).await["mfaPolicyStatus"], "EnabledByInheritance");
        assert_eq!(town.admin.data(&policy(town.butcher)).await["mfaPolicyStatus"], "Disabled");
        assert_eq!(status_of_users(town.bakery).await, ["EnabledByInheritance"]);
        let error = refused(&town.admin, Method::PATCH, &policy(town.bakery), &replace("/mfaPolicyStatus", "Disabled"), StatusCode::BAD_REQUEST).await;
        assert_eq!(error["code"], 1101);
        assert_eq!(patched(&town.admin, &policy(town.bakery), &replace("/mfaPolicyStatus", "Enabled")).await["mfaPolicyStatus"], "Enabled");
        patched(&town.admin, &policy(town.reseller), &replace("/enforceMfaPolicy", false)).await;
        assert_eq!(status_of_users(town.bakery).await, ["EnabledByInheritance"], "its own organisation's policy stands");
        patched(&town.admin, &policy(town.bakery), &replace("/mfaPolicyStatus", "Disabled")).await;
        patched(&town.admin, &policy(town.provider), &replace("/enforceMfaPolicy", true)).await;
        assert_eq!(status_of_users(town.bakery).await, ["EnabledByInheritance"]);
        town.host.stop().await;
    }

    fn what_makes_no_sense_as_a_policy_is_refused(database) {
        let town = Town::open(database).await;
        for (path, value) in [
            ("/mfaPolicyStatus", json!("EnabledByInheritance")),
            ("/mfaPolicyStatus", json!("Unknown")),
            ("/mfaPolicyStatus", json!("Perhaps")),
            ("/webhooksEnabled", json!("yes")),
            ("/webhooksEnabledByManager", json!(true)),
            ("/enforceMfaPolicy", json!(true)),
        ] {
            let error = refused(&town.admin, Method::PATCH, &policy(town.butcher), &replace(path, value), StatusCode::BAD_REQUEST).await;
            let named = error["propertyName"].as_str().unwrap_or_default().trim_start_matches('/');
            assert_eq!(format!("/{named}"), path, "{error}");
        }
        let foreign = town.reseller_admin().await;
        refused(&foreign, Method::PATCH, &policy(town.butcher), &replace("/enforceMfaPolicy", false), StatusCode::NOT_FOUND).await;
        let auditor = town.client(Role::CompanyInvoiceAuditor, town.butcher).await;
        assert_eq!(auditor.data(&policy(town.butcher)).await["mfaPolicyStatus"], "Disabled");
        refused(&auditor, Method::PATCH, &policy(town.butcher), &replace("/enforceMfaPolicy", false), StatusCode::FORBIDDEN).await;
        town.host.stop().await;
    }
}
