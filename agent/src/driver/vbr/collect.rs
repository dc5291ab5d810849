//! From the server's lists to an inventory, whole or not at all.
//!
//! There is one question a page of each list, and beyond those only questions that have an answer for good: it is remembered,
//! and not asked again. `jobs` brings runs and jobs together, `points` finds out whose restore points are whose,
//! `workloads` puts
//! those together with what is protected, `infrastructure` is the rest.

mod infrastructure;
mod jobs;
mod points;
mod workloads;

use std::collections::HashMap;

use keelson_proto::v1::Repository;

use super::call::Call;
use super::client::Client;
use super::error::VbrError;
use super::horizon::Horizon;
use super::model::{
    BackupModel, BackupObjectModel, InstalledLicenseModel, JobModel, JobStateModel, ServerInfoModel,
    ServerTimeModel, SessionModel, instant, needed, written,
};
use crate::inventory::Inventory;

/// How far back runs are read at least.
pub(super) const DAY: i64 = 24 * 3_600_000;
/// How far back runs are read at most, and the tasks of failed ones: the host keeps runs for 32 days.
const LONGEST_AGO: i64 = 31 * DAY;

/// What was learned and does not change any more.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Runs that are over, by id.
    sessions: HashMap<String, SessionModel>,
    /// Whose restore points are, where names do not tell: point → object.
    owners: HashMap<String, String>,
    /// Objects that were asked for all their points, with how many there were.
    asked: HashMap<String, i64>,
    /// Why tasks failed, by the task's id.
    failures: HashMap<String, jobs::Failure>,
}

/// What the lists say, before it is put together.
struct Lists {
    repositories: HashMap<String, Repository>,
    states: Vec<JobStateModel>,
    /// Of each job, whether it is disabled.
    disabled: HashMap<String, bool>,
    /// Where each job stands among the states.
    positions: HashMap<String, usize>,
    sessions: HashMap<String, SessionModel>,
    backups: HashMap<String, BackupModel>,
    objects: Vec<BackupObjectModel>,
    /// The server's own time when it began, in unix milliseconds.
    now: i64,
    /// Runs that were created before this are over, and were read.
    settled: i64,
}

/// Where a backup lies and which job makes it; empty: not known, or no longer there.
#[derive(Debug, Default)]
struct Place<'l> {
    job: &'l str,
    job_name: &'l str,
    repository: &'l str,
    repository_name: &'l str,
    /// "Local", "Cloud".
    target: &'static str,
    /// A word of the API's `SobrRepositoryTier`; which part of a scale-out repository it is, is not told.
    tier: &'static str,
}

impl Lists {
    fn job(&self, id: &str) -> Option<&JobStateModel> {
        self.positions.get(id).and_then(|position| self.states.get(*position))
    }

    fn place(&self, backup: &str) -> Place<'_> {
        let Some(backup) = self.backups.get(backup) else {
            return Place { target: "Local", ..Place::default() };
        };
        let job = backup.job_id.as_deref().and_then(|id| self.job(id));
        let repository = self.repositories.get(&backup.repository_id);
        Place {
            job: job.map(|job| job.id.as_str()).unwrap_or_default(),
            job_name: job.map(|job| job.name.as_str()).unwrap_or_default(),
            repository: repository.map(|repository| repository.key.as_str()).unwrap_or_default(),
            repository_name: backup
                .repository_name
                .as_deref()
                .or(repository.map(|repository| repository.name.as_str()))
                .unwrap_or_default(),
            target: self.target(&backup.repository_id),
            tier: if repository.is_some_and(|one| one.kind != "ScaleOut") { "None" } else { "" },
        }
    }

    /// Whether a repository is a provider's.
    fn target(&self, repository: &str) -> &'static str {
        if self.repositories.get(repository).is_some_and(|one| one.kind == "Cloud") {
            "Cloud"
        } else {
            "Local"
        }
    }

    /// What the job that made a backup is for.
    fn operation_mode(&self, backup: &str) -> &'static str {
        let job = self.backups.get(backup).and_then(|backup| self.job(backup.job_id.as_deref()?));
        match job.map(|job| job.workload.as_str()) {
            Some("Server") => "server",
            Some("Workstation") => "workstation",
            _ => "",
        }
    }
}

