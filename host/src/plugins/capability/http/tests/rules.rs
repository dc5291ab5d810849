//! What is declared and bound, and nothing else.

use std::sync::Arc;

use super::server::{NAME, Reply};
use super::stage::{NOW, PLUGIN, Stage, get, header, with};
use crate::plugins::abi::http::{Host as _, Request};
use crate::plugins::capability::http::{HttpDesk, HttpView, Outside};
use crate::plugins::manifest::Capabilities;
use crate::plugins::terms::Terms;

#[tokio::test]
async fn what_the_manifest_does_not_declare_is_refused_and_written_down() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    let of = |destination: &str, method: &str, path: &str| Request {
        destination: destination.to_owned(),
        method: method.to_owned(),
        ..get(path)
    };
    let cases = [
        (of("pса", "GET", "/api/"), "unknown-destination"),
        (of("other", "GET", "/"), "not-bound"),
        (of("psa", "DELETE", "/api/"), "not-granted"),
        (of("psa", "get", "/api/"), "not-granted"),
        (of("psa", "GET /admin HTTP/1.1\r\nHost: evil\r\n\r\nGET", "/api/"), "not-granted"),
        (of("psa", "GET", "/admin"), "not-granted"),
        (of("psa", "GET", "/apiary"), "not-granted"),
        (of("psa", "GET", "/api/../admin"), "bad-request"),
        (of("psa", "GET", "/api/%2e%2e/admin"), "bad-request"),
        (of("psa", "GET", "/api/..%2fadmin"), "bad-request"),
        (of("psa", "GET", "/api\\..\\admin"), "bad-request"),
        (of("psa", "GET", "https://evil.test/api/"), "bad-request"),
        (of("psa", "GET", "/api/ HTTP/1.1\r\nx: y"), "bad-request"),
        (header(get("/api/"), "x-a", "b\r\nhost: evil"), "bad-request"),
        (header(get("/api/"), "x-a\r\nhost", "evil"), "bad-request"),
        (header(get("/api/"), "Host", "evil.test"), "bad-request"),
        (header(get("/api/"), "Transfer-Encoding", "chunked"), "bad-request"),
        (header(get("/api/"), "Cookie", "a=b"), "bad-request"),
        (Request { body: Some(vec![0; (3 << 20) + 1]), ..get("/api/") }, "bad-request"),
        (with("/api/", &["nothing"]), "unknown-secret"),
        (with("/api/", &["key"]), "no-secret"),
        (with("/api/", &["key", "key"]), "bad-request"),
        (with("/bot{secret}/x", &[]), "bad-request"),
        (Request { destination: "other".to_owned(), ..with("/", &["token"]) }, "not-granted"),
    ];
    let mut expected = Vec::new();
    for (request, code) in cases {
        let shown = format!("{} {} {}", request.destination, request.method, request.path);
        assert_eq!(stage.refused(request).await, code, "{shown}");
        expected.push(code.to_owned());
        // So that they are written down in an order.
        stage.clock.advance(1);
    }
    assert_eq!(stage.outcomes().await, expected);
    assert!(stage.names.asked.lock().unwrap().is_empty(), "nobody was looked up");
    assert!(stage.record().await.iter().all(|row| !row.method.contains('\n') && !row.path.contains('\n')));
}

#[tokio::test]
async fn a_change_of_the_binding_is_heard_without_a_restart() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
    let mut tx = stage.services.store.write().await.unwrap();
    assert!(tx.plugin_access().unbind(PLUGIN, "psa").await.unwrap());
    tx.commit().await.unwrap();
    let error = stage.send(get("/api/")).await.unwrap_err();
    assert!(
        error.code == "not-bound" && error.message.contains("keelson plugin bind acme.psa psa"),
        "{error:?}"
    );
    stage.bind("psa", &format!("https://{NAME}"), false).await;
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_pure_call_sends_nothing_and_leaves_no_trace() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    let mut view = HttpView::new(Arc::clone(&stage.desk), "call-1", Terms::rule(NOW));
    assert_eq!(view.send(get("/api/")).await.unwrap_err().code, "not-in-this-call");
    assert!(stage.server.asked().is_empty() && stage.record().await.is_empty());
}

#[tokio::test]
async fn a_host_that_only_looks_at_plugins_sends_nothing() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    let outside = Outside { services: None, ..stage.desk.outside.clone() };
    let desk = HttpDesk::new(PLUGIN.into(), &Capabilities::default(), outside);
    let terms = Terms { pure_at: None, ..Terms::rule(NOW) };
    let error = HttpView::new(desk, "call-1", terms).send(get("/api/")).await.unwrap_err();
    assert!(error.code == "unavailable" && !error.retryable, "{error:?}");
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_leave() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    stage.services.store.close().await;
    let error = stage.send(get("/api/")).await.unwrap_err();
    assert!(error.code == "unavailable" && error.retryable, "{error:?}");
    assert!(stage.server.asked().is_empty());
}
