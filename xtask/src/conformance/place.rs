//! A host on a fresh, seeded database, with an administrator and a key, for as long as one run takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::process::{self, Daemon};
use crate::seed;
use crate::workspace::Workspace;

const ADMIN: &str = "conformance";
const PASSWORD: &str = "Only-on-loopback-1";
const START_PATIENCE: Duration = Duration::from_mins(1);

/// The running host. It stands before its folder, because fields are dropped in this order.
#[derive(Debug)]
pub(super) struct Place {
    host: Daemon,
    url: String,
    ca_file: PathBuf,
    folder: TempDir,
}

impl Place {
    /// Makes the folder, seeds the fleet, starts the host.
    pub(super) fn start(workspace: &Workspace, database: Option<String>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("keelson-conformance-").tempdir()?;
        let own = || format!("sqlite:{}", folder.path().join("keelson.db").display());
        let database = database.unwrap_or_else(own);
        let settings = toml::Table::from_iter([
            ("database".to_owned(), database.clone().into()),
            ("advertise".to_owned(), "localhost".into()),
            ("api".to_owned(), "127.0.0.1:0".into()),
            ("agents-remote".to_owned(), "127.0.0.1:0".into()),
            ("agents-hosted".to_owned(), "127.0.0.1:0".into()),
            ("health".to_owned(), "127.0.0.1:0".into()),
            // The check asks as fast as it can.
            ("user-requests-per-second".to_owned(), 0.into()),
            ("address-requests-per-second".to_owned(), 0.into()),
        ]);
        fs::write(folder.path().join("keelson.toml"), settings.to_string())?;
        populate(workspace, folder.path(), &database)?;
        let mut serve = Daemon::command(&workspace.binary("keelson"));
        serve.arg("serve").arg("--data").arg(folder.path());
        let mut host = Daemon::spawn("keelson", &mut serve, folder.path().join("host.log"), "TERM")?;
        let (url, ca_file) = process::wait_for("the start of keelson", START_PATIENCE, || {
            host.check()?;
            Ok(address(folder.path()))
        })?;
        Ok(Self { host, url, ca_file, folder })
    }

    /// Tells the check where the host is and who asks.
    pub(super) fn point_at(&self, ask: &mut Command) {
        ask.args(["--url", &self.url, "--user", ADMIN]).arg("--ca").arg(&self.ca_file);
        ask.arg("--key-file").arg(self.folder.path().join("key"));
        ask.arg("--password-file").arg(self.folder.path().join("password"));
    }

    /// Fails when the host has ended by itself.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        self.host.check()
    }

    /// Copies the host's log to where it outlives the folder; where that is.
    pub(super) fn keep_log(&self, workspace: &Workspace) -> String {
        let kept = workspace.target.join("conformance/host.log");
        match fs::copy(self.folder.path().join("host.log"), &kept) {
            Ok(_) => format!("kept in {}", kept.display()),
            Err(error) => format!("lost ({error})"),
        }
    }
}

/// The fleet, and who looks at it.
fn populate(workspace: &Workspace, folder: &Path, database: &str) -> anyhow::Result<()> {
    let admin = ["user", "add", "--name", ADMIN, "--role", "PortalAdministrator", "--password-stdin"];
    let mut child = keelson(workspace, folder, &admin)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start keelson")?;
    if let Some(mut input) = child.stdin.take() {
        std::io::Write::write_all(&mut input, PASSWORD.as_bytes())
            .context("keelson did not read the password")?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("`keelson user add` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let key = process::read(&mut keelson(workspace, folder, &["apikey", "add", "--user", ADMIN]))?;
    fs::write(folder.join("key"), key.trim())?;
    fs::write(folder.join("password"), PASSWORD)?;
    seed::plant(workspace, database, seed::Scale::Small)
}

fn keelson(workspace: &Workspace, folder: &Path, args: &[&str]) -> Command {
    let mut keelson = workspace.tool(workspace.binary("keelson"));
    keelson.args(args).arg("--data").arg(folder);
    keelson
}

/// Where the host listens and which CA it has, once it is ready.
fn address(folder: &Path) -> Option<(String, PathBuf)> {
    let run: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("run.json")).ok()?).ok()?;
    let (_, port) = run.get("api")?.as_str()?.rsplit_once(':')?;
    Some((format!("https://localhost:{port}"), PathBuf::from(run.get("caFile")?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_by_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        assert!(address(folder.path()).is_none());
        fs::write(folder.path().join("run.json"), r#"{"api":"127.0.0.1:4711","caFile":"/d/ca.pem"}"#)
            .unwrap();
        let (url, ca_file) = address(folder.path()).unwrap();
        assert_eq!((url.as_str(), ca_file.as_path()), ("https://localhost:4711", Path::new("/d/ca.pem")));
    }
}
