//! What users see whose role sees only what is given to them.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Desk, property};

on_both! {
    fn locations_and_sites_are_given_and_taken(database) {
        let desk = Desk::open(database).await;
        let (local, client) = desk.user("CompanyLocationUser", &desk.bakery, "local").await;
        let (site, _) = desk.user("SiteAdministrator", &desk.provider, "site").await;
        let path = |uid: &str| format!("/users/{uid}/assignments");
        let before = desk.admin.data(&path(&local)).await;
        assert_eq!((before["locationUids"].as_array().unwrap().len(), &before["siteUids"]), (1, &json!([])));
        let put = async |uid: &str, body: serde_json::Value| desk.admin.json(Method::PUT, &path(uid), &body).await;
        let (status, body) = put(&local, json!({"locationUids": []})).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "locationUids"), "{body}");
        let (status, body) = put(&local, json!({"locationUids": before["locationUids"], "siteUids": [desk.bakery]})).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "siteUids"), "{body}");
        let (status, body) = put(&local, before.clone()).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &before), "{body}");
        assert_eq!(desk.admin.data(&path(&site)).await["siteUids"], json!([]));
        let (status, _) = client.get(&path(&local)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "the table does not admit location users");
        desk.host.stop().await;
    }

    fn a_site_that_is_not_there_cannot_be_given(database) {
        let desk = Desk::open(database).await;
        let (site, _) = desk.user("SiteAdministrator", &desk.provider, "site").await;
        let path = format!("/users/{site}/assignments");
        let (status, body) = desk.admin.json(Method::PUT, &path, &json!({"siteUids": [desk.bakery]})).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "siteUids"), "{body}");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains(&desk.bakery), "it is named: {body}");
        assert_eq!(desk.admin.data(&path).await["siteUids"], json!([]));
        desk.host.stop().await;
    }

    fn a_location_of_another_company_cannot_be_given(database) {
        let desk = Desk::open(database).await;
        let (local, _) = desk.user("CompanyLocationUser", &desk.bakery, "local").await;
        let (other, _) = desk.user("CompanyLocationUser", &desk.butcher, "other").await;
        let foreign = desk.admin.data(&format!("/users/{other}/assignments")).await;
        let path = format!("/users/{local}/assignments");
        let (status, body) = desk.admin.json(Method::PUT, &path, &foreign).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "locationUids"), "{body}");
        let baker = desk.signed_in("baker").await;
        let (status, _) = baker.json(Method::PUT, &path, &foreign).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "what the owner of one company does not see is not there");
        desk.host.stop().await;
    }

    fn a_location_administrator_passes_on_their_own_locations(database) {
        let desk = Desk::open(database).await;
        let (boss_uid, boss) = desk.user("CompanyLocationAdministrator", &desk.bakery, "boss").await;
        let own = desk.admin.data(&format!("/users/{boss_uid}/assignments")).await;
        let (status, body) = desk.try_user(&boss, "CompanyLocationUser", &desk.bakery, "hand").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let hand = body["data"]["instanceUid"].as_str().unwrap();
        assert_eq!(desk.admin.data(&format!("/users/{hand}/assignments")).await, own);
        let (status, body) = desk.try_user(&boss, "CompanyLocationUser", own["locationUids"][0].as_str().unwrap(), "other").await;
        assert_eq!(status, StatusCode::OK, "a location stands for itself: {body}");
        assert_eq!(body["data"]["organizationUid"], desk.bakery.as_str());
        assert_eq!(boss.data("/users").await.as_array().unwrap().len(), 3);
        desk.host.stop().await;
    }
}
