//! What only a running host knows: its limits, and who did not come through its agents' ports.

use serde::Deserialize;

use super::finding::Finding;
use super::{Ward, socket};
use crate::clock::DAY;
use crate::instant;

/// A connection is a descriptor, and every agent has one.
const FEW: u64 = 4_096;
const TOO_FEW: u64 = 512;
/// Failures that are named; the rest are counted.
const NAMED: usize = 3;

/// How many files may be open: the running host's limit, else what a host started from here would have.
pub(super) fn descriptors(ward: &Ward<'_>) -> Finding {
    let of_host = ward.running.as_ref().and_then(|run| limit_of(run.pid));
    let own = || rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let (limit, whose) = match of_host {
        Some(limit) => (limit, "the running host"),
        None => (own(), "a host started from here"),
    };
    let message = format!("{whose} may have {limit} files and connections open");
    let advice = "set LimitNOFILE=65536 in its service, or `ulimit -n 65536`; every agent takes one";
    if limit < TOO_FEW {
        Finding::fail("descriptors", message, advice)
    } else if limit < FEW {
        Finding::warn("descriptors", message, advice)
    } else {
        Finding::ok("descriptors", message)
    }
}

fn limit_of(pid: u32) -> Option<u64> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

/// As `keelson agent handshakes --json` prints it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    address: String,
    kind: String,
    count: u64,
    last_seen: String,
    last_success: Option<String>,
    recommendation: String,
}

/// Whether a host runs, and whom it turned away.
pub(super) async fn host(ward: &Ward<'_>) -> Vec<Finding> {
    let Some(run) = &ward.running else {
        return vec![Finding::ok("host", "none runs on this folder")];
    };
    let arguments = ["agent", "handshakes", "--json"].map(str::to_owned).to_vec();
    let answer = socket::ask(ward.data, arguments, (None, false)).await;
    let answer = answer.and_then(|answer| match answer {
        Some((_, Some(error))) => Err(anyhow::anyhow!(error)),
        Some((output, None)) => Ok(serde_json::from_str::<Vec<Handshake>>(&output)?),
        None => Ok(Vec::new()),
    });
    match answer {
        Ok(failures) => {
            vec![
                Finding::ok("host", format!("it runs as process {}", run.pid)),
                handshakes(failures, ward.now),
            ]
        }
        Err(error) => {
            let advice = "use the keelson of the running host; else its log says why, or restart it";
            vec![Finding::warn(
                "host",
                format!("it runs as process {} and does not answer: {error:#}", run.pid),
                advice,
            )]
        }
    }
}

/// Those of the last day that no agent has made good since.
fn handshakes(mut failures: Vec<Handshake>, now: i64) -> Finding {
    let since = instant::format(now - DAY);
    failures.retain(|one| {
        one.last_seen >= since && one.last_success.as_ref().is_none_or(|mended| *mended < one.last_seen)
    });
    let Some(first) = failures.first() else {
        return Finding::ok("handshakes", "none failed within a day that was not made good");
    };
    let advice = format!("{}; GET /api/v3/diagnostics/tls has all of them", first.recommendation);
    let named = failures.iter().take(NAMED);
    let named: Vec<_> =
        named.map(|one| format!("{} of {} ({}×)", one.kind, one.address, one.count)).collect();
    let rest = failures.len() - named.len();
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    Finding::warn("handshakes", format!("agents' ports turned away {}{rest}", named.join(", ")), advice)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    fn failure(seen: i64, mended: Option<i64>) -> Handshake {
        Handshake {
            address: "10.0.0.1".to_owned(),
            kind: "OldTls".to_owned(),
            count: 2,
            last_seen: instant::format(seen),
            last_success: mended.map(instant::format),
            recommendation: "pass it through".to_owned(),
        }
    }

    #[test]
    fn old_and_mended_failures_are_no_complaint() {
        let now = 100 * DAY;
        let fine = vec![failure(now - 2 * DAY, None), failure(now - 5_000, Some(now - 1_000))];
        assert_eq!(handshakes(fine, now).level, Level::Ok);
        let found = handshakes((0..5).map(|_| failure(now - 5_000, Some(now - 9_000))).collect(), now);
        assert_eq!(found.level, Level::Warn);
        assert!(found.message.contains("OldTls of 10.0.0.1 (2×)") && found.message.ends_with("and 2 more"));
    }

    #[test]
    fn a_process_says_how_many_files_it_may_open() {
        assert!(limit_of(std::process::id()).is_some_and(|limit| limit > 0));
    }
}
