//! A real restic repository with two workloads: one backed up just now, one whose only snapshot is days old.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use time::{Duration, OffsetDateTime};

use super::place::{random_password, write_secret};
use crate::process;

/// The workload whose only snapshot is old.
pub(super) const STALE: &str = "accounts-01";
const FRESH: &str = "reception-02";
const STALE_DAYS: i64 = 3;

/// The repository and what is backed up into it.
#[derive(Debug)]
pub(super) struct Repository {
    home: PathBuf,
    folder: PathBuf,
    password_file: PathBuf,
}

impl Repository {
    /// Below the demo's folder.
    pub(super) fn new(home: &Path) -> Self {
        Self {
            home: home.to_path_buf(),
            folder: home.join("restic"),
            password_file: home.join("restic.password"),
        }
    }

    /// The repository itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with its password.
    pub(super) fn password_file(&self) -> &Path {
        &self.password_file
    }

    /// What is backed up of a workload.
    pub(super) fn files_of(&self, host: &str) -> PathBuf {
        self.home.join("files").join(host)
    }

    /// Makes files and repository, and backs both workloads up.
    pub(super) fn make(&self) -> anyhow::Result<()> {
        write_secret(&self.password_file, &random_password()?)?;
        self.restic(&["init"])?;
        for host in [STALE, FRESH] {
            write_files(&self.files_of(host), host).context("failed to write the files to back up")?;
        }
        self.backup(STALE, &["--time", &days_ago(STALE_DAYS)])?;
        self.backup(FRESH, &[])
    }

    fn backup(&self, host: &str, more: &[&str]) -> anyhow::Result<()> {
        let files = self.files_of(host).display().to_string();
        self.restic(&[&["backup", "--host", host], more, &[files.as_str()]].concat())
    }

    fn restic(&self, args: &[&str]) -> anyhow::Result<()> {
        let mut restic = Command::new("restic");
        clean_environment(&mut restic);
        restic.arg("-r").arg(&self.folder).arg("--password-file").arg(&self.password_file);
        restic.args(["--quiet", "--no-cache"]).args(args);
        process::read(&mut restic).map(drop)
    }
}

/// A person's own restic settings must not reach the demo's; times are given in UTC.
pub(super) fn clean_environment(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RESTIC_")) {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
}

#[expect(clippy::disallowed_methods, reason = "restic compares snapshots with the machine's real time")]
fn days_ago(days: i64) -> String {
    let then = OffsetDateTime::now_utc() - Duration::days(days);
    format!("{} {:02}:{:02}:{:02}", then.date(), then.hour(), then.minute(), then.second())
}

/// A few folders of plain text, enough to browse and restore.
fn write_files(folder: &Path, host: &str) -> anyhow::Result<()> {
    for year in 2024..=2026 {
        let year_folder = folder.join(format!("invoices/{year}"));
        fs::create_dir_all(&year_folder)?;
        for month in 1..=12 {
            let mut text = format!("Invoices of {host}, {year}-{month:02}\n\n");
            for line in 1..=200 {
                writeln!(
                    text,
                    "{year}-{month:02}-{:04}  item {line}  {}.{:02}",
                    line * month,
                    line * 37 % 900,
                    line % 100
                )?;
            }
            fs::write(year_folder.join(format!("{month:02}.txt")), text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_time_is_written_as_restic_reads_it() {
        let text = days_ago(3);
        let shape: String =
            text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00");
    }

    #[test]
    fn the_repository_has_an_old_and_a_fresh_snapshot() {
        let home = tempfile::tempdir().unwrap();
        let repository = Repository::new(home.path());
        repository.make().unwrap();
        let mut restic = Command::new("restic");
        clean_environment(&mut restic);
        restic.arg("-r").arg(repository.folder()).arg("--password-file").arg(repository.password_file());
        let text = process::read(restic.args(["--no-cache", "snapshots", "--json"])).unwrap();
        let snapshots: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let time_of = |host: &str| {
            let found = snapshots.iter().find(|snapshot| snapshot["hostname"] == host).unwrap();
            found["time"].as_str().unwrap().to_owned()
        };
        assert_eq!(snapshots.len(), 2);
        assert!(time_of(STALE) < time_of(FRESH));
        assert_eq!(time_of(STALE)[..10], days_ago(STALE_DAYS)[..10]);
    }
}
