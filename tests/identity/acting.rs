//! Support in a customer's place.

use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::desk::{Desk, PASSWORD, delete, patch, post};

pub(crate) async fn act(desk: &Desk, name: &str, whom: &str, read_only: bool) -> (StatusCode, Value) {
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
        let anna = format!("/users/{}", desk.user("CompanyAdministrator", &desk.bakery, "anna").await.0);
        for (path, at, value) in [
            (&own, "/profile/email", "mine@example.com"),
            (&own, "/mfaPolicyStatus", "Enabled"),
            (&anna, "/profile/email", "mine@example.com"),
            (&anna, "/mfaPolicyStatus", "Enabled"),
            (&anna, "/role", "CompanyTenant"),
            (&anna, "/status", "Disabled"),
        ] {
            let (status, body) = patch(&acting, path, at, json!(value)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{at} {body}");
        }
        assert_eq!(patch(&acting, &anna, "/profile/phone", json!("1")).await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn whoever_acts_for_a_reseller_makes_themselves_no_owner_of_a_company(database) {
        let desk = Desk::open(database).await;
        let company = format!("/organizations/companies/{}", desk.bakery);
        assert_eq!(patch(&desk.admin, &company, "/resellerUid", json!(desk.reseller)).await.0, StatusCode::OK);
        desk.user("PortalAdministrator", &desk.provider, "ada").await;
        let market = desk.uid("market").await;
        let acting = client(&desk, &act(&desk, "ada", &market, false).await.1);
        for (at, value) in [("userName", "mine"), ("password", "battery staple")] {
            let steps = json!([{"op": "add", "path": format!("/ownerCredentials/{at}"), "value": value}]);
            let (status, body) = acting.json(Method::PATCH, &company, &steps).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{at} {body}");
        }
        assert_eq!(desk.token("baker", PASSWORD).await.0, StatusCode::OK);
        assert_eq!(patch(&acting, &company, "/isAlarmDetectEnabled", json!(true)).await.0, StatusCode::OK);
        let mut new = json!({
            "organizationInput": {"name": "Brewery"}, "ownerCredentials": {"userName": "brewer", "password": PASSWORD},
        });
        let (status, body) = acting.json(Method::POST, "/organizations/companies", &new).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        new["ownerCredentials"] = json!({"userName": "brewer"});
        let (status, body) = acting.json(Method::POST, "/organizations/companies", &new).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        desk.host.stop().await;
    }

    fn acting_ends_with_the_second_factor_that_it_began_with(database) {
        let desk = Desk::open(database).await;
        let baker = desk.uid("baker").await;
        let (ada_uid, ada) = desk.user("PortalAdministrator", &desk.provider, "ada").await;
        let (login, authenticator) = desk.factor(&ada, &ada_uid).await;
        desk.clock.advance(30_000);
        let (_, first) = desk.token("ada", PASSWORD).await;
        let code = authenticator.code(&desk.clock);
        let form = [("grant_type", "mfa"), ("mfa_token", first["mfa_token"].as_str().unwrap()), ("mfa_code", &code)];
        let (_, own) = desk.host.client.form("/token", &form).await;
        let refresh = own["refresh_token"].as_str().unwrap();
        let form = [("grant_type", "as"), ("refresh_token", refresh), ("userUid", &baker)];
        let acting = client(&desk, &desk.host.client.form("/token", &form).await.1);
        assert_eq!(acting.get("/users/me").await.0, StatusCode::OK);
        assert_eq!(delete(&ada, &format!("/users/{ada_uid}/logins/{}", login["id"])).await.0, StatusCode::OK);
        assert_eq!(acting.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
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