pub(super) async fn inventory(
    client: &Client,
    memory: &mut Memory,
    horizon: &Horizon,
) -> Result<Inventory, VbrError> {
    let info: ServerInfoModel = client.json(&Call::get("/api/v1/serverInfo")).await?;
    let key = info.vbr_id.clone();
    let licence: InstalledLicenseModel = client.json(&Call::get("/api/v1/license")).await?;
    let lists = lists(client, memory, horizon, &key).await?;
    let (failures, are_explained) = jobs::failures(client, memory, &lists).await?;
    let found = points::read(client, &key, &lists, memory).await?;
    let jobs = jobs::jobs(&key, &lists, &failures, &found);
    let sessions = jobs::runs(&key, &lists, &failures, &found);
    let protected = workloads::protected(&key, &lists, found);
    let mut repositories: Vec<Repository> = lists.repositories.into_values().collect();
    repositories.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    // What is not told in full yet is read once more.
    horizon.read(&key, are_explained.then_some(lists.settled));
    Ok(Inventory {
        server: infrastructure::server(info),
        repositories,
        jobs,
        workloads: protected.workloads,
        backups: protected.backups,
        restore_points: protected.restore_points,
        sessions,
        license: Some(infrastructure::license(&key, licence)),
        ..Inventory::default()
    })
}

async fn lists(
    client: &Client,
    memory: &mut Memory,
    horizon: &Horizon,
    key: &str,
) -> Result<Lists, VbrError> {
    let time: ServerTimeModel = client.json(&Call::get("/api/v1/serverTime")).await?;
    let now = needed("/api/v1/serverTime", &time.server_time)?;
    let by_name = |path: &str| Call::get(path).with("orderColumn", "Name").with("orderAsc", true);
    let repositories = by_name("/api/v1/backupInfrastructure/repositories/states");
    let repositories = client.list(repositories, |state| Ok(infrastructure::repository(key, state))).await?;
    let disabled =
        client.list(by_name("/api/v1/jobs"), |job: JobModel| Ok((job.id, job.is_disabled))).await?;
    let states: Vec<JobStateModel> = client.list(by_name("/api/v1/jobs/states"), Ok).await?;
    let since = horizon.since(key, now).min(now - DAY).max(now - LONGEST_AGO);
    let recent = in_order("/api/v1/sessions", now).with("createdAfterFilter", written(since));
    let recent: Vec<SessionModel> = client.list(recent, Ok).await?;
    let open = recent.iter().filter(|session| session.state != "Stopped");
    let settled = open.filter_map(|session| instant(&session.creation_time)).fold(now, i64::min);
    let sessions = jobs::sessions(client, memory, &states, recent).await?;
    let backups: Vec<BackupModel> = client.list(in_order("/api/v1/backups", now), Ok).await?;
    // Names change, and may while the list is read; these ids do not.
    let objects = Call::get("/api/v1/backupObjects").with("orderColumn", "ObjectId").with("orderAsc", true);
    let objects: Vec<BackupObjectModel> = client.list(objects, Ok).await?;
    Ok(Lists {
        repositories: repositories.into_iter().map(|one| (one.key.clone(), one)).collect(),
        disabled: disabled.into_iter().collect(),
        positions: states.iter().enumerate().map(|(position, job)| (job.id.clone(), position)).collect(),
        states,
        sessions,
        backups: backups.into_iter().map(|backup| (backup.id.clone(), backup)).collect(),
        objects,
        now,
        settled,
    })
}

/// Oldest first, and nothing that comes while it is read: such a list does not shift.
fn in_order(path: &str, now: i64) -> Call {
    // Filters are of whole seconds; what was made in this very one is there next time.
    Call::get(path)
        .with("createdBeforeFilter", written(now + 1000))
        .with("orderColumn", "CreationTime")
        .with("orderAsc", true)
}
