//! Second factors, from the secret to the sign-in.

use keelson_tests::client::escape;
use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Authenticator, Desk, PASSWORD, delete, patch, post};

async fn with_code(desk: &Desk, token: &serde_json::Value, code: &str) -> (StatusCode, serde_json::Value) {
    let form = [("grant_type", "mfa"), ("mfa_token", token.as_str().unwrap()), ("mfa_code", code)];
    desk.host.client.form("/token", &form).await
}

async fn page(desk: &Desk, body: serde_json::Value) -> (StatusCode, serde_json::Value) {
    let request = desk.host.client.request(Method::POST, "/ui/session").header("x-keelson", "1");
    Client::send(request.json(&body)).await
}

on_both! {
    fn with_a_second_factor_the_password_is_half_the_way_in(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (login, authenticator) = desk.factor(&anna, &uid).await;
        assert_eq!((&login["identityProviderName"], &login["description"]), (&json!("TOTP"), &json!("telephone")));
        assert_eq!(anna.data("/users/me").await["mfaPolicyConfigurationStatus"], "Configured");
        let shown = anna.data("/users/logins").await.to_string();
        assert!(!shown.contains("secret") && !shown.contains("otpauth"), "{shown}");

        let (status, first) = desk.token("anna", PASSWORD).await;
        assert_eq!((status, first.as_object().unwrap().len()), (StatusCode::OK, 1), "{first}");
        // The code that proved the authenticator is spent.
        let (status, body) = with_code(&desk, &first["mfa_token"], &authenticator.code(&desk.clock)).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        desk.clock.advance(30_000);
        let (status, pair) = with_code(&desk, &first["mfa_token"], &authenticator.code(&desk.clock)).await;
        assert_eq!(status, StatusCode::OK, "{pair}");
        let with_factor = desk.host.client.with(pair["access_token"].as_str().unwrap());
        assert_eq!(with_factor.get("/users/me").await.0, StatusCode::OK);

        let (status, _) = delete(&with_factor, &format!("/users/{uid}/logins/{}", login["id"])).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(with_factor.get("/users/me").await.0, StatusCode::UNAUTHORIZED, "the factor's own session ends");
        assert!(desk.token("anna", PASSWORD).await.1["access_token"].is_string());
        desk.host.stop().await;
    }

    fn a_factor_counts_only_with_a_code_that_proves_it(database) {
        let desk = Desk::open(database).await;
        let me = desk.admin.data("/users/me").await["instanceUid"].as_str().unwrap().to_owned();
        let secret = desk.admin.data("/authentication/keys/totp-secret").await;
        let url = escape(secret["secretUrl"].as_str().unwrap());
        let weak = escape("otpauth://totp/x?secret=GEZDGNBV");
        for (query, name) in [
            (format!("secretUrl={url}&code=000000"), "code"),
            (format!("secretUrl={weak}&code=000000"), "secretUrl"),
            ("code=000000".to_owned(), "secretUrl"),
            (format!("secretUrl={url}"), "code"),
        ] {
            let path = format!("/users/{me}/logins/totp?{query}&description=x&scopes=ui");
            let (status, body) = post(&desk.admin, &path).await;
            assert_eq!((status, &body["errors"][0]["parameterName"]), (StatusCode::BAD_REQUEST, &json!(name)), "{body}");
        }
        assert_eq!(desk.admin.data("/users/me").await["mfaPolicyConfigurationStatus"], "NotConfigured");
        desk.host.stop().await;
    }

    fn the_page_lets_whoever_must_have_a_factor_set_it_up_and_not_lose_it(database) {
        let desk = Desk::open(database).await;
        let (uid, _) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let path = format!("/users/{uid}");
        assert_eq!(patch(&desk.admin, &path, "/mfaPolicyStatus", json!("Enabled")).await.0, StatusCode::OK);
        assert!(desk.token("anna", PASSWORD).await.1["access_token"].is_string(), "scripts are not concerned");
        let (status, first) = page(&desk, json!({"username": "anna", "password": PASSWORD})).await;
        assert_eq!(status, StatusCode::OK);
        let (token, url) = (&first["data"]["mfaToken"], first["data"]["mfaSecretUrl"].as_str().unwrap());
        assert!(first["data"]["user"].is_null() && first["data"]["mfaSecret"].is_string());
        let authenticator = Authenticator::of(url);
        let code = authenticator.code(&desk.clock);
        assert_eq!(page(&desk, json!({"mfaToken": token, "mfaCode": code})).await.0, StatusCode::UNAUTHORIZED);
        let (status, body) = page(&desk, json!({"mfaToken": token, "mfaCode": code, "mfaSecretUrl": url})).await;
        assert_eq!((status, &body["data"]["user"]["name"]), (StatusCode::OK, &json!("anna")), "{body}");
        let (status, second) = page(&desk, json!({"username": "anna", "password": PASSWORD})).await;
        assert_eq!(status, StatusCode::OK);
        assert!(second["data"]["mfaSecretUrl"].is_null(), "it is set up");

        desk.clock.advance(30_000);
        let (_, first) = desk.token("anna", PASSWORD).await;
        let (_, pair) = with_code(&desk, &first["mfa_token"], &authenticator.code(&desk.clock)).await;
        let anna = desk.host.client.with(pair["access_token"].as_str().unwrap());
        let login = anna.data("/users/logins").await[0]["id"].clone();
        let (status, body) = delete(&anna, &format!("{path}/logins/{login}")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        assert_eq!(delete(&desk.admin, &format!("{path}/logins/{login}")).await.0, StatusCode::OK, "administrators help");
        desk.host.stop().await;
    }

    fn a_policy_of_the_organisation_its_reseller_or_the_provider_counts_at_the_page(database) {
        let desk = Desk::open(database).await;
        let company = format!("/organizations/companies/{}", desk.bakery);
        assert_eq!(patch(&desk.admin, &company, "/resellerUid", json!(desk.reseller)).await.0, StatusCode::OK);
        for (organization, at, on, off) in [
            (&desk.bakery, "/mfaPolicyStatus", json!("Enabled"), json!("Disabled")),
            (&desk.reseller, "/enforceMfaPolicy", json!(true), json!(false)),
            (&desk.provider, "/enforceMfaPolicy", json!(true), json!(false)),
        ] {
            let path = format!("/organizations/{organization}/configuration/policy");
            let (_, body) = page(&desk, json!({"username": "baker", "password": PASSWORD})).await;
            assert_eq!(body["data"]["user"]["name"], "baker", "{body}");
            let (status, body) = patch(&desk.admin, &path, at, on).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let (status, body) = page(&desk, json!({"username": "baker", "password": PASSWORD})).await;
            assert!(status == StatusCode::OK && body["data"]["mfaSecretUrl"].is_string(), "{at} {body}");
            assert!(body["data"]["user"].is_null(), "{at} {body}");
            assert!(desk.token("baker", PASSWORD).await.1["access_token"].is_string(), "scripts are not concerned");
            assert_eq!(patch(&desk.admin, &path, at, off).await.0, StatusCode::OK);
        }
        desk.host.stop().await;
    }

    fn the_last_factor_that_a_policy_asks_for_is_neither_deleted_nor_switched_off(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let policy = format!("/organizations/{}/configuration/policy", desk.provider);
        assert_eq!(patch(&desk.admin, &policy, "/enforceMfaPolicy", json!(true)).await.0, StatusCode::OK);
        let first = desk.factor(&anna, &uid).await.0["id"].clone();
        let path = |login: &serde_json::Value| format!("/users/{uid}/logins/{login}");
        assert_eq!(delete(&anna, &path(&first)).await.0, StatusCode::CONFLICT);
        let (status, body) = patch(&anna, &path(&first), "/status", json!("disabled")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let second = desk.factor(&anna, &uid).await.0["id"].clone();
        assert_eq!(patch(&anna, &path(&first), "/status", json!("disabled")).await.0, StatusCode::OK);
        assert_eq!(delete(&anna, &path(&second)).await.0, StatusCode::CONFLICT, "a disabled one does not count");
        assert_eq!(delete(&anna, &path(&first)).await.0, StatusCode::OK, "and may go");
        let (status, body) = patch(&desk.admin, &path(&second), "/status", json!("disabled")).await;
        assert_eq!(status, StatusCode::OK, "administrators help: {body}");
        desk.host.stop().await;
    }

    fn the_secret_is_sealed_in_the_database(database) {
        let desk = Desk::open(database).await;
        let (uid, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        desk.factor(&anna, &uid).await;
        let user: keelson::id::UserUid = uid.parse().unwrap();
        let logins = desk.host.store.read().await.unwrap().logins().totps(user).await.unwrap();
        let stored = String::from_utf8_lossy(&logins[0].secret).into_owned();
        assert!(!stored.contains("otpauth") && !stored.contains("secret="));
        let key = std::fs::metadata(desk.host.data.path().join("secrets.key")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
        desk.host.stop().await;
    }
}
