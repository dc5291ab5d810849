//! With an engine that counts what it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::driver::restore::{Bytes, Fetched, Found, Item, Kind, Listed, Places, Written};

#[derive(Debug, Default)]
struct Counts {
    cleaned: AtomicUsize,
    opened: AtomicUsize,
    closed: AtomicUsize,
}

#[derive(Debug, Clone, Default)]
struct Engine(Arc<Counts>);

impl Restore for Engine {
    fn clean(&self) -> BoxFuture<'_, ()> {
        self.0.cleaned.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn open<'e>(&'e self, point: &'e Point) -> BoxFuture<'e, Result<Arc<dyn Opened>, Refused>> {
        Box::pin(async move {
            if point.restore_point == "broken" {
                return Err(Refused("it is broken".to_owned()));
            }
            self.0.opened.fetch_add(1, Ordering::SeqCst);
            let opened: Arc<dyn Opened> = Arc::new(self.clone());
            Ok(opened)
        })
    }
}

impl Opened for Engine {
    fn places(&self) -> Places {
        Places { in_place: true, roots: vec!["/srv".to_owned()] }
    }

    fn list<'s>(&'s self, folder: &'s SourcePath, page: Page) -> BoxFuture<'s, Result<Listed, Refused>> {
        let name = |index: usize| format!("f{index}");
        let item = move |index| Item {
            path: folder.join(&name(index)).to_string(),
            name: name(index),
            kind: Kind::File,
            size: Some(1),
            modified_at: None,
        };
        let listed = Listed::page(folder.to_string(), 5, (0..5).map(item), page);
        Box::pin(std::future::ready(Ok(listed)))
    }

    fn search<'s>(
        &'s self,
        _: &'s SourcePath,
        _: &'s str,
        _: usize,
    ) -> BoxFuture<'s, Result<Found, Refused>> {
        Box::pin(std::future::ready(Ok(Found::default())))
    }

    fn fetch<'s>(&'s self, _: &'s [SourcePath]) -> BoxFuture<'s, Result<Fetched, Refused>> {
        Box::pin(std::future::ready(Ok(Fetched::default())))
    }

    fn read<'s>(&'s self, _: &'s SourcePath, _: u64) -> BoxFuture<'s, Result<Bytes, Refused>> {
        Box::pin(std::future::ready(Err(Refused("nothing to read".to_owned()))))
    }

    fn write<'s>(&'s self, _: &'s Wanted) -> BoxFuture<'s, Result<Written, Refused>> {
        Box::pin(std::future::ready(Ok(Written::default())))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.closed.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

struct Stage {
    counts: Arc<Counts>,
    clock: Arc<ManualClock>,
    sessions: Arc<Sessions>,
}

impl Stage {
    fn new() -> Self {
        let engine = Engine::default();
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let counts = Arc::clone(&engine.0);
        Self { counts, clock, sessions: Sessions::new(Arc::new(engine), shared) }
    }

    async fn tell(&self, kind: &str, payload: Value) -> Result<Value, String> {
        let order = Order { kind: kind.to_owned(), payload, secret: Value::Null };
        let done = self.sessions.execute(&order).await.map_err(|refused| refused.0)?;
        Ok(done.result.unwrap_or_default())
    }

    async fn open(&self, session: &str, point: &str) -> Result<Value, String> {
        let payload = json!({"server": "s", "workload": "w", "restorePoint": point, "session": session});
        self.tell("restore-open", payload).await
    }

    fn counts(&self) -> (usize, usize, usize) {
        let Counts { cleaned, opened, closed } = &*self.counts;
        let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (read(cleaned), read(opened), read(closed))
    }
}

#[tokio::test]
async fn opening_twice_is_opening_once_and_closing_twice_closing_once() {
    let stage = Stage::new();
    let first = stage.open("a", "p").await.unwrap();
    let expected = json!({"session": "a", "idleSeconds": 1800, "inPlace": true, "restoreRoots": ["/srv"]});
    assert_eq!(first, expected);
    assert_eq!(stage.open("a", "p").await.unwrap(), first);
    assert!(stage.open("a", "q").await.unwrap_err().contains("another restore point"));
    stage.open("b", "q").await.unwrap();
    assert_eq!(stage.counts(), (1, 2, 0), "left-overs are removed once, before the first");
    for _ in 0..2 {
        stage.tell("restore-close", json!({"session": "a"})).await.unwrap();
    }
    stage.tell("restore-close", json!({"session": "never"})).await.unwrap();
    assert_eq!(stage.counts().2, 1);
    let gone = stage.tell("restore-list", json!({"session": "a", "path": "/"})).await.unwrap_err();
    assert!(gone.contains("open it again"), "{gone}");
}

#[tokio::test]
async fn what_cannot_be_opened_leaves_its_place_to_others() {
    let stage = Stage::new();
    for _ in 0..=MOST {
        assert_eq!(stage.open("x", "broken").await.unwrap_err(), "it is broken");
    }
    for index in 0..MOST {
        stage.open(&format!("s{index}"), "p").await.unwrap();
    }
    assert!(stage.open("one-more", "p").await.unwrap_err().contains("which is the most"));
    for bad in ["", "a/b", "..", &"x".repeat(65)] {
        assert!(stage.open(bad, "p").await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_session_ends_half_an_hour_after_its_last_use() {
    let stage = Stage::new();
    stage.open("a", "p").await.unwrap();
    let minute = 60_000;
    for _ in 0..3 {
        stage.clock.advance(29 * minute);
        stage.tell("restore-list", json!({"session": "a", "path": "/"})).await.unwrap();
    }
    // A clock that goes back and forth ends nothing too early, and nothing never.
    stage.clock.advance(-600 * minute);
    stage.sessions.expire().await;
    stage.clock.advance(29 * minute);
    stage.tell("restore-list", json!({"session": "a"})).await.unwrap();
    stage.clock.advance(30 * minute);
    stage.sessions.expire().await;
    assert_eq!(stage.counts(), (1, 1, 1));
    assert!(stage.tell("restore-list", json!({"session": "a"})).await.is_err());
}

#[tokio::test]
async fn lists_are_paged_and_wrong_payloads_are_named() {
    let stage = Stage::new();
    stage.open("a", "p").await.unwrap();
    let list = json!({"session": "a", "path": "/d", "offset": 2, "limit": 2});
    let page = stage.tell("restore-list", list).await.unwrap();
    assert_eq!(page["total"], 5);
    assert_eq!(page["next"], 4);
    assert_eq!(page["items"][0], json!({"name": "f2", "path": "/d/f2", "kind": "file", "size": 1}));
    for (kind, payload, word) in [
        ("restore-list", json!({"session": "a", "path": "/../x"}), ".."),
        ("restore-list", json!({"path": "/"}), "session"),
        ("restore-search", json!({"session": "a", "text": " x "}), "letters"),
        ("restore-fetch", json!({"session": "a", "paths": []}), "no path"),
        ("restore-fetch", json!({"session": "a", "paths": vec!["/x"; 1_001]}), "at most"),
        ("restore-write", json!({"session": "a", "paths": ["/x"], "existing": "ask"}), "existing"),
        ("restore-mail", json!({}), "restore-mail"),
    ] {
        let refused = stage.tell(kind, payload).await.unwrap_err();
        assert!(refused.contains(word) || refused.contains("ask"), "{kind}: {refused}");
    }
}
