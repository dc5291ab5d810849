//! How long, how much, how many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::server::Reply;
use super::stage::{Stage, get};
use crate::clock::MINUTE;
use crate::plugins::abi::http::{Host as _, Request};

fn quick(path: &str) -> Request {
    Request { timeout_ms: 300, ..get(path) }
}

/// What takes longer than that waits in vain.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.unwrap()
}

#[tokio::test]
async fn a_server_that_says_nothing_or_never_ends_is_left() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = Stage::private(move |asked| {
        if asked.contains("/api/silent") {
            return Reply::Held(Arc::clone(&gate), Vec::new());
        }
        // So little that the limit is far away when the time is over: each piece waits to be read.
        Reply::Held(Arc::clone(&gate), b"HTTP/1.1 200 OK\r\n".to_vec())
    })
    .await;
    let began = Instant::now();
    for path in ["/api/silent", "/api/half"] {
        let error = stage.send(quick(path)).await.unwrap_err();
        assert!(error.code == "timeout" && error.retryable && error.message.contains("300 ms"), "{error:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    soon(stage.server.left.acquire_many(2)).await.unwrap().forget();
    assert_eq!(stage.outcomes().await, ["timeout", "timeout"]);
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_four_mebibytes() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n\r\n".to_vec();
    let stage = Stage::private(move |_| Reply::Endless(head.clone(), 64 << 10)).await;
    let answer = stage.send(get("/api/")).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.truncated), (200, 4 << 20, true));
    soon(stage.server.left.acquire()).await.unwrap().forget();
    assert_eq!(stage.record().await[0].bytes_in, 4 << 20);
}

#[tokio::test]
async fn a_body_of_just_four_mebibytes_is_whole() {
    let stage = Stage::private(|_| Reply::ok(vec![b'x'; 4 << 20])).await;
    let answer = stage.send(get("/api/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (4 << 20, false));
}

#[tokio::test]
async fn what_is_no_http_or_has_too_many_headers_is_a_bad_response() {
    let stage = Stage::private(|asked| {
        if asked.contains("/api/noise") {
            return Reply::Whole(b"220 mail.test ESMTP\r\n".to_vec());
        }
        Reply::with("200 OK", &"x-many: y\r\n".repeat(200), "")
    })
    .await;
    assert_eq!(stage.refused(get("/api/noise")).await, "bad-response");
    assert_eq!(stage.refused(get("/api/headers")).await, "bad-response");
}

#[tokio::test]
async fn the_sixty_first_request_of_a_minute_waits_for_the_next() {
    let stage = Stage::private(|_| Reply::ok("")).await;
    // Refused ones count too: probing is no way around.
    for _ in 0..59 {
        assert_eq!(stage.refused(get("/admin")).await, "not-granted");
    }
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
    for _ in 0..5 {
        assert_eq!(stage.refused(get("/api/")).await, "rate-limited");
    }
    assert_eq!(stage.record().await.iter().filter(|row| row.outcome == "rate-limited").count(), 1);
    stage.clock.advance(MINUTE);
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
    assert_eq!(stage.server.asked().len(), 2);
}

#[tokio::test]
async fn a_fifth_request_at_once_is_told_that_the_plugin_is_busy() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let stage =
        Stage::private(move |_| Reply::Held(Arc::clone(&held), b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()))
            .await;
    let mut views: Vec<_> = (0..4).map(|_| stage.view()).collect();
    let four = futures_util::future::join_all(views.iter_mut().map(|view| view.send(get("/api/"))));
    let fifth = async {
        while stage.server.asked().len() < 4 {
            tokio::task::yield_now().await;
        }
        let error = stage.send(get("/api/")).await.unwrap_err();
        gate.add_permits(4);
        error
    };
    let (four, error) = soon(async { tokio::join!(four, fifth) }).await;
    assert!(error.code == "busy" && error.retryable, "{error:?}");
    assert!(four.into_iter().all(|answer| answer.unwrap().status == 204));
    gate.add_permits(1);
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 204);
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_request_with_it() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = Stage::private(move |_| Reply::Held(Arc::clone(&gate), Vec::new())).await;
    let mut view = stage.view();
    let mut call = Box::pin(view.send(get("/api/")));
    let asked = async {
        while stage.server.asked().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = &mut call => panic!("{answer:?}"),
        () = soon(asked) => {}
    }
    drop(call);
    soon(stage.server.left.acquire()).await.unwrap().forget();
    let [row] = stage.record().await.try_into().unwrap();
    assert_eq!((row.outcome.as_str(), row.status), ("cut", None));
}
