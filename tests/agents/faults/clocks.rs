//! Clocks that are wrong: case 19. Order comes from sequences; instants of the future are of now, and nothing else changes.

use std::sync::Arc;

use keelson::clock::{Clock as _, ManualClock, SharedClock, SystemClock};
use keelson_tests::account::{Row, differences, of_host, settled};
use keelson_tests::process::packages;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{Client, TestDatabase, TestHost, eventually, on_both};

use super::token;

const HOUR: i64 = 3_600_000;

/// What the clock of the host is moved by: both ways, an hour and two.
const JUMPS: [i64; 6] = [2 * HOUR, -2 * HOUR, HOUR, -HOUR, -2 * HOUR, 2 * HOUR];

async fn online(client: &Client, count: usize) {
    eventually("all agents to be online", || async {
        let agents = client.data("/infrastructure/managementAgents").await;
        let online = agents.as_array()?.iter().filter(|agent| agent["connectionStatus"] == "Online").count();
        (online == count).then_some(())
    })
    .await;
}

/// A host whose clock the test moves, and agents that live a month before.
async fn place(database: TestDatabase) -> (TestHost, Arc<ManualClock>, Simulation) {
    let clock = ManualClock::at(SystemClock.now_ms());
    let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
    let host = TestHost::start_with(database, Some(packages()), shared).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let mut simulation = Simulation::enroll(&token(&host), Size { agents: 3, workloads: 10, seed: 19 }).await;
    simulation.start().await;
    settled(host.database(), || simulation.account()).await;
    (host, clock, simulation)
}

/// Rows without what lies in the future by the host's clock: their instants are those at which the host heard of them.
fn names(rows: &[Row]) -> Vec<(String, String)> {
    let mut names: Vec<_> = rows
        .iter()
        .filter(|row| row.kind == "point")
        .map(|row| (row.agent.clone(), row.key.clone()))
        .collect();
    names.sort();
    names
}

on_both! {
    fn a_hosts_clock_that_jumps_both_ways_loses_no_agent_and_no_row(database) {
        let (host, clock, mut simulation) = place(database).await;
        let client = host.administrator();
        for jump in JUMPS {
            clock.advance(jump);
            simulation.live(8).await;
            online(&client, 3).await;
        }
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    fn an_agents_clock_that_jumps_both_ways_is_followed_by_sequence(database) {
        let (host, _clock, mut simulation) = place(database).await;
        let client = host.administrator();
        for jump in JUMPS {
            simulation.clock.advance(jump);
            settled(host.database(), || simulation.account()).await;
            // Also when it begins anew with the clock set back: epochs only grow.
            simulation.stop().await;
            simulation.start().await;
            simulation.live(2).await;
        }
        online(&client, 3).await;
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }

    fn an_agent_that_is_two_hours_ahead_reports_everything_and_nothing_of_the_future(database) {
        let (host, clock, mut simulation) = place(database).await;
        let ahead = clock.now_ms() + 2 * HOUR - keelson_agent::clock::Clock::now_ms(&*simulation.clock);
        simulation.clock.advance(ahead);
        eventually("all points to be there", || async {
            (names(&of_host(host.database()).await) == names(&simulation.account())).then_some(())
        })
        .await;
        let future: i64 = host.count(&format!("SELECT count(*) FROM restore_points WHERE created_at > {}", clock.now_ms())).await;
        assert_eq!(future, 0);
        // All else is as it is.
        let found = differences(&of_host(host.database()).await, &simulation.account());
        assert!(found.iter().all(|one| !one.starts_with("lost") && !one.starts_with("twice")), "{found:?}");
        simulation.stop().await;
        host.stop().await;
    }
}
