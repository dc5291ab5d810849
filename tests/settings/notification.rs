//! Notification settings, and what becomes of their secrets.

use keelson::model::{Role, SmtpSecrets};
use keelson::seal::Seal;
use keelson_tests::{MailServer, MailServerOptions, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::town::{Town, patched, refused, replace};

fn notification(of: Uuid) -> String {
    format!("/organizations/{of}/configuration/notification")
}

fn smtp(address: &str, password: Option<&str>) -> Value {
    let mut credential = json!({ "userName": "ann" });
    if let Some(password) = password {
        credential["password"] = json!(password);
    }
    json!({ "serverAddress": address, "timeout": "00:00:05", "tlsMode": "none", "passwordCredential": credential })
}

async fn demanding() -> MailServer {
    let login = Some(("ann".to_owned(), "hunter2".to_owned()));
    MailServer::start(MailServerOptions { login, ..MailServerOptions::default() }).await
}

async fn tested(town: &Town, settings: &Value) -> Value {
    let path = format!("{}/smtp/test", notification(town.provider));
    let (status, mut body) = town.admin.json(Method::POST, &path, settings).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["data"].take()
}

on_both! {
    fn settings_have_the_contracts_defaults_and_can_be_changed_one_by_one(database) {
        let town = Town::open(database).await;
        let path = notification(town.provider);
        let before = town.admin.data(&path).await;
        assert_eq!((&before["level"], &before["alarms"]["dailyTime"], &before["license"]["enabled"]), (&json!("disabled"), &json!("9:00"), &json!(false)));
        assert!(before.get("smtp").is_none());
        let steps = json!([
            { "op": "replace", "path": "/level", "value": "summary" },
            { "op": "replace", "path": "/defaultFrom", "value": "console@provider.test" },
            { "op": "replace", "path": "/alarms/dailyStatusFilter", "value": ["Error", "Warning"] },
            { "op": "replace", "path": "/alarms/to", "value": "one@x.test; two@x.test" },
            { "op": "replace", "path": "/license/enabled", "value": true },
            { "op": "replace", "path": "/discovery/dailyTime", "value": "21:30" },
        ]);
        let after = patched(&town.admin, &path, &steps).await;
        assert_eq!(after["alarms"]["dailyStatusFilter"], json!(["Error", "Warning"]));
        assert_eq!((&after["alarms"]["isDailyNotificationEnabled"], &after["discovery"]["isDailyNotificationEnabled"]), (&json!(true), &json!(true)));
        assert_eq!(after["license"]["enabled"], true);
        assert_eq!(town.admin.data(&path).await, after);
        assert!(town.admin.data(&notification(town.reseller)).await.get("defaultFrom").is_none(), "they are the provider's");
        town.host.stop().await;
    }

    fn a_password_is_kept_and_never_shown(database) {
        let (town, server) = (Town::open(database).await, demanding().await);
        let path = notification(town.provider);
        let shown = patched(&town.admin, &path, &replace("/smtp", smtp(&server.address(), Some("hunter2")))).await;
        assert_eq!(shown["smtp"]["passwordCredential"], json!({ "userName": "ann" }));
        patched(&town.admin, &path, &replace("/level", "all")).await;
        patched(&town.admin, &path, &replace("/smtp/timeout", "00:00:07")).await;
        patched(&town.admin, &path, &replace("/smtp", smtp(&server.address(), None))).await;
        let answer = tested(&town, &smtp(&server.address(), None)).await;
        assert_eq!(answer["result"], "Ok", "the stored password is used on the line it was stored for: {answer}");
        assert_eq!(answer["smtpSettings"]["passwordCredential"], json!({ "userName": "ann" }));
        let all = town.host.store.read().await.unwrap().notifications().smtp_of(town.provider).await.unwrap().unwrap();
        assert!(!all.smtp.contains("hunter2"));
        let log = everything_in_the_log(&town).await;
        assert!(log.contains("secretsChanged") && !log.contains("hunter2"), "{log}");
        town.host.stop().await;
    }

    fn a_password_is_cleared_when_the_server_or_the_user_changes(database) {
        let (town, server, other) = (Town::open(database).await, demanding().await, demanding().await);
        let path = notification(town.provider);
        for (pointer, value) in [
            ("/smtp/serverAddress", json!(other.address())),
            ("/smtp/passwordCredential/userName", json!("bob")),
        ] {
            patched(&town.admin, &path, &replace("/smtp", smtp(&server.address(), Some("hunter2")))).await;
            patched(&town.admin, &path, &replace(pointer, value)).await;
            let now = town.admin.data(&path).await["smtp"].clone();
            let answer = tested(&town, &now).await;
            assert_eq!(answer["result"], "AuthenticationError", "{answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains("enter it again"), "{answer}");
            patched(&town.admin, &path, &replace(pointer, smtp(&server.address(), None).pointer(pointer.strip_prefix("/smtp").unwrap()).unwrap().clone())).await;
            assert_eq!(tested(&town, &smtp(&server.address(), None)).await["result"], "AuthenticationError", "and it does not come back");
        }
        assert!(!other.said().iter().any(|line| line.contains("hunter2")), "{:?}", other.said());
        let steps = json!([
            { "op": "replace", "path": "/smtp/serverAddress", "value": other.address() },
            { "op": "add", "path": "/smtp/passwordCredential/password", "value": "hunter2" },
        ]);
        patched(&town.admin, &path, &steps).await;
        assert_eq!(tested(&town, &smtp(&other.address(), None)).await["result"], "Ok");
        town.host.stop().await;
    }

    fn a_password_is_cleared_when_the_line_gets_weaker_and_stays_when_it_gets_stricter(database) {
        let town = Town::open(database).await;
        let path = notification(town.provider);
        let seal = Seal::open(town.host.data.path()).unwrap();
        let keeps = async || {
            let mut tx = town.host.store.read().await.unwrap();
            let row = tx.notifications().smtp_of(town.provider).await.unwrap().unwrap();
            row.secrets(&seal).unwrap() != SmtpSecrets::default()
        };
        let pin = |byte: &str| json!(byte.repeat(32));
        for (mode, steps, kept) in [
            ("none", replace("/smtp/tlsMode", "startTls"), true),
            ("startTls", replace("/smtp/tlsMode", "startTlsWhenAvailable"), false),
            ("startTls", replace("/smtp/tlsMode", "none"), false),
            ("startTls", json!([{"op": "add", "path": "/smtp/exclusivelyAcceptedCertificateHash", "value": pin("22")}]), true),
        ] {
            let mut settings = smtp("mail.example", Some("hunter2"));
            settings["tlsMode"] = json!(mode);
            patched(&town.admin, &path, &replace("/smtp", settings)).await;
            assert!(keeps().await);
            patched(&town.admin, &path, &steps).await;
            assert_eq!(keeps().await, kept, "{mode} {steps}");
        }
        patched(&town.admin, &path, &replace("/smtp/exclusivelyAcceptedCertificateHash", pin("33"))).await;
        assert!(!keeps().await, "another certificate is another server");
        town.host.stop().await;
    }

    fn a_test_never_carries_a_stored_password_to_another_line(database) {
        let (town, server, other) = (Town::open(database).await, demanding().await, demanding().await);
        patched(&town.admin, &notification(town.provider), &replace("/smtp", smtp(&server.address(), Some("hunter2")))).await;
        let answer = tested(&town, &smtp(&other.address(), None)).await;
        assert_eq!(answer["result"], "AuthenticationError");
        let mut weaker = smtp(&server.address(), None);
        weaker["tlsMode"] = json!("startTlsWhenAvailable");
        assert_eq!(tested(&town, &weaker).await["result"], "ConnectionError");
        assert!(!other.said().iter().chain(&server.said()).any(|line| line.contains("hunter2")));
        town.host.stop().await;
    }

    fn a_test_says_what_it_found(database) {
        let (town, server) = (Town::open(database).await, demanding().await);
        assert_eq!(tested(&town, &smtp(&server.address(), Some("hunter2"))).await["result"], "Ok");
        let wrong = tested(&town, &smtp(&server.address(), Some("wrong"))).await;
        assert_eq!((&wrong["result"], &wrong["error"]["type"]), (&json!("AuthenticationError"), &json!("security")));
        let away = tested(&town, &smtp("127.0.0.1:1", None)).await;
        assert_eq!((&away["result"], &away["error"]["type"]), (&json!("ConnectionError"), &json!("transport")));
        let select = format!("{}/smtp/test?select=[{{\"propertyPath\":\"result\"}}]", notification(town.provider));
        let (_, body) = town.admin.json(Method::POST, &select, &smtp("127.0.0.1:1", None)).await;
        assert_eq!(body["data"], json!({ "result": "ConnectionError" }));
        town.host.stop().await;
    }

    fn a_reseller_cannot_have_the_host_look_into_the_providers_network(database) {
        let (town, server) = (Town::open(database).await, demanding().await);
        let reseller = town.reseller_admin().await;
        let path = format!("{}/smtp/test", notification(town.reseller));
        for address in [server.address(), "127.0.0.1:22".to_owned(), "169.254.169.254:80".to_owned(), "[::1]:25".to_owned()] {
            let (status, body) = reseller.json(Method::POST, &path, &smtp(&address, None)).await;
            assert_eq!((status, &body["data"]["result"]), (StatusCode::OK, &json!("ConnectionError")), "{body}");
            assert!(body["data"]["error"]["message"].as_str().unwrap().contains("may not be reached"), "{body}");
        }
        assert_eq!(server.connections(), 0);
        let foreign = format!("{}/smtp/test", notification(town.provider));
        refused(&reseller, Method::POST, &foreign, &smtp(&server.address(), None), StatusCode::NOT_FOUND).await;
        refused(&reseller, Method::PATCH, &notification(town.butcher), &replace("/level", "all"), StatusCode::NOT_FOUND).await;
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        assert_eq!(owner.get(&notification(town.butcher)).await.0, StatusCode::FORBIDDEN);
        town.host.stop().await;
    }

    fn what_does_not_do_is_refused_by_name(database) {
        let town = Town::open(database).await;
        let path = notification(town.provider);
        let good = smtp("mail.example", None);
        let with = |pointer: &str, value: Value| {
            let mut settings = good.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            settings.pointer_mut(parent).unwrap()[name] = value;
            settings
        };
        let token = json!({
            "identityProviderSettings": {}, "userId": "box@x.test", "accessToken": "", "refreshToken": "",
            "accessTokenExpiration": "2026-01-01T00:00:00Z", "clientSettings": { "kind": "Google", "clientId": "c" },
        });
        let mut without_token = with("/oAuth2Credential", token);
        without_token.as_object_mut().unwrap().remove("passwordCredential");
        for (settings, property) in [
            (with("/serverAddress", json!("http://x")), "smtp.serverAddress"),
            (with("/serverAddress", json!("x:99999")), "smtp.serverAddress"),
            (with("/timeout", json!("soon")), "smtp.timeout"),
            (with("/timeout", json!("01:00:00")), "smtp.timeout"),
            (with("/tlsMode", json!("perhaps")), "smtp"),
            (with("/exclusivelyAcceptedCertificateHash", json!("abc")), "smtp.exclusivelyAcceptedCertificateHash"),
            (with("/passwordCredential/saslMechanism", json!("NTLM")), "smtp.passwordCredential.saslMechanism"),
            (without_token, "smtp.oAuth2Credential.refreshToken"),
        ] {
            let error = refused(&town.admin, Method::PATCH, &path, &replace("/smtp", settings), StatusCode::BAD_REQUEST).await;
            assert!(error["propertyName"].as_str().unwrap_or_default().starts_with(property), "{property}: {error}");
        }
        for (pointer, value) in [
            ("/defaultFrom", json!("nobody")),
            ("/alarms/to", json!("one@x.test, nobody")),
            ("/alarms/dailyTime", json!("25:00")),
            ("/level", json!("Unknown")),
            ("/alarms/dailyStatusFilter", json!(["Terrible"])),
            ("/alarms/isDailyNotificationEnabled", json!(true)),
        ] {
            refused(&town.admin, Method::PATCH, &path, &replace(pointer, value), StatusCode::BAD_REQUEST).await;
        }
        patched(&town.admin, &path, &replace("/alarms/to", "%Company Email%, ops@x.test")).await;
        town.host.stop().await;
    }
}

async fn everything_in_the_log(town: &Town) -> String {
    use sqlx::{Connection, Row};
    let text = "SELECT coalesce(before, '') || coalesce(after, '') || message FROM audit ORDER BY position";
    let url = town.host.database_url();
    let rows: Vec<String> = if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(text).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
    } else {
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        sqlx::query(text).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    rows.join("\n")
}
