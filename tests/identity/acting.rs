//! Support in a customer's place.

use keelson_tests::{Client, on_both};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::desk::{Desk, PASSWORD, patch, post};

async fn act(desk: &Desk, name: &str, whom: &str, read_only: bool) -> (StatusCode, Value) {
    let (_, pair) = desk.token(name, PASSWORD).await;
    let read_only = read_only.to_string();
    let form = [
        ("grant_type", "as"),
        ("refresh_token", pair["refresh_token"].as_str().unwrap()),
        ("userUid", whom),
        ("readOnly", &read_only),
    ];
    desk.host.client.form("/token", &form).await
}

fn client(desk: &Desk, pair: &Value) -> Client {
    desk.host.client.with(pair["access_token"].as_str().unwrap_or_else(|| panic!("{pair}")))
}

on_both! {
    fn whoever_acts_sees_what_the_user_sees_and_the_log_names_both(database) {
        let desk = Desk::open(database).await;
        let (ada, _) = desk.user("PortalOperator", &desk.provider, "ada").await;
        let baker = desk.uid("baker").await;
        let (status, pair) = act(&desk, "ada", &baker, false).await;
        assert_eq!(status, StatusCode::OK, "{pair}");
        let acting = client(&desk, &pair);
        assert_eq!(acting.data("/users/me").await["userName"], "baker");
        assert_eq!(acting.data("/organizations/companies").await.as_array().unwrap().len(), 1);
        let (status, _) = patch(&acting, &format!("/users/{baker}"), "/profile/phone", json!("1")).await;
        assert_eq!(status, StatusCode::OK);
        let rows = desk.host.store.read().await.unwrap().audit().after(0, 1000).await.unwrap();
        let of_ada: Vec<_> = rows.iter().filter(|row| row.actor_uid.is_some_and(|uid| uid.to_string() == ada)).collect();
        let operations: Vec<_> = of_ada.iter().map(|row| row.operation.as_str()).collect();
        assert_eq!(operations, ["OAuth2IssueToken", "PatchUser"]);
        assert!(of_ada.iter().all(|row| row.user_uid.is_some_and(|uid| uid.to_string() == baker)));
        desk.host.stop().await;
    }

    fn whoever_acts_leaves_no_way_in_behind(database) {
        let desk = Desk::open(database).await;
        let baker = desk.uid("baker").await;
        desk.user("PortalAdministrator", &desk.provider, "ada").await;
        let acting = client(&desk, &act(&desk, "ada", &baker, false).await.1);
        let own = format!("/users/{baker}");
        let made = post(&acting, &format!("{own}/logins/apikey?description=x&scopes=rest")).await.0;
        assert_eq!(made, StatusCode::FORBIDDEN);
        let changed = patch(&acting, &own, "/credentials/password", json!("battery staple")).await.0;
        assert_eq!(changed, StatusCode::FORBIDDEN);
        let user = desk.try_user(&acting, "CompanyAdministrator", &desk.bakery, "backdoor").await.0;
        assert_eq!(user, StatusCode::FORBIDDEN);
        desk.host.stop().await;
    }

    fn acting_to_look_only_changes_nothing(database) {
        let desk = Desk::open(database).await;
        let baker = desk.uid("baker").await;
        desk.user("PortalAdministrator", &desk.provider, "ada").await;
        let acting = client(&desk, &act(&desk, "ada", &baker, true).await.1);
        assert_eq!(acting.get("/users").await.0, StatusCode::OK);
        let (status, _) = patch(&acting, &format!("/users/{baker}"), "/profile/phone", json!("1")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        desk.host.stop().await;
    }

    fn a_reseller_acts_for_its_own_companies_only_and_nobody_for_peers(database) {
        let desk = Desk::open(database).await;
        let (operator, _) = desk.user("PortalOperator", &desk.provider, "operator").await;
        let (tenant, _) = desk.user("CompanyTenant", &desk.bakery, "tenant").await;
        let baker = desk.uid("baker").await;
        desk.user("PortalAdministrator", &desk.provider, "ada").await;
        for (who, whom) in [("market", &baker), ("ada", &operator), ("operator", &operator), ("baker", &tenant)] {
            let (status, body) = act(&desk, who, whom, false).await;
            assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("unauthorized_client")), "{who}");
        }
        desk.host.stop().await;
    }
}
