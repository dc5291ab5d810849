//! Jobs, with what their last runs did.

use keelson_proto::v1::{Job, JobTask};
use serde_json::json;
use uuid::Uuid;

use super::check::{key, maybe_past, maybe_text, maybe_word, measure, past, text, word};
use super::{typed, words};
use crate::id;
use crate::instant;
use crate::store::JobFact;

/// Tasks of a run that are kept; of those beyond, the failed ones come first.
const MOST_TASKS: usize = 200;
/// Messages of a task.
const MOST_FAILURES: usize = 10;
/// An average that no job has.
const LONGEST_RUN: i64 = i32::MAX as i64;

pub(super) fn job(mut job: Job, now: i64) -> Result<JobFact, String> {
    let last_run = maybe_past("instant of the last run", job.last_run, now)?;
    let last_end = maybe_past("end of the last run", job.last_end, now)?;
    let last_duration = last_run.zip(last_end).map(|(run, end)| ((end - run) / 1000).clamp(0, LONGEST_RUN));
    let average = measure("average duration", job.average_duration)?;
    let rate = job.processing_rate.filter(|rate| rate.is_finite() && *rate >= 0.0);
    let kind = word(&job.kind, words::JOB_TYPES);
    let server = key("server key", std::mem::take(&mut job.server_key))?;
    let own = key("key", std::mem::take(&mut job.key))?;
    let details = typed::details(&kind, &mut job)?;
    Ok(JobFact {
        session_tasks: tasks(&server, &own, job.tasks, now)?,
        server,
        key: own,
        name: text("name", job.name)?,
        kind,
        status: word(&job.status, words::JOB_STATUSES),
        enabled: job.enabled,
        description: maybe_text("description", job.description)?,
        creation_time: maybe_past("instant at which the job was made", job.created_at, now)?,
        last_run,
        last_end,
        last_duration,
        average_duration: average.map(|seconds| seconds.min(LONGEST_RUN)),
        processing_rate: rate,
        transferred_data: measure("transferred data", job.transferred)?,
        backup_chain_size: measure("size of the backups", job.chain_size)?,
        bottleneck: maybe_word(&job.bottleneck, words::BOTTLENECKS),
        destination: maybe_text("destination", job.destination)?,
        failure_message: maybe_text("failure", job.failure)?,
        retention_limit: measure("retention", job.retention_limit)?.map(|limit| limit.min(LONGEST_RUN)),
        retention_type: maybe_word(&job.retention_type, words::RETENTION_LIMITS),
        schedule_type: maybe_word(&job.schedule_type, words::SCHEDULE_TYPES),
        target_type: maybe_word(&job.target_type, words::JOB_TARGETS),
        details,
        ..JobFact::default()
    })
}

/// As the API shows them: `BackupServerJobSessionTask`s.
pub(super) fn tasks(server: &str, job: &str, mut tasks: Vec<JobTask>, now: i64) -> Result<String, String> {
    if tasks.len() > MOST_TASKS {
        tasks.sort_by_key(|task| task.status == "Success");
        tasks.truncate(MOST_TASKS);
    }
    let shown: Vec<_> = tasks.into_iter().map(|one| task(server, job, one, now)).collect::<Result<_, _>>()?;
    Ok(serde_json::Value::Array(shown).to_string())
}

fn task(server: &str, job: &str, task: JobTask, now: i64) -> Result<serde_json::Value, String> {
    let own = key("key of a task", task.key)?;
    // The engine's own id where it is one.
    let uid = own.parse().unwrap_or_else(|_| id::derived(Uuid::nil(), &format!("{server}\0{job}\0{own}")));
    let started = past("start of a task", task.started_at, now)?;
    let ended = maybe_past("end of a task", task.ended_at, now)?;
    let failures = task.failures.into_iter().take(MOST_FAILURES).map(|line| text("failure", line));
    let failures: Vec<String> = failures.collect::<Result<_, _>>()?;
    let mut shown = json!({
        "instanceUid": uid,
        "objectName": text("object name", task.object_name)?,
        "status": word(&task.status, words::TASK_STATUSES),
        "startTime": instant::format(started),
        "failureMessages": failures,
    });
    if let Some(members) = shown.as_object_mut() {
        if let Some(ended) = ended {
            members.insert("endTime".to_owned(), instant::format(ended).into());
            members.insert("duration".to_owned(), ((ended - started) / 1000).clamp(0, LONGEST_RUN).into());
        }
        for (name, value) in [("readDataSize", task.read), ("transferredDataSize", task.transferred)] {
            if let Some(bytes) = measure(name, value)? {
                members.insert(name.to_owned(), bytes.into());
            }
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{JobDetails, VmJobFact};

    const NOW: i64 = 1_700_000_000_000;

    fn sample() -> Job {
        Job {
            server_key: "s".into(),
            key: "j".into(),
            name: "Nightly".into(),
            kind: "BackupVm".into(),
            status: "Failed".into(),
            last_run: Some(NOW - 600_000),
            last_end: Some(NOW + 5),
            hypervisor: "VSphere".into(),
            ..Job::default()
        }
    }

    #[test]
    fn a_job_is_read_and_what_lies_ahead_is_of_now() {
        let fact = job(sample(), NOW).unwrap();
        assert_eq!((fact.kind.as_str(), fact.status.as_str()), ("BackupVm", "Failed"));
        assert_eq!((fact.last_end, fact.last_duration), (Some(NOW), Some(600)));
        assert!(
            matches!(fact.details, JobDetails::Vm(VmJobFact { ref subtype, .. }) if subtype == "VSphere")
        );
    }

    #[test]
    fn a_word_that_the_api_does_not_have_is_unknown() {
        let odd = Job { status: "Sideways".into(), bottleneck: "Cat".into(), ..sample() };
        let fact = job(odd, NOW).unwrap();
        assert_eq!((fact.status.as_str(), fact.bottleneck.as_deref()), ("Unknown", Some("Unknown")));
    }

    #[test]
    fn of_too_many_tasks_the_failed_ones_stay() {
        let one = |n: usize| JobTask {
            key: n.to_string(),
            object_name: format!("vm {n}"),
            status: if n == 900 { "Failed".into() } else { "Success".into() },
            started_at: NOW,
            failures: vec!["no route".into()],
            ..JobTask::default()
        };
        let fact = job(Job { tasks: (0..1000).map(one).collect(), ..sample() }, NOW).unwrap();
        let tasks: Vec<serde_json::Value> = serde_json::from_str(&fact.session_tasks).unwrap();
        assert_eq!((tasks.len(), tasks[0]["objectName"].as_str()), (MOST_TASKS, Some("vm 900")));
    }

    #[test]
    fn negative_sizes_and_odd_rates_harm_nothing() {
        assert!(job(Job { transferred: Some(-1), ..sample() }, NOW).is_err());
        let fact = job(Job { processing_rate: Some(f64::NAN), ..sample() }, NOW).unwrap();
        assert_eq!(fact.processing_rate, None);
    }
}
