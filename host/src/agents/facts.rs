//! From a frame to checked facts. An enrolled agent may be hostile: every length is bounded, every word that has a
//! meaning is checked, and nothing it sends names another agent's rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use keelson_proto::v1::{Batch, Record, record};

use crate::store::{BackupRepositoryFact, Facts, JobFact, RestorePointFact, ServerFact, WorkloadFact};
use check::key;

mod check;
mod inventory;
mod jobs;

/// Records in one batch.
const MOST_RECORDS: usize = 2_000;

/// Why a frame is no batch of facts. The message goes back to the agent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("record {index}: {message}")]
pub(super) struct Unfit {
    index: usize,
    message: String,
}

type ServerKey = String;
type WorkloadKey = (String, String);
/// Of what a server has beside workloads: server and key.
type PartKey = (String, String);
type PointKey = (String, String, String);

/// The last state of each key, in the order of first mention, so that a statement meets no key twice.
struct Latest<K, V> {
    places: HashMap<K, usize>,
    entries: Vec<(K, Option<V>)>,
}

impl<K: Clone + Eq + std::hash::Hash, V> Latest<K, V> {
    fn new() -> Self {
        Self { places: HashMap::new(), entries: Vec::new() }
    }

    fn put(&mut self, key: K, value: Option<V>) {
        match self.places.entry(key.clone()) {
            Entry::Occupied(place) => {
                if let Some(entry) = self.entries.get_mut(*place.get()) {
                    entry.1 = value;
                }
            }
            Entry::Vacant(place) => {
                place.insert(self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    /// Takes back what was said about some keys.
    fn forget(&mut self, which: impl Fn(&K) -> bool) {
        self.entries.retain(|(key, _)| !which(key));
        self.places = self.entries.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    }

    /// What is there at the end, and what is gone.
    fn split(self) -> (Vec<V>, Vec<K>) {
        let (mut present, mut gone) = (Vec::new(), Vec::new());
        for (key, value) in self.entries {
            match value {
                Some(value) => present.push(value),
                None => gone.push(key),
            }
        }
        (present, gone)
    }
}

/// The net effect of a batch that came `now`.
pub(super) fn read(batch: Batch, now: i64) -> Result<Facts, Unfit> {
    if batch.records.len() > MOST_RECORDS {
        let message =
            format!("a batch has at most {MOST_RECORDS} records, this one has {}", batch.records.len());
        return Err(Unfit { index: 0, message });
    }
    let mut servers: Latest<ServerKey, ServerFact> = Latest::new();
    let mut repositories: Latest<PartKey, BackupRepositoryFact> = Latest::new();
    let mut runs: Latest<PartKey, JobFact> = Latest::new();
    let mut workloads: Latest<WorkloadKey, WorkloadFact> = Latest::new();
    let mut points: Latest<PointKey, RestorePointFact> = Latest::new();
    let (mut cleared, mut complete) = (Vec::new(), false);
    for (index, Record { kind }) in batch.records.into_iter().enumerate() {
        let unfit = |message| Unfit { index, message };
        match kind {
            Some(record::Kind::Server(server)) => {
                let fact = inventory::server(server).map_err(unfit)?;
                servers.put(fact.key.clone(), Some(fact));
            }
            Some(record::Kind::Workload(workload)) => {
                let fact = inventory::workload(workload).map_err(unfit)?;
                workloads.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            Some(record::Kind::RestorePoint(point)) => {
                let fact = inventory::point(point, now).map_err(unfit)?;
                points.put((fact.server.clone(), fact.workload.clone(), fact.key.clone()), Some(fact));
            }
            Some(record::Kind::Repository(repository)) => {
                let fact = inventory::repository(repository).map_err(unfit)?;
                repositories.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            Some(record::Kind::RepositoryGone(gone)) => {
                repositories.put(part(gone.server_key, gone.key).map_err(unfit)?, None);
            }
            Some(record::Kind::Job(job)) => {
                let fact = jobs::job(*job, now).map_err(unfit)?;
                runs.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            Some(record::Kind::JobGone(gone)) => {
                runs.put(part(gone.server_key, gone.key).map_err(unfit)?, None);
            }
            Some(record::Kind::WorkloadGone(gone)) => {
                let key = part(gone.server_key, gone.key).map_err(unfit)?;
                // Its restore points went with it, also those of this very batch; what comes after is another's life.
                points.forget(|(server, workload, _)| *server == key.0 && *workload == key.1);
                cleared.push(key.clone());
                workloads.put(key, None);
            }
            Some(record::Kind::RestorePointGone(gone)) => {
                let server = key("server key", gone.server_key).map_err(unfit)?;
                let workload = key("workload key", gone.workload_key).map_err(unfit)?;
                points.put((server, workload, key("key", gone.key).map_err(unfit)?), None);
            }
            Some(record::Kind::InventoryComplete(_)) => complete = true,
            // A newer agent's kind of record: not ours to judge, and no reason to refuse the rest.
            None => {}
        }
    }
    let (servers, _) = servers.split();
    let (repositories, repositories_gone) = repositories.split();
    let (jobs, jobs_gone) = runs.split();
    let (workloads, workloads_gone) = workloads.split();
    let (restore_points, restore_points_gone) = points.split();
    let workloads_cleared = cleared;
    Ok(Facts {
        servers,
        repositories,
        jobs,
        workloads,
        restore_points,
        repositories_gone,
        jobs_gone,
        workloads_cleared,
        workloads_gone,
        restore_points_gone,
        complete,
        ..Facts::default()
    })
}

fn part(server: String, own: String) -> Result<PartKey, String> {
    Ok((key("server key", server)?, key("key", own)?))
}

#[cfg(test)]
mod tests {
    use keelson_proto::v1::{RestorePoint, RestorePointGone, Workload};

    use super::*;

    const NOW: i64 = 1_000;

    fn batch(kinds: Vec<record::Kind>) -> Batch {
        let records = kinds.into_iter().map(|kind| Record { kind: Some(kind) }).collect();
        Batch { epoch: 1, sequence: 1, records }
    }

    fn point(key: &str, created_at: i64) -> record::Kind {
        record::Kind::RestorePoint(RestorePoint {
            server_key: "s".to_owned(),
            workload_key: "w".to_owned(),
            key: key.to_owned(),
            created_at,
            ..RestorePoint::default()
        })
    }

    #[test]
    fn the_last_word_on_a_key_counts() {
        let gone = RestorePointGone { server_key: "s".into(), workload_key: "w".into(), key: "a".into() };
        let facts = read(
            batch(vec![point("a", 1), point("b", 1), point("b", 2), record::Kind::RestorePointGone(gone)]),
            NOW,
        )
        .unwrap();
        assert_eq!(facts.restore_points.len(), 1);
        assert_eq!(facts.restore_points[0].created_at, 2);
        assert_eq!(facts.restore_points_gone, [("s".into(), "w".into(), "a".into())]);
    }

    #[test]
    fn a_key_without_bounds_is_refused_by_its_place() {
        let workload = Workload {
            server_key: "s".into(),
            key: "k".repeat(513),
            kind: "computer".into(),
            ..Default::default()
        };
        let refused = read(batch(vec![point("a", 1), record::Kind::Workload(workload)]), NOW).unwrap_err();
        assert_eq!(refused.to_string(), "record 1: the key has 513 bytes; it must have 1 to 512");
    }

    #[test]
    fn a_record_of_a_newer_agent_does_not_stop_the_rest() {
        let mut newer = batch(vec![point("a", 1)]);
        newer.records.push(Record { kind: None });
        assert_eq!(read(newer, NOW).unwrap().restore_points.len(), 1);
    }

    #[test]
    fn a_nul_and_a_negative_instant_are_refused() {
        assert!(read(batch(vec![point("a\0", 1)]), NOW).is_err());
        assert!(read(batch(vec![point("a", -1)]), NOW).is_err());
    }

    #[test]
    fn a_restore_point_of_the_future_is_one_of_now() {
        assert_eq!(read(batch(vec![point("a", i64::MAX)]), NOW).unwrap().restore_points[0].created_at, NOW);
    }

    #[test]
    fn a_workload_that_went_and_came_in_one_batch_begins_anew() {
        let gone = keelson_proto::v1::WorkloadGone { server_key: "s".into(), key: "w".into() };
        let back = Workload {
            server_key: "s".into(),
            key: "w".into(),
            kind: "computer".into(),
            ..Default::default()
        };
        let kinds = vec![
            point("before", 1),
            record::Kind::WorkloadGone(gone),
            record::Kind::Workload(back),
            point("after", 2),
        ];
        let facts = read(batch(kinds), NOW).unwrap();
        assert_eq!(facts.workloads_cleared, [("s".to_owned(), "w".to_owned())]);
        assert_eq!((facts.workloads.len(), facts.workloads_gone.len()), (1, 0));
        assert_eq!(
            facts.restore_points.iter().map(|point| point.key.as_str()).collect::<Vec<_>>(),
            ["after"]
        );
    }
}
