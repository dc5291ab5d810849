//! Mails that the API has sent.

use keelson_tests::{MailServer, MailServerOptions, Mood, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::town::{Town, patched, refused, replace};

async fn server(mood: Mood) -> MailServer {
    MailServer::start(MailServerOptions { mood, ..MailServerOptions::default() }).await
}

async fn configure(town: &Town, server: &MailServer) {
    let smtp = json!({ "serverAddress": server.address(), "timeout": "00:00:05", "tlsMode": "none" });
    let steps = json!([
        { "op": "replace", "path": "/smtp", "value": smtp },
        { "op": "replace", "path": "/defaultFrom", "value": "console@provider.test" },
    ]);
    patched(&town.admin, &format!("/organizations/{}/configuration/notification", town.provider), &steps)
        .await;
}

fn test_of(organization: uuid::Uuid) -> String {
    format!("/organizations/{organization}/configuration/notification/test")
}

fn from_to(from: &str, to: &str) -> Value {
    json!({ "from": from, "to": to, "senderName": "Console" })
}

on_both! {
    fn a_test_mail_arrives_before_the_answer(database) {
        let (town, server) = (Town::open(database).await, server(Mood::Fine).await);
        configure(&town, &server).await;
        let (status, body) = town.admin.json(Method::POST, &test_of(town.provider), &from_to("me@x.test", "you@x.test")).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({})), "{body}");
        let [taken] = server.delivered().try_into().unwrap();
        assert_eq!((taken.from.as_str(), taken.to[0].as_str()), ("me@x.test", "you@x.test"));
        assert!(taken.header("From").unwrap().contains("Console"));
        town.host.stop().await;
    }

    fn a_test_mail_that_is_refused_says_why(database) {
        let (town, server) = (Town::open(database).await, server(Mood::RefusesRecipients).await);
        let mail = from_to("me@x.test", "you@x.test");
        let error = refused(&town.admin, Method::POST, &test_of(town.provider), &mail, StatusCode::CONFLICT).await;
        assert!(error["message"].as_str().unwrap().contains("configuration/notification"), "{error}");
        configure(&town, &server).await;
        let error = refused(&town.admin, Method::POST, &test_of(town.provider), &mail, StatusCode::CONFLICT).await;
        assert!(error["message"].as_str().unwrap().contains("550"), "{error}");
        for (mail, property) in [(from_to("me", "you@x.test"), "from"), (from_to("me@x.test", "you"), "to")] {
            let error = refused(&town.admin, Method::POST, &test_of(town.provider), &mail, StatusCode::BAD_REQUEST).await;
            assert_eq!(error["propertyName"], property);
        }
        refused(&town.admin, Method::POST, &test_of(town.provider), &json!({ "to": "a@b.test" }), StatusCode::BAD_REQUEST).await;
        town.host.stop().await;
    }

    fn a_reseller_sends_through_the_providers_server_only_in_its_name(database) {
        let (town, server) = (Town::open(database).await, server(Mood::Fine).await);
        configure(&town, &server).await;
        let reseller = town.reseller_admin().await;
        let error = refused(&reseller, Method::POST, &test_of(town.reseller), &from_to("boss@provider.test", "you@x.test"), StatusCode::BAD_REQUEST).await;
        assert_eq!(error["propertyName"], "from");
        let (status, body) = reseller.json(Method::POST, &test_of(town.reseller), &from_to("Console@provider.test", "you@x.test")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        refused(&reseller, Method::POST, &test_of(town.provider), &from_to("console@provider.test", "you@x.test"), StatusCode::NOT_FOUND).await;
        assert_eq!(server.delivered().len(), 1);
        town.host.stop().await;
    }

    fn a_welcome_tells_the_owner_where_to_sign_in_and_how_to_connect(database) {
        let (town, server) = (Town::open(database).await, server(Mood::Fine).await);
        let path = format!("/organizations/companies/{}/welcomeEmail", town.bakery);
        let options = json!({ "password": "first <password>" });
        let error = refused(&town.admin, Method::POST, &path, &options, StatusCode::CONFLICT).await;
        assert!(error["message"].as_str().unwrap().contains("no mail server"), "{error}");
        configure(&town, &server).await;
        let error = refused(&town.admin, Method::POST, &path, &options, StatusCode::CONFLICT).await;
        assert!(error["message"].as_str().unwrap().contains("e-mail address"), "{error}");
        patched(&town.admin, &format!("/organizations/{}", town.bakery), &replace("/email", "baker@bakery.com")).await;
        let branding = format!("/organizations/{}/configuration/branding", town.reseller);
        patched(&town.admin, &branding, &replace("/webUri", "https://market.example")).await;
        let reseller = town.reseller_admin().await;
        let (status, body) = reseller.json(Method::POST, &path, &options).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({})), "{body}");
        let mail = eventually("the mail", || async { server.delivered().first().cloned() }).await;
        assert_eq!(mail.to, ["baker@bakery.com"]);
        let words = mail.data.replace("=\r\n", "").replace("=3D", "=");
        for expected in ["Market", "bakery-owner", "first <password>", "first &lt;password&gt;", "https://market.example", "kj1."] {
            assert!(words.contains(expected), "{expected}: {words}");
        }
        let foreign = format!("/organizations/companies/{}/welcomeEmail", town.butcher);
        refused(&reseller, Method::POST, &foreign, &options, StatusCode::NOT_FOUND).await;
        refused(&reseller, Method::POST, &path, &json!({}), StatusCode::BAD_REQUEST).await;
        let owner = town.client(keelson::model::Role::CompanyOwner, town.bakery).await;
        refused(&owner, Method::POST, &path, &options, StatusCode::FORBIDDEN).await;
        town.host.stop().await;
    }
}
