//! The library that ships with the host: the shipped plugins as signed packages, with a signed index, as any other library.
//!
//! The key comes from `KEELSON_PUBLISHER_KEY`, a file, where releases are made. Elsewhere one is made once and kept with the
//! build, so that a developer's host believes what a developer built and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::guests;
use crate::process;
use crate::step;
use crate::test;
use crate::web;
use crate::workspace::Workspace;

const PUBLISHER: &str = "Keelson";
/// A library that ships lives as long as the host that it ships with.
const DAYS: &str = "3650";

/// Builds the guests, the host and the library.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let guests = guests::run(workspace, None)?;
    web::run(workspace)?;
    step::run("build", || test::build_programs(workspace, "dev"))?;
    run(workspace, &workspace.binary("keelson"), &guests)
}

/// Packs and signs what `guests` built; returns the library's folder. `keelson` is the program that does it.
pub(crate) fn run(workspace: &Workspace, keelson: &Path, guests: &Path) -> anyhow::Result<PathBuf> {
    let folder = guests.join("library");
    step::run("library", || {
        fs::create_dir_all(&folder)?;
        let key = key(workspace, keelson)?;
        let public = process::read(Command::new(keelson).args(["plugin", "key", "--of"]).arg(&key))?;
        let mut moved = put(&folder.join("publisher.pub"), public.as_bytes())?;
        let draft = tempfile::tempdir_in(guests).context("failed to make a folder for packages")?;
        let mut names = Vec::new();
        for package in packages(&guests.join("packages"))? {
            let mut pack = Command::new(keelson);
            pack.args(["plugin", "pack"]).arg(&package).arg("--key").arg(&key).arg("--out").arg(draft.path());
            process::read(&mut pack).with_context(|| format!("failed to pack {}", package.display()))?;
        }
        for entry in fs::read_dir(draft.path())? {
            let entry = entry?;
            moved |= put(&folder.join(entry.file_name()), &fs::read(entry.path())?)?;
            names.push(entry.file_name());
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let package = entry.path().extension().is_some_and(|extension| extension == "kpkg");
            if package && !names.contains(&entry.file_name()) {
                fs::remove_file(entry.path())?;
                moved = true;
            }
        }
        if moved || !folder.join("index.json").is_file() {
            let mut index = Command::new(keelson);
            index.args(["plugin", "index"]).arg(&folder).arg("--key").arg(&key);
            process::read(index.args(["--publisher", PUBLISHER, "--days", DAYS]))?;
        }
        step::say(format_args!("  {} packages in {}", names.len(), folder.display()));
        Ok(folder.clone())
    })
}

fn key(workspace: &Workspace, keelson: &Path) -> anyhow::Result<PathBuf> {
    if let Some(file) = std::env::var_os("KEELSON_PUBLISHER_KEY") {
        return Ok(PathBuf::from(file));
    }
    let file = workspace.target.join("keelson-publisher.pem");
    if !file.is_file() {
        process::read(Command::new(keelson).args(["plugin", "key"]).arg(&file))?;
    }
    Ok(file)
}

fn packages(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut found = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// Writes a file if it is another; whether it was.
fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if fs::read(file).is_ok_and(|known| known == bytes) {
        return Ok(false);
    }
    guests::replace(file, bytes, 0o644).with_context(|| format!("failed to write {}", file.display()))?;
    Ok(true)
}
