//! What happens to jobs as time passes and as they are told.

use uuid::Uuid;

use super::world::{Session, Task, World};

/// How long a run takes, in milliseconds.
const RUN: i64 = 60_000;

/// The kind of a job's sessions.
pub(super) fn session_kind(job: &str) -> &'static str {
    match job {
        "WindowsAgentBackup" | "LinuxAgentBackup" => "AgentBackup",
        "FileBackup" => "FileServerSave",
        _ => "BackupJob",
    }
}

impl World {
    /// Lets time pass: what ends meanwhile, ends.
    pub fn advance(&mut self, by: i64) {
        self.now += by;
        for job in 0..self.jobs.len() {
            if self.jobs[job].ends.is_some_and(|ends| ends <= self.now) {
                self.finish(job);
            }
        }
        self.mounts.expire(self.now);
    }

    /// Starts a job, unless it runs.
    pub(super) fn start(&mut self, job: usize) -> Result<Uuid, &'static str> {
        if self.jobs[job].ends.is_some() {
            return Err("the job is already running");
        }
        let id = self.fresh();
        self.sessions.push(Session {
            id,
            job,
            kind: session_kind(self.jobs[job].kind),
            created: self.now,
            ended: None,
            result: "None",
            message: String::new(),
            canceled: false,
        });
        let (now, one) = (self.now, &mut self.jobs[job]);
        (one.ends, one.last_run, one.session) = (Some(now + RUN), Some(now), Some(id));
        Ok(id)
    }

    /// Stops a job that runs.
    pub(super) fn stop(&mut self, job: usize) -> Result<Uuid, &'static str> {
        let (Some(_), Some(id)) = (self.jobs[job].ends.take(), self.jobs[job].session) else {
            return Err("the job is not running");
        };
        self.jobs[job].last_result = "Failed";
        let now = self.now;
        let session = self.session(id);
        (session.ended, session.result, session.canceled) = (Some(now), "Failed", true);
        "The operation was canceled by the user".clone_into(&mut session.message);
        Ok(id)
    }

    /// Runs a job again whose last run failed.
    pub(super) fn retry(&mut self, job: usize) -> Result<Uuid, &'static str> {
        if !matches!(self.jobs[job].last_result, "Failed" | "Warning") {
            return Err("the last run of the job did not fail, there is nothing to retry");
        }
        self.start(job)
    }

    fn session(&mut self, id: Uuid) -> &mut Session {
        self.sessions.iter_mut().find(|session| session.id == id).expect("the job's session")
    }

    /// A run ends: a point for each object, but for the one that it fails at.
    fn finish(&mut self, job: usize) {
        let Some(ends) = self.jobs[job].ends.take() else { return };
        let id = self.jobs[job].session.expect("a run has a session");
        let began = self.jobs[job].last_run.expect("a run has begun");
        let fails = self.jobs[job].fails.take();
        let objects: Vec<usize> =
            (0..self.objects.len()).filter(|object| self.objects[*object].backups.contains(&job)).collect();
        for object in objects {
            let failure = fails.filter(|(failing, _)| *failing == object).map(|(_, why)| why);
            let task = self.fresh();
            self.tasks.push(Task {
                id: task,
                session: id,
                object,
                created: began,
                ended: Some(ends),
                result: if failure.is_some() { "Failed" } else { "Success" },
                message: failure.unwrap_or_default().to_owned(),
            });
            self.objects[object].last_run_failed = failure.is_some();
            if failure.is_none() {
                self.point(object, job, began, Some(id));
            }
        }
        let result = if fails.is_some() { "Failed" } else { "Success" };
        self.jobs[job].last_result = result;
        let session = self.session(id);
        (session.ended, session.result) = (Some(ends), result);
        session.message = fails.map(|(_, why)| format!("Job finished with error: {why}")).unwrap_or_default();
    }
}
