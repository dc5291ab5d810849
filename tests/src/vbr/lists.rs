//! How what a server has shows in its lists.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::world::{Point, Session, World};

/// As VBR writes times: with seven digits of a second, and its zone's offset.
pub(super) fn time(at: i64) -> Value {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).expect("a time");
    let at = at.to_offset(time::macros::offset!(+2));
    json!(at.format(&Rfc3339).expect("a time"))
}

fn platform_id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes())
}

impl World {
    pub(super) fn server_info(&self) -> Value {
        json!({
            "vbrId": self.id.to_string(), "name": self.name, "buildVersion": self.version, "patches": self.patches,
            "databaseVendor": "PostgreSQL", "sqlServerEdition": "", "sqlServerVersion": "PostgreSQL 15.8",
            "databaseSchemaVersion": "13.0.0.600", "databaseContentVersion": "13.0.0.600", "platform": "Windows",
            "veeamRegistration": {"isRegistered": false},
        })
    }

    pub(super) fn repository_json(&self, index: usize) -> Value {
        let one = &self.repositories[index];
        let mut json = json!({
            "id": one.id, "name": one.name, "description": "Made by a test", "type": one.kind,
            "capacityGB": one.capacity_gb, "freeGB": one.free_gb, "usedSpaceGB": one.used_gb, "isOnline": one.online,
            "isOutOfDate": false,
        });
        if !one.path.is_empty() {
            json["path"] = json!(one.path);
            json["hostName"] = json!(one.host);
        }
        json
    }

    pub(super) fn job_json(&self, index: usize) -> Value {
        let job = &self.jobs[index];
        json!({"id": job.id, "name": job.name, "type": job.kind, "isDisabled": job.disabled})
    }

    pub(super) fn job_state(&self, index: usize) -> Value {
        let job = &self.jobs[index];
        let repository = &self.repositories[job.repository];
        let objects = self.objects.iter().filter(|object| object.backups.contains(&index)).count();
        let status = match (job.ends, job.disabled) {
            (Some(_), _) => "Running",
            (None, true) => "Disabled",
            (None, false) => "Inactive",
        };
        let mut json = json!({
            "id": job.id, "name": job.name, "type": job.kind, "workload": job.workload, "description": "Made by a test",
            "status": status, "lastResult": job.last_result, "objectsCount": objects, "highPriority": false,
            "progressPercent": if job.ends.is_some() { 50 } else { 0 }, "repositoryId": repository.id,
            "repositoryName": repository.name, "nextRunPolicy": "Daily at 22:00", "nextRun": time(self.now + 3_600_000),
            "sessionProgress": {
                "bottleneck": "Source", "duration": "00:15:00", "processedSize": 1_073_741_824_i64,
                "processingRate": "100 MB/s", "progressPercent": 100, "readSize": 536_870_912, "transferredSize": 268_435_456,
            },
        });
        if let Some(at) = job.last_run {
            json["lastRun"] = time(at);
        }
        if let Some(id) = job.session {
            json["sessionId"] = json!(id);
        }
        json
    }

    pub(super) fn session_json(&self, session: &Session) -> Value {
        let mut json = json!({
            "id": session.id, "jobId": self.jobs[session.job].id, "name": self.jobs[session.job].name, "usn": 1,
            "sessionType": session.kind, "creationTime": time(session.created), "initiatedBy": "VBR\\service",
            "state": if session.ended.is_some() { "Stopped" } else { "Working" },
            "progressPercent": if session.ended.is_some() { 100 } else { 50 },
            "result": {"result": session.result, "message": session.message, "isCanceled": session.canceled},
        });
        if let Some(at) = session.ended {
            json["endTime"] = time(at);
        }
        json
    }

    pub(super) fn task_json(&self, index: usize) -> Value {
        let task = &self.tasks[index];
        let session = self.sessions.iter().find(|session| session.id == task.session).expect("its session");
        let mut json = json!({
            "id": task.id, "sessionId": task.session, "sessionType": session.kind, "type": "Backup",
            "creationTime": time(task.created),
        });
        if let Some(at) = task.ended {
            json["endTime"] = time(at);
        }
        json
    }

    pub(super) fn task_logs(&self, index: usize) -> Value {
        let task = &self.tasks[index];
        let name = &self.objects[task.object].name;
        let mut records = vec![json!({
            "id": 1, "status": "Succeeded", "title": format!("Processing {name}"), "description": "",
            "startTime": time(task.created), "updateTime": time(task.created),
        })];
        if !task.message.is_empty() {
            records.push(json!({
                "id": 2, "status": task.result, "title": format!("Processing {name} failed"), "description": task.message,
                "startTime": time(task.created), "updateTime": time(task.ended.unwrap_or(task.created)),
            }));
        }
        json!({"totalRecords": records.len(), "records": records})
    }

    pub(super) fn backup_json(&self, index: usize) -> Value {
        let backup = &self.backups[index];
        let job = &self.jobs[backup.job];
        let repository = &self.repositories[job.repository];
        json!({
            "id": backup.id, "name": backup.name, "jobId": job.id, "jobType": job.kind, "creationTime": time(backup.created),
            "platformId": platform_id(job.platform), "platformName": job.platform, "repositoryId": repository.id,
            "repositoryName": repository.name,
        })
    }

    /// How many restore points each object has.
    pub(super) fn point_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.objects.len()];
        for point in &self.points {
            counts[point.object] += 1;
        }
        counts
    }

    pub(super) fn object_json(&self, index: usize, points: usize) -> Value {
        let object = &self.objects[index];
        let mut json = json!({
            "id": object.id, "name": object.name, "type": object.kind, "platformName": object.platform,
            "platformId": platform_id(object.platform), "lastRunFailed": object.last_run_failed,
        });
        if self.counts_points {
            json["restorePointsCount"] = json!(points);
        }
        json
    }

    pub(super) fn point_json(&self, point: &Point) -> Value {
        let platform = self.objects[point.object].platform;
        let mut json = json!({
            "id": point.id, "name": point.name, "backupId": self.backups[point.backup].id, "backupFileId": point.file,
            "creationTime": time(point.created), "platformName": platform, "platformId": platform_id(platform),
            "type": point.kind, "originalSize": point.size, "guestOsFamily": "Windows", "malwareStatus": point.malware,
            "allowedOperations": ["StartFlrRestore"],
        });
        if let Some(id) = point.session {
            json["sessionId"] = json!(id);
        }
        json
    }
}
