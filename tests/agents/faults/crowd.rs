//! Many at once, and one again and again: cases 8, 9 and 11. A few of what the list has in thousands, in the same proportions.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keelson_proto::v1::{Record, Workload, record};
use keelson_tests::link::{Identity, Session};
use keelson_tests::{Client, HostProcess, TestHost, eventually, on_both};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tonic::Code;

use super::super::{enrolled, server};

/// Agents of as many sites, each with an address of its own.
async fn enrol(port: u16, ca: &std::path::Path, token: &str, count: u8) -> Vec<Identity> {
    let mut all = JoinSet::new();
    for site in 0..count {
        let mut stranger = Identity::stranger(port, ca);
        stranger.source = Ipv4Addr::new(127, 0, 1 + site / 100, 1 + site % 100);
        let token = token.to_owned();
        all.spawn(async move { stranger.enrolled(&token).await.unwrap() });
    }
    all.join_all().await
}

/// All of them at the same moment.
async fn at_once<S, T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    agents: Vec<S>,
    act: impl Fn(usize, S) -> F,
) -> Vec<T> {
    let start = Arc::new(Barrier::new(agents.len()));
    let mut all = JoinSet::new();
    for (index, agent) in agents.into_iter().enumerate() {
        let (start, acting) = (Arc::clone(&start), act(index, agent));
        all.spawn(async move {
            start.wait().await;
            acting.await
        });
    }
    all.join_all().await
}

async fn online(client: &Client, count: usize) {
    eventually("all of them to be online", || async {
        let agents = client.data("/infrastructure/managementAgents?limit=500").await;
        let online = agents.as_array()?.iter().filter(|one| one["connectionStatus"] == "Online");
        (online.count() == count).then_some(())
    })
    .await;
}

on_both! {
    /// Case 8: none is starved for longer than 30 s, again and again.
    fn agents_that_all_reconnect_in_the_same_second_all_come_in(database) {
        const AGENTS: u8 = 200;
        let host = TestHost::start(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "300"]);
        let (client, addresses) = (host.administrator(), host.addresses());
        let agents = enrol(addresses.agents_remote.port(), &addresses.ca_file, &token, AGENTS).await;
        for _ in 0..3 {
            let sessions = at_once(agents.clone(), |_, agent| async move {
                let begun = tokio::time::timeout(Duration::from_secs(30), agent.session()).await;
                begun.expect("it was starved").unwrap()
            });
            let sessions = sessions.await;
            online(&client, sessions.len()).await;
        }
        host.stop().await;
    }

    /// Case 11: it is kept away after a while, and what it does then costs no write at all.
    fn an_agent_that_flaps_is_kept_away_without_a_write_for_each_time(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut came = 0;
        let refused = loop {
            match identity.session().await {
                Ok(session) => drop(session),
                Err(status) => break status,
            }
            came += 1;
            assert!(came <= 100, "nobody keeps it away");
        };
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains("it may come again in"), "{refused:?}");
        eventually("the last of its sessions to be over", || async {
            let agents = client.data("/infrastructure/managementAgents").await;
            (agents[0]["connectionStatus"] == "Inaccessible").then_some(())
        })
        .await;
        // The row counts what is written to it.
        let writes = async || host.count("SELECT revision + last_heartbeat FROM agents").await;
        let before = writes().await;
        for _ in 0..100 {
            assert_eq!(identity.session().await.unwrap_err().code(), Code::ResourceExhausted);
        }
        assert_eq!(writes().await, before);
        host.stop().await;
    }

    /// Case 9: what waits at the agents stays there until the host has room, and all of them get on alike.
    fn backlogs_of_many_agents_drain_evenly_and_in_bounded_memory(database) {
        const AGENTS: u8 = 60;
        const BATCHES: u64 = 60;
        // Whoever is through waits for the others without a word.
        let host = HostProcess::start_with_heartbeat(database, None, 60).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "100"]);
        let addresses = host.addresses().clone();
        let agents = enrol(addresses.agents_remote.port(), &addresses.ca_file, &token, AGENTS).await;
        let progress: Arc<Vec<AtomicU64>> = Arc::new((0..AGENTS).map(|_| AtomicU64::new(0)).collect());
        // What connections and the first of everything cost is no backlog's.
        let sessions = at_once(agents, |_, agent| async move {
            let mut session = agent.session().await.unwrap();
            drain(&mut session, 1, BATCHES / 4, &AtomicU64::new(0)).await;
            session
        });
        let sessions = sessions.await;
        let before = host.memory("VmHWM:");
        let behind = at_once(sessions, |index, mut session| {
            let progress = Arc::clone(&progress);
            async move {
                drain(&mut session, 2, BATCHES, &progress[index]).await;
                // How far everybody is at the moment that this one is through.
                progress.iter().map(|one| one.load(Ordering::Relaxed)).min().unwrap_or_default()
            }
        });
        let behind = behind.await;
        // The slowest takes three times as long as the fastest when it has a third by then.
        let slowest = behind.iter().min().copied().unwrap_or_default();
        assert!(slowest * 3 >= BATCHES, "the slowest had {slowest} of {BATCHES} when the fastest was through");
        let backlog = f64::from(AGENTS) * f64::from(u32::try_from(BATCHES).unwrap()) * batch_mib();
        let grown = host.memory("VmHWM:") - before;
        assert!(grown < backlog / 3.0, "{grown} MiB for a backlog of {backlog} MiB");
    }
}

/// Records of a batch, and bytes of each: an hour of changes in ever the same workloads.
const RECORDS: usize = 40;
const BYTES: usize = 700;

fn batch_mib() -> f64 {
    f64::from(u32::try_from(RECORDS * BYTES).unwrap_or(u32::MAX)) / f64::from(1 << 20)
}

fn changed(sequence: u64, number: usize) -> Record {
    let name = format!("{sequence}{}", "x".repeat(200));
    let workload = Workload {
        server_key: "s".into(),
        key: format!("{number:0>500}"),
        name,
        kind: "computer".into(),
        ..Workload::default()
    };
    Record { kind: Some(record::Kind::Workload(workload)) }
}

/// Sends as an agent does: no more under way than the host gave credit for.
async fn drain(session: &mut Session, epoch: u64, batches: u64, acknowledged: &AtomicU64) {
    let credit = u64::from(session.welcome.credit);
    let (mut sent, mut heard) = (0, 0);
    while heard < batches {
        while sent < batches.min(heard + credit) {
            sent += 1;
            let mut records: Vec<Record> = (0..RECORDS).map(|number| changed(sent, number)).collect();
            records.insert(0, server());
            session.batch(epoch, sent, records).await;
        }
        heard = session.acknowledged().await.1;
        acknowledged.store(heard, Ordering::Relaxed);
    }
}
