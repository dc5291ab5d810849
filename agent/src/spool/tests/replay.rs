//! The replay window, of both spools: how far it reaches, and what is remembered when it does not.

use super::*;

const HOUR: i64 = 3_600_000;

fn small() -> Limits {
    Limits { waiting: 1 << 20, replay: ReplayWindow { age: Duration::from_hours(10), bytes: 1_000 } }
}

/// Spools one more restore point and has it acknowledged.
async fn acknowledged(spool: &SharedSpool, points: i64, clock: &ManualClock) -> Position {
    spool_inventory(spool, &[("a", points)]).await;
    let position = spool.position().await.unwrap();
    spool.acknowledge(position.epoch, position.last, clock).await.unwrap();
    spool.position().await.unwrap()
}

async fn reaches_as_far_as_its_bytes(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    assert_eq!(acknowledged(&spool, 1, &clock).await.reaches, 0);
    for points in 2..=40 {
        acknowledged(&spool, points, &clock).await;
    }
    let position = spool.position().await.unwrap();
    assert!((1..39).contains(&position.reaches), "{position:?}");
    let kept = spool.read(position.epoch, 0, 99).await.unwrap();
    assert_eq!(kept.first().unwrap().sequence, position.reaches + 1);
    assert_eq!(kept.last().unwrap().sequence, position.last);
    let bytes: usize = kept.iter().map(prost::Message::encoded_len).sum();
    assert!((500..=1_000).contains(&bytes), "{bytes} bytes are kept of 1000");
}

async fn reaches_as_far_as_its_hours(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    for points in 1..=4 {
        acknowledged(&spool, points, &clock).await;
        clock.advance(4 * HOUR);
    }
    let position = spool.position().await.unwrap();
    assert_eq!(position.reaches, 1, "the first was acknowledged twelve hours before the last");
    assert_eq!(position.heard, Heard { epoch: position.epoch, sequence: 4, at: NOW + 12 * HOUR });
}

async fn keeps_a_gap_until_the_host_knows(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    let before = acknowledged(&spool, 3, &clock).await;
    let gap = before.gap_after(before.epoch - 9, 2);
    spool.begin_epoch(0, Some(gap), &clock).await.unwrap();
    assert_eq!(spool.known().await.unwrap().gap, Some(gap));
    let heard = spool.position().await.unwrap().heard;
    assert_eq!((heard.epoch, heard.sequence), (before.epoch - 9, 2), "what it still has");
    // Before that was acknowledged, the spool was full, or the host was restored once more.
    spool.begin_epoch(0, None, &clock).await.unwrap();
    assert_eq!(spool.known().await.unwrap().gap, Some(gap));
    let later = Gap { held_epoch: before.epoch, lost_at: NOW + 1, ..gap };
    let epoch = spool.begin_epoch(0, Some(later), &clock).await.unwrap();
    assert_eq!(spool.known().await.unwrap().gap, Some(Gap { lost_at: NOW + 1, ..gap }));

    spool_inventory(&spool, &[("a", 3)]).await;
    let first = spool.read(epoch, 0, 1).await.unwrap().remove(0).records.remove(0);
    assert!(matches!(first.kind, Some(keelson_proto::v1::record::Kind::Gap(_))), "{first:?}");
    spool.acknowledge(epoch, 1, &clock).await.unwrap();
    spool.begin_epoch(0, None, &clock).await.unwrap();
    assert_eq!(spool.known().await.unwrap().gap, None);
}

#[tokio::test]
async fn the_memory_spool_keeps_what_was_acknowledged() {
    let spool = || memory(small(), &ManualClock::new(NOW));
    reaches_as_far_as_its_bytes(spool()).await;
    reaches_as_far_as_its_hours(spool()).await;
    keeps_a_gap_until_the_host_knows(spool()).await;
}

#[tokio::test]
async fn the_durable_spool_keeps_what_was_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let spool =
        async |name| durable(&place.path().join(name), small(), &ManualClock::new(NOW)).await.unwrap();
    reaches_as_far_as_its_bytes(spool("a.db").await).await;
    reaches_as_far_as_its_hours(spool("b.db").await).await;
    keeps_a_gap_until_the_host_knows(spool("c.db").await).await;
}

#[tokio::test]
async fn an_acknowledgement_that_comes_again_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let spool = open(&place.path().join("spool.db")).await;
    let clock = ManualClock::new(NOW);
    acknowledged(&spool, 1, &clock).await;
    let before = acknowledged(&spool, 2, &clock).await;
    clock.advance(HOUR);
    spool.acknowledge(before.epoch, 1, &clock).await.unwrap();
    spool.acknowledge(before.epoch, 2, &clock).await.unwrap();
    assert_eq!(spool.position().await.unwrap(), before);
}

#[tokio::test]
async fn a_spool_that_is_opened_again_has_its_window_and_knows_the_host() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("spool.db");
    let spool = open(&path).await;
    spool.meet([7; 16]).await.unwrap();
    acknowledged(&spool, 1, &ManualClock::new(NOW)).await;
    spool_inventory(&spool, &[("a", 2)]).await;
    let position = spool.position().await.unwrap();
    drop(spool);
    let again = open(&path).await;
    assert_eq!(again.position().await.unwrap(), position);
    assert_eq!((position.reaches, position.incarnation), (0, [7; 16]));
    assert_eq!(again.read(position.epoch, 0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_window_that_has_changed_is_shortened_and_what_waits_stays() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("spool.db");
    let spool = open(&path).await;
    for points in 1..=3 {
        acknowledged(&spool, points, &ManualClock::new(NOW)).await;
    }
    spool_inventory(&spool, &[("a", 4)]).await;
    let before = spool.position().await.unwrap();
    drop(spool);
    behind_its_back(&path, "UPDATE batch SET payload = zeroblob(8) WHERE sequence = 2").await;
    let again = open(&path).await;
    assert_eq!(again.position().await.unwrap(), Position { reaches: 2, ..before });
    assert_eq!(again.read(before.epoch, 0, 9).await.unwrap().len(), 2);
    assert!(!place.path().join("spool.db.damaged").exists());
}
