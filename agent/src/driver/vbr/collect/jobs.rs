//! Jobs with their last runs, and what failed in those.
//!
//! The API's task sessions carry neither the name of what they were about nor their result. So the failed ones are asked for
//! by result, their logs say why and about what, and what a run did well are the restore points that it made.

use std::collections::{BTreeMap, HashMap};

use keelson_proto::v1::job::Details;
use keelson_proto::v1::{AgentJob, CopyJob, FileShareJob, Job, JobSession, JobTask, ReplicationJob};

use super::points::Found;
use super::{DAY, LONGEST_AGO, Lists, Memory, in_order};
use crate::driver::vbr::call::Call;
use crate::driver::vbr::client::Client;
use crate::driver::vbr::error::VbrError;
use crate::driver::vbr::model::{
    BackupObjectModel, JobStateModel, SessionLogResult, SessionModel, TaskSessionModel, instant, needed,
    written,
};
use crate::driver::vbr::words;

/// Logs that are read in one go; the rest follows with the next collection.
const MOST_LOGS: usize = 100;
/// Runs of long ago that are asked for in one go; the rest follows.
const MOST_OLD: usize = 100;
/// Lines of a log that are passed on.
const MOST_LINES: usize = 10;

/// Why a task failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure {
    /// The titles of its log: the name of what it was about is in one of them.
    titles: Vec<String>,
    messages: Vec<String>,
}

/// A task that did not end well.
#[derive(Debug)]
pub(super) struct FailedTask {
    key: String,
    status: &'static str,
    started_at: i64,
    ended_at: Option<i64>,
    why: Failure,
}

/// Failed tasks by session.
pub(super) type Failures = HashMap<String, Vec<FailedTask>>;

