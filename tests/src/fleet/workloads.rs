//! What is protected: computers, virtual machines, file shares, and what Microsoft 365 servers protect. Of a hundred workloads
//! two were never backed up, three fail for days, and one has three times as many restore points as the others.

use uuid::Uuid;

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, GIB, HOUR, names};

/// One workload, worked out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload {
    pub(super) n: i64,
    pub(super) kind: &'static str,
    /// The agent's number, and so the server's.
    pub(super) agent: i64,
    pub(super) points: i64,
    /// Of the newest restore point, and from one to the next.
    newest: i64,
    interval: i64,
    size: i64,
}

impl Fleet {
    pub(super) fn workload(self, n: i64) -> Workload {
        let kind = match chance(n, 1, 20) {
            0..=9 => "computer",
            10..=12 => "managed_computer",
            13..=18 => "virtual_machine",
            _ => "file_share",
        };
        let points = match n % 100 {
            0 | 50 => 0,
            3 => 15,
            _ => 5,
        };
        let (newest, interval) = match n % 100 {
            7..=9 => (3 * DAY + chance(n, 2, 40 * DAY), DAY),
            _ => (chance(n, 2, 24 * HOUR), if n % 3 == 0 { 12 * HOUR } else { DAY }),
        };
        // Neighbours in time stand on servers far apart, as they do where many agents report at once.
        let agent = n * 7_919 % self.scale.servers;
        let size = GIB + chance(n, 3, 400 * GIB);
        Workload { n, kind, agent, points, newest: self.now - newest, interval, size }
    }
}

impl Workload {
    pub(super) fn uid(self) -> Uuid {
        Thing::Workload.at(self.n)
    }

    /// When its `k`-th restore point was made.
    pub(super) fn point_at(self, k: i64) -> i64 {
        self.newest - (self.points - 1 - k) * self.interval
    }

    /// The first is a full one, the others are what changed.
    pub(super) fn point_size(self, k: i64) -> i64 {
        if k == 0 { self.size } else { self.size / (20 + (self.n + k) % 50) }
    }

    /// File shares keep their first two points in an archive.
    pub(super) fn is_archived(self, k: i64) -> bool {
        self.kind == "file_share" && k < 2
    }

    pub(super) fn archived(self) -> impl Iterator<Item = i64> {
        (0..self.points).filter(move |k| self.is_archived(*k))
    }

    pub(super) fn total(self) -> Option<i64> {
        self.newest_point().map(|_| (0..self.points).map(|k| self.point_size(k)).sum())
    }

    pub(super) fn newest_point(self) -> Option<i64> {
        (self.points > 0).then_some(self.newest)
    }

    pub(super) fn latest_size(self) -> Option<i64> {
        (self.points > 0).then(|| self.point_size(self.points - 1))
    }

    /// What a virtual machine or a server's computer takes in all, and uses of it.
    pub(super) fn source(self) -> Option<(i64, i64)> {
        matches!(self.kind, "virtual_machine" | "managed_computer").then_some((self.size * 3, self.size * 2))
    }

    pub(super) fn malware(self) -> &'static str {
        match self.n % 200 {
            11 => "Infected",
            12 | 13 => "Suspicious",
            14 => "Unverified",
            _ => "Clean",
        }
    }

    /// The job on its server that backs it up; computers of the console have none.
    pub(super) fn job(self) -> Option<Uuid> {
        let which = match self.kind {
            "virtual_machine" => 0,
            "managed_computer" => 1,
            "file_share" => 3,
            _ => return None,
        };
        Some(Thing::Job.at(self.agent * super::jobs::EACH + which))
    }

    pub(super) fn repository(self) -> Uuid {
        Thing::Repository.at(self.agent * 2 + self.n % 2)
    }

    pub(super) fn is_windows(self) -> bool {
        self.n % 3 != 1
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![workloads(fleet), workload_marks(fleet), workload_backups(fleet), microsoft_objects(fleet)]
}

