//! Resellers are made, disabled and deleted; their sites.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, PASSWORD, delete, input, replace, signs_in, uid, uids};

on_both! {
    fn a_reseller_is_made_with_its_owner_and_not_made_twice(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let found = desk.admin.data("/organizations/resellers?expand=Organization").await;
        assert_eq!((uid(&found[0]["instanceUid"]), &found[0]["status"]), (reseller, &json!("Active")));
        assert_eq!(found[0]["_embedded"]["organization"]["type"], "Reseller");
        assert!(signs_in(&desk, "North-owner", PASSWORD).await);
        let owner = desk.admin.data(&format!("/organizations/{reseller}/users")).await;
        assert_eq!(owner[0]["role"], "ResellerOwner");
        let (status, body) = desk.admin.json(Method::POST, "/organizations/resellers", &input("NORTH", json!({}))).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        desk.close().await;
    }

    fn disabling_a_reseller_stops_its_companies_users_too(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let path = format!("/organizations/resellers/{reseller}");
        let (status, body) = desk.patch(&path, replace("/status", &json!("Disabled"))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        for name in ["North-owner", "Bakery-owner"] {
            assert!(!signs_in(&desk, name, PASSWORD).await, "{name}");
        }
        desk.patch(&path, replace("/status", &json!("Active"))).await;
        assert!(signs_in(&desk, "Bakery-owner", PASSWORD).await);
        let (status, body) = desk.patch(&path, replace("/status", &json!("Unknown"))).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("status")));
        desk.close().await;
    }

    fn a_reseller_with_companies_stays_and_one_without_goes(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let path = format!("/organizations/resellers/{reseller}");
        assert_eq!(uids(&desk.admin, &format!("{path}/companies"), "instanceUid").await, [company]);
        let (status, body) = delete(&desk.admin, &path).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("1 company"), "{body}");
        let (status, body) = desk.patch(&format!("/organizations/companies/{company}"), replace("/resellerUid", &json!(null))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let (status, body) = delete(&desk.admin, &path).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.admin.get(&path).await.0, StatusCode::NOT_FOUND);
        assert!(!signs_in(&desk, "North-owner", PASSWORD).await);
        desk.close().await;
    }

    fn a_resellers_sites_are_set_as_a_whole(database) {
        let desk = Desk::open(database).await;
        let (site, _) = desk.site().await;
        let path = format!("/organizations/resellers/{}/sites", desk.reseller("North").await);
        assert_eq!(desk.admin.data(&path).await, json!({"siteUids": []}));
        let (status, body) = desk.admin.json(Method::PUT, &path, &json!({"siteUids": [site.0, site.0]})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.admin.data(&path).await, json!({"siteUids": [site.0]}));
        let (status, body) = desk.admin.json(Method::PUT, &path, &json!({"siteUids": [Uuid::max()]})).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("siteUids")));
        assert_eq!(desk.admin.data(&path).await, json!({"siteUids": [site.0]}), "a refusal changes nothing");
        let nowhere = format!("/organizations/resellers/{}/sites", Uuid::max());
        assert_eq!(desk.admin.get(&nowhere).await.0, StatusCode::NOT_FOUND);
        desk.close().await;
    }
}