/// The runs that were listed, and the last run of each job however long ago: that one is asked for once.
pub(super) async fn sessions(
    client: &Client,
    memory: &mut Memory,
    states: &[JobStateModel],
    recent: Vec<SessionModel>,
) -> Result<HashMap<String, SessionModel>, VbrError> {
    let mut sessions: HashMap<String, SessionModel> =
        recent.into_iter().map(|session| (session.id.clone(), session)).collect();
    let wanted: Vec<&String> = states.iter().filter_map(|job| job.session_id.as_ref()).collect();
    memory.sessions.retain(|id, _| wanted.contains(&id));
    let mut asked = 0;
    for id in wanted {
        if sessions.contains_key(id) {
            continue;
        }
        let session = match memory.sessions.get(id) {
            Some(session) => session.clone(),
            None if asked >= MOST_OLD => continue,
            None => match old(client, id, &mut asked).await {
                Ok(session) => session,
                // Its history was cleaned up.
                Err(VbrError::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            },
        };
        if session.state == "Stopped" {
            memory.sessions.insert(id.clone(), session.clone());
        }
        sessions.insert(id.clone(), session);
    }
    Ok(sessions)
}

async fn old(client: &Client, id: &str, asked: &mut usize) -> Result<SessionModel, VbrError> {
    *asked += 1;
    client.json(&Call::get(format!("/api/v1/sessions/{id}"))).await
}

/// What failed in the runs that are shown, with the reasons from the logs; and whether none of those is left for next time.
pub(super) async fn failures(
    client: &Client,
    memory: &mut Memory,
    lists: &Lists,
) -> Result<(Failures, bool), VbrError> {
    let bad = lists.sessions.values().filter(|session| matches!(result(session), "Failed" | "Warning"));
    let earliest = bad.filter_map(|session| instant(&session.creation_time)).min();
    let mut failures = Failures::new();
    let mut kept = HashMap::new();
    let (mut read, mut left) = (0, 0);
    let Some(earliest) = earliest else {
        memory.failures.clear();
        return Ok((failures, true));
    };
    for status in ["Failed", "Warning"] {
        let call = in_order("/api/v1/taskSessions", lists.now)
            .with("createdAfterFilter", written(earliest.max(lists.now - LONGEST_AGO)))
            .with("resultFilter", status);
        let tasks: Vec<TaskSessionModel> = client.list(call, Ok).await?;
        for task in tasks.into_iter().filter(|task| lists.sessions.contains_key(&task.session_id)) {
            let why = match memory.failures.remove(&task.id) {
                Some(why) => why,
                None if read >= MOST_LOGS => {
                    left += 1;
                    Failure::default()
                }
                None => {
                    read += 1;
                    logs(client, &task.id).await?
                }
            };
            // What is still at it may fail at more.
            if task.end_time.is_some() && !why.titles.is_empty() {
                kept.insert(task.id.clone(), why.clone());
            }
            let failed = FailedTask {
                status,
                started_at: needed("/api/v1/taskSessions", &task.creation_time)?,
                ended_at: task.end_time.as_deref().and_then(instant),
                why,
                key: task.id,
            };
            failures.entry(task.session_id).or_default().push(failed);
        }
    }
    memory.failures = kept;
    Ok((failures, left == 0))
}

async fn logs(client: &Client, task: &str) -> Result<Failure, VbrError> {
    let log: SessionLogResult =
        match client.json(&Call::get(format!("/api/v1/taskSessions/{task}/logs"))).await {
            Err(VbrError::NotFound { .. }) => return Ok(Failure::default()),
            log => log?,
        };
    let mut failure = Failure::default();
    for record in log.records.unwrap_or_default() {
        let title = record.title.unwrap_or_default();
        let description = record.description.unwrap_or_default();
        if matches!(record.status.as_deref(), Some("Failed" | "Warning"))
            && failure.messages.len() < MOST_LINES
        {
            let line = if description.trim().is_empty() { title.clone() } else { description };
            failure.messages.push(line);
        }
        failure.titles.push(title);
    }
    Ok(failure)
}

fn result(session: &SessionModel) -> &str {
    session.result.as_ref().map_or("None", |result| result.result.as_str())
}

/// All jobs, each with its last run.
pub(super) fn jobs(server: &str, lists: &Lists, failures: &Failures, found: &Found) -> Vec<Job> {
    let mut runs: BTreeMap<&str, Vec<&SessionModel>> = BTreeMap::new();
    for session in lists.sessions.values() {
        runs.entry(&session.job_id).or_default().push(session);
    }
    lists
        .states
        .iter()
        .map(|state| {
            let runs = runs.get(state.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            job(server, state, lists, (runs, failures), found)
        })
        .collect()
}

fn job(
    server: &str,
    state: &JobStateModel,
    lists: &Lists,
    runs: (&[&SessionModel], &Failures),
    found: &Found,
) -> Job {
    let session = state.session_id.as_ref().and_then(|id| lists.sessions.get(id));
    let status =
        words::job_status(&state.status, &state.last_result, state.last_run.is_some() || session.is_some());
    let began =
        session.map(|session| session.creation_time.as_str()).or(state.last_run.as_deref()).and_then(instant);
    let ended = session.and_then(|session| session.end_time.as_deref()).and_then(instant);
    let progress = state.session_progress.as_ref();
    let tasks = session.map(|session| tasks(session, lists, runs.1, found)).unwrap_or_default();
    let is_disabled = lists.disabled.get(&state.id).copied().unwrap_or(state.status == "Disabled");
    Job {
        server_key: server.to_owned(),
        key: state.id.clone(),
        name: state.name.clone(),
        kind: words::job_kind(&state.kind).to_owned(),
        status: status.to_owned(),
        enabled: !is_disabled,
        description: state.description.clone(),
        last_run: began,
        last_end: ended,
        average_duration: average(runs.0, lists.now),
        processing_rate: progress
            .and_then(|progress| progress.processing_rate.as_deref())
            .and_then(words::megabytes_a_second),
        transferred: progress.and_then(|progress| progress.transferred_size).filter(|size| *size >= 0),
        bottleneck: progress
            .map(|progress| words::bottleneck(&progress.bottleneck))
            .unwrap_or_default()
            .to_owned(),
        failure: session.map(message).unwrap_or_default(),
        destination: state.repository_name.clone().unwrap_or_default(),
        schedule_type: schedule(state).to_owned(),
        target_type: lists.target(state.repository_id.as_deref().unwrap_or_default()).to_owned(),
        details: details(state, &tasks),
        tasks,
        hypervisor: words::hypervisor(&state.kind).to_owned(),
        protected_machines: Some(state.objects_count.max(0)),
        repository_key: state.repository_id.clone().unwrap_or_default(),
        ..Job::default()
    }
}

/// What only jobs of its kind have, as far as the API tells it.
fn details(state: &JobStateModel, tasks: &[JobTask]) -> Option<Details> {
    let objects = state.objects_count.max(0);
    match words::job_kind(&state.kind) {
        kind @ ("AgentBackupJob" | "AgentPolicy") => Some(Details::Agent(AgentJob {
            mode: if kind == "AgentPolicy" { "ManagedByAgent" } else { "ManagedByBackupServer" }.to_owned(),
            license_type: state.workload.clone(),
            os_type: if state.kind.starts_with("Linux") { "Linux" } else { "Windows" }.to_owned(),
            success_jobs: i64::try_from(tasks.iter().filter(|task| task.status == "Success").count())
                .unwrap_or_default(),
            total_jobs: objects,
        })),
        "BackupCopy" => Some(Details::Copy(CopyJob::default())),
        "BackupFile" | "BackupFileCopy" | "ObjectStorageBackup" => {
            Some(Details::FileShare(FileShareJob::default()))
        }
        "ReplicationVM" => Some(Details::Replication(ReplicationJob {
            protected_machines: objects,
            ..ReplicationJob::default()
        })),
        _ => None,
    }
}

/// What jobs did lately, and the last run of each. Runs of other things than jobs, of restores say, are none of them.
pub(super) fn runs(server: &str, lists: &Lists, failures: &Failures, found: &Found) -> Vec<JobSession> {
    let mut runs: Vec<JobSession> = lists
        .sessions
        .values()
        .filter_map(|session| {
            let job = lists.job(&session.job_id)?;
            Some(JobSession {
                server_key: server.to_owned(),
                key: session.id.clone(),
                job_key: job.id.clone(),
                job_name: job.name.clone(),
                kind: words::job_kind(&job.kind).to_owned(),
                status: words::session_status(&session.state, result(session)).to_owned(),
                started_at: instant(&session.creation_time)?.max(0),
                ended_at: session.end_time.as_deref().and_then(instant),
                message: message(session),
                tasks: tasks(session, lists, failures, found),
            })
        })
        .collect();
    runs.sort_unstable_by(|one, other| (one.started_at, &one.key).cmp(&(other.started_at, &other.key)));
    runs
}

/// Why it failed, or what it warns of; nothing when all is well.
fn message(session: &SessionModel) -> String {
    let Some(told) =
        session.result.as_ref().filter(|told| matches!(told.result.as_str(), "Failed" | "Warning"))
    else {
        return String::new();
    };
    match (told.message.as_deref(), told.is_canceled) {
        (None | Some(""), Some(true)) => "it was stopped".to_owned(),
        (None | Some(""), _) => "the backup server does not say why".to_owned(),
        (Some(message), _) => message.to_owned(),
    }
}

/// In seconds, of the runs of the last day; without any, of the last run.
fn average(runs: &[&SessionModel], now: i64) -> Option<i64> {
    let began = |run: &&SessionModel| instant(&run.creation_time).unwrap_or_default();
    let since = runs.iter().map(began).max()?.min(now - DAY);
    let lengths: Vec<i64> = runs
        .iter()
        .filter(|run| began(run) >= since)
        .filter_map(|run| Some(instant(run.end_time.as_deref()?)? - instant(&run.creation_time)?))
        .filter(|length| *length >= 0)
        .collect();
    let count = i64::try_from(lengths.len()).ok().filter(|count| *count > 0)?;
    Some(lengths.iter().sum::<i64>() / count / 1000)
}

fn schedule(state: &JobStateModel) -> &'static str {
    let policy = state.next_run_policy.as_deref().unwrap_or_default().to_lowercase();
    if state.run_after_job.as_ref().is_some_and(|after| after.job_id.is_some() || after.job_name.is_some()) {
        "Chained"
    } else if policy.contains("continuous") {
        "Continuously"
    } else if policy.contains("daily") || policy.contains("every day") {
        "Daily"
    } else if policy.contains("monthly") {
        "Monthly"
    } else if policy.contains("periodic") {
        "Periodically"
    } else if state.next_run.is_none() && policy.is_empty() {
        "NotScheduled"
    } else {
        ""
    }
}

/// What a run did to each object: what failed, and what it made a restore point of.
pub(super) fn tasks(
    session: &SessionModel,
    lists: &Lists,
    failures: &Failures,
    found: &Found,
) -> Vec<JobTask> {
    let failed = failures.get(&session.id).map(Vec::as_slice).unwrap_or_default();
    let mut tasks: Vec<JobTask> = failed
        .iter()
        .map(|task| JobTask {
            key: task.key.clone(),
            object_name: name(&task.why, &lists.objects),
            status: task.status.to_owned(),
            started_at: task.started_at,
            ended_at: task.ended_at,
            failures: task.why.messages.clone(),
            ..JobTask::default()
        })
        .collect();
    let warned: Vec<String> = tasks.iter().map(|task| task.object_name.clone()).collect();
    let made = found.of_session(&session.id).filter(|point| !warned.contains(&point.name));
    tasks.extend(made.map(|point| JobTask {
        key: point.record.key.clone(),
        object_name: point.name.clone(),
        status: "Success".to_owned(),
        started_at: point.record.created_at,
        ..JobTask::default()
    }));
    tasks
}

/// The longest name in the log that something protected has; one that failed goes before others.
fn name(why: &Failure, objects: &[BackupObjectModel]) -> String {
    let longest = |only_failed: bool| {
        let fitting = objects.iter().filter(|object| !only_failed || object.last_run_failed == Some(true));
        let names = fitting.filter_map(|object| object.name.as_deref()).filter(|name| !name.is_empty());
        names.filter(|name| why.titles.iter().any(|title| title.contains(name))).max_by_key(|name| name.len())
    };
    let found = longest(true).or_else(|| longest(false)).map(str::to_owned);
    found.or_else(|| why.titles.first().cloned()).unwrap_or_default()
}
