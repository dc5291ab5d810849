//! API keys: made, shown once, limited, taken back; and whose they are.

use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::acting::act;
use super::desk::{Desk, delete, patch, post, text};

on_both! {
    fn a_key_is_shown_once_and_works_until_it_is_taken_back(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let query = "description=nightly%20report&scopes=%5B%22integration%22%2C%22rest%22%5D&isReadAccessOnly=false";
        let (login, key) = desk.key(&anna, &uid, query).await;
        assert_eq!((&login["identityProviderName"], &login["status"]), (&json!("AK"), &json!("enabled")));
        assert_eq!(login["scopes"], json!(["integration", "rest"]));
        assert_eq!((&login["userUid"], &login["companyName"]), (&json!(uid), &json!("Bakery")));
        assert!(key.starts_with(&text(&login["identifierInProvider"])) && key.len() > 50);
        let script = desk.host.client.with(&key);
        assert_eq!(script.data("/users/me").await["userName"], "anna");

        let path = format!("/users/{uid}/logins/{}", login["id"]);
        for shown in [anna.data(&path).await, anna.data("/users/logins").await, anna.data(&format!("/users/{uid}/logins")).await] {
            assert!(!shown.to_string().contains(&key[10..]) && shown.to_string().contains("nightly report"), "{shown}");
        }
        assert_eq!(patch(&anna, &path, "/status", json!("disabled")).await.0, StatusCode::OK);
        assert_eq!(script.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        let (status, body) = patch(&anna, &path, "/status", json!("enabled")).await;
        assert_eq!((status, &body["data"]["status"]), (StatusCode::OK, &json!("enabled")));
        assert_eq!(script.get("/users/me").await.0, StatusCode::OK);
        let (status, body) = delete(&anna, &path).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!(true)));
        assert_eq!(script.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(anna.get(&path).await.0, StatusCode::NOT_FOUND);
        desk.host.stop().await;
    }

    fn a_key_opens_no_more_than_its_scopes_and_writes_only_if_it_may(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        for (scopes, wanted) in [
            ("scopes=rest", StatusCode::OK),
            ("scopes=integration", StatusCode::OK),
            ("scopes=ui", StatusCode::FORBIDDEN),
            ("scopes=unknown", StatusCode::FORBIDDEN),
            ("scopes=unknown&scopes=ui", StatusCode::FORBIDDEN),
        ] {
            let (_, key) = desk.key(&anna, &uid, &format!("description=x&{scopes}")).await;
            assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, wanted, "{scopes}");
        }
        let (login, key) = desk.key(&anna, &uid, "description=x&scopes=rest&isReadAccessOnly=true").await;
        let script = desk.host.client.with(&key);
        assert_eq!(script.get("/users").await.0, StatusCode::OK);
        let own = format!("/users/{uid}");
        assert_eq!(patch(&script, &own, "/profile/phone", json!("1")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(post(&script, &format!("{own}/logins/apikey?description=x&scopes=rest")).await.0, StatusCode::FORBIDDEN);
        let path = format!("{own}/logins/{}", login["id"]);
        assert_eq!(patch(&script, &path, "/isReadAccessOnly", json!(false)).await.0, StatusCode::FORBIDDEN);
        assert_eq!(patch(&anna, &path, "/isReadAccessOnly", json!(false)).await.0, StatusCode::OK);
        assert_eq!(patch(&script, &own, "/profile/phone", json!("1")).await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn what_makes_no_key_is_refused_by_name(database) {
        let desk = Desk::open(database).await;
        let me = text(&desk.admin.data("/users/me").await["instanceUid"]);
        for (query, name) in [
            ("scopes=rest", "description"),
            ("description=&scopes=rest", "description"),
            ("description=a%3Cb&scopes=rest", "description"),
            ("description=x", "scopes"),
            ("description=x&scopes=everything", "scopes"),
            ("description=x&scopes=rest&isReadAccessOnly=perhaps", "isReadAccessOnly"),
        ] {
            let (status, body) = post(&desk.admin, &format!("/users/{me}/logins/apikey?{query}")).await;
            assert_eq!((status, &body["errors"][0]["parameterName"]), (StatusCode::BAD_REQUEST, &json!(name)), "{query} {body}");
        }
        let (login, _) = desk.key(&desk.admin, &me, "description=x&scopes=rest").await;
        let path = format!("/users/{me}/logins/{}", login["id"]);
        for (at, value) in [("/id", json!(7)), ("/userUid", json!(me)), ("/identityProviderName", json!("TOTP")), ("/scopes", json!(["ui"]))] {
            let (status, body) = patch(&desk.admin, &path, at, value).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{at} {body}");
        }
        let (status, _) = desk.admin.get(&format!("/users/{me}/logins/none")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        desk.host.stop().await;
    }

    fn everybody_has_their_own_logins_and_managers_those_of_the_managed(database) {
        let desk = Desk::open(database).await;
        let (anna_uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (local_uid, local) = desk.user("CompanyLocationUser", &desk.bakery, "local").await;
        let (auditor_uid, auditor) = desk.user("CompanyInvoiceAuditor", &desk.bakery, "auditor").await;
        let (sub_uid, sub) = desk.user("CompanySubtenant", &desk.bakery, "sub").await;
        let baker = desk.signed_in("baker").await;
        let baker_uid = desk.uid("baker").await;
        let query = "description=own&scopes=rest";
        for (client, uid) in [(&anna, &anna_uid), (&local, &local_uid), (&auditor, &auditor_uid), (&sub, &sub_uid), (&baker, &baker_uid)] {
            desk.key(client, uid, query).await;
        }
        let seen = async |client: &keelson_tests::Client| client.data("/users/logins").await.as_array().unwrap().len();
        for client in [&local, &auditor, &sub] {
            assert_eq!(seen(client).await, 1);
            for other in [&anna_uid, &baker_uid] {
                assert_eq!(client.get(&format!("/users/{other}/logins")).await.0, StatusCode::NOT_FOUND);
                let made = post(client, &format!("/users/{other}/logins/apikey?{query}")).await.0;
                assert_eq!(made, StatusCode::NOT_FOUND);
            }
        }
        // An administrator manages all but the owner, and the owner all.
        assert_eq!((seen(&anna).await, seen(&baker).await), (4, 5));
        assert_eq!(anna.get(&format!("/users/{baker_uid}/logins")).await.0, StatusCode::NOT_FOUND);
        let of_local = anna.data(&format!("/users/{local_uid}/logins")).await;
        let path = format!("/users/{local_uid}/logins/{}", of_local[0]["id"]);
        assert_eq!(anna.get(&format!("/users/{anna_uid}/logins/{}", of_local[0]["id"])).await.0, StatusCode::NOT_FOUND);
        assert_eq!(delete(&anna, &path).await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn nobody_makes_a_key_for_a_peer(database) {
        let desk = Desk::open(database).await;
        let (peer, _) = desk.user("PortalAdministrator", &desk.provider, "peer").await;
        let (below, _) = desk.user("PortalOperator", &desk.provider, "below").await;
        let query = "logins/apikey?description=x&scopes=rest";
        assert_eq!(post(&desk.admin, &format!("/users/{peer}/{query}")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(desk.admin.data(&format!("/users/{peer}/logins")).await, json!([]));
        assert_eq!(post(&desk.admin, &format!("/users/{below}/{query}")).await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn a_key_that_was_answered_is_read_again_by_nobody_but_who_could_have_made_it(database) {
        let desk = Desk::open(database).await;
        let (uid, baker) = (desk.uid("baker").await, desk.signed_in("baker").await);
        let make = format!("/api/v3/users/{uid}/logins/apikey?description=x&scopes=rest");
        let id = "00000000-0000-7000-8000-00000000000a";
        let made = async |client: &Client| {
            let request = client.request(Method::POST, &make).header("X-Request-id", id);
            Client::send(request).await
        };
        let (status, first) = made(&baker).await;
        assert_eq!(status, StatusCode::OK, "{first}");
        assert_eq!(made(&baker).await, (StatusCode::OK, first.clone()));
        let path = format!("/asyncActions/{id}/result");
        assert_eq!(baker.data(&path).await, first["data"]);
        let (_, key) = desk.key(&baker, &uid, "description=reads&scopes=rest&isReadAccessOnly=true").await;
        desk.user("PortalOperator", &desk.provider, "ada").await;
        let support = act(&desk, "ada", &uid, false).await.1;
        let support = desk.host.client.with(support["access_token"].as_str().unwrap());
        for client in [desk.host.client.with(&key), support.clone()] {
            let (status, body) = client.get(&path).await;
            assert_eq!((status, body.get("data")), (StatusCode::FORBIDDEN, None), "{body}");
            assert_eq!(client.get(&format!("/asyncActions/{id}")).await.0, StatusCode::OK);
        }
        let (status, body) = made(&support).await;
        assert_eq!((status, body.get("data")), (StatusCode::CONFLICT, None), "nor by sending it again: {body}");
        desk.host.stop().await;
    }

    fn tokens_are_taken_back(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, key) = desk.key(&anna, &uid, "description=x&scopes=rest").await;
        let second = desk.signed_in("anna").await;
        let (status, body) = delete(&second, &format!("/users/{uid}/tokens")).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!(true)));
        for client in [&anna, &second] {
            assert_eq!(client.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, StatusCode::OK, "a key is no token");
        desk.host.stop().await;
    }

    fn a_key_stops_when_its_companys_rest_access_does(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, key) = desk.key(&anna, &uid, "description=x&scopes=rest").await;
        let steps = json!([{"op": "replace", "path": "/isRestAccessEnabled", "value": false}]);
        let company = format!("/organizations/companies/{}", desk.bakery);
        let (status, body) = desk.admin.json(Method::PATCH, &company, &steps).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.host.client.with(&key).get("/users/me").await.0, StatusCode::FORBIDDEN);
        let logins = desk.admin.data(&format!("/users/{uid}/logins")).await;
        assert_eq!(logins[0]["status"], "disabledDueToCompany");
        desk.host.stop().await;
    }
}
