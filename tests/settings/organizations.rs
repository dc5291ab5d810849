//! Organisations themselves, and their security tokens.

use keelson::clock::{Clock, HOUR, SystemClock};
use keelson::id::CompanyUid;
use keelson::model::{Door, Role};
use keelson::store::NewJoinToken;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::town::{Town, patched, refused, replace};

on_both! {
    fn everybody_sees_their_part_of_the_tree(database) {
        let town = Town::open(database).await;
        let names = async |client: &keelson_tests::Client| {
            let all = client.data("/organizations?sort=[{\"property\":\"name\"}]").await;
            all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&town.admin).await, ["Bakery", "Butcher", "Market", "Provider"]);
        assert_eq!(names(&town.reseller_admin().await).await, ["Bakery", "Market"]);
        assert_eq!(names(&town.client(Role::CompanyOwner, town.butcher).await).await, ["Butcher"]);
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        assert_eq!(owner.get(&format!("/organizations/{}", town.bakery)).await.0, StatusCode::NOT_FOUND);
        town.host.stop().await;
    }

    fn an_organisation_is_renamed_everywhere_and_its_country_named(database) {
        let town = Town::open(database).await;
        let path = format!("/organizations/{}", town.bakery);
        let steps = json!([
            { "op": "replace", "path": "/name", "value": "Fine Bakery" },
            { "op": "replace", "path": "/country", "value": 276 },
        ]);
        let changed = patched(&town.admin, &path, &steps).await;
        assert_eq!((&changed["name"], &changed["countryName"]), (&json!("Fine Bakery"), &json!("Germany")));
        assert_eq!(town.admin.data(&format!("/organizations/companies/{}", town.bakery)).await["name"], "Fine Bakery");
        let logs = town.host.store.read().await.unwrap().companies().by_name("fine bakery").await.unwrap();
        assert_eq!(logs.unwrap().uid.0, town.bakery);
        town.host.stop().await;
    }

    fn what_an_organisation_cannot_be_is_refused(database) {
        let town = Town::open(database).await;
        let path = format!("/organizations/{}", town.bakery);
        refused(&town.admin, Method::PATCH, &path, &replace("/name", "BUTCHER"), StatusCode::CONFLICT).await;
        for (pointer, value) in [
            ("/name", json!("")),
            ("/name", json!("a<b")),
            ("/email", json!("nobody")),
            ("/country", json!(1)),
            ("/type", json!("Reseller")),
            ("/instanceUid", json!(town.butcher)),
            ("/nothing", json!(1)),
        ] {
            refused(&town.admin, Method::PATCH, &path, &replace(pointer, value), StatusCode::BAD_REQUEST).await;
        }
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        refused(&owner, Method::PATCH, &path, &replace("/city", "Bonn"), StatusCode::NOT_FOUND).await;
        let tenant = town.client(Role::CompanyTenant, town.bakery).await;
        refused(&tenant, Method::PATCH, &path, &replace("/city", "Bonn"), StatusCode::FORBIDDEN).await;
        town.host.stop().await;
    }

    fn a_refreshed_security_token_revokes_the_organisations_join_tokens_and_no_others(database) {
        let town = Town::open(database).await;
        let mut tx = town.host.store.write().await.unwrap();
        for (company, hash) in [(town.bakery, 1), (town.butcher, 2)] {
            let company_uid = CompanyUid(company);
            let location_uid = tx.companies().default_location(company_uid).await.unwrap().unwrap();
            let expires_at = SystemClock.now_ms() + HOUR;
            let new = NewJoinToken { company_uid, location_uid, account_uid: None, hash: [hash; 32], door: Door::Remote, uses: 5, expires_at };
            tx.join_tokens().create(&SystemClock, &new).await.unwrap();
        }
        tx.commit().await.unwrap();
        let refresh = |of: uuid::Uuid| format!("/organizations/{of}/configuration/refreshsecuritytoken");
        let reseller = town.reseller_admin().await;
        refused(&reseller, Method::POST, &refresh(town.butcher), &json!(null), StatusCode::NOT_FOUND).await;
        let owner = town.client(Role::CompanyOwner, town.bakery).await;
        refused(&owner, Method::POST, &refresh(town.bakery), &json!(null), StatusCode::FORBIDDEN).await;
        let (status, body) = reseller.json(Method::POST, &refresh(town.bakery), &json!(null)).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({})));
        let mut tx = town.host.store.write().await.unwrap();
        let gone = tx.join_tokens().by_hash(&[1; 32]).await.unwrap().unwrap();
        assert!(!tx.join_tokens().take_use(&SystemClock, gone.uid).await.unwrap());
        let stays = tx.join_tokens().by_hash(&[2; 32]).await.unwrap().unwrap();
        assert!(tx.join_tokens().take_use(&SystemClock, stays.uid).await.unwrap());
        drop(tx);
        town.host.stop().await;
    }
}
