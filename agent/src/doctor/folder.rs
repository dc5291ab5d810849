//! The data folder and what is in it.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use uuid::Uuid;
use x509_parser::parse_x509_certificate;

use super::finding::Finding;
use crate::clock::Clock;
use crate::config::{DataFolder, Settings};
use crate::error::chain;
use crate::identity::Identity;
use crate::spool::{DEFAULT_LIMIT, ReplayWindow};

const CHECK: &str = "certificate";
const DAY: i64 = 24 * 60 * 60 * 1000;
/// A renewal that is due for so long has been tried many times.
const OVERDUE: i64 = 3 * DAY;

/// Whether folder and key files are there, and nobody else's.
pub(super) fn files(folder: &DataFolder) -> Vec<Finding> {
    let path = folder.path();
    if !path.is_dir() {
        let message = format!("{} is not there", path.display());
        return vec![Finding::fail("folder", message, "name the folder that `keelson-agent enroll` made")];
    }
    let mut findings = vec![private("folder", path, 0o700)];
    for key in [folder.key(), folder.next_key()] {
        if key.exists() {
            findings.push(private("key", &key, 0o600));
        }
    }
    if !folder.key().exists() && !folder.next_key().exists() {
        findings.push(Finding::fail("key", "agent.key is not there", "enrol again with `--force`"));
    }
    findings
}

/// A key that others can read is theirs too; a folder that they can look into tells them less.
#[cfg(unix)]
fn private(check: &'static str, path: &Path, wanted: u32) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = path.display();
    match path.metadata() {
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            let message = format!("{shown} has mode {mode:04o}");
            let advice = || format!("chmod {wanted:04o} {shown}");
            match (mode & 0o077, metadata.is_dir()) {
                (0, _) => Finding::ok(check, message),
                (_, true) => Finding::warn(check, message, advice()),
                (_, false) => {
                    let advice =
                        format!("{}; if others use this machine, enrol again with `--force`", advice());
                    Finding::fail(check, message, advice)
                }
            }
        }
        Err(error) => Finding::fail(
            check,
            format!("{shown} cannot be read: {error}"),
            "run this as the agent's own user",
        ),
    }
}

#[cfg(not(unix))]
fn private(check: &'static str, path: &Path, _wanted: u32) -> Finding {
    Finding::ok(check, format!("{} is there", path.display()))
}

/// Key and certificate, whose they are, and for how long they are good.
pub(super) fn certificate(
    folder: &DataFolder,
    settings: &Settings,
    clock: &dyn Clock,
) -> (Finding, Option<Identity>) {
    let identity = match Identity::look(folder, settings.pin) {
        Ok(identity) => identity,
        Err(error) => {
            return (Finding::fail(CHECK, chain(&error), "enrol again with `--force`"), None);
        }
    };
    let now = clock.now_ms();
    let days = (identity.not_after - now).div_euclid(DAY);
    let finding = if now >= identity.not_after {
        let advice =
            "set this machine's clock if it is wrong, else enrol again with `--force` and a new token";
        Finding::fail(CHECK, "the agent's certificate is over", advice)
    } else if let Some(finding) = stranger(folder, settings.agent_uid) {
        finding
    } else if now >= identity.renew_at.saturating_add(OVERDUE) {
        let advice = "let the agent run and reach its host: it renews the certificate by itself";
        Finding::warn(CHECK, format!("{days} days left, and a renewal is overdue"), advice)
    } else {
        Finding::ok(CHECK, format!("{days} days left; it is renewed by itself"))
    };
    (finding, Some(identity))
}

/// The host goes by the certificate, and people go by agent.toml: both must name the same agent.
fn stranger(folder: &DataFolder, agent: Uuid) -> Option<Finding> {
    match named(folder) {
        Some(named) if named == agent => None,
        Some(named) => {
            let message = format!("agent.pem is for agent {named}, and agent.toml names agent {agent}");
            let advice = format!("set `agent_uid` in agent.toml to {named}, or enrol again with `--force`");
            Some(Finding::fail(CHECK, message, advice))
        }
        None => Some(Finding::fail(CHECK, "agent.pem names no agent", "enrol again with `--force`")),
    }
}

/// Whom the certificate names.
fn named(folder: &DataFolder) -> Option<Uuid> {
    let leaf = CertificateDer::from_pem_file(folder.certificate()).ok()?;
    let (_, certificate) = parse_x509_certificate(&leaf).ok()?;
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    name.and_then(|name| name.parse().ok())
}

/// Room for what waits for the host.
#[cfg(unix)]
pub(super) fn disk(folder: &DataFolder) -> Option<Finding> {
    let room = rustix::fs::statvfs(folder.path()).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let most = DEFAULT_LIMIT + ReplayWindow::default().bytes;
    let message =
        format!("{} MiB are free for the spool, which takes {} MiB at most", free >> 20, most >> 20);
    Some(if free < DEFAULT_LIMIT / 4 {
        Finding::fail("disk", message, "make room: without it nothing is kept for the host")
    } else if free < most {
        let advice =
            "make room, or run the agent with a smaller --spool-limit and a smaller [replay] in agent.toml";
        Finding::warn("disk", message, advice)
    } else {
        Finding::ok("disk", message)
    })
}

#[cfg(not(unix))]
pub(super) fn disk(_folder: &DataFolder) -> Option<Finding> {
    None
}
