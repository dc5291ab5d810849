//! From a frame to checked facts. An enrolled agent may be hostile: every length is bounded, every word that has a
//! meaning is checked, and nothing it sends names another agent's rows.

use keelson_proto::v1::{Batch, Record, record};

use crate::store::{
    BackupFact, BackupKey, BackupRepositoryFact, CloudFacts, ComputerFact, Facts, JobFact, LicenseFact,
    RestorePointFact, ServerFact, SessionFact, Vb365Fact, WorkloadFact,
};
use check::key;
use cloud::CloudReader;
use latest::Latest;

mod check;
mod cloud;
mod inventory;
mod jobs;
mod latest;
mod services;
mod typed;
pub(crate) mod words;

/// Records in one batch.
pub(super) const MOST_RECORDS: usize = 2_000;

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

/// What a batch says: of what stands beside a backup server, and of a Cloud Connect server, with its key.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) facts: Facts,
    pub(super) cloud: Option<(String, CloudFacts)>,
}

/// The net effect of a batch that came `now`.
pub(super) fn read(batch: Batch, now: i64) -> Result<Said, Unfit> {
    if batch.records.len() > MOST_RECORDS {
        let message =
            format!("a batch has at most {MOST_RECORDS} records, this one has {}", batch.records.len());
        return Err(Unfit { index: 0, message });
    }
    let mut reader = Reader { now, ..Reader::default() };
    for (index, Record { kind }) in batch.records.into_iter().enumerate() {
        // A newer agent's kind of record: not ours to judge, and no reason to refuse the rest.
        let Some(kind) = kind else { continue };
        reader.take(kind).map_err(|message| Unfit { index, message })?;
    }
    Ok(reader.finish())
}

/// Takes records in, one after the other.
#[derive(Default)]
struct Reader {
    now: i64,
    computer: Option<ComputerFact>,
    servers: Latest<ServerKey, ServerFact>,
    licenses: Latest<ServerKey, LicenseFact>,
    repositories: Latest<PartKey, BackupRepositoryFact>,
    jobs: Latest<PartKey, JobFact>,
    sessions: Latest<PartKey, SessionFact>,
    workloads: Latest<WorkloadKey, WorkloadFact>,
    backups: Latest<BackupKey, BackupFact>,
    points: Latest<PointKey, RestorePointFact>,
    vb365: Latest<String, Vb365Fact>,
    cloud: CloudReader,
    cleared: Vec<WorkloadKey>,
    gap: Option<String>,
    complete: bool,
}

