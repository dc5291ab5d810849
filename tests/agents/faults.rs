//! The protocol under faults: the numbers are those of the list in the reference, "Fault and bad-input tests".
//!
//! Each ends with the checker ([`keelson_tests::account`]): what the host holds is what the agents' engines have, row by row.

mod account;
mod audited;
mod authority;
mod calls;
mod certificates;
mod clocks;
mod crowd;
mod files;
mod frames;
mod fuzz;
mod hostile;
mod limits;
mod network;
mod panics;
mod processes;
mod removed;
mod restored;
mod spool;
mod storage;
mod tokens;
mod upgrades;

use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{TestDatabase, TestHost};

/// A host with a company.
async fn host(database: TestDatabase) -> TestHost {
    let host = TestHost::start(database).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    host
}

/// A token that enrols as many as are wanted.
fn token(host: &TestHost) -> String {
    host.command(&["agent", "token", "--company", "Bakery", "--uses", "100"])
}

/// A host, and agents that are enrolled and do not run yet.
async fn place(database: TestDatabase, agents: u32, workloads: u32) -> (TestHost, Simulation) {
    let host = host(database).await;
    let size = Size { agents, workloads, seed: 7 };
    let simulation = Simulation::enroll(&token(&host), size).await;
    (host, simulation)
}
