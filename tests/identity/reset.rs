//! Forgotten passwords.

use keelson::clock::Clock as _;
use keelson::seal::Seal;
use keelson::store::open_words;
use keelson_tests::{Client, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::desk::{Desk, PASSWORD, patch, property};

async fn ask(desk: &Desk, user: &str, email: &str, back: Option<&str>) -> (StatusCode, Value) {
    let mut body = json!({"userName": user, "email": email});
    if let Some(back) = back {
        body["returnUrl"] = json!(back);
    }
    desk.host.client.json(Method::POST, "/users/resetpassword", &body).await
}

async fn set(client: &Client, code: &str, password: &str) -> (StatusCode, Value) {
    client.json(Method::PUT, "/users/resetpassword", &json!({"code": code, "newPassword": password})).await
}

/// The text of the next mail that waits, taken as the mailer takes it.
async fn mail(desk: &Desk) -> Option<(String, String)> {
    let now = desk.clock.now_ms();
    let mut tx = desk.host.store.write().await.unwrap();
    let organization = tx.mails().due(now).await.unwrap().into_iter().next()?;
    let (mail, lease) = tx.mails().take(&*desk.clock, organization, now + 1_000).await.unwrap()?;
    let seal = Seal::open(desk.host.data.path()).unwrap();
    let (text, _) = open_words(&seal, &mail).unwrap();
    tx.mails().sent(lease, now).await.unwrap();
    tx.commit().await.unwrap();
    Some((mail.recipients, text))
}

fn code(text: &str) -> String {
    let begin = text.find("krp_").expect("a code in the mail");
    text[begin..]
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || "_-".contains(*letter))
        .collect()
}

on_both! {
    fn a_mail_leads_to_a_new_password_once_and_ends_all_sessions(database) {
        let desk = Desk::open(database).await;
        let (_, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (status, body) = ask(&desk, "ANNA", "Anna@Example.com", None).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!(true)));
        let (to, text) = eventually("a mail", || mail(&desk)).await;
        assert_eq!(to, "anna@example.com");
        let port = desk.host.addresses().api.port();
        assert!(text.contains(&format!("https://localhost:{port}/?reset=krp_")), "{text}");
        let code = code(&text);
        let (status, body) = set(&desk.host.client, &code, "short").await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "newPassword"));
        let (status, body) = set(&desk.host.client, &code, "battery staple").await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!(true)), "{body}");
        assert_eq!(anna.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(desk.token("anna", PASSWORD).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(desk.token("anna", "battery staple").await.0, StatusCode::OK);
        let (status, body) = set(&desk.host.client, &code, "battery staple 2").await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "code"));
        desk.host.stop().await;
    }

    fn the_answer_does_not_say_whether_there_is_such_a_user(database) {
        let desk = Desk::open(database).await;
        let (uid, _) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        desk.user("CompanyAdministrator", &desk.bakery, "dora").await;
        let first = ask(&desk, "anna", "wrong@example.com", None).await;
        assert_eq!(first.0, StatusCode::OK);
        assert_eq!(ask(&desk, "nobody", "anna@example.com", None).await, first);
        assert_eq!(patch(&desk.admin, &format!("/users/{uid}"), "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(ask(&desk, "anna", "anna@example.com", None).await, first);
        // Of all of them only this one brings a mail.
        assert_eq!(ask(&desk, "dora", "dora@example.com", Some("https://evil.example/")).await, first);
        let (to, text) = eventually("a mail", || mail(&desk)).await;
        assert!(to == "dora@example.com" && !text.contains("evil"), "{to} {text}");
        assert_eq!(mail(&desk).await, None);
        desk.host.stop().await;
    }

    fn a_code_runs_out_after_an_hour_and_a_new_mail_ends_the_old_one(database) {
        let desk = Desk::open(database).await;
        desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        ask(&desk, "anna", "anna@example.com", None).await;
        let first = code(&eventually("a mail", || mail(&desk)).await.1);
        ask(&desk, "anna", "anna@example.com", None).await;
        let second = code(&eventually("another mail", || mail(&desk)).await.1);
        assert_eq!(set(&desk.host.client, &first, "battery staple").await.0, StatusCode::BAD_REQUEST);
        desk.clock.advance(3_600_000);
        assert_eq!(set(&desk.host.client, &second, "battery staple").await.0, StatusCode::BAD_REQUEST);
        for nonsense in ["", "krp_", "kat_AAAA"] {
            let (status, body) = set(&desk.host.client, nonsense, "battery staple").await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "code"), "{body}");
        }
        desk.host.stop().await;
    }

    fn a_code_that_went_to_a_former_address_is_worth_nothing(database) {
        let desk = Desk::open(database).await;
        let (uid, _) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        ask(&desk, "anna", "anna@example.com", None).await;
        let code = code(&eventually("a mail", || mail(&desk)).await.1);
        let (status, body) = patch(&desk.admin, &format!("/users/{uid}"), "/profile/email", json!("new@example.com")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let (status, body) = set(&desk.host.client, &code, "battery staple").await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "code"));
        assert_eq!(desk.token("anna", PASSWORD).await.0, StatusCode::OK);
        desk.host.stop().await;
    }

    fn mails_cannot_be_asked_for_without_end(database) {
        let desk = Desk::open(database).await;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(ask(&desk, "nobody", "nobody@example.com", None).await.0);
        }
        assert_eq!(statuses[..3], [StatusCode::OK; 3]);
        assert_eq!(statuses[4], StatusCode::TOO_MANY_REQUESTS);
        desk.host.stop().await;
    }
}
