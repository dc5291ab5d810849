//! Who the host is to a mail server, and to whom it shows a credential.

use keelson::mail::{TestResult, Tested};
use keelson::store::SmtpOwner;
use keelson_tests::{MailServer, MailServerOptions, MailTls, TestDatabase};
use serde_json::{Value, json};

use super::fixtures::{Post, parsed, smtp};

async fn server(tls: MailTls, mechanisms: &'static str) -> MailServer {
    let login = Some(("ann".to_owned(), "hunter2".to_owned()));
    MailServer::start(MailServerOptions { tls, login, mechanisms, ..MailServerOptions::default() }).await
}

async fn tried(server: &MailServer, mut other: Value) -> Tested {
    let post = Post::open(TestDatabase::sqlite()).await;
    other["exclusivelyAcceptedCertificateHash"] = json!(server.certificate_hash());
    let tested = post.mailer.test(parsed(smtp(server, other)), SmtpOwner::Provider).await;
    post.stop().await;
    tested
}

fn password(password: &str) -> Value {
    json!({ "tlsMode": "startTls", "passwordCredential": { "userName": "ann", "password": password } })
}

#[tokio::test]
async fn a_right_password_is_accepted_by_each_mechanism() {
    for mechanisms in ["PLAIN", "LOGIN", "LOGIN PLAIN"] {
        let server = server(MailTls::Starts, mechanisms).await;
        let tested = tried(&server, password("hunter2")).await;
        assert_eq!(tested.result, TestResult::Ok, "{mechanisms}: {:?}", tested.error);
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_authentication_error() {
    let server = server(MailTls::Starts, "PLAIN").await;
    let tested = tried(&server, password("wrong")).await;
    assert_eq!(tested.result, TestResult::AuthenticationError);
    let error = tested.error.unwrap().to_string();
    assert!(error.contains("535") && !error.contains("wrong\0"), "{error}");
}

#[tokio::test]
async fn a_mechanism_that_the_server_lacks_is_an_authentication_error() {
    let server = server(MailTls::Starts, "PLAIN").await;
    let mut other = password("hunter2");
    other["passwordCredential"]["saslMechanism"] = json!("LOGIN");
    assert_eq!(tried(&server, other).await.result, TestResult::AuthenticationError);
}

#[tokio::test]
async fn a_password_stays_here_when_the_line_turns_out_to_be_in_clear() {
    for mode in ["auto", "startTlsWhenAvailable"] {
        let server = server(MailTls::Never, "PLAIN").await;
        let mut other = password("hunter2");
        other["tlsMode"] = json!(mode);
        let tested = tried(&server, other).await;
        assert!(tested.error.unwrap().to_string().contains("tlsMode to none"), "{mode}");
        assert!(!server.said().iter().any(|line| line.starts_with("AUTH")), "{:?}", server.said());
    }
}

#[tokio::test]
async fn a_password_goes_in_clear_when_an_administrator_says_so() {
    let server = server(MailTls::Never, "PLAIN").await;
    let mut other = password("hunter2");
    other["tlsMode"] = json!("none");
    assert_eq!(tried(&server, other).await.result, TestResult::Ok);
}

#[tokio::test]
async fn a_missing_password_is_said_to_be_missing() {
    let server = server(MailTls::Starts, "PLAIN").await;
    let other = json!({ "tlsMode": "startTls", "passwordCredential": { "userName": "ann" } });
    let tested = tried(&server, other).await;
    assert_eq!(tested.result, TestResult::AuthenticationError);
    assert!(tested.error.unwrap().to_string().contains("enter it again"));
}

#[tokio::test]
async fn a_mailbox_signs_in_with_its_token() {
    let login = Some(("box@example.com".to_owned(), "token-1".to_owned()));
    let options =
        MailServerOptions { tls: MailTls::Starts, login, mechanisms: "XOAUTH2", ..Default::default() };
    let server = MailServer::start(options).await;
    let credential = |token: &str| {
        json!({ "tlsMode": "startTls", "oAuth2Credential": {
            "identityProviderSettings": {}, "userId": "box@example.com", "accessToken": token, "refreshToken": "r",
            "accessTokenExpiration": "2999-01-01T00:00:00Z", "clientSettings": { "kind": "Google", "clientId": "c" },
        }})
    };
    assert_eq!(tried(&server, credential("token-1")).await.result, TestResult::Ok);
    assert_eq!(tried(&server, credential("token-2")).await.result, TestResult::AuthenticationError);
}
