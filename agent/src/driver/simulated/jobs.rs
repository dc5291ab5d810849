//! The jobs of a simulated server: each backs up a few of its computers. What a host ordered is remembered for as long as the
//! process runs; all else follows from seed and clock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keelson_proto::v1::{Job, JobTask, RestorePoint, Workload};

use super::HOUR;
use crate::driver::{Done, Order, Refused};

/// Computers of a job.
pub(super) const SIZE: u32 = 8;
/// How long a run takes that was ordered, in milliseconds.
const RUN: i64 = 15_000;
/// Ordered runs whose restore points are kept.
const KEPT: usize = 7;
/// How long a run of the schedule took.
const USUAL: i64 = 12 * 60_000;

/// What hosts ordered.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<HashMap<u32, Ordered>>);

/// Of one job.
#[derive(Debug, Clone, Default)]
struct Ordered {
    disabled: bool,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    began: i64,
    ends: i64,
    stopped: bool,
}

/// A computer as its job sees it.
pub(super) struct Machine<'w> {
    pub(super) workload: &'w Workload,
    /// Its newest restore point.
    pub(super) newest: Option<i64>,
    /// It is no longer backed up by the schedule.
    pub(super) left_out: bool,
}

/// Which job a computer is in.
pub(super) fn job_of(index: u32) -> u32 {
    index / SIZE
}

impl Orders {
    fn all(&self) -> MutexGuard<'_, HashMap<u32, Ordered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, job: u32) -> Ordered {
        self.all().get(&job).cloned().unwrap_or_default()
    }

    /// The restore points that ordered runs made of a computer.
    pub(super) fn points(&self, job: u32, workload: &Workload, now: i64) -> Vec<RestorePoint> {
        let runs = self.of(job).runs.into_iter().filter(|run| run.ends <= now && !run.stopped);
        let point = |run: Run| RestorePoint {
            server_key: workload.server_key.clone(),
            workload_key: workload.key.clone(),
            key: format!("{}-on-demand-{}", workload.key, run.began),
            created_at: run.ends,
            size: Some(512 << 20),
            source_size: None,
            destination: format!("Repository {}", 1 + job % 3),
            details: None,
        };
        runs.map(point).collect()
    }

    /// A job with what its last run did.
    pub(super) fn job(&self, server: &str, index: u32, machines: &[Machine<'_>], now: i64) -> Job {
        let ordered = self.of(index);
        let left_out: Vec<_> = machines.iter().filter(|machine| machine.left_out).collect();
        let by_schedule = machines.iter().filter(|machine| !machine.left_out);
        let newest = by_schedule.filter_map(|machine| machine.newest).max();
        let last = ordered.runs.last().filter(|run| newest.is_none_or(|newest| run.ends >= newest));
        let (status, failure, run) = match last {
            Some(run) if run.ends > now => ("Running", String::new(), (Some(run.began), None)),
            Some(run) if run.stopped => {
                ("Warning", "stopped on request".to_owned(), (Some(run.began), Some(run.ends)))
            }
            Some(run) => ("Success", String::new(), (Some(run.began), Some(run.ends))),
            None if left_out.is_empty() => ("Success", String::new(), (newest.map(|at| at - USUAL), newest)),
            None => {
                let names: Vec<_> = left_out.iter().map(|machine| machine.workload.name.as_str()).collect();
                let failure = format!("cannot reach {}", names.join(", "));
                ("Failed", failure, (newest.map(|at| at - USUAL), newest))
            }
        };
        let is_ordered = last.is_some();
        Job {
            server_key: server.to_owned(),
            key: key(server, index),
            name: format!("Backup Job {}", index + 1),
            kind: "AgentBackupJob".to_owned(),
            status: status.to_owned(),
            enabled: !ordered.disabled,
            description: "Made up for a simulated server".to_owned(),
            last_run: run.0,
            last_end: run.1,
            average_duration: Some(USUAL / 1000),
            bottleneck: "Source".to_owned(),
            failure,
            destination: format!("Repository {}", 1 + index % 3),
            retention_limit: Some(14),
            retention_type: "RestorePoints".to_owned(),
            schedule_type: "Periodically".to_owned(),
            target_type: "Local".to_owned(),
            tasks: machines.iter().filter_map(|machine| task(machine, run.0?, run.1, is_ordered)).collect(),
            ..Job::default()
        }
    }

    /// Does what a host wants of a job.
    pub(super) fn execute(&self, server: &str, jobs: u32, order: &Order, now: i64) -> Result<Done, Refused> {
        let wanted = order.payload.get("job").and_then(serde_json::Value::as_str).unwrap_or_default();
        let index = (0..jobs).find(|index| key(server, *index) == wanted);
        let index = index.ok_or_else(|| Refused(format!("this server has no job \"{wanted}\"")))?;
        let mut all = self.all();
        let ordered = all.entry(index).or_default();
        let running = ordered.runs.last().is_some_and(|run| run.ends > now);
        match order.kind.as_str() {
            // What runs already was started: by this very order, perhaps, before a crash.
            "job-start" | "job-retry" if running => Ok(Done::saying("the job runs")),
            "job-start" | "job-retry" => {
                ordered.runs.push(Run { began: now, ends: now + RUN, stopped: false });
                let surplus = ordered.runs.len().saturating_sub(KEPT);
                ordered.runs.drain(..surplus);
                Ok(Done::saying("the job was started"))
            }
            "job-stop" => {
                if let Some(run) = ordered.runs.last_mut().filter(|run| run.ends > now) {
                    *run = Run { ends: now, stopped: true, ..*run };
                }
                Ok(Done::saying("the job does not run"))
            }
            "job-enable" => {
                ordered.disabled = false;
                Ok(Done::saying("the job is enabled"))
            }
            "job-disable" => {
                ordered.disabled = true;
                Ok(Done::saying("the job is disabled"))
            }
            _ => Err(Refused::unknown("simulated", order)),
        }
    }
}

/// How many jobs so many computers make.
pub(super) fn count(machines: u32) -> u32 {
    machines.div_ceil(SIZE)
}

pub(super) fn key(server: &str, index: u32) -> String {
    format!("{server}-job-{index}")
}

fn task(machine: &Machine<'_>, began: i64, ended: Option<i64>, is_ordered: bool) -> Option<JobTask> {
    let failed = machine.left_out && !is_ordered;
    let age = ended.zip(machine.newest).map(|(end, newest)| end - newest);
    // What another run made is not of this one.
    if !failed && age.is_some_and(|age| age > 24 * HOUR) {
        return None;
    }
    let status = match (failed, ended) {
        (true, _) => "Failed",
        (false, None) => "Running",
        (false, Some(_)) => "Success",
    };
    Some(JobTask {
        key: format!("{}-{began}", machine.workload.key),
        object_name: machine.workload.name.clone(),
        status: status.to_owned(),
        started_at: began,
        ended_at: ended,
        read: Some(1 << 30),
        transferred: Some(1 << 28),
        failures: if failed { vec!["the computer cannot be reached".to_owned()] } else { Vec::new() },
    })
}
