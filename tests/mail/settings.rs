//! Where a mail server may stand, and tokens that are renewed.

use keelson::mail::{MailOptions, TestResult, TokenEndpoints};
use keelson::store::SmtpOwner;
use keelson_tests::{MailServer, MailServerOptions, TestDatabase, on_both};
use serde_json::json;

use super::fixtures::{Post, options, parsed, smtp};
use super::tokens::IdentityProvider;

#[tokio::test]
async fn a_tenant_cannot_have_the_host_look_into_the_providers_network() {
    let closed = MailOptions { private_servers: false, ..options() };
    let post = Post::open_with(TestDatabase::sqlite(), closed).await;
    let server = MailServer::start(MailServerOptions::default()).await;
    let settings = parsed(smtp(&server, json!({})));
    let tested = post.mailer.test(settings.clone(), SmtpOwner::Tenant).await;
    assert_eq!(tested.result, TestResult::ConnectionError);
    assert!(tested.error.unwrap().to_string().contains("private-mail-servers"));
    assert_eq!(server.connections(), 0);
    assert_eq!(post.mailer.test(settings, SmtpOwner::Provider).await.result, TestResult::Ok);
    let metadata =
        parsed(json!({ "serverAddress": "169.254.169.254:80", "timeout": "00:00:01", "tlsMode": "none" }));
    let tested = post.mailer.test(metadata, SmtpOwner::Provider).await;
    assert!(tested.error.unwrap().to_string().contains("may not be reached"));
    post.stop().await;
}

on_both! {
    fn a_token_that_ran_out_is_renewed_and_kept(database) {
        let provider = IdentityProvider::start().await;
        let own = MailOptions {
            authorities: vec![provider.certificate.clone()],
            tokens: TokenEndpoints { google: provider.address(), ..TokenEndpoints::default() },
            ..options()
        };
        let post = Post::open_with(database, own).await;
        let login = Some(("box@example.com".to_owned(), "fresh".to_owned()));
        let server = MailServer::start(MailServerOptions { login, mechanisms: "XOAUTH2", ..Default::default() }).await;
        post.set(post.provider, smtp(&server, json!({ "oAuth2Credential": {
            "identityProviderSettings": {}, "userId": "box@example.com", "accessToken": "stale", "refreshToken": "refresh-1",
            "accessTokenExpiration": "2020-01-01T00:00:00Z",
            "clientSettings": { "kind": "Google", "clientId": "client", "clientSecret": "secret" },
        }}))).await;
        for subject in ["first", "second"] {
            let uid = post.queue(post.company, subject).await;
            post.until(uid, "Sent").await;
        }
        assert_eq!(provider.asked(), ["grant_type=refresh_token&client_id=client&refresh_token=refresh-1&client_secret=secret"]);
        let row = post.store.read().await.unwrap().notifications().smtp_of(post.provider).await.unwrap().unwrap();
        assert!(!row.smtp.contains("\"fresh\"") && !row.smtp.contains("refresh-2"), "{}", row.smtp);
        post.stop().await;
    }
}
