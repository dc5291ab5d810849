//! What a host holds of simulated agents, compared row by row with the simulator's own account.
//!
//! Both sides become the same plain rows: whose it is, its kind, its keys, and its content as text. The host's are read from its
//! database, behind everything that could hide one; the account's are made from an inventory, without any of the host's code.
//! Sessions of jobs are events: a host may know more of them than an inventory still mentions, and never fewer.

mod expected;
mod held;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use expected::of_agent;
pub use held::of_host;

use crate::TestDatabase;

/// Between the cells of a row's content; in none of them.
const CELL: &str = "\u{1f}";
/// How many differences are told.
const TOLD: usize = 12;
/// How long a host may take to come to the account. Long: it may have been killed a moment ago.
const PATIENCE: Duration = Duration::from_secs(90);

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// "workload", "point", …
    pub kind: String,
    /// The agent's id, as 32 hexadecimal digits.
    pub agent: String,
    /// The keys that name it, from the server's down to its own.
    pub key: String,
    /// All else.
    pub content: String,
}

impl Row {
    fn name(&self) -> (String, String, String) {
        (self.kind.clone(), self.agent.clone(), self.key.clone())
    }

    /// For people.
    fn shown(&self) -> String {
        format!("{} {} of {}: {}", self.kind, self.key, self.agent, self.content.replace(CELL, " | "))
    }
}

/// In what a host's rows differ from the account, in words; empty: in nothing.
pub fn differences(host: &[Row], account: &[Row]) -> Vec<String> {
    let mut wanted: BTreeMap<_, &Row> = BTreeMap::new();
    let mut found = Vec::new();
    for row in account {
        if wanted.insert(row.name(), row).is_some() {
            found.push(format!("the account itself has twice: {}", row.shown()));
        }
    }
    let mut seen = BTreeMap::new();
    for row in host {
        if seen.insert(row.name(), row).is_some() {
            found.push(format!("twice: {}", row.shown()));
            continue;
        }
        match wanted.get(&row.name()) {
            Some(right) if right.content == row.content => {}
            Some(right) => found.push(format!("{}\n  but it should be {}", row.shown(), right.shown())),
            None if row.kind == "session" && account.iter().any(|right| right.agent == row.agent) => {}
            None => found.push(format!("too much: {}", row.shown())),
        }
    }
    let lost = wanted.iter().filter(|(name, _)| !seen.contains_key(*name));
    found.extend(lost.map(|(_, row)| format!("lost: {}", row.shown())));
    found
}

/// Waits until the host holds just what the account says; panics with the first differences when it does not come to that.
pub async fn settled(database: &TestDatabase, account: impl Fn() -> Vec<Row>) {
    let begun = Instant::now();
    loop {
        let found = differences(&of_host(database).await, &account());
        if found.is_empty() {
            return;
        }
        let told: Vec<_> = found.iter().take(TOLD).cloned().collect();
        let told = told.join("\n");
        assert!(begun.elapsed() < PATIENCE, "the host differs in {} rows:\n{told}", found.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
