//! A host that may have only so much of the machine: cases 20 and 21.

use std::time::Duration;

use keelson_proto::v1::{Batch, Heartbeat, Record, Workload, agent_message, record};
use keelson_tests::account::settled;
use keelson_tests::link::{Identity, Session};
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{HostProcess, TestDatabase, eventually, on_both};
use reqwest::{Method, StatusCode};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// Files that the host may have open in the test of their end.
const FILES: usize = 240;

async fn place(database: TestDatabase, limits: &str) -> (HostProcess, String) {
    let host = HostProcess::start_within(database, limits).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "1000"]);
    (host, token)
}

async fn enrolled(host: &HostProcess, token: &str) -> Identity {
    let addresses = host.addresses();
    Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, token).await.unwrap()
}

/// Sessions until the host has room for no more; the last one's refusal.
async fn fill(host: &HostProcess, token: &str) -> (Vec<Session>, Status) {
    let mut sessions = Vec::new();
    while sessions.len() < FILES {
        match enrolled(host, token).await.session().await {
            Ok(session) => sessions.push(session),
            Err(status) => return (sessions, status),
        }
    }
    panic!("{FILES} agents have come in");
}

on_both! {
    /// Case 21.
    fn when_all_files_are_open_agents_hear_why_and_the_api_is_served(database) {
        let (host, token) = place(database, &format!("ulimit -n {FILES}")).await;
        let client = host.administrator();
        let late = enrolled(&host, &token).await;
        let (mut sessions, refusal) = fill(&host, &token).await;
        assert_eq!(refusal.code(), Code::ResourceExhausted, "{refusal:?}");
        assert!(refusal.message().contains("LimitNOFILE"), "{refusal:?}");
        assert!(sessions.len() > FILES / 3, "{} agents have found room", sessions.len());
        // Those that are in are not disturbed, and whoever asks the API gets an answer, on connections of their own.
        for _ in 0..20 {
            let fresh = host.client().with(client.credential.as_deref().unwrap());
            let answer = fresh.request(Method::GET, "/api/v3/infrastructure/managementAgents?limit=1").send();
            let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("an answer in time");
            assert_eq!(answer.unwrap().status(), StatusCode::OK);
        }
        let first = sessions.remove(0);
        assert!(first.offer(agent_message::Kind::Heartbeat(Heartbeat::default())).await);
        assert_eq!(late.session().await.err().map(|status| status.code()), Some(Code::ResourceExhausted));
        // One goes, one comes.
        drop((first, sessions));
        eventually("room for the one that was refused", || async { late.session().await.ok().map(drop) }).await;
        assert_eq!(host.logged("panicked"), 0);
    }

    fn one_agents_connections_leave_the_room_to_the_others(database) {
        let (host, token) = place(database, &format!("ulimit -n {FILES}")).await;
        let (thief, other) = (enrolled(&host, &token).await, enrolled(&host, &token).await);
        let honest = other.session().await.unwrap();
        let mut held = Vec::new();
        while held.len() < FILES {
            let connection = thief.channel(Endpoint::from_static("https://localhost"));
            let Ok(connection) = tokio::time::timeout(Duration::from_secs(1), connection).await else { break };
            held.push(connection);
        }
        assert!(honest.offer(agent_message::Kind::Heartbeat(Heartbeat::default())).await);
        let late = enrolled(&host, &token).await;
        late.session().await.expect("room for another agent");
    }

    /// Case 20: whether it sheds or dies, what it acknowledged is there.
    fn a_host_that_runs_out_of_memory_loses_nothing_that_it_acknowledged(database) {
        let (mut host, token) = place(database, "true").await;
        let mut simulation = Simulation::enroll(&token, Size { agents: 4, workloads: 12, seed: 20 }).await;
        simulation.start().await;
        settled(&host.database, || simulation.account()).await;
        let mut crowd = Vec::new();
        for _ in 0..24 {
            crowd.push(enrolled(&host, &token).await);
        }
        // What it has now, and little more.
        let kibibytes = (host.memory("VmData:") + 48.0) * 1024.0;
        host.restart_within(&format!("ulimit -d {kibibytes:.0}")).await;
        for _ in 0..4 {
            let talking = crowd.iter().map(talk);
            tokio::join!(futures_util::future::join_all(talking), simulation.live(20));
            if host.has_ended() {
                host.restart().await;
            }
        }
        host.restart_within("true").await;
        settled(&host.database, || simulation.account()).await;
        simulation.stop().await;
    }
}

/// As much as a batch may hold, as often as the host lets it: read, checked, and never the next one.
async fn talk(identity: &Identity) {
    let Ok(session) = identity.session().await else { return };
    for _ in 0..40 {
        let workload = |n: u32| Workload {
            server_key: "s".into(),
            key: n.to_string(),
            name: "x".repeat(1_000),
            kind: "computer".into(),
            ..Workload::default()
        };
        let records = (0..1_000).map(|n| Record { kind: Some(record::Kind::Workload(workload(n))) });
        let batch = Batch { epoch: u64::MAX / 4, sequence: 2, records: records.collect() };
        let offered = session.offer(agent_message::Kind::Batch(batch));
        if tokio::time::timeout(Duration::from_secs(1), offered).await != Ok(true) {
            return;
        }
    }
}
