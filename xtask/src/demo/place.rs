//! The demo's folder and its ports.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::postgres::free_port;
use crate::step;
use crate::workspace::Workspace;

const LOCK: &str = "demo.lock";
const CREDENTIALS: &str = "demo-credentials.json";

/// The folder, held by a lock for as long as this lives: a second demo must not empty it under the first.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    _lock: File,
}

/// What cannot be asked of the host a second time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Credentials {
    /// The administrator's.
    pub(super) password: String,
    /// The administrator's, too.
    pub(super) api_key: String,
}

impl Place {
    /// Opens `chosen` as it is, or empties the standard folder.
    pub(super) fn open(workspace: &Workspace, chosen: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match chosen {
            Some(folder) => std::path::absolute(folder).context("failed to read the current folder")?,
            None => workspace.root.join(".keelson/demo"),
        };
        fs::create_dir_all(folder.join("logs"))
            .with_context(|| format!("failed to make {}", folder.display()))?;
        let lock = File::create(folder.join(LOCK))
            .with_context(|| format!("failed to write in {}", folder.display()))?;
        if lock.try_lock().is_err() {
            bail!("a demo is running in {}: stop it, or choose another folder with --data", folder.display());
        }
        let place = Self { folder, _lock: lock };
        if chosen.is_none() {
            place.empty()?;
        }
        Ok(place)
    }

    fn empty(&self) -> anyhow::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_name() == LOCK {
                continue;
            }
            if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .with_context(|| format!("failed to remove {}", path.display()))?;
        }
        Ok(fs::create_dir_all(self.folder.join("logs"))?)
    }

    /// The folder itself, absolute; it is also the host's data folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a program's output goes.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// Removes what an earlier host wrote when it was ready.
    pub(super) fn forget_last_run(&self) -> anyhow::Result<()> {
        match fs::remove_file(self.folder.join("run.json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("failed to remove run.json")
            }
            _ => Ok(()),
        }
    }

    /// Writes the host's settings: in a file, because the commands that make tokens must know them as `serve` does.
    pub(super) fn write_settings(&self, doors: &Doors, library: &Path) -> anyhow::Result<()> {
        let mut settings = toml::Table::new();
        for (key, port) in doors.settings() {
            settings.insert(key.to_owned(), format!("127.0.0.1:{port}").into());
        }
        settings.insert("advertise".to_owned(), "localhost".into());
        settings.insert("library".to_owned(), library.display().to_string().into());
        let file = self.folder.join("keelson.toml");
        let text = format!("# Written by `cargo xtask demo` at each start.\n{settings}");
        fs::write(&file, text).with_context(|| format!("failed to write {}", file.display()))
    }

    /// The host's CA certificate, once `run.json` says that the host is ready.
    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        let run: serde_json::Value =
            serde_json::from_slice(&fs::read(self.folder.join("run.json")).ok()?).ok()?;
        Some(self.folder.join(run.get("caFile")?.as_str()?))
    }

    /// What an earlier run in this folder made.
    pub(super) fn credentials(&self) -> anyhow::Result<Option<Credentials>> {
        let file = self.folder.join(CREDENTIALS);
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", file.display())),
        }
        .with_context(|| format!("{} is damaged: start with an empty folder", file.display()))
    }

    /// Keeps what the next run in this folder needs.
    pub(super) fn remember(&self, credentials: &Credentials) -> anyhow::Result<()> {
        self.keep_secret(CREDENTIALS, &serde_json::to_string(credentials)?).map(drop)
    }

    /// Writes a file that only its owner may read.
    pub(super) fn keep_secret(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        write_secret(&file, text)?;
        Ok(file)
    }
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(file: &Path, text: &str) -> anyhow::Result<()> {
    let opened = File::options().create(true).truncate(true).write(true).mode(0o600).open(file);
    opened
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .with_context(|| format!("failed to write {}", file.display()))
}

/// 144 random bits in letters that need no quoting, with one of each kind for strict password rules.
pub(super) fn random_password() -> anyhow::Result<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no random numbers from this machine: {error}"))?;
    let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
    Ok(letters.fold(String::from("Kl1-"), |text, letter| text + char::from(*letter).encode_utf8(&mut [0; 4])))
}

