//! Databases and disks that fail: cases 15, 16, 25, 26, 31 and 32, and the agent's own disk.

use std::time::Duration;

use keelson_tests::account::settled;
use keelson_tests::cluster::Cluster;
use keelson_tests::database::Jam;
use keelson_tests::disk::SmallDisk;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{TestDatabase, TestHost, on_both};
use reqwest::StatusCode;

use super::{place, processes, token};

/// Agents that run and have reported once.
async fn living(database: TestDatabase) -> (TestHost, Simulation) {
    let (host, mut simulation) = place(database, 4, 12).await;
    simulation.start().await;
    settled(host.database(), || simulation.account()).await;
    (host, simulation)
}

async fn finish(host: TestHost, mut simulation: Simulation) {
    settled(host.database(), || simulation.account()).await;
    simulation.stop().await;
    host.stop().await;
}

on_both! {
    /// Case 32: nothing is lost, and who reads is served meanwhile.
    fn a_database_that_cannot_be_written_for_a_while_is_waited_for(database) {
        let (host, simulation) = living(database).await;
        let client = host.administrator();
        let jam = Jam::on(host.database()).await;
        let reading = async {
            for _ in 0..20 {
                let read = tokio::time::timeout(Duration::from_secs(5), client.get("/infrastructure/backupServers/jobs"));
                assert_eq!(read.await.expect("an answer in time").0, StatusCode::OK);
            }
        };
        // Some seven seconds.
        tokio::join!(simulation.live(150), reading);
        jam.clear().await;
        finish(host, simulation).await;
    }

    /// Case 31: other writers in the way, again and again, for a moment each.
    fn writers_that_are_in_each_others_way_go_again_and_count_once(database) {
        let (host, simulation) = living(database).await;
        let jams = async {
            for _ in 0..25 {
                let jam = Jam::on(host.database()).await;
                simulation.live(1).await;
                jam.clear().await;
                simulation.live(2).await;
            }
        };
        jams.await;
        finish(host, simulation).await;
    }
}

/// Case 31: one statement in eight that stores restore points fails as a serialization failure or a deadlock does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_postgresql_gives_up_are_done_again_and_count_once() {
    let (host, simulation) = living(TestDatabase::postgres().await).await;
    host.execute(
        "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF random() < 0.06 THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; END IF; \
         IF random() < 0.06 THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40P01'; END IF; \
         RETURN NULL; END $$",
    )
    .await;
    for table in ["restore_points", "workloads", "agents"] {
        host.execute(&format!(
            "CREATE TRIGGER give_up AFTER INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION give_up()"
        ))
        .await;
    }
    simulation.live(100).await;
    finish(host, simulation).await;
}

/// Case 15: PostgreSQL is killed under load, again and again, and is away for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_killed_and_comes_back_has_everything_once() {
    let mut cluster = Cluster::start().await;
    let (host, simulation) = living(cluster.database()).await;
    for away in [0, 20, 80] {
        simulation.live(10).await;
        cluster.kill();
        simulation.live(away).await;
        let health = host.client.request(reqwest::Method::GET, "/api/v3/about").send();
        drop(tokio::time::timeout(Duration::from_secs(30), health).await.expect("an answer, whatever it is"));
        cluster.restart().await;
        simulation.live(10).await;
    }
    finish(host, simulation).await;
}

/// Case 16: some of it fails, for as long as that lasts, and none of it for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_came_back_with_five_connections_is_read_from_and_nothing_is_lost() {
    let mut cluster = Cluster::start().await;
    let (host, mut simulation) = processes::place(cluster.database()).await;
    let client = host.administrator();
    cluster
        .restart_with(&["max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0"])
        .await;
    let mut served = 0;
    let reading = async {
        for _ in 0..30 {
            let (status, answer) = client.get("/infrastructure/backupServers/jobs?limit=1").await;
            let is_busy = answer["errors"][0]["code"] == 503;
            assert!(status == StatusCode::OK || is_busy, "{status} {answer}");
            served += u32::from(status == StatusCode::OK);
        }
    };
    tokio::join!(simulation.live(100), reading);
    assert!(served > 10, "{served} of 30 requests were answered");
    assert_eq!(host.logged("panicked"), 0);
    cluster.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// Case 26: PostgreSQL gives up by itself when its journal has no room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_postgresqls_journal_is_waited_out_and_nothing_is_lost() {
    let disk = SmallDisk::mount(96);
    let mut cluster = Cluster::start_with_journal(disk.path()).await;
    let (host, mut simulation) = processes::place(cluster.database()).await;
    let client = host.administrator();
    disk.fill();
    let outage = async {
        // Far more than is left in the segments that it has made ready.
        drop(cluster.database().try_execute("CREATE TABLE more AS SELECT generate_series(1, 3000000)").await);
        processes::not_ready(&host).await
    };
    tokio::join!(outage, simulation.live(60));
    for _ in 0..3 {
        let reading = client.get("/infrastructure/backupServers/jobs");
        drop(
            tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an answer, whatever it is"),
        );
    }
    disk.clear();
    cluster.restart().await;
    settled(&host.database, || simulation.account()).await;
    assert_eq!(host.logged("panicked"), 0);
    simulation.stop().await;
}

/// Case 25: the disk under SQLite is full for a while. What does not fit is not acknowledged, and comes when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_sqlite_loses_nothing_and_heals() {
    let disk = SmallDisk::mount(96);
    let url = format!("sqlite:{}", disk.path().join("keelson.db").display());
    let (host, mut simulation) = living(TestDatabase::at(&url)).await;
    disk.fill();
    simulation.live(60).await;
    let size = Size { agents: 2, workloads: 150, seed: 25 };
    let behind = simulation.account();
    disk.clear();
    settled(host.database(), || simulation.account()).await;
    // This time there is no room in SQLite's own files either, so it does run into the end.
    let mut more = Simulation::enroll(&token(&host), size).await;
    disk.fill_beside(host.database()).await;
    more.start().await;
    simulation.live(60).await;
    let held = keelson_tests::account::of_host(host.database()).await;
    let whole = held.iter().filter(|row| row.kind == "workload").count();
    assert!(whole < 48 + 300, "it all went onto a full disk");
    assert!(!behind.is_empty());
    disk.clear();
    settled(host.database(), || [simulation.account(), more.account()].concat()).await;
    more.stop().await;
    simulation.stop().await;
    host.stop().await;
}

/// The agent's own disk is full for a while: what cannot be spooled is found again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_an_agents_spool_loses_nothing_and_heals() {
    let disk = SmallDisk::mount(8);
    let host = super::host(TestDatabase::sqlite()).await;
    let data = tempfile::tempdir_in(disk.path()).unwrap();
    let mut simulation =
        Simulation::enroll_in(data, &token(&host), Size { agents: 2, workloads: 30, seed: 26 }).await;
    simulation.start().await;
    settled(host.database(), || simulation.account()).await;
    disk.fill();
    simulation.live(100).await;
    assert_eq!(simulation.revive().await, 0, "a full disk ends no agent");
    disk.clear();
    settled(host.database(), || simulation.account()).await;
    simulation.stop().await;
    host.stop().await;
}
