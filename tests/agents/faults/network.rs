//! What a network can do to a session: cases 1, 2, 4, 6 and 7.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson::clock::{Clock as _, ManualClock, SharedClock, SystemClock};
use keelson_proto::v1::{AgentMessage, Batch, Hello, agent_message};
use keelson_tests::account::settled;
use keelson_tests::link::Identity;
use keelson_tests::process::packages;
use keelson_tests::proxy::{Proxy, Weather};
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{Client, TestDatabase, TestHost, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;

use super::{place, token};

const SEED: u64 = 20_261_130;

/// A host, agents that reach it through a proxy and have reported once, and the proxy.
async fn behind(database: TestDatabase, agents: u32) -> (TestHost, Simulation, Proxy) {
    let (host, mut simulation) = place(database, agents, 12).await;
    let proxy = Proxy::start(host.addresses().agents_remote.port(), SEED).await;
    simulation.through(proxy.port);
    simulation.start().await;
    settled(host.database(), || simulation.account()).await;
    (host, simulation, proxy)
}

/// Lives until the proxy has spoilt so many connections.
async fn until_spoilt(simulation: &Simulation, proxy: &Proxy, times: usize) {
    eventually(&format!("{times} connections to be spoilt, seed {SEED}"), || async {
        simulation.live(2).await;
        (proxy.spoilt() >= times).then_some(())
    })
    .await;
}

on_both! {
    /// Case 1.
    fn whatever_byte_a_connection_breaks_at_nothing_is_lost_and_nothing_counts_twice(database) {
        let (host, mut simulation, proxy) = behind(database, 6).await;
        // Handshake, hello, batches and answers: somewhere in all of it.
        for (bytes, times) in [(3_000, 30), (60_000, 90)] {
            proxy.turn(Weather::Cuts(bytes));
            proxy.cut_all();
            until_spoilt(&simulation, &proxy, times).await;
        }
        proxy.turn(Weather::Clear);
        proxy.cut_all();
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    /// Case 7.
    fn a_flipped_bit_ends_a_connection_and_changes_nothing(database) {
        let (host, mut simulation, proxy) = behind(database, 4).await;
        proxy.turn(Weather::Flips(12_000));
        for times in 1..=6 {
            proxy.cut_all();
            until_spoilt(&simulation, &proxy, 4 * times).await;
        }
        proxy.turn(Weather::Clear);
        proxy.cut_all();
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    /// Case 2: silence is noticed within three heartbeats, and is no failure of a backup.
    fn an_agent_whose_network_goes_without_a_word_is_not_reporting_and_not_failed(database) {
        let (host, mut simulation, proxy) = behind(database, 3).await;
        let client = host.administrator();
        let failed = failed_jobs(&client).await;
        proxy.turn(Weather::Gone);
        let begun = Instant::now();
        all_are(&client, 3, "Inaccessible").await;
        assert!(begun.elapsed() < Duration::from_secs(10), "noticed after {:?}", begun.elapsed());
        assert_eq!(failed_jobs(&client).await, failed);
        simulation.live(10).await;
        proxy.turn(Weather::Clear);
        proxy.cut_all();
        all_are(&client, 3, "Online").await;
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    /// Case 4: a byte now and then is no sign of life.
    fn a_frame_that_comes_byte_by_byte_ends_its_agents_session_and_no_others(database) {
        let (host, mut simulation, proxy) = behind(database, 1).await;
        let client = host.administrator();
        let mut others = Simulation::enroll(&token(&host), Size { agents: 1, workloads: 8, seed: 8 }).await;
        others.start().await;
        all_are(&client, 2, "Online").await;
        proxy.turn(Weather::Trickle(Duration::from_secs(1)));
        simulation.clock.advance(24 * 3_600_000);
        all_are(&client, 1, "Inaccessible").await;
        all_are(&client, 1, "Online").await;
        proxy.turn(Weather::Clear);
        proxy.cut_all();
        let account = || [simulation.account(), others.account()].concat();
        settled(host.database(), account).await;
        simulation.stop().await;
        others.stop().await;
        host.stop().await;
    }

    /// Case 5: the host holds nothing back for an agent that does not listen.
    fn an_agent_that_never_reads_its_answers_is_sent_away_and_others_are_served(database) {
        let (host, mut simulation) = place(database, 2, 8).await;
        simulation.start().await;
        let client = host.administrator();
        let addresses = host.addresses();
        let deaf = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token(&host)).await.unwrap();
        // Room for some answers, and then for none.
        let endpoint = Endpoint::from_static("https://localhost").initial_stream_window_size(256);
        let (up, outgoing) = tokio::sync::mpsc::channel(64);
        let say = |kind| up.send(AgentMessage { kind: Some(kind) });
        say(agent_message::Kind::Hello(Hello { agent_version: "0".to_owned(), ..Hello::default() })).await.unwrap();
        let mut console = deaf.dial(endpoint).await.unwrap();
        let unread = console.session(ReceiverStream::new(outgoing)).await.unwrap();
        all_are(&client, 3, "Online").await;
        // Batches of before: each has its answer and none changes anything.
        for _ in 0..600 {
            let again = Batch { epoch: 0, sequence: 0, records: Vec::new() };
            say(agent_message::Kind::Batch(again)).await.unwrap();
        }
        all_are(&client, 1, "Inaccessible").await;
        all_are(&client, 2, "Online").await;
        drop(unread);
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    /// Case 6, and R2: each command takes effect once.
    fn commands_through_a_slow_line_that_breaks_take_effect_once_each(database) {
        let clock = ManualClock::at(SystemClock.now_ms());
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let host = TestHost::start_with(database, Some(packages()), shared).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let mut simulation = Simulation::enroll(&token(&host), Size { agents: 4, workloads: 16, seed: 6 }).await;
        let proxy = Proxy::start(host.addresses().agents_remote.port(), SEED).await;
        simulation.through(proxy.port);
        simulation.start().await;
        settled(host.database(), || simulation.account()).await;
        let client = host.administrator();
        let jobs = client.data("/infrastructure/backupServers/jobs").await;
        let jobs: Vec<_> = jobs.as_array().unwrap().iter().map(|job| job["instanceUid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(jobs.len(), 8);
        proxy.turn(Weather::Late(Duration::from_millis(50), 12));
        for job in &jobs {
            let path = format!("/infrastructure/backupServers/jobs/{job}/start");
            let (status, answer) = client.json(Method::POST, &path, &json!({})).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        eventually("all commands to be done", || async {
            // What was lost on the way goes out again after a minute of the host's.
            clock.advance(10_000);
            simulation.clock.advance(2_000);
            let tasks = client.data("/eventLogs/managementAgentTasks").await;
            let done = tasks.as_array()?.iter().filter(|task| task["status"] == "Success").count();
            (done == jobs.len()).then_some(())
        })
        .await;
        assert!(proxy.spoilt() > 0, "no connection broke");
        let mut deeds = simulation.deeds();
        deeds.sort();
        let count = deeds.len();
        deeds.dedup();
        assert_eq!((count, deeds.len()), (jobs.len(), jobs.len()), "each job was started once: {deeds:?}");
        proxy.turn(Weather::Clear);
        proxy.cut_all();
        simulation.clock.advance(60_000);
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }
}

/// Waits until so many agents, at least, are this.
async fn all_are(client: &Client, count: usize, status: &str) {
    eventually(&format!("{count} agents to be {status}"), || async {
        let agents = client.data("/infrastructure/managementAgents").await;
        let found = agents.as_array()?.iter().filter(|agent| agent["connectionStatus"] == status).count();
        (found >= count).then_some(())
    })
    .await;
}

async fn failed_jobs(client: &Client) -> usize {
    let jobs = client.data("/infrastructure/backupServers/jobs?limit=500").await;
    jobs.as_array().unwrap().iter().filter(|job| job["status"] == "Failed").count()
}

/// Case 3: 1 byte now and then of a handshake, on many connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_crawl_are_ended_and_honest_agents_come_in_meanwhile() {
    let host = super::host(TestDatabase::sqlite()).await;
    let (token, addresses) = (token(&host), host.addresses().clone());
    let mut crawling = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let port = addresses.agents_remote.port();
        crawling.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // The head of a client's first message, of which the rest crawls.
            let head = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
            for byte in head.into_iter().chain(std::iter::repeat(0)) {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    let begun = Instant::now();
    for _ in 0..10 {
        let enrolment = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token);
        let agent = tokio::time::timeout(Duration::from_secs(5), enrolment).await.expect("in time").unwrap();
        agent.session().await.unwrap();
    }
    assert!(!crawling.is_empty() && begun.elapsed() < Duration::from_secs(30));
    let ended = async { while crawling.join_next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(45), ended).await.expect("all that crawled are sent away");
    host.stop().await;
}

/// Case 2, from the other side: an agent that hears nothing any more finds out by itself and comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_host_went_without_a_word_finds_out_and_comes_back() {
    let (host, mut simulation, proxy) = behind(TestDatabase::sqlite(), 1).await;
    proxy.turn(Weather::Gone);
    simulation.live(20).await;
    // What hung stays so; only new connections are carried.
    proxy.turn(Weather::Clear);
    settled(host.database(), || simulation.account()).await;
    simulation.stop().await;
    host.stop().await;
}
