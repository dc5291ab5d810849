//! The machine, servers, repositories, workloads, backups and restore points.

use keelson_proto::v1::{
    Backup, BackupServer, Gap, Machine, Repository, RestorePoint, RestorePointDetails, Workload,
    WorkloadDetails,
};

use super::check::{
    LATEST, count, key, maybe_instant, maybe_key, maybe_past, maybe_text, maybe_uuid, maybe_word, measure,
    past, text, texts, word,
};
use super::words;
use crate::instant;
use crate::store::{
    BackupFact, BackupKey, BackupRepositoryFact, ComputerFact, PointDetails, RestorePointFact, ServerDetails,
    ServerFact, WorkloadFact,
};

pub(super) fn server(server: BackupServer) -> Result<ServerFact, String> {
    Ok(ServerFact {
        key: key("key", server.key)?,
        name: text("name", server.name)?,
        engine: text("engine", server.engine)?,
        version: text("version", server.version)?,
        details: ServerDetails {
            installation_uid: maybe_text("installation's id", server.installation_uid)?,
            display_version: maybe_text("display version", server.display_version)?,
            label: maybe_text("label", server.label)?,
            clustered: server.clustered,
            status: maybe_word(&server.status, words::SERVER_STATUSES),
        },
    })
}

/// Which agents stand on the other nodes of a cluster, no agent can say of itself: it would point at another's.
pub(super) fn machine(machine: Machine) -> Result<ComputerFact, String> {
    Ok(ComputerFact {
        master: false,
        cloud_connect: machine.cloud_connect,
        reboot_required: machine.reboot_required,
        status: maybe_word(&machine.status, words::AGENT_STATUSES),
        clustered_agents: Vec::new(),
        bios_uuid: maybe_uuid("firmware's id", &machine.bios_uuid)?,
        fqdn: maybe_text("full name", machine.fqdn)?,
        guest_os: maybe_text("system", machine.guest_os)?,
        guest_os_type: maybe_word(&machine.guest_os_type, words::OS_TYPES),
        guest_os_version: maybe_text("system's version", machine.guest_os_version)?,
        guest_os_sku: measure("system's edition", machine.guest_os_sku)?
            .map(|sku| sku.min(i64::from(i32::MAX))),
        platform_type: maybe_word(&machine.platform_type, words::PLATFORMS),
        ip_addresses: texts("IP address", machine.ip_addresses)?,
        mac_addresses: texts("MAC address", machine.mac_addresses)?,
        applications: machine
            .applications
            .iter()
            .take(64)
            .map(|one| word(one, words::APPLICATIONS))
            .collect(),
    })
}

pub(super) fn workload(workload: Workload) -> Result<WorkloadFact, String> {
    let operation_mode = match workload.operation_mode.as_str() {
        "server" => "Server",
        "workstation" => "Workstation",
        _ => "Unknown",
    };
    Ok(WorkloadFact {
        server: key("server key", workload.server_key)?,
        key: key("key", workload.key)?,
        name: text("name", workload.name)?,
        kind: key("kind", workload.kind)?,
        operation_mode: operation_mode.to_owned(),
        backed_up_items: text("backed up items", workload.backed_up_items)?,
        details: workload.details.map(|details| workload_details(*details)).transpose()?.map(Box::new),
    })
}

fn workload_details(details: WorkloadDetails) -> Result<crate::store::WorkloadDetails, String> {
    let groups =
        details.protection_group_keys.into_iter().take(256).map(|one| key("protection group's key", one));
    Ok(crate::store::WorkloadDetails {
        job: maybe_key("job's key", details.job_key)?,
        object: maybe_key("object's key", details.object_key)?,
        source: maybe_key("machine's key", details.source_key)?,
        platform: maybe_word(&details.platform, words::COMPUTER_PLATFORMS),
        guest_os: maybe_text("guest system", details.guest_os)?,
        ip_addresses: texts("IP address", details.ip_addresses)?,
        protection_groups: groups.collect::<Result<_, _>>()?,
        hierarchy_ref: maybe_text("reference in the hierarchy", details.hierarchy_ref)?,
        parent_host_ref: maybe_text("reference of the host", details.parent_host_ref)?,
        malware_state: word(&details.malware_state, words::MALWARE_STATES),
        immutable: details.immutable,
        jobs: count("number of jobs", details.jobs)?,
        provisioned_size: measure("provisioned size", details.provisioned_size)?,
        used_size: measure("used size", details.used_size)?,
    })
}

pub(super) fn backup_key(server: String, workload: String, own: String) -> Result<BackupKey, String> {
    Ok(BackupKey {
        server: key("server key", server)?,
        workload: key("workload key", workload)?,
        key: key("key", own)?,
    })
}