/// The ports of the host, all on loopback.
#[derive(Debug)]
pub(super) struct Doors {
    /// Page and API.
    pub(super) api: u16,
    /// Health.
    pub(super) health: u16,
    remote: u16,
    hosted: u16,
}

impl Doors {
    /// The usual ports; where one is taken, a free one stands in, except for the API's, which people type.
    pub(super) fn choose(api: u16) -> anyhow::Result<Self> {
        let api = if api == 0 { free_port()? } else { api };
        if let Err(error) = TcpListener::bind(("127.0.0.1", api)) {
            bail!(
                "port {api} cannot be had ({error}): stop what listens there, or choose another with --port"
            );
        }
        Ok(Self { api, health: usual(1281)?, remote: usual(6180)?, hosted: usual(9999)? })
    }

    fn settings(&self) -> [(&'static str, u16); 4] {
        [
            ("api", self.api),
            ("health", self.health),
            ("agents-remote", self.remote),
            ("agents-hosted", self.hosted),
        ]
    }
}

fn usual(port: u16) -> anyhow::Result<u16> {
    if TcpListener::bind(("127.0.0.1", port)).is_ok() {
        return Ok(port);
    }
    let free = free_port()?;
    step::say(format_args!("port {port} is taken, using {free} in its place"));
    Ok(free)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn workspace(root: &Path) -> Workspace {
        Workspace { root: root.to_path_buf(), target: root.join("t"), guests_target: root.join("g") }
    }

    #[test]
    fn the_standard_folder_starts_empty_and_a_chosen_one_keeps_its_data() {
        let root = tempfile::tempdir().unwrap();
        let workspace = workspace(root.path());
        let chosen = root.path().join("kept");
        for folder in [root.path().join(".keelson/demo"), chosen.clone()] {
            fs::create_dir_all(folder.join("pki")).unwrap();
            fs::write(folder.join("keelson.db"), "rows").unwrap();
        }
        let standard = Place::open(&workspace, None).unwrap();
        assert!(!standard.folder().join("keelson.db").exists() && !standard.folder().join("pki").exists());
        let kept = Place::open(&workspace, Some(&chosen)).unwrap();
        assert!(kept.folder().join("keelson.db").exists());
    }

    #[test]
    fn a_folder_in_use_is_refused_and_not_emptied() {
        let root = tempfile::tempdir().unwrap();
        let workspace = workspace(root.path());
        let first = Place::open(&workspace, None).unwrap();
        first.keep_secret("agent.token", "t").unwrap();
        let error = Place::open(&workspace, None).unwrap_err().to_string();
        assert!(error.contains("a demo is running") && error.contains("--data"), "{error}");
        assert!(first.folder().join("agent.token").exists());
    }

    #[test]
    fn secrets_are_for_their_owner_only_and_come_back() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::open(&workspace(root.path()), None).unwrap();
        assert!(place.credentials().unwrap().is_none());
        place.remember(&Credentials { password: "p".into(), api_key: "k".into() }).unwrap();
        assert_eq!(place.credentials().unwrap().unwrap().api_key, "k");
        let mode = fs::metadata(place.folder().join(CREDENTIALS)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_settings_are_a_file_that_the_host_can_read() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::open(&workspace(root.path()), None).unwrap();
        let doors = Doors { api: 1, health: 2, remote: 3, hosted: 4 };
        place.write_settings(&doors, Path::new("/p/a \"b\"")).unwrap();
        let text = fs::read_to_string(place.folder().join("keelson.toml")).unwrap();
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read["agents-remote"].as_str(), Some("127.0.0.1:3"));
        assert_eq!(read["library"].as_str(), Some("/p/a \"b\""));
    }

    #[test]
    fn a_taken_api_port_is_an_error_with_the_way_out() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Doors::choose(port).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
        assert_ne!(usual(port).unwrap(), port);
    }

    #[test]
    fn passwords_differ_and_need_no_quoting() {
        let (one, two) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 28);
        assert!(one.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)));
    }
}
