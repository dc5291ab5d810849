//! The data folder: whose it is, its keys, and the room that is left.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::finding::Finding;

const MIB: u64 = 1 << 20;
/// Below this a database stops soon.
const LITTLE: u64 = 256 * MIB;
const SCARCE: u64 = 2048 * MIB;

pub(super) fn examine(data: &Path) -> Vec<Finding> {
    if !data.exists() {
        let message = format!("{} is not there yet: the first start makes it", data.display());
        return vec![Finding::ok("folder", message)];
    }
    let mut findings = vec![private("folder", data, 0o700)];
    let keys = ["pki/ca.key", "pki/server.key", "secrets.key"];
    findings.extend(
        keys.map(|name| data.join(name))
            .iter()
            .filter(|key| key.exists())
            .map(|key| private("key", key, 0o600)),
    );
    findings.extend(disk(data));
    findings
}

/// A key that others can read is theirs too; a folder that they can look into tells them less.
fn private(check: &'static str, path: &Path, wanted: u32) -> Finding {
    let shown = path.display();
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            return Finding::fail(
                check,
                format!("{shown} cannot be read: {error}"),
                "run this as the host's own user",
            );
        }
    };
    let mode = metadata.permissions().mode() & 0o777;
    let (message, advice) = (format!("{shown} has mode {mode:04o}"), format!("chmod {wanted:04o} {shown}"));
    match (mode & 0o077, metadata.is_dir()) {
        (0, _) => Finding::ok(check, message),
        (_, true) => Finding::warn(check, message, advice),
        (_, false) => Finding::fail(check, message, advice),
    }
}

fn disk(data: &Path) -> Option<Finding> {
    let room = rustix::fs::statvfs(data).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let message = format!("{} MiB are free below {}", free / MIB, data.display());
    Some(if free < LITTLE {
        Finding::fail("disk", message, "make room: the database stops when it is full")
    } else if free < SCARCE {
        Finding::warn("disk", message, "make room before it is needed")
    } else {
        Finding::ok("disk", message)
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_key_that_others_read_fails_and_a_folder_that_they_open_warns() {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("secrets.key");
        std::fs::write(&key, "k").unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(&key, 0o640);
        mode(data.path(), 0o755);
        let level =
            |check: &str| examine(data.path()).iter().find(|one| one.check == check).map(|one| one.level);
        assert_eq!((level("folder"), level("key")), (Some(Level::Warn), Some(Level::Fail)));
        mode(&key, 0o600);
        mode(data.path(), 0o700);
        assert_eq!((level("folder"), level("key")), (Some(Level::Ok), Some(Level::Ok)));
    }
}
