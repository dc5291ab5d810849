//! Tokens that the host fetches for client credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::Reply;
use super::stage::{Stage, with};
use crate::plugins::abi::http::Host as _;

const CLIENT: &str = r#"{"clientId":"keelson","clientSecret":"the client's own"}"#;

/// A server that gives numbered tokens, takes the one that `good` says or any, and repeats what it was sent.
async fn stage(good: Option<usize>) -> Stage {
    let given = Arc::new(AtomicUsize::new(0));
    let stage = Stage::open(move |asked| {
        if asked.starts_with("POST /oauth/token HTTP/1.1\r\n") {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let body =
                format!(r#"{{"access_token":"granted-{number}","token_type":"Bearer","expires_in":600}}"#);
            return Reply::ok(body);
        }
        let bad = good.is_some_and(|good| !asked.contains(&format!("Bearer granted-{good}\r\n")));
        Reply::with(if bad { "401 Unauthorized" } else { "200 OK" }, "", asked)
    })
    .await;
    stage.enter("client", "oauth2-client", CLIENT).await;
    stage
}

fn fetched(stage: &Stage) -> usize {
    stage.server.asked().iter().filter(|asked| asked.starts_with("POST /oauth/token")).count()
}

#[tokio::test]
async fn one_token_serves_all_who_wait_for_it_and_nobody_sees_it() {
    let stage = stage(None).await;
    let mut views: Vec<_> = (0..4).map(|_| stage.view()).collect();
    let sent = views.iter_mut().map(|view| view.send(with("/api/", &["client"])));
    for answer in futures_util::future::join_all(sent).await {
        let answer = answer.unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 200 && body.contains("Bearer [redacted]"), "{body}");
    }
    assert_eq!(fetched(&stage), 1);
    let asked = stage.server.asked();
    assert!(asked[0].ends_with(
        "grant_type=client_credentials&client_id=keelson&client_secret=the%20client%27s%20own&scope=tickets"
    ));
    assert!(asked.iter().skip(1).all(|asked| !asked.contains("client_secret")));
    let rows = stage.record().await;
    let tokens: Vec<_> = rows.iter().filter(|row| row.path == "/oauth/token").collect();
    assert!(rows.len() == 5 && tokens.len() == 1 && tokens[0].status == Some(200), "{rows:?}");
}

#[tokio::test]
async fn another_token_is_fetched_when_it_expires_and_when_the_secret_or_the_origin_changes() {
    let stage = stage(None).await;
    let send = async || stage.send(with("/api/", &["client"])).await.unwrap().status;
    assert_eq!((send().await, send().await, fetched(&stage)), (200, 200, 1));
    stage.clock.advance(600_000);
    assert_eq!((send().await, fetched(&stage)), (200, 2));
    stage.clock.advance(1);
    stage.enter("client", "oauth2-client", CLIENT).await;
    assert_eq!((send().await, fetched(&stage)), (200, 3));
    stage.bind("psa", "https://psa.test:443", false).await;
    assert_eq!((send().await, fetched(&stage)), (200, 4));
}

#[tokio::test]
async fn a_token_that_the_server_takes_no_longer_is_replaced_at_the_next_request() {
    let stage = stage(Some(2)).await;
    let send = async || stage.send(with("/api/", &["client"])).await.unwrap().status;
    assert_eq!((send().await, send().await, send().await), (401, 200, 200));
    assert_eq!(fetched(&stage), 2);
}

#[tokio::test]
async fn a_server_that_gives_no_token_gets_no_request() {
    for reply in [
        Reply::with("400 Bad Request", "", r#"{"error":"invalid_client the%20client%27s%20own"}"#),
        Reply::ok("{}"),
        Reply::ok(r#"{"access_token":""}"#),
    ] {
        let stage = Stage::open(move |_| reply.clone()).await;
        stage.enter("client", "oauth2-client", CLIENT).await;
        let error = stage.send(with("/api/", &["client"])).await.unwrap_err();
        assert!(error.code == "no-token" && error.retryable, "{error:?}");
        assert!(!error.message.contains("own"), "{error:?}");
        assert_eq!(stage.server.asked().len(), 1);
        assert_eq!(stage.outcomes().await, ["no-token", "no-token"]);
    }
}
