//! The same contract for both spools, and what only the durable one promises.

mod replay;

use super::*;
use crate::clock::ManualClock;
use crate::inventory::addition;
use crate::testing::{inventory, limits, point};

const NOW: i64 = 1_700_000_000_000;

async fn open(path: &Path) -> SharedSpool {
    durable(path, limits(4096), &ManualClock::new(NOW)).await.unwrap()
}

/// Appends what the host must learn to know an inventory.
async fn spool_inventory(spool: &SharedSpool, workloads: &[(&str, i64)]) -> Appended {
    let known = spool.known().await.unwrap();
    let addition = addition(&known, &inventory("s", workloads)).unwrap();
    spool.append(known.epoch, &addition).await.unwrap()
}

async fn batches(spool: SharedSpool) {
    let start = spool.position().await.unwrap();
    assert_eq!((start.epoch, start.acknowledged, start.last), (NOW.unsigned_abs(), 0, 0));
    for points in 1..=3 {
        spool_inventory(&spool, &[("a", points)]).await;
    }
    let all = spool.read(start.epoch, 0, 10).await.unwrap();
    assert_eq!((all[0].sequence, all.len()), (1, 3));
    assert_eq!(spool.read(start.epoch, 1, 1).await.unwrap(), all[1..2]);

    let clock = ManualClock::new(NOW);
    spool.acknowledge(start.epoch - 1, 3, &clock).await.unwrap();
    spool.acknowledge(start.epoch, 2, &clock).await.unwrap();
    let heard = Heard { epoch: start.epoch, sequence: 2, at: NOW };
    assert_eq!(spool.position().await.unwrap(), Position { acknowledged: 2, last: 3, heard, ..start });
    assert_eq!(spool.read(start.epoch, 2, 10).await.unwrap(), all[2..]);
}

async fn epochs(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    let start = spool.position().await.unwrap().epoch;
    assert!(spool.known().await.unwrap().inventory_due);
    spool_inventory(&spool, &[("a", 1)]).await;
    let stale = spool.known().await.unwrap();
    assert!(!stale.inventory_due);
    let late = addition(&stale, &inventory("s", &[("b", 1)])).unwrap();
    let next = spool.begin_epoch(0, None, &clock).await.unwrap();
    assert_eq!(next, start + 1, "the clock stands still and the epoch grows");
    assert_eq!(spool.append(stale.epoch, &late).await.unwrap(), Appended::Superseded);
    let fresh = spool.known().await.unwrap();
    assert!(fresh.objects.is_empty() && fresh.inventory_due);
    assert!(spool.read(start, 0, 10).await.unwrap().is_empty());
}

async fn growth(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    let next = spool.position().await.unwrap().epoch;
    assert_eq!(spool.begin_epoch(next + 50, None, &clock).await.unwrap(), next + 51);
    clock.advance(1_000_000);
    assert_eq!(spool.begin_epoch(0, None, &clock).await.unwrap(), NOW.unsigned_abs() + 1_000_000);
}

async fn bound(spool: SharedSpool) {
    assert_eq!(spool_inventory(&spool, &[("a", 200)]).await, Appended::Stored, "an inventory always fits");
    let before = spool.position().await.unwrap();
    assert_eq!(spool_inventory(&spool, &[("a", 201)]).await, Appended::Full);
    assert_eq!(spool.position().await.unwrap(), before);
    assert_eq!(spool.known().await.unwrap().objects.len(), 202, "what was refused is not known");
    spool.acknowledge(before.epoch, before.last, &ManualClock::new(NOW)).await.unwrap();
    assert_eq!(spool_inventory(&spool, &[("a", 201)]).await, Appended::Stored);
}

async fn answers(spool: SharedSpool) {
    let clock = ManualClock::new(NOW);
    let result = CommandResult { done: true, ..CommandResult::default() };
    for uid in [1, 2] {
        let answer = Answer { uid: vec![uid], attempt: 1, result: result.clone() };
        spool.remember(&answer, &clock).await.unwrap();
    }
    spool.heard(&[1]).await.unwrap();
    assert_eq!(spool.unheard().await.unwrap().len(), 1);
    spool.forget(&[2]).await.unwrap();
    assert!(spool.unheard().await.unwrap().is_empty());
    assert_eq!(spool.recall(&[1]).await.unwrap(), Some(result));
    assert_eq!(spool.recall(&[2]).await.unwrap(), None);
}

