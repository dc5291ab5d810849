//! Restore points, the oldest of all workloads first, as time brought them.

use super::numbers::Thing;
use super::table::{Table, rows};
use super::workloads::Workload;
use super::{DAY, Fleet};

/// More points than any workload has.
const MOST: i64 = 15;

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![restore_points(fleet)]
}

fn in_time(fleet: Fleet) -> impl Iterator<Item = (Workload, i64)> + Send {
    let round = move |k| {
        let there = (0..fleet.scale.workloads).map(move |n| fleet.workload(n));
        there.filter(move |workload| k < workload.points).map(move |workload| (workload, k))
    };
    (0..MOST).flat_map(round)
}

fn restore_points(fleet: Fleet) -> Table {
    rows!("restore_points", in_time(fleet).zip(0..), |((workload, k), number)| (
        at = workload.point_at(k),
        size = workload.point_size(k),
        source = workload.source(),
        is_machine = workload.kind == "virtual_machine",
        of_server = workload.kind != "computer",
    ) {
        uid: Thing::Point.at(number),
        workload_uid: workload.uid(),
        key: format!("p{k}"),
        created_at: at,
        size: size,
        source_size: (!is_machine).then_some(size * 2),
        destination: if workload.n % 7 == 0 { "Cloud repository 1" } else { r"D:\Sicherungen" },
        epoch: 1_i64,
        company_uid: fleet.owner_of(workload.agent),
        agent_uid: Thing::Agent.at(workload.agent),
        account_uid: fleet.account_of(workload.agent),
        kind: workload.kind,
        latest: k == workload.points - 1,
        server_uid: Thing::Server.at(workload.agent),
        backup_uid: of_server.then(|| Thing::Backup.at(workload.n)),
        job_uid: workload.job().or_else(|| (workload.n % 2 == 0).then(|| Thing::Foreign.at(workload.n))),
        repository_uid: of_server.then(|| workload.repository()),
        target_type: of_server.then_some(if workload.n % 7 == 0 { "Cloud" } else { "Local" }),
        tier: is_machine.then_some(if k < 2 { "Capacity" } else { "Performance" }),
        file_path: is_machine.then(|| format!("vm-{}/p{k}.vib", workload.n)),
        file_created_at: source.map(|_| at + 30_000),
        gfs: if is_machine && k == 0 { r#"["Weekly,"]"# } else { "[]" },
        immutable_till: (is_machine && workload.n % 5 == 0).then_some(at + 30 * DAY),
        consistent: is_machine.then_some(workload.n % 40 != 6),
        cpu_cores: source.map(|_| 2 + workload.n % 8 * 2),
        memory: source.map(|_| (4 + workload.n % 8 * 4) << 30),
        increment_size: (k > 0).then_some(size + size / 10),
        provisioned_size: source.map(|source| source.0),
        used_size: source.map(|source| source.1),
        archive: workload.is_archived(k),
        malware_state: workload.malware(),
    })
}
