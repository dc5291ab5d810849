//! Whoever sees a part of the world reaches no further through those who see more of it.

use keelson::id::SiteUid;
use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::acting::act;
use super::desk::{Desk, PASSWORD, delete, patch, post, text};

const OK: StatusCode = StatusCode::OK;
const ABSENT: StatusCode = StatusCode::NOT_FOUND;

/// Each way in that somebody who manages a user has: their logins, a key, a new password, a mail to set one.
async fn ways(client: &Client, user: &str) -> [StatusCode; 5] {
    let path = format!("/users/{user}");
    [
        client.get(&format!("{path}/logins")).await.0,
        post(client, &format!("{path}/logins/apikey?description=x&scopes=rest")).await.0,
        delete(client, &format!("{path}/tokens")).await.0,
        patch(client, &path, "/profile/email", json!("mine@example.com")).await.0,
        patch(client, &path, "/credentials/password", json!(PASSWORD)).await.0,
    ]
}

/// A site administrator of the first of two sites: the Bakery is there, the Butcher at both.
async fn at_a_site(desk: &Desk) -> (Client, Uuid) {
    let (uid, client) = desk.user("SiteAdministrator", &desk.provider, "site").await;
    let [first, second] = [Uuid::from_u128(1), Uuid::from_u128(2)];
    let mut tx = desk.host.store.write().await.unwrap();
    tx.accounts().set_sites(uid.parse().unwrap(), &[SiteUid(first)]).await.unwrap();
    for (organization, sites) in
        [(&desk.bakery, &[first][..]), (&desk.butcher, &[first, second]), (&desk.reseller, &[first])]
    {
        let sites: Vec<_> = sites.iter().copied().map(SiteUid).collect();
        tx.organization_sites().set(organization.parse().unwrap(), &sites).await.unwrap();
    }
    tx.commit().await.unwrap();
    (client, first)
}

async fn location(desk: &Desk, name: &str) -> String {
    let body = json!({"organizationUid": desk.bakery, "name": name, "quotaGb": 0});
    let (status, body) = desk.admin.json(Method::POST, "/organizations/locations", &body).await;
    assert_eq!(status, OK, "{body}");
    text(&body["data"]["instanceUid"])
}

async fn assign(desk: &Desk, user: &str, body: Value) {
    let (status, body) = desk.admin.json(Method::PUT, &format!("/users/{user}/assignments"), &body).await;
    assert_eq!(status, OK, "{body}");
}

on_both! {
    fn a_site_administrator_gets_at_nobody_who_reaches_beyond_their_sites(database) {
        let desk = Desk::open(database).await;
        let (site, _) = at_a_site(&desk).await;
        let (baker, butcher, market) = (desk.uid("baker").await, desk.uid("butcher").await, desk.uid("market").await);
        for user in [&baker, &butcher, &market] {
            assert_eq!(site.get(&format!("/users/{user}")).await.0, OK, "they are seen");
        }
        assert_eq!(ways(&site, &baker).await, [OK; 5]);
        assert_eq!(ways(&site, &butcher).await, [ABSENT; 5]);
        let forbidden = StatusCode::FORBIDDEN;
        assert_eq!(ways(&site, &market).await, [ABSENT, ABSENT, ABSENT, forbidden, forbidden]);
        for (whom, wanted) in [(&baker, OK), (&butcher, StatusCode::BAD_REQUEST), (&market, StatusCode::BAD_REQUEST)] {
            assert_eq!(act(&desk, "site", whom, false).await.0, wanted);
        }
        for name in ["butcher", "market"] {
            assert_eq!(desk.token(name, PASSWORD).await.0, OK, "nothing has changed for {name}");
        }
        desk.host.stop().await;
    }

    fn a_site_administrator_lets_nobody_in_beyond_their_sites(database) {
        let desk = Desk::open(database).await;
        let (site, _) = at_a_site(&desk).await;
        for (role, organization, wanted) in [
            ("CompanyAdministrator", &desk.bakery, OK),
            ("CompanyAdministrator", &desk.butcher, StatusCode::FORBIDDEN),
            ("ResellerAdministrator", &desk.reseller, StatusCode::FORBIDDEN),
        ] {
            let (status, body) = desk.try_user(&site, role, organization, "new").await;
            assert_eq!(status, wanted, "{role} {body}");
        }
        for (company, wanted) in [(&desk.bakery, OK), (&desk.butcher, StatusCode::FORBIDDEN)] {
            let path = format!("/organizations/companies/{company}");
            let steps = json!([{"op": "add", "path": "/ownerCredentials/password", "value": "battery staple"}]);
            let (status, body) = site.json(Method::PATCH, &path, &steps).await;
            assert_eq!(status, wanted, "{body}");
        }
        assert_eq!(desk.token("butcher", PASSWORD).await.0, OK);
        desk.host.stop().await;
    }

    fn a_location_administrator_gets_at_nobody_with_other_locations_too(database) {
        let desk = Desk::open(database).await;
        let (here, there) = (location(&desk, "here").await, location(&desk, "there").await);
        let (boss_uid, boss) = desk.user("CompanyLocationAdministrator", &desk.bakery, "boss").await;
        let (hand, _) = desk.user("CompanyLocationUser", &desk.bakery, "hand").await;
        let (wide, _) = desk.user("CompanyLocationUser", &desk.bakery, "wide").await;
        for (user, locations) in [(&boss_uid, json!([here])), (&hand, json!([here])), (&wide, json!([here, there]))] {
            assign(&desk, user, json!({"locationUids": locations})).await;
        }
        assert_eq!(boss.get(&format!("/users/{wide}")).await.0, OK, "they are seen");
        assert_eq!(ways(&boss, &wide).await, [ABSENT; 5]);
        assert_eq!(delete(&boss, &format!("/users/{wide}")).await.0, ABSENT);
        assert_eq!(desk.token("wide", PASSWORD).await.0, OK);
        let shown = boss.data(&format!("/users/{wide}/assignments")).await;
        assert_eq!(shown["locationUids"], json!([here]), "no more of what they see than one sees oneself");
        assert_eq!(ways(&boss, &hand).await, [OK; 5]);
        assert_eq!(delete(&boss, &format!("/users/{hand}")).await.0, OK);
        desk.host.stop().await;
    }

    fn a_location_that_is_not_seen_is_no_place_for_a_user_like_one_that_is_not_there(database) {
        let desk = Desk::open(database).await;
        let butcher = desk.signed_in("butcher").await;
        let foreign = desk.admin.data(&format!("/organizations/{}/locations", desk.bakery)).await;
        let foreign = text(&foreign[0]["instanceUid"]);
        let nowhere = Uuid::from_u128(9).to_string();
        let mut answers = Vec::new();
        for place in [&foreign, &nowhere] {
            let (status, body) = desk.try_user(&butcher, "CompanyLocationUser", place, "new").await;
            assert_eq!(status, ABSENT, "{body}");
            answers.push(text(&body["errors"][0]["message"]).replace(place.as_str(), "it"));
        }
        assert_eq!(answers[0], answers[1]);
        desk.host.stop().await;
    }
}
