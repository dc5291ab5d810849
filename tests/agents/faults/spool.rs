//! An agent's spool that is not what it was: cut short, or with a bit turned over. The engine still has everything, so nothing is
//! lost: the agent says what it found, begins a new epoch, and the host comes to the engine's state.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use keelson_tests::account::settled;
use keelson_tests::proxy::{Dice, Proxy, Weather};
use keelson_tests::simulation::Simulation;
use keelson_tests::{TestHost, eventually, on_both};
use sqlx::{Connection as _, SqliteConnection};

use super::place;

/// One agent whose spool holds batches that the host has not got, at rest.
async fn loaded(host: &TestHost, simulation: &mut Simulation) {
    let proxy = Proxy::start(host.addresses().agents_remote.port(), 1).await;
    simulation.through(proxy.port);
    simulation.start().await;
    settled(host.database(), || simulation.account()).await;
    proxy.turn(Weather::Gone);
    simulation.live(20).await;
    let spool = format!("sqlite:{}?mode=ro", simulation.folder(0).spool().display());
    eventually("batches to wait in the spool", || async {
        let mut spool = SqliteConnection::connect(&spool).await.ok()?;
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM batch").fetch_one(&mut spool).await.ok()?;
        (waiting > 0).then_some(())
    })
    .await;
    simulation.stop().await;
    simulation.through(host.addresses().agents_remote.port());
    // All of it into the one file.
    let spool = format!("sqlite:{}", simulation.folder(0).spool().display());
    let mut spool = SqliteConnection::connect(&spool).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut spool).await.unwrap();
    spool.close().await.unwrap();
}

/// Runs the agent, as a service manager does, until the host has its engine's state.
async fn comes_to_itself(host: &TestHost, simulation: &mut Simulation) {
    simulation.start().await;
    for _ in 0..40 {
        let settling = settled(host.database(), || simulation.account());
        if tokio::time::timeout(Duration::from_millis(500), settling).await.is_ok() {
            return;
        }
        simulation.revive().await;
    }
    panic!("the host does not come to the engine's state");
}

fn turn_bit(file: &Path, bit: u64) {
    use std::os::unix::fs::FileExt as _;
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, bit / 8).unwrap();
    byte[0] ^= 1 << (bit % 8);
    file.write_all_at(&byte, bit / 8).unwrap();
}

on_both! {
    fn a_spool_that_was_cut_short_is_begun_anew_and_nothing_is_lost(database) {
        let (host, mut simulation) = place(database, 1, 10).await;
        for part in [2, 3, 10] {
            loaded(&host, &mut simulation).await;
            let spool = simulation.folder(0).spool();
            let file = OpenOptions::new().write(true).open(&spool).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length / part).unwrap();
            drop(file);
            comes_to_itself(&host, &mut simulation).await;
            simulation.stop().await;
            assert!(spool.with_file_name("spool.db.damaged").exists(), "it is kept for whoever wants to look");
        }
        host.stop().await;
    }

    fn whatever_bit_of_a_spool_is_turned_over_the_host_comes_to_the_engines_state(database) {
        const SEED: u64 = 4_711;
        let (host, mut simulation) = place(database, 1, 10).await;
        let dice = Dice::new(SEED);
        for _ in 0..12 {
            loaded(&host, &mut simulation).await;
            let spool = simulation.folder(0).spool();
            let bits = 8 * std::fs::metadata(&spool).unwrap().len();
            for _ in 0..3 {
                turn_bit(&spool, dice.below(bits));
            }
            comes_to_itself(&host, &mut simulation).await;
            simulation.stop().await;
        }
        host.stop().await;
    }

    fn a_batch_in_the_spool_that_was_changed_is_not_sent(database) {
        let (host, mut simulation) = place(database, 1, 10).await;
        loaded(&host, &mut simulation).await;
        let spool = format!("sqlite:{}", simulation.folder(0).spool().display());
        let mut spool = SqliteConnection::connect(&spool).await.unwrap();
        // A name in it, another letter: it still reads as a batch.
        let batches: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT sequence, payload FROM batch").fetch_all(&mut spool).await.unwrap();
        let mut changed = 0;
        for (sequence, mut payload) in batches {
            let word = b"Repository ";
            let Some(place) = payload.windows(word.len()).position(|part| part == word) else { continue };
            payload[place] = b'X';
            sqlx::query("UPDATE batch SET payload = $1 WHERE sequence = $2")
                .bind(payload).bind(sequence).execute(&mut spool).await.unwrap();
            changed += 1;
        }
        assert!(changed > 0);
        spool.close().await.unwrap();
        comes_to_itself(&host, &mut simulation).await;
        simulation.stop().await;
        host.stop().await;
    }
}
