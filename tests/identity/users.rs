//! Users are made, changed and taken away.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Desk, PASSWORD, delete, patch, property, user};

/// Every role, and to which organisation of the desk it belongs.
const PROVIDERS: [&str; 4] =
    ["PortalAdministrator", "PortalOperator", "PortalReadonlyOperator", "SiteAdministrator"];
const RESELLERS: [&str; 4] =
    ["ResellerAdministrator", "ResellerOperator", "ResellerUser", "ResellerInvoiceAuditor"];
const COMPANIES: [&str; 6] = [
    "CompanyAdministrator",
    "CompanyTenant",
    "CompanyLocationAdministrator",
    "CompanyLocationUser",
    "CompanySubtenant",
    "CompanyInvoiceAuditor",
];

on_both! {
    fn users_of_every_role_are_made_and_sign_in(database) {
        let desk = Desk::open(database).await;
        let places = [(&PROVIDERS[..], &desk.provider), (&RESELLERS[..], &desk.reseller), (&COMPANIES[..], &desk.bakery)];
        for (roles, organization) in places {
            for role in roles {
                let (uid, client) = desk.user(role, organization, role).await;
                let me = client.data("/users/me").await;
                assert_eq!((&me["instanceUid"], &me["role"]), (&json!(uid), &json!(role)));
                assert_eq!(me["organizationUid"], organization.as_str());
                assert_eq!(me["profile"]["email"], format!("{role}@example.com"));
                assert_eq!((&me["status"], &me["mfaPolicyStatus"]), (&json!("Enabled"), &json!("Disabled")));
                assert_eq!(me["mfaPolicyConfigurationStatus"], "NotConfigured");
            }
        }
        desk.host.stop().await;
    }

    fn a_profile_is_changed_by_its_owner_and_by_whoever_manages_them(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let path = format!("/users/{uid}");
        let (status, body) = patch(&anna, &path, "/profile/phone", json!("+49 1")).await;
        assert_eq!((status, &body["data"]["profile"]["phone"]), (StatusCode::OK, &json!("+49 1")), "{body}");
        let baker = desk.signed_in("baker").await;
        let (status, body) = patch(&baker, &path, "/profile/title", json!("Ms")).await;
        assert_eq!((status, &body["data"]["profile"]["title"]), (StatusCode::OK, &json!("Ms")), "{body}");
        let (status, body) = patch(&baker, &path, "/userName", json!("other")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let (status, body) = patch(&baker, &path, "/profile/email", json!("no address")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        desk.host.stop().await;
    }

    fn a_new_password_ends_all_sessions(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let path = format!("/users/{uid}");
        let (status, body) = patch(&desk.admin, &path, "/credentials/password", json!("short")).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "credentials.password"));
        assert_eq!(anna.get("/users/me").await.0, StatusCode::OK);
        let (status, body) = patch(&desk.admin, &path, "/credentials/password", json!("battery staple")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(!body.to_string().contains("battery"));
        assert_eq!(anna.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(desk.token("anna", PASSWORD).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(desk.token("anna", "battery staple").await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn a_disabled_user_is_out_and_comes_back_enabled(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, key) = desk.key(&anna, &uid, "description=script&scopes=rest").await;
        let path = format!("/users/{uid}");
        let (status, body) = patch(&desk.admin, &path, "/status", json!("Disabled")).await;
        assert_eq!((status, &body["data"]["status"]), (StatusCode::OK, &json!("Disabled")), "{body}");
        assert_eq!(anna.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, StatusCode::FORBIDDEN);
        let logins = desk.admin.data(&format!("/users/{uid}/logins")).await;
        assert_eq!(logins[0]["status"], "disabledDueToUser");
        assert_eq!(patch(&desk.admin, &path, "/status", json!("Unknown")).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(patch(&desk.admin, &path, "/status", json!("Enabled")).await.0, StatusCode::OK);
        assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn a_deleted_user_leaves_nothing_that_lets_in(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, key) = desk.key(&anna, &uid, "description=script&scopes=rest").await;
        let baker = desk.signed_in("baker").await;
        let (status, body) = delete(&baker, &format!("/users/{uid}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(anna.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(desk.admin.get(&format!("/users/{uid}")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(desk.token("anna", PASSWORD).await.0, StatusCode::BAD_REQUEST);
        let (status, _) = desk.try_user(&baker, "CompanyAdministrator", &desk.bakery, "anna").await;
        assert_eq!(status, StatusCode::OK, "the name is free again");
        desk.host.stop().await;
    }

    fn a_role_changes_within_its_tier(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let path = format!("/users/{uid}");
        let (status, body) = patch(&desk.admin, &path, "/role", json!("CompanyLocationUser")).await;
        assert_eq!((status, &body["data"]["role"]), (StatusCode::OK, &json!("CompanyLocationUser")), "{body}");
        assert_eq!(anna.data("/users/me").await["role"], "CompanyLocationUser");
        let given = desk.admin.data(&format!("{path}/assignments")).await;
        assert_eq!(given["locationUids"].as_array().unwrap().len(), 1, "a location user needs a location");
        for (role, wanted) in [
            ("PortalAdministrator", StatusCode::BAD_REQUEST),
            ("Unknown", StatusCode::BAD_REQUEST),
            ("CompanyOwner", StatusCode::CONFLICT),
        ] {
            let (status, body) = patch(&desk.admin, &path, "/role", json!(role)).await;
            assert_eq!(status, wanted, "{role} {body}");
        }
        desk.host.stop().await;
    }

    fn a_user_without_a_password_cannot_sign_in_until_there_is_one(database) {
        let desk = Desk::open(database).await;
        let mut input = user("CompanyAdministrator", &desk.bakery, "anna");
        input["credentials"]["password"] = json!(null);
        let (status, body) = desk.admin.json(Method::POST, "/users", &input).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        for guess in ["null", "", "anna"] {
            assert_eq!(desk.token("anna", guess).await.0, StatusCode::BAD_REQUEST);
        }
        desk.host.stop().await;
    }

    fn lists_show_what_is_in_scope_and_organisations_have_their_own(database) {
        let desk = Desk::open(database).await;
        let (_, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let names = |list: serde_json::Value| {
            let mut names: Vec<_> =
                list.as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(anna.data("/users").await), ["anna", "baker"]);
        assert_eq!(names(desk.admin.data(&format!("/organizations/{}/users", desk.butcher)).await), ["butcher"]);
        assert_eq!(names(anna.data(&format!("/organizations/{}/users", desk.bakery)).await), ["anna", "baker"]);
        let foreign = anna.get(&format!("/organizations/{}/users", desk.butcher)).await.0;
        assert_eq!(foreign, StatusCode::NOT_FOUND);
        desk.host.stop().await;
    }
}
