//! Secrets reach the server and nobody else.

use super::server::Reply;
use super::stage::{PLUGIN, Stage, get, header, with};
use crate::plugins::abi::http::Request;
use crate::seal::Seal;

const SECRET: &str = "s3cret/to ken+value==";

/// A server that repeats what it was sent, in its body and in a header.
async fn echo() -> Stage {
    Stage::open(|asked| {
        let first = asked.lines().next().unwrap().to_owned();
        Reply::with("200 OK", &format!("x-echo: {first}\r\n"), asked)
    })
    .await
}

#[tokio::test]
async fn each_secret_arrives_in_its_place_and_its_echo_does_not_come_back() {
    let stage = echo().await;
    for label in ["token", "key", "bot", "inner"] {
        stage.enter(label, "token", SECRET).await;
    }
    stage.enter("login", "password", &format!(r#"{{"user":"ada","password":"{SECRET}"}}"#)).await;
    let post = |secrets| Request {
        method: "POST".to_owned(),
        body: Some(b"{\"a\":1}".to_vec()),
        ..with("/api/", secrets)
    };
    let cases = [
        (with("/api/", &["token"]), format!("authorization: Bearer {SECRET}\r\n")),
        (with("/api/", &["key"]), format!("x-api-key: {SECRET}\r\n")),
        (with("/bot{secret}/me", &["bot"]), "GET /bots3cret%2Fto%20ken%2Bvalue%3D%3D/me HTTP/1.1".to_owned()),
        (post(&["inner"]), format!(r#"{{"a":1,"auth":{{"key":"{SECRET}"}}}}"#)),
        (
            with("/api/", &["login"]),
            "authorization: Basic YWRhOnMzY3JldC90byBrZW4rdmFsdWU9PQ==\r\n".to_owned(),
        ),
    ];
    for (number, (request, arrived)) in cases.into_iter().enumerate() {
        let labels = request.secrets.join(", ");
        let answer = stage.send(request).await.unwrap();
        let asked = stage.server.asked().remove(number);
        assert!(asked.contains(&arrived), "{labels}: {asked}");
        let shown = format!("{:?} {}", answer.headers, String::from_utf8(answer.body).unwrap());
        assert!(shown.contains("[redacted]"), "{labels}: {shown}");
        for part in ["s3cret", "YWRhOnMzY3JldC90", "zY3JldC90byBrZW4"] {
            assert!(!shown.contains(part), "{labels}: {shown}");
        }
    }
    for row in stage.record().await {
        assert!(row.outcome == "ok" && !row.path.contains("s3cret"), "{row:?}");
    }
}

#[tokio::test]
async fn a_guest_cannot_stand_where_a_secret_stands() {
    let stage = echo().await;
    stage.enter("token", "token", SECRET).await;
    stage.enter("login", "password", r#"{"user":"ada","password":"hush-hush"}"#).await;
    assert_eq!(
        stage.refused(header(with("/api/", &["token"]), "Authorization", "mine")).await,
        "bad-request"
    );
    assert_eq!(stage.refused(with("/api/", &["token", "login"])).await, "bad-request");
    assert_eq!(stage.refused(header(with("/api/", &["token"]), "Range", "bytes=0-9")).await, "bad-request");
    assert!(stage.server.asked().is_empty());
    assert_eq!(stage.send(header(get("/api/"), "Authorization", "mine")).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_echo_across_the_end_of_a_body_is_redacted_whole() {
    let stage = Stage::open(|_| {
        let mut body = vec![b'x'; (4 << 20) - 9];
        body.extend_from_slice(SECRET.as_bytes());
        Reply::ok(body)
    })
    .await;
    stage.enter("token", "token", SECRET).await;
    let answer = stage.send(with("/api/", &["token"])).await.unwrap();
    assert!(answer.truncated && answer.body.len() == 4 << 20);
    assert!(answer.body.ends_with(b"x[redacted"));
}

#[tokio::test]
async fn an_answer_that_the_host_cannot_look_into_is_not_shown() {
    let stage = Stage::open(|_| Reply::with("200 OK", "content-encoding: gzip\r\n", "\u{1f}\u{8b}")).await;
    stage.enter("token", "token", SECRET).await;
    assert_eq!(stage.refused(with("/api/", &["token"])).await, "bad-response");
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
}

/// That one which was moved here from another row is such a one, the store's contract tests say.
#[tokio::test]
async fn a_secret_that_does_not_open_is_not_sent() {
    let stage = echo().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut tx = stage.services.store.write().await.unwrap();
    let row = ("key", "token", None, 0);
    let foreign = Seal::open(elsewhere.path()).unwrap();
    tx.plugin_access().set_secret(&foreign, PLUGIN, row, SECRET).await.unwrap();
    tx.commit().await.unwrap();
    let error = stage.send(with("/api/", &["key"])).await.unwrap_err();
    assert!(error.code == "no-secret" && error.message.contains("does not open"), "{error:?}");
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn a_secret_that_was_entered_as_another_kind_is_not_used() {
    let stage = echo().await;
    stage.enter("login", "token", SECRET).await;
    let error = stage.send(with("/api/", &["login"])).await.unwrap_err();
    assert!(error.code == "no-secret" && error.message.contains("plugin.toml says password"), "{error:?}");
    assert!(!format!("{error:?} {:?}", stage.desk).contains("s3cret"));
}
