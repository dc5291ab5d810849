//! Commands: how soon one is there while everybody else is idle, and how long one for everybody takes.

use std::collections::HashMap;
use std::time::Instant;

use keelson::clock::{Clock as _, DAY, SystemClock};
use keelson::id::{AgentUid, CommandUid};
use keelson::model::{CommandKind, NewCommand};
use keelson::store::Store;
use keelson_proto::v1::{
    BackupServer, CommandReport, CommandResult, Heartbeat, Hello, InventoryComplete, Record, agent_message,
    command_report, console_message, record,
};
use keelson_tests::link::{Identity, Session};
use keelson_tests::{Client, HostProcess, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::echo::BROADCAST;

/// Of a licence file with its envelope.
const LICENSE: usize = 8 * 1024;
/// Commands of which the slowest hundredth is looked at.
const SAMPLES: usize = 300;

/// The slowest hundredth of commands in milliseconds, and a licence for everybody in seconds.
pub(super) async fn of_the_host(
    host: &HostProcess,
    fleet: &[Identity],
    mut sessions: Vec<Session>,
) -> (f64, f64) {
    introduce(&mut sessions).await;
    let client = host.administrator();
    let servers = servers(&client).await;
    assert_eq!(servers.len(), fleet.len(), "every agent has a server");
    let latency = p99(soon(&client, fleet, &mut sessions, &servers).await);
    (latency, push(host, &client, fleet, sessions, &servers).await)
}

/// The same of the peer: an answer, and a broadcast that everybody answers.
pub(super) async fn of_the_peer(fleet: &[Identity], mut peers: Vec<Session>) -> (f64, f64) {
    let latency = p99(answered(&mut peers).await);
    (latency, broadcast(fleet, peers).await)
}

/// Each agent says which server it stands beside.
async fn introduce(sessions: &mut [Session]) {
    for (number, session) in sessions.iter().enumerate() {
        let server = BackupServer {
            key: format!("s{number}"),
            name: format!("server {number}"),
            engine: "test".into(),
            version: "1".into(),
            ..BackupServer::default()
        };
        let records = [record::Kind::Server(server), record::Kind::InventoryComplete(InventoryComplete {})];
        let records = records.into_iter().map(|kind| Record { kind: Some(kind) }).collect();
        session.batch(1, 1, records).await;
    }
    for session in sessions {
        session.acknowledged().await;
    }
}

/// Servers by their agents.
async fn servers(client: &Client) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for offset in (0..).step_by(500) {
        let page = client.data(&format!("/infrastructure/backupServers?limit=500&offset={offset}")).await;
        let page = page.as_array().expect("a list");
        for server in page {
            let text = |name: &str| server[name].as_str().expect("an id").to_owned();
            found.insert(text("managementAgentUid"), text("instanceUid"));
        }
        if page.len() < 500 {
            return found;
        }
    }
    found
}

async fn next_command(session: &mut Session) -> keelson_proto::v1::Command {
    loop {
        let message = session.next().await.expect("an open session").expect("a message");
        if let Some(console_message::Kind::Command(command)) = message.kind {
            return command;
        }
    }
}

fn done(command: &keelson_proto::v1::Command) -> agent_message::Kind {
    let result = CommandResult { done: true, ..CommandResult::default() };
    agent_message::Kind::Report(CommandReport {
        uid: command.uid.clone(),
        attempt: command.attempt,
        what: Some(command_report::What::Result(result)),
    })
}

/// From the request until the agent has the command, in milliseconds.
async fn soon(
    client: &Client,
    fleet: &[Identity],
    sessions: &mut [Session],
    servers: &HashMap<String, String>,
) -> Vec<f64> {
    let mut times = Vec::new();
    for sample in 0..SAMPLES {
        let number = sample * 7_919 % fleet.len();
        let server = &servers[&fleet[number].agent.to_string()];
        let path = format!("/infrastructure/backupServers/{server}/collect");
        let begun = Instant::now();
        let body = json!(null);
        let (answer, (command, took)) = tokio::join!(client.json(Method::POST, &path, &body), async {
            let command = next_command(&mut sessions[number]).await;
            (command, begun.elapsed())
        });
        assert_eq!(answer.0, StatusCode::OK, "{}", answer.1);
        sessions[number].send(done(&command)).await;
        times.push(took.as_secs_f64() * 1e3);
    }
    times
}

/// There and back on a bare connection, in milliseconds.
async fn answered(peers: &mut [Session]) -> Vec<f64> {
    let mut times = Vec::new();
    for sample in 0..SAMPLES {
        let number = sample * 7_919 % peers.len();
        let begun = Instant::now();
        peers[number].send(agent_message::Kind::Heartbeat(Heartbeat::default())).await;
        peers[number].acknowledged().await;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// Until everybody has it and has said so, in seconds.
async fn broadcast(fleet: &[Identity], peers: Vec<Session>) -> f64 {
    let begun = Instant::now();
    let waiting: Vec<_> = peers
        .into_iter()
        .map(|mut session| {
            tokio::spawn(async move {
                let command = next_command(&mut session).await;
                session.send(done(&command)).await;
                session.acknowledged().await;
            })
        })
        .collect();
    let hello = Hello { driver: BROADCAST.to_owned(), epoch: LICENSE as u64, ..Hello::default() };
    let _trigger = fleet[0].session_with(hello).await.expect("a session");
    for waiting in waiting {
        waiting.await.expect("an agent");
    }
    begun.elapsed().as_secs_f64()
}

/// A command for everybody, written by one transaction a thousand; until all of them are noted as done.
async fn push(
    host: &HostProcess,
    client: &Client,
    fleet: &[Identity],
    sessions: Vec<Session>,
    servers: &HashMap<String, String>,
) -> f64 {
    let store = Store::open(&host.database_url()).await.expect("the database");
    for agents in fleet.chunks(1_000) {
        let mut tx = store.write().await.expect("a transaction");
        for agent in agents {
            tx.commands().put(&SystemClock, &license(agent)).await.expect("a command");
        }
        tx.commit().await.expect("a commit");
    }
    let waiting: Vec<_> = sessions
        .into_iter()
        .map(|mut session| {
            tokio::spawn(async move {
                loop {
                    let command = next_command(&mut session).await;
                    session.send(done(&command)).await;
                    if command.kind == CommandKind::LicenseInstall.name() {
                        return session;
                    }
                }
            })
        })
        .collect();
    // A commit of the host's own wakes it; another process's it would find at its next look.
    let begun = Instant::now();
    let server = &servers[&fleet[0].agent.to_string()];
    client.json(Method::POST, &format!("/infrastructure/backupServers/{server}/collect"), &json!(null)).await;
    let mut sessions = Vec::new();
    for waiting in waiting {
        sessions.push(waiting.await.expect("an agent"));
    }
    eventually("all to be noted", || async {
        let mut tx = store.read().await.expect("a look");
        let open = tx.commands().waiting(&SystemClock).await.expect("a look");
        open.is_empty().then_some(())
    })
    .await;
    begun.elapsed().as_secs_f64()
}

fn license(agent: &Identity) -> NewCommand {
    NewCommand {
        uid: CommandUid::new(&SystemClock),
        agent: AgentUid(agent.agent),
        kind: CommandKind::LicenseInstall,
        description: "Install a licence".to_owned(),
        subject: None,
        payload: json!({"license": "x".repeat(LICENSE)}),
        sealed: None,
        key: None,
        deadline: SystemClock.now_ms() + DAY,
        user: None,
        operation: "UpdateBackupServerLicense".to_owned(),
    }
}
