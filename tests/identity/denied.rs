//! Whoever is turned away at the token endpoint stands in the activity log.

use keelson_tests::on_both;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::acting::act;
use super::desk::{Desk, PASSWORD, patch};

/// What the log says of those who were turned away: whose credential it was, and why.
async fn denied(desk: &Desk) -> Vec<(String, String)> {
    let rows = desk.host.store.read().await.unwrap().audit().after(0, 1000).await.unwrap();
    let denied =
        rows.into_iter().filter(|row| row.outcome == "Denied" && row.operation == "OAuth2IssueToken");
    denied.map(|row| (row.user_name, row.message)).collect()
}

async fn refresh(desk: &Desk, pair: &Value) -> StatusCode {
    let token = pair["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    desk.host.client.form("/token", &form).await.0
}

on_both! {
    fn a_right_password_of_somebody_who_may_not_come_in_is_written_down(database) {
        let desk = Desk::open(database).await;
        let (anna, _) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, pair) = desk.token("butcher", PASSWORD).await;
        assert_eq!(patch(&desk.admin, &format!("/users/{anna}"), "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(desk.token("anna", PASSWORD).await.0, StatusCode::BAD_REQUEST);
        let company = format!("/organizations/companies/{}", desk.butcher);
        assert_eq!(patch(&desk.admin, &company, "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(desk.token("butcher", PASSWORD).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(refresh(&desk, &pair).await, StatusCode::BAD_REQUEST);
        let denied = denied(&desk).await;
        let names: Vec<_> = denied.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["anna", "butcher", "butcher"], "{denied:?}");
        assert!(denied[0].1.contains("disabled") && denied[1].1.contains("not active"), "{denied:?}");
        desk.host.stop().await;
    }

    fn a_refresh_token_that_comes_back_is_written_down(database) {
        let desk = Desk::open(database).await;
        let (_, pair) = desk.token("baker", PASSWORD).await;
        assert_eq!(refresh(&desk, &pair).await, StatusCode::OK);
        assert_eq!(refresh(&desk, &pair).await, StatusCode::BAD_REQUEST);
        let denied = denied(&desk).await;
        assert_eq!((denied.len(), denied[0].0.as_str()), (1, "baker"), "{denied:?}");
        assert!(denied[0].1.contains("used before"), "{denied:?}");
        desk.host.stop().await;
    }

    fn whoever_wanted_to_act_for_somebody_and_may_not_is_written_down(database) {
        let desk = Desk::open(database).await;
        desk.user("PortalOperator", &desk.provider, "operator").await;
        let admin = desk.admin.data("/users/me").await["instanceUid"].as_str().unwrap().to_owned();
        let baker = desk.uid("baker").await;
        let path = format!("/users/{baker}");
        assert_eq!(act(&desk, "operator", &admin, false).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(patch(&desk.admin, &path, "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(act(&desk, "operator", &baker, false).await.0, StatusCode::BAD_REQUEST);
        let denied = denied(&desk).await;
        assert_eq!(denied.len(), 2, "{denied:?}");
        assert!(denied[0].0 == "operator" && denied[0].1.contains(&admin), "{denied:?}");
        assert!(denied[1].0 == "baker" && denied[1].1.contains("disabled"), "{denied:?}");
        desk.host.stop().await;
    }
}
