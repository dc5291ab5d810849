//! Processes that are killed, stopped for a while, or told to end: cases 13, 14, 17 and 18.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keelson_agent::clock::{Clock as _, SystemClock};
use keelson_agent::config::{DataFolder, Extras, Settings};
use keelson_agent::driver::DriverSettings;
use keelson_agent::driver::simulated::Simulated;
use keelson_agent::enroll::{Enrolment, enroll};
use keelson_agent::token::JoinToken;
use keelson_proto::v1::{
    BackupServer, Batch, ConsoleMessage, Record, agent_message, console_message, record,
};
use keelson_tests::account::{Row, of_agent, settled};
use keelson_tests::link::{Identity, Session};
use keelson_tests::process::keelson;
use keelson_tests::proxy::Dice;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::soak::cycles;
use keelson_tests::{Agent, HostProcess, TestDatabase, eventually, on_both};
use reqwest::StatusCode;
use tonic::Code;

use super::super::end;

const SEED: u64 = 13;
/// How often each side is killed; more often in a soak.
const KILLS: u32 = 20;

/// A host as a process, and a token.
pub(super) async fn host(database: TestDatabase) -> (HostProcess, String) {
    let host = HostProcess::start(database, None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "100"]);
    (host, token)
}

pub(super) async fn place(database: TestDatabase) -> (HostProcess, Simulation) {
    let (host, token) = host(database).await;
    let mut simulation = Simulation::enroll(&token, Size { agents: 4, workloads: 12, seed: SEED }).await;
    simulation.start().await;
    settled(&host.database, || simulation.account()).await;
    (host, simulation)
}

/// Waits for `/readyz` to be a 503, and gives what it says.
pub(super) async fn not_ready(host: &HostProcess) -> String {
    let health = format!("http://{}/readyz", host.addresses().health);
    eventually("the host to say that it is not ready", || async {
        let answer = reqwest::get(&health).await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        (status == StatusCode::SERVICE_UNAVAILABLE).then_some(text)
    })
    .await
}

/// What a host has to say that does not start on this one's data.
pub(super) fn refusal(host: &HostProcess) -> String {
    let mut command = Command::new(keelson());
    command.arg("serve").arg("--data").arg(host.data_folder()).args(["--database", &host.database.url]);
    for port in ["--api", "--agents-remote", "--agents-hosted", "--health"] {
        command.args([port, "127.0.0.1:0"]);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "it starts");
    String::from_utf8(output.stderr).unwrap()
}

/// At random points of a second.
async fn a_moment(dice: &Dice) {
    tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
}

/// A real agent beside a simulated server that has ever more computers.
struct Growing {
    process: Agent,
    folder: DataFolder,
    since: i64,
    workloads: u32,
    uid: uuid::Uuid,
}

impl Growing {
    async fn enroll(token: &str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let data = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(data.path().join("agent"));
        let since = SystemClock.now_ms();
        let driver = DriverSettings::Simulated { seed: SEED, server: 0, workloads: 8, since, site: None };
        let token = JoinToken::parse(token).unwrap();
        let computer = driver.computer();
        let data_folder = folder.path().to_owned();
        enroll(Enrolment {
            token,
            data: data_folder,
            driver,
            computer,
            force: false,
            extras: Extras::default(),
        })
        .await
        .unwrap();
        let uid = Settings::load(&folder).unwrap().agent_uid;
        Self { process: Agent::enrolled(data), folder, since, workloads: 8, uid }
    }

    fn grow(&mut self, by: u32) {
        self.workloads += by;
        let mut settings = Settings::load(&self.folder).unwrap();
        let (since, workloads) = (self.since, self.workloads);
        settings.driver = DriverSettings::Simulated { seed: SEED, server: 0, workloads, since, site: None };
        settings.store(&self.folder).unwrap();
    }

    fn account(&self) -> Vec<Row> {
        let engine = Simulated::new(SEED, 0, self.workloads, self.since, Arc::new(SystemClock));
        of_agent(self.uid, &engine.inventory_at(SystemClock.now_ms()))
    }
}

