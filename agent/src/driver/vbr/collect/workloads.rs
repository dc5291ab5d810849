//! What is protected, and the backups of it: put together from objects and their restore points.

use std::collections::{BTreeMap, BTreeSet};

use keelson_proto::v1::{Backup, RestorePoint, Workload, WorkloadDetails};

use super::Lists;
use super::points::{Found, Point};
use crate::driver::vbr::words;

/// Workloads, their backups and their restore points, in that they belong together.
#[derive(Debug, Default)]
pub(super) struct Protected {
    pub(super) workloads: Vec<Workload>,
    pub(super) backups: Vec<Backup>,
    pub(super) restore_points: Vec<RestorePoint>,
}

/// What the newest restore point says of its workload.
#[derive(Debug, Default)]
struct Newest {
    at: i64,
    job: String,
    system: &'static str,
    malware: String,
    size: Option<i64>,
    mode: &'static str,
    jobs: BTreeSet<String>,
}

/// A workload under way.
#[derive(Debug)]
struct Made {
    name: String,
    platform: String,
    object: String,
    newest: Newest,
}

pub(super) fn protected(server: &str, lists: &Lists, found: Found) -> Protected {
    let mut made: BTreeMap<String, Made> = BTreeMap::new();
    for object in &lists.objects {
        let name = object.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| object.id.clone());
        let one = Made {
            name,
            platform: object.platform_name.clone(),
            object: object.id.clone(),
            newest: Newest::default(),
        };
        made.insert(object.id.clone(), one);
    }
    let mut backups: BTreeMap<(String, String), Backup> = BTreeMap::new();
    let mut restore_points = Vec::with_capacity(found.points.len());
    for point in found.points {
        let key = &point.record.workload_key;
        let one = made.entry(key.clone()).or_insert_with(|| Made {
            name: point.name.clone(),
            platform: point.platform.clone(),
            object: String::new(),
            newest: Newest::default(),
        });
        one.newest.look(lists, &point);
        let backup = backups
            .entry((key.clone(), point.backup.clone()))
            .or_insert_with(|| backup(lists, &point, &one.object));
        backup.used_size = point.record.source_size.or(backup.used_size);
        if let Some(details) = &point.record.details {
            backup.malware_state.clone_from(&details.malware_state);
        }
        restore_points.push(point.record);
    }
    let workloads = made.into_iter().map(|(key, one)| one.workload(server, key)).collect();
    Protected { workloads, backups: backups.into_values().collect(), restore_points }
}

impl Newest {
    /// Points come in the order in which they were made.
    fn look(&mut self, lists: &Lists, point: &Point) {
        let details = point.record.details.as_deref();
        let job = details.map(|details| details.job_key.clone()).unwrap_or_default();
        if !job.is_empty() {
            self.jobs.insert(job.clone());
        }
        if point.record.created_at < self.at {
            return;
        }
        self.at = point.record.created_at;
        self.job = job;
        self.system = point.system;
        self.malware = details.map(|details| details.malware_state.clone()).unwrap_or_default();
        self.size = point.record.source_size;
        self.mode = lists.operation_mode(&point.backup);
    }
}

impl Made {
    fn workload(self, server: &str, key: String) -> Workload {
        let newest = self.newest;
        let malware =
            if newest.malware.is_empty() { words::malware(None).to_owned() } else { newest.malware };
        let details = WorkloadDetails {
            job_key: newest.job,
            object_key: self.object,
            platform: words::computer_platform(&self.platform, newest.system).to_owned(),
            guest_os: newest.system.to_owned(),
            malware_state: malware,
            jobs: i64::try_from(newest.jobs.len()).unwrap_or_default(),
            used_size: newest.size,
            ..WorkloadDetails::default()
        };
        Workload {
            server_key: server.to_owned(),
            key,
            name: self.name,
            kind: words::workload_kind(&self.platform).to_owned(),
            operation_mode: newest.mode.to_owned(),
            backed_up_items: String::new(),
            details: Some(Box::new(details)),
        }
    }
}

fn backup(lists: &Lists, point: &Point, object: &str) -> Backup {
    let place = lists.place(&point.backup);
    let known = lists.backups.get(&point.backup);
    let kind = known.map(|backup| backup.job_type.as_str()).unwrap_or_default();
    let is_copy = matches!(words::job_kind(kind), "BackupCopy" | "BackupFileCopy");
    Backup {
        server_key: point.record.server_key.clone(),
        workload_key: point.record.workload_key.clone(),
        key: point.backup.clone(),
        object_key: object.to_owned(),
        job_key: place.job.to_owned(),
        job_name: place.job_name.to_owned(),
        job_kind: if is_copy { "Copy" } else { "Backup" }.to_owned(),
        backup_type: match words::job_kind(kind) {
            _ if place.job.is_empty() => "Orphaned",
            "ReplicationVM" => "Replication",
            _ if is_copy => "BackupCopy",
            _ => "Backup",
        }
        .to_owned(),
        repository_key: place.repository.to_owned(),
        target_type: place.target.to_owned(),
        tier: place.tier.to_owned(),
        ..Backup::default()
    }
}