fn address(n: i64) -> String {
    format!(r#"["172.{}.{}.{}"]"#, 16 + n / 65_536 % 16, n / 256 % 256, n % 256)
}

/// The protection groups of a server that a computer is in.
fn groups(agent: i64) -> String {
    format!(r#"["{}","{}"]"#, Thing::Foreign.at(agent * 2), Thing::Foreign.at(agent * 2 + 1))
}

fn workloads(fleet: Fleet) -> Table {
    rows!("workloads", (0..fleet.scale.workloads).map(move |n| fleet.workload(n)), |workload| (
        n = workload.n,
        name = if workload.kind == "file_share" { format!(r"\\filer-{n}\Büro") } else { names::machine(n) },
        is_machine = workload.kind == "virtual_machine",
        source = workload.source(),
    ) {
        uid: workload.uid(),
        server_uid: Thing::Server.at(workload.agent),
        agent_uid: Thing::Agent.at(workload.agent),
        company_uid: fleet.owner_of(workload.agent),
        key: format!("w{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        kind: workload.kind,
        operation_mode: if n % 4 == 2 { "Workstation" } else { "Server" },
        backed_up_items: if workload.is_windows() { "C:\\" } else { "/srv, /home" },
        first_seen: fleet.made(n, fleet.scale.workloads),
        newest_restore_point: workload.newest_point(),
        restore_points: workload.points,
        epoch: 1_i64,
        gone_at: (n % 500 == 499).then_some(fleet.now - DAY),
        account_uid: fleet.account_of(workload.agent),
        job_uid: workload.job(),
        object_uid: is_machine.then(|| Thing::Foreign.at(n)),
        source_uid: (workload.kind == "managed_computer" && n % 2 == 0).then(|| Thing::Foreign.at(n)),
        platform: if workload.is_windows() { "Windows" } else { "Linux" },
        guest_os: (!is_machine).then(|| if workload.is_windows() { "Windows Server 2022" } else { "Debian 12" }),
        ip_addresses: address(n),
        protection_groups: if workload.kind == "managed_computer" { groups(workload.agent) } else { "[]".to_owned() },
        hierarchy_ref: is_machine.then(|| format!("vm-{n}")),
        parent_host_ref: is_machine.then(|| format!("host-{}", workload.agent % 12)),
        malware_state: workload.malware(),
        immutable: is_machine && n % 5 == 0,
        jobs: if workload.kind == "computer" { 1 + n % 2 } else { 1_i64 },
        provisioned_size: source.map(|source| source.0),
        used_size: source.map(|source| source.1),
        latest_size: workload.latest_size(),
        total_size: workload.total(),
        archive_points: workload.archived().map(|_| 1).sum::<i64>(),
        archive_size: workload.archived().map(|k| workload.point_size(k)).sum::<i64>(),
    })
}

/// Nothing is due: the rules have looked at all of them.
fn workload_marks(fleet: Fleet) -> Table {
    rows!("workload_marks", (0..fleet.scale.workloads).map(move |n| fleet.workload(n)), |workload| () {
        uid: workload.uid(),
        revision: 1_i64,
    })
}

/// A chain for each virtual machine and each computer of a server.
fn workload_backups(fleet: Fleet) -> Table {
    let kept = (0..fleet.scale.workloads)
        .map(move |n| fleet.workload(n))
        .filter(|workload| workload.source().is_some());
    rows!("workload_backups", kept, |workload| (n = workload.n, source = workload.source()) {
        uid: Thing::Backup.at(n),
        workload_uid: workload.uid(),
        server_uid: Thing::Server.at(workload.agent),
        agent_uid: Thing::Agent.at(workload.agent),
        company_uid: fleet.owner_of(workload.agent),
        account_uid: fleet.account_of(workload.agent),
        kind: workload.kind,
        key: format!("b{n}"),
        object_uid: Thing::Foreign.at(n),
        job_uid: workload.job(),
        job_name: super::jobs::name(workload.agent * super::jobs::EACH),
        job_kind: if n % 10 == 9 { "Copy" } else { "Backup" },
        backup_type: if n % 10 == 9 { "BackupCopy" } else { "Backup" },
        repository_uid: workload.repository(),
        target_type: if n % 7 == 0 { "Cloud" } else { "Local" },
        tier: if n % 6 == 0 { "Capacity" } else { "Performance" },
        malware_state: workload.malware(),
        immutable: n % 5 == 0,
        provisioned_size: source.map(|source| source.0),
        used_size: source.map(|source| source.1),
        newest_restore_point: workload.newest_point(),
        restore_points: workload.points,
        latest_size: workload.latest_size(),
        total_size: workload.total(),
        epoch: 1_i64,
    })
}

fn microsoft_objects(fleet: Fleet) -> Table {
    rows!("vb365_objects", 0..fleet.scale.companies * 4, |n| (
        agent = n % fleet.scale.servers,
        person = names::person(n),
        name = format!("{} {} {n}", person.0, person.1),
        archived = n % 3 == 0,
    ) {
        uid: Thing::MicrosoftObject.at(n),
        agent_uid: Thing::Agent.at(agent),
        company_uid: fleet.owner_of(agent),
        account_uid: fleet.account_of(agent),
        key: format!("o{n}"),
        id: format!("{:032x}", Thing::Foreign.at(n).as_u128()),
        name_folded: name.to_lowercase(),
        name: name,
        type: one_of(&["User", "User", "Group", "Teams", "Site"], n),
        server_uid: Thing::Server.at(agent),
        server_name: names::machine(agent),
        organization_uid: Thing::Foreign.at(agent),
        organization_name: format!("customer-{agent}.onmicrosoft.test"),
        repository_uid: Thing::Repository.at(agent * 2),
        repository_name: "Exchange & SharePoint",
        archive_repository_uid: archived.then(|| Thing::Repository.at(agent * 2 + 1)),
        archive_repository_name: archived.then_some("Archiv"),
        restore_points: 10 + n % 50,
        archive_restore_points: if archived { 12_i64 } else { 0 },
        newest_restore_point: (n % 20 != 19).then(|| fleet.now - chance(n, 6, 2 * DAY)),
        licensed: n % 4 != 3,
        educational: n % 9 == 8,
        restore_portal: n % 2 == 0,
        file_portal: n % 5 == 0,
        file_portal_url: (n % 5 == 0).then_some("https://restore.customer.test/"),
        epoch: 1_i64,
    })
}