pub(super) fn backup(backup: Backup) -> Result<BackupFact, String> {
    Ok(BackupFact {
        key: backup_key(backup.server_key, backup.workload_key, backup.key)?,
        object: maybe_key("object's key", backup.object_key)?,
        job: maybe_key("job's key", backup.job_key)?,
        job_name: text("job's name", backup.job_name)?,
        job_kind: word(&backup.job_kind, words::PROTECTING_JOBS),
        backup_type: word(&backup.backup_type, words::BACKUP_TYPES),
        repository: maybe_key("repository's key", backup.repository_key)?,
        target_type: word(&backup.target_type, words::POINT_TARGETS),
        tier: word(&backup.tier, words::TIERS),
        malware_state: word(&backup.malware_state, words::MALWARE_STATES),
        immutable: backup.immutable,
        provisioned_size: measure("provisioned size", backup.provisioned_size)?,
        used_size: measure("used size", backup.used_size)?,
    })
}

/// A backup server whose clock is ahead must not make a workload look safe for as long: nothing was backed up later than it
/// is heard of.
pub(super) fn point(point: RestorePoint, now: i64) -> Result<RestorePointFact, String> {
    Ok(RestorePointFact {
        server: key("server key", point.server_key)?,
        workload: key("workload key", point.workload_key)?,
        key: key("key", point.key)?,
        created_at: past("restore point's instant", point.created_at, now)?,
        size: measure("restore point's size", point.size)?,
        source_size: measure("restore point's source size", point.source_size)?,
        destination: text("destination", point.destination)?,
        details: point.details.map(|details| point_details(*details, now)).transpose()?.map(Box::new),
    })
}

fn point_details(details: RestorePointDetails, now: i64) -> Result<PointDetails, String> {
    let kept = words::GFS.iter().filter(|(_, said)| details.gfs.iter().any(|one| one == said));
    let cores = measure("number of cores", details.cpu_cores)?;
    Ok(PointDetails {
        backup: maybe_key("backup's key", details.backup_key)?,
        job: maybe_key("job's key", details.job_key)?,
        repository: maybe_key("repository's key", details.repository_key)?,
        target_type: word(&details.target_type, words::POINT_TARGETS),
        tier: word(&details.tier, words::TIERS),
        file_path: maybe_text("file", details.file_path)?,
        file_created_at: maybe_past("instant at which the file was made", details.file_created_at, now)?,
        gfs: kept.map(|(shown, _)| (*shown).to_owned()).collect(),
        immutable_till: maybe_instant(details.immutable_till),
        consistent: details.consistent,
        cpu_cores: cores.map(|cores| cores.min(i64::from(i32::MAX))),
        memory: measure("memory", details.memory)?,
        increment_size: measure("size of the increment", details.increment_size)?,
        provisioned_size: measure("provisioned size", details.provisioned_size)?,
        used_size: measure("used size", details.used_size)?,
        archive: details.archive,
        malware_state: word(&details.malware_state, words::MALWARE_STATES),
    })
}

pub(super) fn repository(repository: Repository) -> Result<BackupRepositoryFact, String> {
    let kind = word(&repository.kind, words::REPOSITORY_TYPES);
    let immutable_days = measure("number of immutable days", repository.immutable_days)?;
    Ok(BackupRepositoryFact {
        server: key("server key", repository.server_key)?,
        key: key("key", repository.key)?,
        name: text("name", repository.name)?,
        cloud: kind == "Cloud",
        kind,
        status: "Healthy".to_owned(),
        host_name: maybe_text("host name", repository.host_name)?,
        path: maybe_text("path", repository.path)?,
        capacity: measure("capacity", repository.capacity)?,
        free_space: measure("free space", repository.free_space)?,
        used_space: measure("used space", repository.used_space)?,
        backup_size: measure("size of backups", repository.backup_size)?,
        immutability_enabled: Some(immutable_days.is_some()),
        immutability_interval: immutable_days,
        out_of_date: repository.out_of_date,
        per_vm_files: repository.per_machine_files,
        ..BackupRepositoryFact::default()
    })
}

/// What was lost for good, for people.
pub(super) fn gap(gap: &Gap) -> String {
    let until = instant::format(gap.lost_at.clamp(0, LATEST));
    format!(
        "the database is older than what it had acknowledged, and the agent no longer has it all: of what was reported until \
         {until}, after batch {} of epoch {} up to batch {} of epoch {}, only what still is so was told again",
        gap.held_sequence, gap.held_epoch, gap.lost_sequence, gap.lost_epoch
    )
}
