//! What an engine that knows much tells beside names and instants: where backups lie, what jobs did, what the licence says.

use keelson_proto::v1::{
    Backup, BackupServer, Job, JobSession, License, LicenseUse, Machine, RestorePoint, RestorePointDetails,
    Workload, WorkloadDetails,
};

use super::{HOUR, computer, jobs};
use crate::random::Random;

const DAY: i64 = 24 * HOUR;

/// Where a computer stands among its server's.
pub(super) struct Place<'s> {
    pub(super) server: &'s str,
    pub(super) index: u32,
}

impl Place<'_> {
    fn job(&self) -> String {
        jobs::key(self.server, jobs::job_of(self.index))
    }

    /// As points name it in words: those of a computer lie in the repository of its number.
    fn repository(&self) -> String {
        format!("{}-repository-{}", self.server, self.index % 3)
    }

    /// The one that its job keeps of a computer.
    pub(super) fn backup(&self, workload: &Workload, points: &[RestorePoint]) -> Backup {
        let newest = points.iter().max_by_key(|point| point.created_at);
        Backup {
            server_key: self.server.to_owned(),
            workload_key: workload.key.clone(),
            key: backup_key(workload),
            object_key: workload.key.clone(),
            job_key: self.job(),
            job_name: format!("Backup Job {}", jobs::job_of(self.index) + 1),
            job_kind: "Backup".to_owned(),
            backup_type: "Backup".to_owned(),
            repository_key: self.repository(),
            target_type: "Local".to_owned(),
            malware_state: "Clean".to_owned(),
            provisioned_size: newest.and_then(|point| point.source_size).map(|size| size / 2 * 3),
            used_size: newest.and_then(|point| point.source_size),
            ..Backup::default()
        }
    }

    /// Adds what the engine knows beside the names.
    pub(super) fn detail(&self, workload: &mut Workload, points: &mut [RestorePoint]) {
        let windows = workload.backed_up_items.contains(':');
        let used = points.iter().max_by_key(|point| point.created_at).and_then(|point| point.source_size);
        workload.details = Some(Box::new(WorkloadDetails {
            job_key: self.job(),
            platform: if windows { "Windows" } else { "Linux" }.to_owned(),
            guest_os: if windows { "Microsoft Windows Server 2022" } else { "Debian GNU/Linux 12" }
                .to_owned(),
            ip_addresses: vec![format!("192.0.2.{}", 1 + self.index % 254)],
            malware_state: "Clean".to_owned(),
            jobs: 1,
            provisioned_size: used.map(|size| size / 2 * 3),
            used_size: used,
            ..WorkloadDetails::default()
        }));
        for point in points {
            point.details = Some(Box::new(RestorePointDetails {
                backup_key: backup_key(workload),
                job_key: self.job(),
                repository_key: self.repository(),
                target_type: "Local".to_owned(),
                file_path: format!("/backup/{}/{}.vbk", 1 + self.index % 3, point.key),
                file_created_at: Some(point.created_at),
                consistent: Some(true),
                provisioned_size: point.source_size.map(|size| size / 2 * 3),
                used_size: point.source_size,
                increment_size: point.size,
                malware_state: "Clean".to_owned(),
                ..RestorePointDetails::default()
            }));
        }
    }
}

fn backup_key(workload: &Workload) -> String {
    format!("{}-backup", workload.key)
}

/// The last run of a job.
pub(super) fn session(job: &Job) -> Option<JobSession> {
    let started_at = job.last_run?;
    Some(JobSession {
        server_key: job.server_key.clone(),
        key: format!("{}-{started_at}", job.key),
        job_key: job.key.clone(),
        job_name: job.name.clone(),
        kind: job.kind.clone(),
        status: job.status.clone(),
        started_at,
        ended_at: job.last_end,
        message: job.failure.clone(),
        tasks: job.tasks.clone(),
    })
}

/// A rental licence that ends at some time of the coming year, is renewed three weeks before, and is filled to nine tenths.
pub(super) fn license(seed: u64, server: &BackupServer, workloads: &[Workload], now: i64) -> License {
    let mut random = Random::for_parts(seed, &[hash(&server.key), 7]);
    let year = 365 * DAY;
    let phase = i64::try_from(random.below(365)).unwrap_or_default() * DAY;
    let ahead = now + 21 * DAY - phase;
    let expires_at = ahead - ahead.rem_euclid(year) + year + phase;
    let of_mode = |mode: &str| workloads.iter().filter(|workload| workload.operation_mode == mode).count();
    let taken_by = |kind: &str, mode: &str, multiplier: f64| {
        let count = u32::try_from(of_mode(mode)).unwrap_or(u32::MAX);
        LicenseUse {
            kind: kind.to_owned(),
            count: i64::from(count),
            multiplier,
            used_units: f64::from(count) * multiplier,
        }
    };
    let uses = vec![taken_by("Server", "server", 1.0), taken_by("Workstation", "workstation", 1.0 / 3.0)];
    let total = uses.iter().map(|one| one.used_units).sum::<f64>();
    License {
        server_key: server.key.clone(),
        r#type: "Rental".to_owned(),
        status: "Valid".to_owned(),
        edition: "Enterprise Plus".to_owned(),
        company: "Example Provider".to_owned(),
        license_ids: vec![random_uuid(&mut random)],
        support_ids: vec![format!("{:08}", random.below(100_000_000))],
        expires_at: Some(expires_at),
        support_expires_at: Some(expires_at),
        auto_update: true,
        cloud_connect: "No".to_owned(),
        packages: vec!["Suite".to_owned()],
        unit_type: "Points".to_owned(),
        units: Some((total / 0.9).ceil()),
        used_units: Some(total),
        new_units: Some(0.0),
        rental_units: Some(total),
        uses,
        ..License::default()
    }
}

/// What the simulated machine says of itself.
pub(super) fn machine(seed: u64, server: u32) -> Machine {
    let host = computer(seed, server).host_name;
    let mut random = Random::for_parts(seed, &[u64::from(server), 8]);
    let [_, a, b, c, ..] = server.to_be_bytes();
    Machine {
        fqdn: format!("{host}.example.net"),
        guest_os: "Debian GNU/Linux 12".to_owned(),
        guest_os_type: "Linux".to_owned(),
        guest_os_version: "12".to_owned(),
        platform_type: "vSphere".to_owned(),
        ip_addresses: vec![format!("10.{a}.{b}.{c}")],
        mac_addresses: vec![format!("02:00:{:02x}:{a:02x}:{b:02x}:{c:02x}", random.below(256))],
        applications: vec!["PostgreSQL".to_owned()],
        ..Machine::default()
    }
}

fn random_uuid(random: &mut Random) -> String {
    let (a, b) = (random.next_u64(), random.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_always_good_for_three_weeks_and_at_most_a_year_more() {
        let server = BackupServer { key: "sim-5-0".to_owned(), ..BackupServer::default() };
        for day in 0..800 {
            let now = 1_700_000_000_000 + day * DAY;
            let expires = license(5, &server, &[], now).expires_at.unwrap();
            assert!((now + 21 * DAY..=now + 386 * DAY).contains(&expires), "day {day}: {expires}");
        }
    }
}
