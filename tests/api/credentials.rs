//! Who may come in, and how far.

use keelson_tests::{TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

on_both! {
    fn without_a_credential_there_is_nothing_to_see(database) {
        let host = TestHost::start(database).await;
        let (status, body) = host.client.get("/organizations/companies").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["errors"][0]["code"], 401);
        for nonsense in ["nonsense", "kak_0000", "kat_AAAA"] {
            let (status, _) = host.client.with(nonsense).get("/about").await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{nonsense}");
        }
        host.stop().await;
    }

    fn a_password_gives_tokens_and_a_refresh_token_works_once(database) {
        let host = TestHost::start(database).await;
        let password = host.command(&["user", "add", "--name", "Anna", "--role", "PortalAdministrator"]);
        let sign_in = [("grant_type", "password"), ("username", "anna"), ("password", password.as_str())];
        let (status, first) = host.client.form("/token", &sign_in).await;
        assert_eq!(status, StatusCode::OK, "{first}");
        let client = host.client.with(first["access_token"].as_str().unwrap());
        assert_eq!(client.data("/users/me").await["userName"], "Anna");

        let refresh = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
        let (status, second) = host.client.form("/token", &refresh).await;
        assert_eq!(status, StatusCode::OK, "{second}");
        let newer = host.client.with(second["access_token"].as_str().unwrap());
        assert_eq!(newer.get("/about").await.0, StatusCode::OK);

        // A refresh token that comes back was stolen, by one of the two: nobody keeps what descends from it.
        let (status, body) = host.client.form("/token", &refresh).await;
        assert_eq!((status, body["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));
        assert_eq!(newer.get("/about").await.0, StatusCode::UNAUTHORIZED);
        host.stop().await;
    }

    fn a_wrong_password_is_refused_in_the_shape_of_oauth(database) {
        let host = TestHost::start(database).await;
        host.command(&["user", "add", "--name", "anna", "--role", "PortalAdministrator"]);
        for name in ["anna", "nobody"] {
            let sign_in = [("grant_type", "password"), ("username", name), ("password", "guess")];
            let (status, body) = host.client.form("/token", &sign_in).await;
            assert_eq!((status, body["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));
            assert!(body["errors"].is_null());
        }
        let (_, body) = host.client.form("/token", &[("grant_type", "magic")]).await;
        assert_eq!(body["error"], "unsupported_grant_type");
        host.stop().await;
    }

    fn a_read_only_key_reads_only(database) {
        let host = TestHost::start(database).await;
        host.command(&["user", "add", "--name", "anna", "--role", "PortalAdministrator"]);
        let key = host.command(&["apikey", "add", "--user", "anna", "--read-only"]);
        let client = host.client.with(&key);
        assert_eq!(client.get("/organizations/companies").await.0, StatusCode::OK);
        let input = json!({ "organizationInput": { "name": "Bakery" }, "ownerCredentials": { "userName": "o" } });
        let (status, _) = client.json(Method::POST, "/organizations/companies", &input).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        host.stop().await;
    }

    fn a_companys_user_sees_that_company_and_nothing_else(database) {
        let host = TestHost::start(database).await;
        let bakery = host.command(&["company", "add", "--name", "Bakery"]);
        let butcher = host.command(&["company", "add", "--name", "Butcher"]);
        let client = host.member("CompanyOwner", "Bakery");
        let seen = client.data("/organizations/companies").await;
        assert_eq!(seen.as_array().unwrap().len(), 1);
        assert_eq!(seen[0]["instanceUid"], bakery.as_str());
        let (status, _) = client.get(&format!("/organizations/companies/{butcher}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (status, body) = client.get("/about").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "the operations table does not admit the role");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("CompanyOwner"), "{body}");
        host.stop().await;
    }

    fn guessing_a_password_gets_slow(database) {
        let host = TestHost::start(database).await;
        host.command(&["user", "add", "--name", "anna", "--role", "PortalAdministrator"]);
        let sign_in = [("grant_type", "password"), ("username", "anna"), ("password", "guess")];
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(host.client.form("/token", &sign_in).await.0);
        }
        assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
        host.stop().await;
    }
}
