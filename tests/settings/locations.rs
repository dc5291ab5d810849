//! Locations of companies.

use std::collections::BTreeSet;

use keelson::clock::{Clock, HOUR, SystemClock};
use keelson::id::{CompanyUid, LocationUid};
use keelson::model::{Door, Role};
use keelson::store::{MOVED_WITH_A_LOCATION, NewJoinToken};
use keelson_tests::{Client, TestDatabase, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Row};

use super::town::{Town, patched, refused, replace};

async fn of_company(client: &Client, company: uuid::Uuid) -> Vec<Value> {
    client
        .data(&format!("/organizations/{company}/locations?sort=[{{\"property\":\"name\"}}]"))
        .await
        .as_array()
        .unwrap()
        .clone()
}

async fn make(client: &Client, company: uuid::Uuid, name: &str) -> String {
    let input = json!({ "organizationUid": company, "name": name, "quotaGb": 100 });
    let (status, body) = client.json(Method::POST, "/organizations/locations", &input).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((&body["data"]["type"], &body["data"]["quotaGb"]), (&json!("Custom"), &json!(100)));
    body["data"]["instanceUid"].as_str().unwrap().to_owned()
}

async fn delete(client: &Client, uid: &str) -> (StatusCode, Value) {
    client.json(Method::DELETE, &format!("/organizations/locations/{uid}"), &json!(null)).await
}

on_both! {
    fn a_company_has_two_locations_from_the_start_and_gets_more(database) {
        let town = Town::open(database).await;
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        let names: Vec<_> = of_company(&owner, town.butcher).await.iter().map(|one| (one["name"].clone(), one["type"].clone())).collect();
        assert_eq!(names, [(json!("Hosted"), json!("Hosted")), (json!("Remote"), json!("Default"))]);
        let uid = make(&owner, town.butcher, "Cellar").await;
        let path = format!("/organizations/locations/{uid}");
        let steps = json!([
            { "op": "replace", "path": "/name", "value": "Attic" },
            { "op": "replace", "path": "/quotaGb", "value": 5 },
        ]);
        let changed = patched(&owner, &path, &steps).await;
        assert_eq!((&changed["name"], &changed["quotaGb"]), (&json!("Attic"), &json!(5)));
        assert_eq!(town.admin.data("/organizations/locations").await.as_array().unwrap().len(), 6, "and the provider's");
        assert_eq!(owner.data("/organizations/locations").await.as_array().unwrap().len(), 3);
        town.host.stop().await;
    }

    fn what_is_no_location_is_refused(database) {
        let town = Town::open(database).await;
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        let uid = make(&owner, town.butcher, "Cellar").await;
        let input = |name: &str, quota: Value, organization: uuid::Uuid| json!({ "organizationUid": organization, "name": name, "quotaGb": quota });
        let path = "/organizations/locations";
        for (body, status) in [
            (input("CELLAR", json!(1), town.butcher), StatusCode::CONFLICT),
            (input("", json!(1), town.butcher), StatusCode::BAD_REQUEST),
            (input("x", json!(-1), town.butcher), StatusCode::BAD_REQUEST),
            (input("x", json!("1"), town.butcher), StatusCode::BAD_REQUEST),
            (json!({ "name": "x", "quotaGb": 1 }), StatusCode::BAD_REQUEST),
            (input("x", json!(1), town.bakery), StatusCode::NOT_FOUND),
            (input("x", json!(1), town.provider), StatusCode::NOT_FOUND),
        ] {
            refused(&owner, Method::POST, path, &body, status).await;
        }
        refused(&town.admin, Method::POST, path, &input("x", json!(1), town.reseller), StatusCode::BAD_REQUEST).await;
        let one = format!("{path}/{uid}");
        refused(&owner, Method::PATCH, &one, &replace("/name", "remote"), StatusCode::CONFLICT).await;
        for (pointer, value) in [("/type", json!("Default")), ("/organizationUid", json!(town.bakery)), ("/quotaGb", json!(-1))] {
            refused(&owner, Method::PATCH, &one, &replace(pointer, value), StatusCode::BAD_REQUEST).await;
        }
        let stranger = town.client(Role::CompanyOwner, town.bakery).await;
        refused(&stranger, Method::PATCH, &one, &replace("/name", "y"), StatusCode::NOT_FOUND).await;
        assert_eq!(delete(&stranger, &uid).await.0, StatusCode::NOT_FOUND);
        let tenant = town.client(Role::CompanyTenant, town.butcher).await;
        assert_eq!(delete(&tenant, &uid).await.0, StatusCode::FORBIDDEN);
        town.host.stop().await;
    }

    fn what_stands_at_a_deleted_location_moves_to_the_default_one(database) {
        let town = Town::open(database).await;
        let uid = make(&town.admin, town.butcher, "Cellar").await;
        let company_uid = CompanyUid(town.butcher);
        let mut tx = town.host.store.write().await.unwrap();
        let location_uid = LocationUid(uid.parse().unwrap());
        let expires_at = SystemClock.now_ms() + HOUR;
        let new = NewJoinToken { company_uid, location_uid, account_uid: None, hash: [7; 32], door: Door::Remote, uses: 5, expires_at };
        tx.join_tokens().create(&SystemClock, &new).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(delete(&town.admin, &uid).await.0, StatusCode::OK);
        assert_eq!(town.admin.get(&format!("/organizations/locations/{uid}")).await.0, StatusCode::NOT_FOUND);
        let mut tx = town.host.store.read().await.unwrap();
        let default = tx.companies().default_location(company_uid).await.unwrap().unwrap();
        assert_eq!(tx.join_tokens().by_hash(&[7; 32]).await.unwrap().unwrap().location_uid, default);
        drop(tx);
        town.host.stop().await;
    }

    fn the_default_location_gives_its_place_to_another_and_the_last_one_stays(database) {
        let town = Town::open(database).await;
        let own = make(&town.admin, town.butcher, "Cellar").await;
        let uid_of = |all: &[Value], name: &str| {
            all.iter().find(|one| one["name"] == name).unwrap()["instanceUid"].as_str().unwrap().to_owned()
        };
        let all = of_company(&town.admin, town.butcher).await;
        assert_eq!(delete(&town.admin, &uid_of(&all, "Remote")).await.0, StatusCode::OK);
        assert_eq!(town.admin.data(&format!("/organizations/locations/{own}")).await["type"], "Default");
        assert_eq!(delete(&town.admin, &own).await.0, StatusCode::OK);
        let last = of_company(&town.admin, town.butcher).await;
        assert_eq!((last.len(), &last[0]["name"], &last[0]["type"]), (1, &json!("Hosted"), &json!("Default")));
        let (status, body) = delete(&town.admin, &uid_of(&last, "Hosted")).await;
        assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::CONFLICT, &json!(1500)), "{body}");
        town.host.stop().await;
    }

    fn everything_with_a_location_is_known_to_move_with_it(database) {
        database.store().await.close().await;
        let found = tables_with_a_location(&database).await;
        let known: BTreeSet<_> = MOVED_WITH_A_LOCATION.iter().map(|name| (*name).to_owned()).chain(["user_locations".to_owned()]).collect();
        assert_eq!(found, known, "a new table with a location_uid must be moved in store/locations.rs");
    }
}

async fn tables_with_a_location(database: &TestDatabase) -> BTreeSet<String> {
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        let rows = sqlx::query(
            "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = 'location_uid'",
        );
        rows.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let rows = sqlx::query(
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'location_uid'",
        );
        rows.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}
