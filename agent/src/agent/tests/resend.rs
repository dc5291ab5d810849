//! Nothing is lost and nothing counts twice, whatever breaks between spool and commit.

use super::*;
use crate::collect::Collector;
use crate::driver::Driver;

/// More batches than the host grants at once.
const MANY: i64 = 3000;

#[tokio::test]
async fn a_batch_that_was_cut_off_before_its_commit_is_sent_again_with_the_same_sequence() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    stage.console.set(Mode::CutBeforeCommit);
    let running = stage.run().await;
    until("it came twice", || stage.console.ledger(|ledger| ledger.received.len() >= 3)).await;
    stage.console.ledger(|ledger| {
        assert!(ledger.received.iter().all(|seen| *seen == ledger.received[0]), "{:?}", ledger.received);
        assert!(ledger.objects.is_empty());
    });
    stage.console.set(Mode::Serve);
    stage.until_host_has(&[("a", 2)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_whose_acknowledgement_was_cut_off_is_not_sent_again() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    stage.console.set(Mode::CutBeforeAcknowledge);
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    stage.console.set(Mode::Serve);
    stage.driver.set(Some(inventory("s", &[("a", 3)])));
    stage.until_host_has(&[("a", 3)]).await;
    stage.console.ledger(|ledger| {
        let mut sorted = ledger.received.clone();
        sorted.dedup();
        assert_eq!(sorted, ledger.received, "Welcome said how far the host is");
    });
    running.stop().await.unwrap();
}

#[tokio::test]
async fn batches_in_the_spool_survive_kill_9_and_need_no_engine_to_be_sent() {
    let stage = Stage::new(Some(inventory("s", &[("a", MANY)]))).await;
    // Spooled, and killed before the first byte was sent.
    let agent = stage.open().await.unwrap();
    let driver: Arc<dyn Driver> = Arc::<Scripted>::clone(&stage.driver);
    let collector = Collector {
        driver,
        shared: Arc::new(Shared::new(agent.spool)),
        clock: Arc::clone(&stage.clock),
        interval: FAST.interval,
        stop: CancellationToken::new(),
    };
    assert_eq!(collector.round().await.unwrap(), usize::try_from(MANY).unwrap() + 3);
    let epoch = collector.shared.spool.position().await.unwrap().epoch;
    drop(collector);
    drop(agent.lock);

    stage.driver.set(None);
    stage.console.set(Mode::CutBeforeCommit);
    let running = stage.run().await;
    until("the first try was cut", || stage.console.ledger(|ledger| !ledger.received.is_empty())).await;
    running.kill().await;

    stage.console.set(Mode::Serve);
    let running = stage.run().await;
    stage.until_host_has(&[("a", MANY)]).await;
    stage.console.ledger(|ledger| assert_eq!(ledger.complete, [epoch]));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn no_more_batches_are_under_way_than_the_host_grants() {
    let stage = Stage::new(Some(inventory("s", &[("a", MANY)]))).await;
    stage.console.set(Mode::Mute);
    let running = stage.run().await;
    until("the credit is used", || stage.console.ledger(|ledger| ledger.received.len() >= 4)).await;
    let heartbeats = stage.console.ledger(|ledger| ledger.heartbeats);
    until("time passes", || stage.console.ledger(|ledger| ledger.heartbeats > heartbeats)).await;
    assert_eq!(stage.console.ledger(|ledger| ledger.received.len()), 4);
    stage.console.set(Mode::Serve);
    stage.console.cut();
    stage.until_host_has(&[("a", MANY)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_host_that_lost_its_data_gets_a_full_inventory_in_a_later_epoch_and_hears_of_the_gap() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    let lost = stage.driver.lost_count();
    let before = stage.console.ledger(|ledger| {
        let before = ledger.committed.0;
        ledger.lose_everything();
        before
    });
    stage.console.cut();
    stage.until_host_has(&[("a", 2)]).await;
    until("the driver hears of it", || stage.driver.lost_count() > lost).await;
    stage.console.ledger(|ledger| {
        assert!(ledger.committed.0 > before);
        assert_eq!(ledger.complete.len(), 2);
        let [gap] = ledger.gaps.as_slice() else { panic!("{:?}", ledger.gaps) };
        assert_eq!((gap.held_epoch, gap.held_sequence, gap.lost_epoch), (0, 0, before));
        assert!(gap.lost_sequence > 0);
    });
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_host_that_was_restored_gets_what_it_lost_again_in_the_same_epoch() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    let backup = stage.console.ledger(|ledger| ledger.snapshot());
    for points in 3..=6 {
        stage.driver.set(Some(inventory("s", &[("a", points)])));
        stage.until_host_has(&[("a", points)]).await;
    }
    let before = stage.console.ledger(|ledger| {
        let before = ledger.committed;
        ledger.restore(backup, [9; 16]);
        before
    });
    // What is sent again needs no engine.
    stage.driver.set(None);
    stage.console.cut();
    stage.until_host_has(&[("a", 6)]).await;
    stage.console.ledger(|ledger| {
        assert_eq!(ledger.committed, before);
        assert!(ledger.gaps.is_empty(), "{:?}", ledger.gaps);
        let hello = ledger.hellos.last().unwrap();
        assert_eq!((hello.acknowledged_epoch, hello.acknowledged_sequence), before);
    });
    for hellos in 3..=4 {
        stage.console.cut();
        until("it comes again", || stage.console.ledger(|ledger| ledger.hellos.len() >= hellos)).await;
    }
    stage.console.ledger(|ledger| assert_eq!(ledger.hellos.last().unwrap().incarnation, [9; 16]));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_resync_brings_the_full_inventory_on_the_same_stream() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    stage.console.state.resync.notify_one();
    until("it came again", || stage.console.ledger(|ledger| ledger.complete.len() == 2)).await;
    stage.until_host_has(&[("a", 2)]).await;
    stage.console.ledger(|ledger| {
        assert!(ledger.complete[1] > ledger.complete[0]);
        assert_eq!(ledger.hellos.len(), 1);
    });
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_spool_that_was_lost_begins_an_epoch_past_what_the_host_knows_even_with_a_clock_set_back() {
    let mut stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    running.stop().await.unwrap();
    let before = stage.console.ledger(|ledger| ledger.committed.0);
    for file in ["spool.db", "spool.db-wal", "spool.db-shm"] {
        std::fs::remove_file(stage.data().join(file)).ok();
    }
    stage.clock = Arc::new(ManualClock::new(1000));
    stage.driver.set(Some(inventory("s", &[("b", 1)])));
    let running = stage.run().await;
    stage.until_host_has(&[("b", 1)]).await;
    assert!(stage.console.ledger(|ledger| ledger.committed.0 > before));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_the_host_can_never_take_is_given_up_for_a_full_inventory() {
    let stage = Stage::new(Some(inventory("s", &[("a", 2)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 2)]).await;
    let (epoch, sequence) = stage.console.ledger(|ledger| ledger.committed);
    stage.console.set(Mode::Refuse(epoch, sequence + 1));
    stage.driver.set(Some(inventory("s", &[("a", 3)])));
    stage.until_host_has(&[("a", 3)]).await;
    stage.console.ledger(|ledger| {
        assert!(ledger.committed.0 > epoch);
        let tries = ledger.received.iter().filter(|seen| **seen == (epoch, sequence + 1));
        assert_eq!(tries.count(), 1, "it is not sent again");
    });
    running.stop().await.unwrap();
}
