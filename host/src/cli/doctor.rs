//! `keelson doctor`: what is wrong with this host, one finding a check, each with what to change.
//!
//! It runs in its own process, with the settings as `keelson serve` would take them, and changes nothing. A host that runs
//! on the folder is asked over its socket for what only it knows.

use std::path::Path;

use clap::Args;

use super::socket;
use crate::app::{self, RunFile};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags, ServeFlags};
use crate::error::chain;
use crate::store::{Inspection, StoreError, inspect};

mod certificates;
mod finding;
mod folder;
mod ports;
mod running;

use finding::Finding;

/// The database's clock decides nothing, but rows and log are compared by people.
const SKEW: i64 = 5_000;
const GRAVE_SKEW: i64 = 5 * 60_000;

/// Look for what is wrong: one line a check. Takes the settings as `serve` does, and changes nothing
#[derive(Debug, Clone, Args)]
pub(super) struct DoctorArguments {
    /// One line of JSON instead
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: ServeFlags,
}

/// What a check may ask.
struct Ward<'d> {
    data: &'d Path,
    config: Config,
    /// Where the host runs that has this folder, if one does.
    running: Option<RunFile>,
    now: i64,
}

impl Ward<'_> {
    /// Under which name agents and browsers look for the host: a running one was told, perhaps by a flag.
    fn name(&self) -> String {
        let running = self.running.as_ref().map(|run| run.advertise.clone());
        running.unwrap_or_else(|| self.config.advertise())
    }
}

/// Examines the host of a data folder, and prints what was found.
pub(super) async fn run(data: &Path, flags: &Flags, arguments: &DoctorArguments) -> anyhow::Result<()> {
    let findings = examine(data, flags, &arguments.serve).await;
    super::say(&if arguments.json { finding::to_json(&findings) } else { finding::to_text(&findings) })?;
    let failed = findings.iter().filter(|finding| finding.is_failure()).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

async fn examine(data: &Path, flags: &Flags, serve: &ServeFlags) -> Vec<Finding> {
    let version = Finding::ok("version", format!("this is keelson {}", env!("CARGO_PKG_VERSION")));
    let config = match Config::load(data, flags, serve) {
        Ok(config) => config,
        Err(error) => {
            let advice = "mend keelson.toml in the data folder, the variables KEELSON_…, or the flags";
            return vec![version, Finding::fail("settings", chain(&error), advice)];
        }
    };
    let running = RunFile::read(data).filter(|_| app::is_running(data));
    let ward = Ward { data, config, running, now: SystemClock.now_ms() };
    let mut findings = vec![version, name(&ward)];
    findings.extend(folder::examine(data));
    findings.extend(database(&ward).await);
    findings.extend(certificates::examine(&ward));
    findings.extend(ports::examine(&ward));
    findings.push(running::descriptors(&ward));
    findings.extend(running::host(&ward).await);
    findings
}

/// A name that is set and not in force yet is told; that none is set here says nothing about a host that runs.
fn name(ward: &Ward<'_>) -> Finding {
    const CHECK: &str = "settings";
    let name = ward.name();
    match &ward.config.advertise {
        Some(wanted) if *wanted != name => Finding::warn(
            CHECK,
            format!("`advertise` is set to {wanted}, and the running host has it as {name}"),
            "give the same settings here as to `keelson serve`, or restart it to take them",
        ),
        _ => Finding::ok(CHECK, format!("agents find this host as {name}")),
    }
}

async fn database(ward: &Ward<'_>) -> Vec<Finding> {
    const CHECK: &str = "database";
    let seen = match inspect(&ward.config.database(ward.data)).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return vec![Finding::ok(CHECK, "not there yet: the first start makes it")],
        Err(error) => {
            let advice = match &error {
                StoreError::Newer { .. } => "start the newer version again, or restore a backup of before",
                StoreError::Url => "set `database` to sqlite:PATH or postgres://USER@HOST/DATABASE",
                _ => {
                    "see that the database runs, that its address and credentials are right, and that this user may use it"
                }
            };
            return vec![Finding::fail(CHECK, chain(&error), advice)];
        }
    };
    let schema = match &seen {
        Inspection { schema: None, .. } => {
            Finding::ok(CHECK, "it is empty: the first start makes its tables")
        }
        Inspection { schema: Some(schema), pending: 0, .. } => {
            Finding::ok(CHECK, format!("it answers, and has the schema of this version ({schema})"))
        }
        Inspection { schema: Some(schema), pending, .. } => {
            let message =
                format!("it answers; its schema ({schema}) lacks {pending} migrations of this version");
            Finding::warn(CHECK, message, "back it up: the next start of this version brings them in")
        }
    };
    std::iter::once(schema).chain(seen.clock.map(|theirs| clock(ward.now, theirs))).collect()
}

fn clock(ours: i64, theirs: i64) -> Finding {
    const ADVICE: &str = "let both machines take the time from NTP";
    let skew = ours.saturating_sub(theirs).saturating_abs();
    let message = format!("this clock and the database's are {} s apart", skew / 1000);
    match skew {
        skew if skew > GRAVE_SKEW => Finding::fail("clock", message, ADVICE),
        skew if skew > SKEW => Finding::warn("clock", message, ADVICE),
        _ => Finding::ok("clock", message),
    }
}

#[cfg(test)]
mod tests {
    use super::finding::Level;
    use super::*;

    #[test]
    fn a_database_whose_clock_is_far_off_fails() {
        assert_eq!(clock(1_000, 0).level, Level::Ok);
        assert_eq!(clock(0, 6_000).level, Level::Warn);
        assert_eq!(clock(i64::MAX, i64::MIN).level, Level::Fail);
    }

    #[tokio::test]
    async fn a_host_that_was_never_started_is_well() {
        let folder = tempfile::tempdir().unwrap();
        let any = Some("127.0.0.1:0".parse().unwrap());
        let serve = ServeFlags {
            api: any,
            agents_remote: any,
            agents_hosted: any,
            health: any,
            ..ServeFlags::default()
        };
        let found = examine(&folder.path().join("new"), &Flags::default(), &serve).await;
        assert!(!found.iter().any(Finding::is_failure), "{}", finding::to_text(&found));
        std::fs::write(folder.path().join("keelson.toml"), "colour = 1").unwrap();
        let found = examine(folder.path(), &Flags::default(), &serve).await;
        let settings = found.iter().find(|one| one.check == "settings").unwrap();
        assert!(settings.is_failure() && settings.message.contains("colour"), "{settings:?}");
    }
}
