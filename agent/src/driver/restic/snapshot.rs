//! From restic's answers to an inventory.

use std::collections::{BTreeMap, HashMap};

use keelson_proto::v1::{BackupServer, RestorePoint, Workload};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::command::ResticError;
use crate::inventory::Inventory;

/// A person reads these: more than this is no longer read.
const MAX_NAME: usize = 255;
const MAX_ITEMS: usize = 4096;

/// One entry of `restic snapshots --json`.
#[derive(Deserialize)]
pub(super) struct Snapshot {
    id: String,
    time: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    paths: Vec<String>,
    /// Since restic 0.17.
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    data_added_packed: Option<i64>,
    total_bytes_processed: Option<i64>,
}

/// Host and sorted paths: what restic itself groups by.
type SetKey = (String, Vec<String>);

pub(super) fn inventory(
    server: BackupServer,
    snapshots: Option<Vec<Snapshot>>,
    repository: &str,
) -> Result<Inventory, ResticError> {
    let mut sets: BTreeMap<SetKey, Vec<Snapshot>> = BTreeMap::new();
    for mut snapshot in snapshots.unwrap_or_default() {
        snapshot.paths.sort_unstable();
        let key = (snapshot.hostname.clone(), snapshot.paths.clone());
        sets.entry(key).or_default().push(snapshot);
    }
    let mut sets_of_host: HashMap<String, usize> = HashMap::new();
    for (host, _) in sets.keys() {
        *sets_of_host.entry(host.clone()).or_default() += 1;
    }
    let mut workloads = Vec::new();
    let mut restore_points = Vec::new();
    for (key, snapshots) in sets {
        let workload = workload(&server.key, &key, sets_of_host.get(&key.0) == Some(&1));
        for snapshot in snapshots {
            restore_points.push(restore_point(&workload, snapshot, repository)?);
        }
        workloads.push(workload);
    }
    // restic runs nothing by itself: whoever wants backups has the system call it.
    Ok(Inventory { server, workloads, restore_points, ..Inventory::default() })
}

fn workload(server_key: &str, (host, paths): &SetKey, only_one: bool) -> Workload {
    let items = paths.join(", ");
    let host_name = if host.is_empty() { "(no host name)" } else { host };
    let name = if only_one { host_name.to_owned() } else { format!("{host_name} {items}") };
    Workload {
        server_key: server_key.to_owned(),
        key: workload_key(host, paths),
        name: clip(name, MAX_NAME),
        kind: "computer".to_owned(),
        operation_mode: String::new(),
        backed_up_items: clip(items, MAX_ITEMS),
        details: None,
    }
}

/// A hash, as the paths may be longer than a key may be. No file name holds a NUL.
pub(super) fn workload_key(host: &str, paths: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(host);
    for path in paths {
        hash.update([0]);
        hash.update(path);
    }
    hex::encode(hash.finalize()).chars().take(32).collect()
}

fn restore_point(
    workload: &Workload,
    snapshot: Snapshot,
    repository: &str,
) -> Result<RestorePoint, ResticError> {
    let created = OffsetDateTime::parse(&snapshot.time, &Rfc3339)
        .map_err(|error| ResticError::Time(snapshot.id.clone(), error))?;
    let summary = snapshot.summary.as_ref();
    Ok(RestorePoint {
        server_key: workload.server_key.clone(),
        workload_key: workload.key.clone(),
        key: snapshot.id,
        // A machine without a clock wrote what lies before 1970.
        created_at: i64::try_from(created.unix_timestamp_nanos() / 1_000_000).unwrap_or_default().max(0),
        size: summary.and_then(|summary| summary.data_added_packed).filter(|size| *size >= 0),
        source_size: summary.and_then(|summary| summary.total_bytes_processed).filter(|size| *size >= 0),
        destination: repository.to_owned(),
        details: None,
    })
}

/// At most `limit` bytes, cut between characters; without the NUL that JSON can carry and no database keeps.
fn clip(text: String, limit: usize) -> String {
    let mut text = if text.contains('\0') { text.replace('\0', "") } else { text };
    if text.len() > limit {
        let mut end = limit.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// "0.14.0" out of "restic 0.14.0 compiled with …".
pub(super) fn version(text: &str) -> String {
    text.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

/// The last part of the repository's location.
pub(super) fn default_name(repository: &str) -> String {
    let last = repository.trim_end_matches('/').rsplit(['/', ':']).next();
    last.filter(|name| !name.is_empty()).unwrap_or(repository).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Inventory {
        let server = BackupServer { key: "repo".to_owned(), ..BackupServer::default() };
        inventory(server, serde_json::from_str(json).unwrap(), "/srv/backup").unwrap()
    }

    #[test]
    fn a_later_restic_tells_sizes_and_an_earlier_one_leaves_them_open() {
        let state = parse(
            r#"[{"id":"1","time":"2024-05-06T07:08:09.123456789+02:00","hostname":"h","paths":["/b","/a"],
                 "summary":{"data_added_packed":5,"total_bytes_processed":9}},
                {"id":"2","time":"2024-05-06T07:08:09Z","hostname":"h","paths":["/a","/b"]}]"#,
        );
        assert_eq!(state.workloads.len(), 1, "the order of the paths makes no other workload");
        assert_eq!(state.workloads[0].name, "h");
        assert_eq!(state.workloads[0].backed_up_items, "/a, /b");
        let [first, second] = &state.restore_points[..] else { panic!() };
        assert_eq!((first.size, first.source_size), (Some(5), Some(9)));
        assert_eq!((second.size, second.source_size), (None, None));
        assert_eq!(first.created_at, 1_714_972_089_123);
        assert_eq!(first.destination, "/srv/backup");
    }

    #[test]
    fn a_host_with_several_sets_shows_their_paths() {
        let state = parse(
            r#"[{"id":"1","time":"2024-05-06T07:08:09Z","hostname":"h","paths":["/a"]},
                {"id":"2","time":"2024-05-06T07:08:09Z","hostname":"h","paths":["/b"]},
                {"id":"3","time":"2024-05-06T07:08:09Z","hostname":"i","paths":["/b"]}]"#,
        );
        let names: Vec<&str> = state.workloads.iter().map(|workload| workload.name.as_str()).collect();
        assert_eq!(names, ["h /a", "h /b", "i"]);
        assert!(parse("null").workloads.is_empty(), "an empty repository");
    }

    #[test]
    fn a_snapshot_from_before_1970_has_the_earliest_instant_that_the_host_takes() {
        let state = parse(r#"[{"id":"1","time":"1969-12-31T23:00:00Z","hostname":"h","paths":["/a"]}]"#);
        assert_eq!(state.restore_points[0].created_at, 0);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(clip("ä".repeat(200), 255).chars().count(), 127);
        assert!(clip("ä".repeat(200), 255).len() <= 255);
        assert_eq!(clip("a\0b".to_owned(), 255), "ab");
        assert_eq!(default_name("/srv/backup/"), "backup");
        assert_eq!(default_name("/"), "/");
        assert_eq!(default_name("b2:bucket"), "bucket");
    }
}
