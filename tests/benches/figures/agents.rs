//! Agents by the thousand, over real mutual TLS: what one costs, how a host takes all of them back at once, how soon a
//! command is there, and how long a licence for everybody takes. The peer is a bare tonic server with the same TLS and the same
//! frames that does nothing but answer. What ingest costs is measured beside the skeleton's (`ingest.rs`); what a driver
//! costs, in `driver.rs`.
//!
//! `KEELSON_BENCH_AGENTS` is the size of the fleet that comes back in a storm, 19,000 if not set: a process has 20,000
//! descriptors on many machines. What one agent costs, and commands, are measured with fifteen of nineteen of them.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use keelson_tests::link::{Identity, Session};
use keelson_tests::process::memory;
use keelson_tests::{HostProcess, TestDatabase};

use crate::Wanted;
use crate::figure::{Better, Figure, Goal};

mod commands;
mod driver;
mod echo;

use echo::Echo;
pub(crate) use echo::{ECHO, echo};

/// Connections that are made at once; a storm has no such bound.
const AT_ONCE: usize = 64;
/// The lines of agents that are held.
const HELD: [&str; 4] = ["agents.memory", "agents.connect", "agents.command.p99", "agents.push"];
/// The line of all that come back.
const STORM: &str = "agents.storm";
/// None of these agents says anything while it is looked at.
const HEARTBEAT: u32 = 3_600;

pub(crate) async fn run(wanted: &Wanted) -> Vec<Figure> {
    let size: usize =
        std::env::var("KEELSON_BENCH_AGENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(19_000);
    let mut figures = Vec::new();
    if wanted.is("agents.driver.vbr") {
        figures.push(driver::inventory().await);
    }
    if HELD.iter().chain([&STORM]).any(|bench| wanted.is(bench)) {
        let mut host = HostProcess::start_with_heartbeat(TestDatabase::sqlite(), None, HEARTBEAT).await;
        let fleet = enroll(&host, size).await;
        tracing::warn!(size, "the fleet is enrolled");
        if HELD.iter().any(|bench| wanted.is(bench)) {
            figures.extend(held(&host, &fleet[..size * 15 / 19]).await);
        }
        if wanted.is(STORM) {
            figures.push(storms(&mut host, &fleet).await);
        }
    }
    figures
}

/// What agents cost that are connected, and how soon they have what is for them. One side after the other: this process has
/// no descriptors for both.
async fn held(host: &HostProcess, fleet: &[Identity]) -> [Figure; 4] {
    let (ours, sessions) = cost(host.pid(), fleet).await;
    let (command, push) = commands::of_the_host(host, fleet, sessions).await;
    tracing::warn!(ours.memory, ours.cpu, command, push, "the host is measured");
    let echo = Echo::start(&host.addresses().ca_file).await;
    let fleet: Vec<Identity> =
        fleet.iter().map(|agent| agent.towards(echo.port(), &echo.ca_file())).collect();
    let (peer, peers) = cost(echo.pid(), &fleet).await;
    let (answer, broadcast) = commands::of_the_peer(&fleet, peers).await;
    let [memory, connect, latency, pushed] = HELD;
    [
        lower(memory, "KiB/agent", "bare tonic echo", 2.0, (ours.memory, peer.memory)),
        lower(connect, "µs of CPU", "bare tonic echo", 2.0, (ours.cpu, peer.cpu)),
        lower(latency, "ms", "an echo on such a connection", 50.0, (command, answer)).within(50.0),
        lower(pushed, "s", "a bare broadcast, answered", 6.0, (push, broadcast)),
    ]
}

/// Everybody back at once.
async fn storms(host: &mut HostProcess, fleet: &[Identity]) -> Figure {
    host.kill();
    host.restart().await;
    let back = storm(fleet).await;
    let echo = Echo::start(&host.addresses().ca_file).await;
    let fleet: Vec<Identity> =
        fleet.iter().map(|agent| agent.towards(echo.port(), &echo.ca_file())).collect();
    lower(STORM, "s", "bare tonic echo", 2.0, (back, storm(&fleet).await))
}

/// One round: what takes minutes is not repeated.
pub(super) fn lower(
    bench: &str,
    unit: &'static str,
    peer: &'static str,
    bound: f64,
    round: (f64, f64),
) -> Figure {
    Figure::new(bench, &[round], Goal { unit, peer, bound, better: Better::Lower })
}

async fn enroll(host: &HostProcess, size: usize) -> Vec<Identity> {
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", &size.to_string()]);
    let (port, ca) = (host.addresses().agents_remote.port(), &host.addresses().ca_file);
    let enrolled = stream::iter(0..size).map(|number| {
        let mut stranger = Identity::stranger(port, ca);
        stranger.source = address(number);
        let token = token.clone();
        async move { stranger.enrolled(&token).await.expect("an enrolled agent") }
    });
    enrolled.buffer_unordered(AT_ONCE).collect().await
}

/// Each two hundred agents come from an address of their own, as those of a network do.
fn address(number: usize) -> Ipv4Addr {
    let network = u16::try_from(number / 200).unwrap_or_default();
    let [high, low] = network.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low + 1)
}

/// Of one connection.
struct Cost {
    /// KiB.
    memory: f64,
    /// Microseconds.
    cpu: f64,
}

async fn cost(pid: u32, fleet: &[Identity]) -> (Cost, Vec<Session>) {
    let resident = || memory(pid, "VmRSS:") * 1024.0;
    let (before, cpu) = (resident(), processor(pid));
    let sessions = stream::iter(fleet).map(|agent| async { agent.session().await.expect("a session") });
    let sessions: Vec<Session> = sessions.buffered(AT_ONCE).collect().await;
    let each = |value: f64| value / fleet.len() as f64;
    let cost = Cost { memory: each(resident() - before), cpu: each(processor(pid) - cpu) };
    (cost, sessions)
}

/// All at once, each until it is in; in seconds.
async fn storm(fleet: &[Identity]) -> f64 {
    let begun = Instant::now();
    let back = fleet.iter().cloned().map(|agent| {
        tokio::spawn(async move {
            let (mut wait, mut again) = (Duration::from_millis(50), 0);
            loop {
                match agent.session().await {
                    Ok(session) => return (session, again),
                    Err(_) => tokio::time::sleep(wait).await,
                }
                again += 1;
                wait = (wait * 2).min(Duration::from_secs(2));
            }
        })
    });
    let (mut sessions, mut turned_away) = (Vec::with_capacity(fleet.len()), 0);
    for agent in back.collect::<Vec<_>>() {
        let (session, again) = agent.await.expect("an agent");
        sessions.push(session);
        turned_away += again;
    }
    let took = begun.elapsed().as_secs_f64();
    tracing::warn!(took, turned_away, "everybody is back");
    assert_eq!(sessions.len(), fleet.len(), "every agent is back");
    took
}

/// Microseconds of the processor that a process took. The kernel counts in hundredths of a second.
fn processor(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let fields = stat.rsplit_once(") ").expect("a name").1;
    let ticks: f64 =
        fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().expect("a number")).sum();
    ticks * 10_000.0
}
