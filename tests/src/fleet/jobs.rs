//! Five jobs on each backup server, one of each kind.

use uuid::Uuid;

use super::infrastructure::Place;
use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, GIB};

/// Jobs on a server: of machines, of computers, of copies, of file shares, of replicas.
pub(super) const EACH: i64 = 5;

const TYPES: [&str; 5] = ["BackupVm", "AgentBackupJob", "BackupCopy", "BackupFile", "ReplicationVM"];

/// The name of the `n`-th job.
pub(super) fn name(n: i64) -> String {
    let what = one_of(&["Täglich VMs", "Laptops", "Kopie → Cloud", "Büro-Freigaben", "Replicas"], n % EACH);
    format!("{what} {}", n / EACH)
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    let all = 0..fleet.agents() * EACH;
    vec![
        jobs(fleet),
        of_machines(all.clone().filter(|n| n % EACH == 0)),
        of_computers(all.clone().filter(|n| n % EACH == 1)),
        of_copies(all.clone().filter(|n| n % EACH == 2)),
        of_shares(all.clone().filter(|n| n % EACH == 3)),
        of_replicas(all.filter(|n| n % EACH == 4)),
    ]
}

impl Fleet {
    /// The company that a job of the provider's own server was mapped to.
    fn mapped(self, job: i64) -> Option<Uuid> {
        let own = !matches!(self.place_of(job / EACH), Place::Company(_));
        (own && job % 2 == 0).then(|| Thing::Company.at(job % self.scale.companies))
    }
}

const DAILY: &str = r#"{"startDateTime":"2026-09-01T22:00:00.0000000+02:00","startDateTimeUtc":"2026-09-01T20:00:00.0000000+00:00","continuousScheduleEnabled":false,"dailyScheduleOptions":{"time":"22:00:00","timeUtc":"20:00:00","kind":"Everyday","days":["Monday","Friday"]}}"#;
const MONTHLY: &str = r#"{"continuousScheduleEnabled":false,"monthlyScheduleOptions":{"time":"22:00:00","timeUtc":"20:00:00","dayNumberInMonth":"First","dayOfWeek":"Saturday","months":["January","July"]}}"#;
const PERIODICALLY: &str = r#"{"continuousScheduleEnabled":false,"periodicallyScheduleOptions":{"kind":"Hours","fullPeriod":4,"schedule":[{"day":"Monday","hours":[0,4,8]}]}}"#;

fn schedule(n: i64) -> (&'static str, Option<String>) {
    match n % 7 {
        0..=2 => ("Daily", Some(DAILY.to_owned())),
        3 => ("Monthly", Some(MONTHLY.to_owned())),
        4 => ("Periodically", Some(PERIODICALLY.to_owned())),
        5 => {
            let text = format!(
                r#"{{"continuousScheduleEnabled":false,"chainingOptions":{{"previousJobId":"{}","previousJobName":"Laptops"}},"backupWindowOptions":{{"timePeriods":[{{"day":"Sunday","hours":[1,2]}}]}}}}"#,
                Thing::Job.at(n)
            );
            ("Chained", Some(text))
        }
        _ => ("NotScheduled", None),
    }
}