#[tokio::test]
async fn the_memory_spool_keeps_the_contract() {
    let spool = || memory(limits(4096), &ManualClock::new(NOW));
    batches(spool()).await;
    epochs(spool()).await;
    answers(spool()).await;
    growth(spool()).await;
    bound(spool()).await;
}

#[tokio::test]
async fn the_durable_spool_keeps_the_contract() {
    let place = tempfile::tempdir().unwrap();
    batches(open(&place.path().join("a.db")).await).await;
    epochs(open(&place.path().join("b.db")).await).await;
    growth(open(&place.path().join("c.db")).await).await;
    bound(open(&place.path().join("d.db")).await).await;
    answers(open(&place.path().join("e.db")).await).await;
}

#[tokio::test]
async fn a_spool_that_is_opened_again_has_its_batches_and_what_is_known() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("spool.db");
    let spool = open(&path).await;
    spool_inventory(&spool, &[("a", 2)]).await;
    let (position, known) = (spool.position().await.unwrap(), spool.known().await.unwrap());
    let spooled = spool.read(position.epoch, 0, 9).await.unwrap();
    drop(spool);

    let again = open(&path).await;
    assert_eq!(again.position().await.unwrap(), position);
    assert_eq!(again.known().await.unwrap().objects, known.objects);
    assert_eq!(again.read(position.epoch, 0, 9).await.unwrap(), spooled);
    let mut state = inventory("s", &[("a", 2)]);
    state.restore_points.push(point("s", "a", 77));
    assert_eq!(addition(&again.known().await.unwrap(), &state).unwrap().records(), 1);
}

#[tokio::test]
async fn a_damaged_spool_is_moved_aside_and_a_later_epoch_begins() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("spool.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let spool = open(&path).await;
    assert_eq!(spool.position().await.unwrap().epoch, NOW.unsigned_abs());
    assert!(place.path().join("spool.db.damaged").exists());
}

#[tokio::test]
async fn a_spool_of_a_newer_agent_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("spool.db");
    drop(open(&path).await);
    behind_its_back(&path, "PRAGMA user_version = 9").await;
    let error = durable(&path, limits(1), &ManualClock::new(NOW)).await.unwrap_err();
    assert!(matches!(error, SpoolError::Format(9)) && error.to_string().contains("update the agent"));
}

/// What turns a spool's file into one of the agent that had format 2, and then of the one before.
const AS_FORMAT_2: &str =
    "ALTER TABLE position DROP COLUMN heard_epoch; ALTER TABLE position DROP COLUMN heard_sequence;
    ALTER TABLE position DROP COLUMN heard_at; ALTER TABLE position DROP COLUMN incarnation;
    ALTER TABLE position DROP COLUMN gap; DROP TABLE acknowledged; PRAGMA user_version = 2";
const AS_FORMAT_1: &str = "ALTER TABLE batch DROP COLUMN digest; PRAGMA user_version = 1";

/// Does something to a spool's file that no agent knows of.
async fn behind_its_back(path: &Path, statement: &'static str) {
    use sqlx::Connection as _;
    let file = format!("sqlite:{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&file).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_spool_of_a_format_before_is_taken_over() {
    for formats in [&[AS_FORMAT_2][..], &[AS_FORMAT_2, AS_FORMAT_1]] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("spool.db");
        let spool = open(&path).await;
        spool_inventory(&spool, &[("a", 2)]).await;
        let position = spool.position().await.unwrap();
        drop(spool);
        for format in formats {
            behind_its_back(&path, format).await;
        }
        let again = open(&path).await;
        assert_eq!(again.position().await.unwrap(), position);
        assert_eq!(spool_inventory(&again, &[("a", 3)]).await, Appended::Stored);
        assert_eq!(again.read(position.epoch, 0, 9).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_spool_whose_contents_have_changed_is_moved_aside() {
    for change in [
        "UPDATE batch SET payload = zeroblob(8)",
        "UPDATE batch SET sequence = sequence + 1",
        "UPDATE position SET last = last + 1",
        "UPDATE position SET epoch = epoch + 1",
        "UPDATE known SET workload = CAST(x'ff' AS TEXT)",
        "DELETE FROM position",
    ] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("spool.db");
        let spool = open(&path).await;
        spool_inventory(&spool, &[("a", 0)]).await;
        drop(spool);
        behind_its_back(&path, change).await;
        let again = open(&path).await;
        assert_eq!(again.position().await.unwrap().last, 0, "{change}");
        assert!(place.path().join("spool.db.damaged").exists(), "{change}");
    }
}