on_both! {
    /// Cases 13 and 14: before, in and after commits, by chance.
    fn a_host_killed_twenty_times_under_load_has_everything_once(database) {
        let (mut host, mut simulation) = place(database).await;
        let dice = Dice::new(SEED);
        let killing = async {
            for _ in 0..cycles(KILLS) {
                a_moment(&dice).await;
                host.kill();
                host.restart().await;
            }
        };
        // A month's steps, at most: what comes after is the host's future.
        let living = async {
            simulation.live(1_400).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = killing => {}
            () = living => {}
        }
        settled(&host.database, || simulation.account()).await;
        simulation.stop().await;
    }

    /// Cases 13 and 14, seen from the other side.
    fn an_agent_killed_twenty_times_under_load_has_told_everything_once(database) {
        let (host, token) = host(database).await;
        let mut agent = Growing::enroll(&token).await;
        let dice = Dice::new(SEED);
        for _ in 0..cycles(KILLS) {
            agent.process.start();
            a_moment(&dice).await;
            agent.process.kill();
            agent.grow(3);
        }
        agent.process.start();
        settled(&host.database, || agent.account()).await;
    }

    /// Case 17, as far as one host goes: it comes back from standing still as if nothing had been.
    fn a_host_that_stood_still_for_some_seconds_goes_on(database) {
        let (host, mut simulation) = place(database).await;
        for _ in 0..2 {
            host.signal("STOP");
            // Longer than three heartbeats.
            simulation.live(100).await;
            host.signal("CONT");
            simulation.live(20).await;
        }
        settled(&host.database, || simulation.account()).await;
        simulation.stop().await;
    }

    /// Case 18.
    fn a_host_that_is_told_to_end_says_goodbye_to_all_its_agents_in_time(database) {
        let (mut host, token) = host(database).await;
        let addresses = host.addresses().clone();
        let mut sessions = Vec::new();
        for _ in 0..60 {
            let agent = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await;
            sessions.push(agent.unwrap().session().await.unwrap());
        }
        let begun = Instant::now();
        host.signal("TERM");
        assert!(host.ended().await.success());
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
        for session in sessions {
            let end = end(session).await;
            assert_eq!(end.code(), Code::Unavailable, "{end:?}");
            assert!(end.message().contains("come back in "), "{end:?}");
        }
    }
    /// Case 18: what it stores before it goes does not come again.
    fn what_a_host_that_ends_has_stored_is_acknowledged(database) {
        let (mut host, token) = host(database).await;
        let addresses = host.addresses().clone();
        let under_way = Arc::new(AtomicU64::new(0));
        let mut talks = Vec::new();
        for _ in 0..30 {
            let agent = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await;
            let session = agent.unwrap().session().await.unwrap();
            talks.push(tokio::spawn(talk(session, Arc::clone(&under_way))));
        }
        eventually("all are talking", || async { (under_way.load(Ordering::SeqCst) > 300).then_some(()) }).await;
        host.signal("TERM");
        assert!(host.ended().await.success());
        let mut acknowledged = 0;
        for talk in talks {
            acknowledged += talk.await.unwrap();
        }
        let stored = host.database.count("SELECT CAST(sum(sequence) AS BIGINT) FROM agents").await;
        assert_eq!(stored, acknowledged);
    }
}

/// Batch after batch until the host goes; the last that it acknowledged.
async fn talk(mut session: Session, under_way: Arc<AtomicU64>) -> i64 {
    let server = BackupServer {
        key: "s".into(),
        name: "s".into(),
        engine: "test".into(),
        version: "1".into(),
        ..BackupServer::default()
    };
    let mut last = 0;
    loop {
        let records = vec![Record { kind: Some(record::Kind::Server(server.clone())) }];
        let batch = Batch { epoch: 1, sequence: last + 1, records };
        if !session.offer(agent_message::Kind::Batch(batch)).await {
            break;
        }
        let Ok(Some(ConsoleMessage { kind: Some(console_message::Kind::Acknowledge(at)) })) =
            session.next().await
        else {
            break;
        };
        last = at.sequence;
        under_way.fetch_add(1, Ordering::SeqCst);
    }
    i64::try_from(last).expect("a small number")
}