/// The last run of a job on one object.
fn session(fleet: Fleet, n: i64, failed: bool, end: i64) -> String {
    let (start, end) = (super::numbers::instant(end - 600_000), super::numbers::instant(end));
    let (status, messages) =
        if failed { ("Failed", r#"["Der Host antwortet nicht."]"#) } else { ("Success", "[]") };
    let (task, object) = (Thing::Foreign.at(n), Thing::Workload.at(n % fleet.scale.workloads));
    format!(
        r#"[{{"instanceUid":"{task}","objectName":"db-{n:05}","objectUid":"{object}","status":"{status}","startTime":"{start}","endTime":"{end}","duration":600,"processedObjects":3,"totalObjects":4,"readDataSize":{},"transferredDataSize":{},"failureMessages":{messages}}}]"#,
        12 * GIB,
        4 * GIB
    )
}

fn jobs(fleet: Fleet) -> Table {
    rows!("backup_jobs", 0..fleet.agents() * EACH, |n| (
        name = name(n),
        agent = n / EACH,
        ran = n % 40 != 39,
        failed = n % 12 == 5,
        end = fleet.now - chance(n, 1, 2 * DAY),
        schedule = schedule(n),
        mapped = fleet.mapped(n),
    ) {
        uid: Thing::Job.at(n),
        server_uid: Thing::Server.at(agent),
        agent_uid: Thing::Agent.at(agent),
        company_uid: fleet.owner_of(agent),
        mapped_company_uid: mapped,
        holder_uid: mapped.unwrap_or_else(|| fleet.owner_of(agent)),
        site_uid: (fleet.place_of(agent) == Place::Site).then(|| Thing::Site.at(agent - fleet.scale.servers)),
        key: format!("j{n}"),
        unique_uid: Thing::Foreign.at(n),
        name_folded: name.to_lowercase(),
        name: name,
        type: one_of(&TYPES, n % EACH),
        status: if failed { "Failed" } else { one_of(&["Success", "Success", "Warning", "Running", "None"], n / 5) },
        enabled: n % 16 != 15,
        description: (n % 3 == 0).then_some("Made by the provider; „nicht ändern“"),
        created_by: r"CORP\administrator",
        creation_time: fleet.made(n, fleet.agents() * EACH),
        last_run: ran.then_some(end - 900_000),
        last_end: ran.then_some(end),
        last_duration: ran.then_some(900_i64),
        average_duration: ran.then_some(800_i64),
        processing_rate: ran.then_some(50.5 + f64::from(u8::try_from(n % 100).unwrap_or_default())),
        transferred_data: ran.then_some(4 * GIB + chance(n, 2, GIB)),
        backup_chain_size: ran.then_some(400 * GIB),
        bottleneck: one_of(&["Source", "Network", "Target", "None"], n),
        gfs: n % 4 == 0,
        destination: if n % 7 == 0 { "Cloud repository 1" } else { r"D:\Sicherungen" },
        failure_message: failed.then_some("Der Host antwortet nicht."),
        retention_limit: (n / EACH % 5 != 4).then_some(7 + n % 14),
        retention_type: if n % 2 == 0 { "Days" } else { "RestorePoints" },
        schedule: schedule.1,
        schedule_type: schedule.0,
        session_tasks: if ran { session(fleet, n, failed, end) } else { "[]".to_owned() },
        target_type: if n % 7 == 0 { "Cloud" } else { "Local" },
        epoch: 1_i64,
    })
}

fn of_machines(jobs: impl Iterator<Item = i64> + Send + 'static) -> Table {
    rows!("backup_vm_jobs", jobs, |n| () {
        job_uid: Thing::Job.at(n),
        subtype: one_of(&["VSphere", "HyperV", "ProxmoxVe"], n / EACH),
        protected_vms: n / EACH % 30,
        repository_uid: Thing::Repository.at(n / EACH * 2),
    })
}

fn of_computers(jobs: impl Iterator<Item = i64> + Send + 'static) -> Table {
    const SOURCE: &str = r#"{"backupMode":"File","backupOperatingSystem":true,"backupUserFolders":true,"fileSystemItems":{"filesAndFolders":["C:\\Büro"],"volumes":["D:\\"]}}"#;
    rows!("backup_agent_jobs", jobs, |n| () {
        job_uid: Thing::Job.at(n),
        mode: if n % 2 == 0 { "ManagedByBackupServer" } else { "ManagedByAgent" },
        license_type: if n % 3 == 0 { "Server" } else { "Workstation" },
        os_type: one_of(&["Windows", "Linux", "Mac"], n / EACH),
        source: Some(SOURCE),
        success_jobs: 4_i64,
        total_jobs: 5_i64,
    })
}

fn of_copies(jobs: impl Iterator<Item = i64> + Send + 'static) -> Table {
    rows!("backup_copy_jobs", jobs, |n| (wide = n / EACH % 2 == 0) {
        job_uid: Thing::Job.at(n),
        repository_uid: Thing::Repository.at(n / EACH * 2 + 1),
        source_accelerator_uid: wide.then(|| Thing::Foreign.at(n)),
        target_accelerator_uid: wide.then(|| Thing::Accelerator.at(0)),
        retention_policy: if wide { "GFS" } else { "Simple" },
        weekly_points: 4_i64,
        monthly_points: 12_i64,
        yearly_points: 1_i64,
        rpo_enabled: wide,
        rpo_value: wide.then_some(1_i64),
        rpo_unit: wide.then_some("Days"),
        public_cloud: n / EACH % 4 == 3,
    })
}

fn of_shares(jobs: impl Iterator<Item = i64> + Send + 'static) -> Table {
    rows!("backup_file_share_jobs", jobs, |n| (archived = n / EACH % 2 == 0) {
        job_uid: Thing::Job.at(n),
        repository_uid: Thing::Repository.at(n / EACH * 2),
        retention: 28_i64,
        retention_unit: "Days",
        archive_repository_uid: archived.then(|| Thing::Repository.at(n / EACH * 2 + 1)),
        archive_enabled: archived,
        archive_retention: archived.then_some(3_i64),
        archive_retention_unit: archived.then_some("Years"),
    })
}

fn of_replicas(jobs: impl Iterator<Item = i64> + Send + 'static) -> Table {
    rows!("backup_replication_jobs", jobs, |n| (cloud = n / EACH % 2 == 0) {
        job_uid: Thing::Job.at(n),
        protected_vms: n / EACH % 6,
        cloud: cloud,
        cloud_host_uid: cloud.then(|| Thing::Plan.at(n % 3)),
        target_host_uid: (!cloud).then(|| Thing::Foreign.at(n)),
        accelerated: cloud,
        source_accelerator_uid: cloud.then(|| Thing::Foreign.at(n)),
        target_accelerator_uid: cloud.then(|| Thing::Accelerator.at(0)),
    })
}
