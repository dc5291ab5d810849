//! Two repositories on each backup server: a plain one, and one that is safe from changes or in the cloud.

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{Fleet, GIB};

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    const TYPES: [&str; 6] =
        ["Windows", "LinuxHardened", "Windows", "Cloud", "ScaleOut", "AmazonS3Compatible"];
    let table = rows!("backup_repositories", 0..fleet.agents() * 2, |n| (
        agent = n / 2,
        kind = one_of(&TYPES, n),
        capacity = (200 + chance(n, 1, 4_000)) * GIB,
        free = capacity / (2 + n % 9),
        name = if n % 2 == 0 { format!("Default Backup Repository {n}") } else { format!("Täglich {n}") },
    ) {
        uid: Thing::Repository.at(n),
        server_uid: Thing::Server.at(agent),
        agent_uid: Thing::Agent.at(agent),
        company_uid: fleet.owner_of(agent),
        key: format!("r{n}"),
        name_folded: name.to_lowercase(),
        name: name,
        type: kind,
        status: one_of(&["Healthy", "Healthy", "Warning", "Healthy", "Error", "Healthy", "Healthy"], n),
        host_name: (kind != "Cloud").then(|| format!("repo-{n}.corp.test")),
        host_uid: (kind != "Cloud").then(|| Thing::Foreign.at(n)),
        path: (kind != "Cloud").then_some(r"E:\Backups"),
        capacity: (n % 10 != 9).then_some(capacity),
        free_space: (n % 10 != 9).then_some(free),
        used_space: (n % 10 != 9).then_some(capacity - free),
        backup_size: (n % 10 != 9).then_some((capacity - free) / 2),
        cloud: kind == "Cloud",
        cloud_repository_uid: (kind == "Cloud").then(|| Thing::BackupResource.at(agent % (fleet.scale.companies / 2))),
        parent_uid: (n % 4 == 1).then(|| Thing::Repository.at(n - 1)),
        immutability_enabled: kind == "LinuxHardened",
        immutability_interval: (kind == "LinuxHardened").then_some(14_i64),
        out_of_date: n % 33 == 32,
        per_vm_files: n % 2 == 0,
        label_target_uid: (n % 3 == 0).then(|| Thing::Foreign.at(n)),
        labels: if n % 3 == 0 { r#"["gold","Büro"]"# } else { "[]" },
        epoch: 1_i64,
    });
    vec![table]
}
