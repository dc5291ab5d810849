//! What a host holds of one agent, as plain rows: kind and keys → epoch and content.

use std::collections::BTreeMap;

use keelson_agent::inventory::{Inventory, Known, addition};
use keelson_proto::v1::Batch;

use super::scene::START;
use crate::agents::facts;
use crate::store::{Facts, StoreError};

type Name = (&'static str, Vec<String>);

/// Rows of one agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows(BTreeMap<Name, (i64, String)>);

fn name(kind: &'static str, keys: &[&String]) -> Name {
    (kind, keys.iter().map(|&key| key.clone()).collect())
}

fn conflict(constraint: &str) -> StoreError {
    StoreError::Conflict { constraint: constraint.to_owned(), source: sqlx::Error::RowNotFound }
}

impl Rows {
    /// What a host must hold of an agent whose engine has this.
    pub(super) fn of_engine(inventory: &Inventory) -> Self {
        let mut rows = Self::default();
        for records in addition(&Known::default(), inventory).unwrap().batches {
            let said = facts::read(Batch { epoch: 1, sequence: 1, records }, START).unwrap();
            rows.apply(1, &said.facts).unwrap();
        }
        rows
    }

    fn put(&mut self, name: Name, epoch: i64, fact: &impl std::fmt::Debug) {
        self.0.insert(name, (epoch, format!("{fact:?}")));
    }

    /// Stores the facts of a batch, in the order in which the store does it.
    pub(super) fn apply(&mut self, epoch: i64, facts: &Facts) -> Result<(), StoreError> {
        if let Some(computer) = &facts.computer {
            self.put(name("machine", &[]), epoch, computer);
        }
        for one in &facts.servers {
            self.put(name("server", &[&one.key]), epoch, one);
        }
        for server in &facts.licenses_gone {
            self.0.remove(&name("licence", &[server]));
        }
        for one in &facts.licenses {
            self.put(name("licence", &[&one.server]), epoch, one);
        }
        for (server, key) in &facts.repositories_gone {
            self.0.remove(&name("repository", &[server, key]));
        }
        for one in &facts.repositories {
            self.put(name("repository", &[&one.server, &one.key]), epoch, one);
        }
        for (server, key) in &facts.jobs_gone {
            self.0.remove(&name("job", &[server, key]));
        }
        for one in &facts.jobs {
            self.put(name("job", &[&one.server, &one.key]), epoch, one);
        }
        for one in &facts.sessions {
            self.put(name("session", &[&one.server, &one.key]), epoch, one);
        }
        self.workloads(epoch, facts)
    }

    /// The epoch's inventory is whole: what it did not mention is no more. Sessions are events, which no epoch takes back.
    pub(super) fn sweep(&mut self, epoch: i64) {
        self.0.retain(|(kind, _), (of, _)| *of >= epoch || matches!(*kind, "session" | "machine"));
    }

    fn workloads(&mut self, epoch: i64, facts: &Facts) -> Result<(), StoreError> {
        for (server, workload) in &facts.workloads_cleared {
            let hangs_on = |keys: &[String]| keys.len() == 3 && keys[0] == *server && keys[1] == *workload;
            self.0.retain(|(_, keys), _| !hangs_on(keys));
        }
        for one in &facts.workloads {
            if !self.0.contains_key(&name("server", &[&one.server])) {
                return Err(conflict("workloads.server"));
            }
            self.put(name("workload", &[&one.server, &one.key]), epoch, one);
        }
        for one in &facts.backups_gone {
            self.0.remove(&name("backup", &[&one.server, &one.workload, &one.key]));
        }
        for one in &facts.backups {
            self.put(name("backup", &[&one.key.server, &one.key.workload, &one.key.key]), epoch, one);
        }
        for one in &facts.restore_points {
            if !self.0.contains_key(&name("workload", &[&one.server, &one.workload])) {
                return Err(conflict("restore_points.workload"));
            }
            self.put(name("point", &[&one.server, &one.workload, &one.key]), epoch, one);
        }
        for (server, workload, key) in &facts.restore_points_gone {
            self.0.remove(&name("point", &[server, workload, key]));
        }
        for (server, workload) in &facts.workloads_gone {
            self.0.remove(&name("workload", &[server, workload]));
        }
        Ok(())
    }

    /// The first row in which the host differs from the account.
    pub(super) fn difference(&self, account: &Self) -> Option<String> {
        for (name, (_, content)) in &account.0 {
            match self.0.get(name) {
                None => return Some(format!("lost: {name:?}")),
                Some((_, other)) if other != content => {
                    return Some(format!("{name:?} is {other}, not {content}"));
                }
                Some(_) => {}
            }
        }
        let more = self.0.keys().find(|name| name.0 != "session" && !account.0.contains_key(*name));
        more.map(|name| format!("too much: {name:?}"))
    }
}