impl Reader {
    fn take(&mut self, kind: record::Kind) -> Result<(), String> {
        match kind {
            record::Kind::Machine(machine) => self.computer = Some(inventory::machine(*machine)?),
            record::Kind::Server(server) => {
                let fact = inventory::server(server)?;
                self.servers.put(fact.key.clone(), Some(fact));
            }
            record::Kind::License(license) => {
                let fact = services::license(*license)?;
                self.licenses.put(fact.server.clone(), Some(fact));
            }
            record::Kind::Repository(repository) => {
                let fact = inventory::repository(repository)?;
                self.repositories.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            record::Kind::Job(job) => {
                let fact = jobs::job(*job, self.now)?;
                self.jobs.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            record::Kind::Session(session) => {
                let fact = services::session(*session, self.now)?;
                self.sessions.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            record::Kind::Workload(workload) => {
                let fact = inventory::workload(workload)?;
                self.workloads.put((fact.server.clone(), fact.key.clone()), Some(fact));
            }
            record::Kind::Backup(backup) => {
                let fact = inventory::backup(*backup)?;
                self.backups.put(fact.key.clone(), Some(fact));
            }
            record::Kind::RestorePoint(point) => {
                let fact = inventory::point(point, self.now)?;
                self.points.put((fact.server.clone(), fact.workload.clone(), fact.key.clone()), Some(fact));
            }
            record::Kind::Vb365Object(object) => {
                let fact = services::vb365(*object, self.now)?;
                self.vb365.put(fact.key.clone(), Some(fact));
            }
            record::Kind::Cloud(cloud) => self.cloud.take(*cloud, self.now)?,
            record::Kind::Gap(gap) => self.gap = Some(inventory::gap(&gap)),
            record::Kind::InventoryComplete(_) => self.complete = true,
            gone => return self.lose(gone),
        }
        Ok(())
    }

    /// What is no more.
    fn lose(&mut self, gone: record::Kind) -> Result<(), String> {
        match gone {
            record::Kind::LicenseGone(gone) => self.licenses.put(key("server key", gone.server_key)?, None),
            record::Kind::RepositoryGone(gone) => {
                self.repositories.put(part(gone.server_key, gone.key)?, None);
            }
            record::Kind::JobGone(gone) => self.jobs.put(part(gone.server_key, gone.key)?, None),
            record::Kind::WorkloadGone(gone) => {
                let key = part(gone.server_key, gone.key)?;
                // What hangs on it went with it, also that of this very batch; what comes after is another's life.
                self.points.forget(|(server, workload, _)| *server == key.0 && *workload == key.1);
                self.backups.forget(|backup| backup.server == key.0 && backup.workload == key.1);
                self.cleared.push(key.clone());
                self.workloads.put(key, None);
            }
            record::Kind::BackupGone(gone) => {
                self.backups.put(inventory::backup_key(gone.server_key, gone.workload_key, gone.key)?, None);
            }
            record::Kind::RestorePointGone(gone) => {
                let server = key("server key", gone.server_key)?;
                let workload = key("workload key", gone.workload_key)?;
                self.points.put((server, workload, key("key", gone.key)?), None);
            }
            record::Kind::Vb365ObjectGone(gone) => self.vb365.put(key("key", gone.key)?, None),
            // `take` keeps the rest.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Said {
        let (servers, _) = self.servers.split();
        let (licenses, licenses_gone) = self.licenses.split();
        let (repositories, repositories_gone) = self.repositories.split();
        let (jobs, jobs_gone) = self.jobs.split();
        let (sessions, _) = self.sessions.split();
        let (workloads, workloads_gone) = self.workloads.split();
        let (backups, backups_gone) = self.backups.split();
        let (restore_points, restore_points_gone) = self.points.split();
        let (vb365_objects, vb365_objects_gone) = self.vb365.split();
        let facts = Facts {
            computer: self.computer,
            servers,
            licenses,
            repositories,
            jobs,
            sessions,
            workloads,
            backups,
            restore_points,
            vb365_objects,
            licenses_gone,
            repositories_gone,
            jobs_gone,
            workloads_cleared: self.cleared,
            workloads_gone,
            backups_gone,
            restore_points_gone,
            vb365_objects_gone,
            gap: self.gap,
            complete: self.complete,
        };
        Said { facts, cloud: self.cloud.finish(self.complete) }
    }
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
        .unwrap()
        .facts;
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
        assert_eq!(read(newer, NOW).unwrap().facts.restore_points.len(), 1);
    }

    #[test]
    fn a_nul_and_a_negative_instant_are_refused() {
        assert!(read(batch(vec![point("a\0", 1)]), NOW).is_err());
        assert!(read(batch(vec![point("a", -1)]), NOW).is_err());
    }

    #[test]
    fn a_restore_point_of_the_future_is_one_of_now() {
        assert_eq!(
            read(batch(vec![point("a", i64::MAX)]), NOW).unwrap().facts.restore_points[0].created_at,
            NOW
        );
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
        let facts = read(batch(kinds), NOW).unwrap().facts;
        assert_eq!(facts.workloads_cleared, [("s".to_owned(), "w".to_owned())]);
        assert_eq!((facts.workloads.len(), facts.workloads_gone.len()), (1, 0));
        assert_eq!(
            facts.restore_points.iter().map(|point| point.key.as_str()).collect::<Vec<_>>(),
            ["after"]
        );
    }
}
