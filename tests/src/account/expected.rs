//! The account of one agent: its engine's inventory as rows.

use keelson_agent::inventory::Inventory;
use keelson_proto::v1::{Backup, Job, JobSession, JobTask, License, Repository, RestorePoint, Workload};
use uuid::Uuid;

use super::{CELL, Row};

/// What a host must hold of an agent whose engine has this inventory.
pub fn of_agent(agent: Uuid, inventory: &Inventory) -> Vec<Row> {
    let agent = agent.simple().to_string();
    let row = |kind: &str, keys: &[&str], cells: Vec<String>| Row {
        kind: kind.to_owned(),
        agent: agent.clone(),
        key: keys.join("/"),
        content: ["own".to_owned()].into_iter().chain(cells).collect::<Vec<_>>().join(CELL),
    };
    let server = &inventory.server;
    let mut rows =
        vec![row("server", &[&server.key], texts(&[&server.name, &server.engine, &server.version]))];
    rows.extend(inventory.license.iter().map(|one| row("licence", &[&one.server_key], licence(one))));
    let repositories = inventory.repositories.iter();
    rows.extend(repositories.map(|one| row("repository", &[&one.server_key, &one.key], repository(one))));
    rows.extend(inventory.jobs.iter().map(|one| row("job", &[&one.server_key, &one.key], job(one))));
    let sessions = inventory.sessions.iter();
    rows.extend(sessions.map(|one| row("session", &[&one.server_key, &one.key], session(one))));
    for one in &inventory.workloads {
        let points = points_of(inventory, &one.key);
        rows.push(row("workload", &[&one.server_key, &one.key], workload(one, &points)));
        let newest = points.iter().map(|point| point.created_at).max();
        for point in points {
            let keys = [point.server_key.as_str(), &point.workload_key, &point.key];
            rows.push(row("point", &keys, restore_point(point, newest)));
        }
    }
    for one in &inventory.backups {
        let points = points_of(inventory, &one.workload_key);
        let keys = [one.server_key.as_str(), &one.workload_key, &one.key];
        rows.push(row("backup", &keys, backup(one, &points)));
    }
    rows
}

fn points_of<'i>(inventory: &'i Inventory, workload: &str) -> Vec<&'i RestorePoint> {
    inventory.restore_points.iter().filter(|point| point.workload_key == workload).collect()
}

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

fn int(value: Option<i64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// In thousandths, so that no database's way of writing fractions matters.
#[expect(clippy::cast_possible_truncation, reason = "a simulated licence has few units")]
fn real(value: Option<f64>) -> String {
    value.map(|value| ((value * 1000.0).round() as i64).to_string()).unwrap_or_default()
}

fn flag(value: bool) -> String {
    (if value { "yes" } else { "no" }).to_owned()
}

/// Number, newest instant, and bytes in all.
fn tally(points: &[&RestorePoint]) -> Vec<String> {
    let newest = points.iter().map(|point| point.created_at).max();
    let total: i64 = points.iter().filter_map(|point| point.size).sum();
    vec![
        points.len().to_string(),
        int(newest),
        if points.is_empty() { String::new() } else { total.to_string() },
    ]
}

fn workload(one: &Workload, points: &[&RestorePoint]) -> Vec<String> {
    let mode = match one.operation_mode.as_str() {
        "server" => "Server",
        "workstation" => "Workstation",
        _ => "Unknown",
    };
    let details = one.details.clone().unwrap_or_default();
    let addresses = serde_json::to_string(&details.ip_addresses).expect("texts");
    let mut cells = texts(&[&one.name, &one.kind, mode, &one.backed_up_items, &details.job_key]);
    cells.extend(texts(&[&details.platform, &details.guest_os, &details.malware_state, &addresses]));
    cells.extend([int(Some(details.jobs)), int(details.provisioned_size), int(details.used_size)]);
    cells.extend(tally(points));
    cells
}

fn restore_point(one: &RestorePoint, newest: Option<i64>) -> Vec<String> {
    let details = one.details.clone().unwrap_or_default();
    let mut cells = vec![int(Some(one.created_at)), int(one.size), int(one.source_size)];
    cells.extend(texts(&[&one.destination, &details.backup_key, &details.job_key, &details.repository_key]));
    cells.extend(texts(&[&details.target_type, &details.file_path, &details.malware_state]));
    cells.extend([int(details.file_created_at), details.consistent.map(flag).unwrap_or_default()]);
    cells.extend([int(details.provisioned_size), int(details.used_size), int(details.increment_size)]);
    cells.push(flag(Some(one.created_at) == newest));
    cells
}

fn backup(one: &Backup, points: &[&RestorePoint]) -> Vec<String> {
    let mut cells = texts(&[&one.job_key, &one.job_name, &one.job_kind, &one.backup_type]);
    cells.extend(texts(&[&one.repository_key, &one.target_type, &one.malware_state]));
    cells.extend([int(one.provisioned_size), int(one.used_size)]);
    cells.extend(tally(points));
    cells
}

fn repository(one: &Repository) -> Vec<String> {
    let mut cells = texts(&[&one.name, &one.kind, &one.host_name, &one.path]);
    cells.extend([one.capacity, one.free_space, one.used_space, one.backup_size].map(int));
    cells
}

fn job(one: &Job) -> Vec<String> {
    let mut cells = texts(&[&one.name, &one.kind, &one.status, &flag(one.enabled), &one.description]);
    let duration = one.last_run.zip(one.last_end).map(|(began, ended)| (ended - began) / 1000);
    cells.extend([one.last_run, one.last_end, duration, one.average_duration].map(int));
    cells.extend(texts(&[&one.bottleneck, &one.destination, &one.failure]));
    cells.push(int(one.retention_limit));
    cells.extend(texts(&[&one.retention_type, &one.schedule_type, &one.target_type, &tasks(&one.tasks)]));
    cells
}

fn session(one: &JobSession) -> Vec<String> {
    let mut cells = texts(&[&one.job_key, &one.job_name, &one.kind, &one.status]);
    cells.extend([int(Some(one.started_at)), int(one.ended_at), one.message.clone(), tasks(&one.tasks)]);
    cells
}

/// What a run did to each machine.
fn tasks(tasks: &[JobTask]) -> String {
    tasks.iter().map(|task| format!("{}={}", task.object_name, task.status)).collect::<Vec<_>>().join(",")
}

fn licence(one: &License) -> Vec<String> {
    let mut cells = texts(&[&one.r#type, &one.status, &one.edition, &one.company, &one.cloud_connect]);
    cells.extend([flag(one.auto_update), int(one.expires_at), int(one.support_expires_at)]);
    cells.push(one.unit_type.clone());
    cells.extend([one.units, one.used_units, one.new_units, one.rental_units].map(real));
    cells
}
