//! Encrypted lines, and servers that are not who they should be.

use keelson::mail::{MailOptions, TestResult};
use keelson::store::SmtpOwner;
use keelson_tests::{MailServer, MailServerOptions, MailTls, Mood, TestDatabase, on_both};
use serde_json::json;

use super::fixtures::{Post, options, parsed, smtp};

async fn server(tls: MailTls) -> MailServer {
    MailServer::start(MailServerOptions { tls, ..MailServerOptions::default() }).await
}

on_both! {
    fn mail_goes_out_encrypted_in_every_mode_that_asks_for_it(database) {
        let post = Post::open(database).await;
        for (tls, mode) in [
            (MailTls::Starts, "startTls"),
            (MailTls::Starts, "startTlsWhenAvailable"),
            (MailTls::Starts, "auto"),
            (MailTls::OnConnect, "sslOnConnect"),
        ] {
            let server = server(tls).await;
            let pin = json!({ "tlsMode": mode, "exclusivelyAcceptedCertificateHash": server.certificate_hash() });
            post.set(post.provider, smtp(&server, pin)).await;
            let uid = post.queue(post.company, mode).await;
            post.until(uid, "Sent").await;
            let [taken] = server.delivered().try_into().unwrap();
            assert!(taken.encrypted, "{mode}");
        }
        post.stop().await;
    }

    fn a_certificate_that_nobody_vouches_for_is_refused_and_its_hash_shown(database) {
        let post = Post::open(database).await;
        let server = server(MailTls::Starts).await;
        post.set(post.provider, smtp(&server, json!({ "tlsMode": "startTls" }))).await;
        let uid = post.queue(post.company, "no").await;
        assert!(post.until_failed(uid).await.last_error.unwrap().contains("TLS"));
        let tested = post.mailer.test(parsed(smtp(&server, json!({ "tlsMode": "startTls" }))), SmtpOwner::Provider).await;
        assert_eq!(tested.result, TestResult::ConnectionError);
        let shown = tested.certificate.unwrap();
        assert_eq!((shown.hash, shown.valid), (server.certificate_hash(), false));
        assert!(server.delivered().is_empty());
        post.stop().await;
    }

    fn an_authority_of_the_operators_own_vouches_too(database) {
        let server = server(MailTls::Starts).await;
        let own = MailOptions { authorities: vec![server.certificate.clone()], ..options() };
        let post = Post::open_with(database, own).await;
        let tested = post.mailer.test(parsed(smtp(&server, json!({ "tlsMode": "startTls" }))), SmtpOwner::Provider).await;
        assert_eq!(tested.result, TestResult::Ok, "{:?}", tested.error);
        assert!(tested.certificate.unwrap().valid);
        post.stop().await;
    }

    fn another_certificate_than_the_pinned_one_is_refused_even_if_vouched_for(database) {
        let server = server(MailTls::OnConnect).await;
        let own = MailOptions { authorities: vec![server.certificate.clone()], ..options() };
        let post = Post::open_with(database, own).await;
        let pin = json!({ "tlsMode": "sslOnConnect", "exclusivelyAcceptedCertificateHash": "00".repeat(32) });
        let tested = post.mailer.test(parsed(smtp(&server, pin)), SmtpOwner::Provider).await;
        assert_eq!(tested.result, TestResult::ConnectionError);
        assert!(tested.error.unwrap().to_string().contains("exclusively accepted"));
        post.stop().await;
    }
}

async fn post() -> Post {
    Post::open(TestDatabase::sqlite()).await
}

#[tokio::test]
async fn a_server_without_starttls_is_refused_where_it_is_demanded() {
    let (post, server) = (post().await, server(MailTls::Never).await);
    let tested =
        post.mailer.test(parsed(smtp(&server, json!({ "tlsMode": "startTls" }))), SmtpOwner::Provider).await;
    assert!(tested.error.unwrap().to_string().contains("no STARTTLS"));
    let tested = post
        .mailer
        .test(parsed(smtp(&server, json!({ "tlsMode": "startTlsWhenAvailable" }))), SmtpOwner::Provider)
        .await;
    assert_eq!(tested.result, TestResult::Ok, "{:?}", tested.error);
}

#[tokio::test]
async fn words_smuggled_in_before_tls_end_it() {
    let post = post().await;
    let server = MailServer::start(MailServerOptions {
        tls: MailTls::Starts,
        mood: Mood::Injects,
        ..MailServerOptions::default()
    })
    .await;
    let pin =
        json!({ "tlsMode": "startTls", "exclusivelyAcceptedCertificateHash": server.certificate_hash() });
    let tested = post.mailer.test(parsed(smtp(&server, pin)), SmtpOwner::Provider).await;
    assert_eq!(tested.result, TestResult::ConnectionError);
    assert!(tested.error.unwrap().to_string().contains("between STARTTLS and TLS"));
}
