//! `cargo xtask web`: installs the page's packages when the lock file changed and builds it when its sources did.
//!
//! What was last installed and built stands in `node_modules`, as the lock file itself and as a digest of the sources,
//! so that a fresh checkout, a deleted file and an older file all count as a change.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::process;
use crate::setup::{self, Tool};
use crate::step;
use crate::workspace::Workspace;

const NOT_SOURCES: &[&str] = &["node_modules", "dist"];

/// Installs and builds what is not up to date.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    setup::ensure(&[Tool::Node])?;
    step::run("web", || {
        let web = folder(workspace)?;
        let installed = install(workspace, &web)?;
        let sources = digest(&sources(&web)?);
        let stamp = web.join("node_modules/.keelson-built");
        let built = fs::read_to_string(&stamp).is_ok_and(|last| last == sources);
        if !installed && built && web.join("dist/index.html").is_file() {
            step::say("  the page is up to date");
            return Ok(());
        }
        npm(workspace, &["run", "build"])?;
        fs::write(&stamp, sources).with_context(|| format!("failed to write {}", stamp.display()))
    })
}

/// Runs npm in `web/`; what it prints is shown only when it fails.
pub(crate) fn npm(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let web = folder(workspace)?;
    let mut command = npm_command(workspace, &web);
    let output = command.args(args).stdin(Stdio::null()).output().context("failed to start npm")?;
    process::check_interrupted()?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`npm {}` failed in web/:\n{}\n{}", args.join(" "), out.trim(), err.trim());
    }
    Ok(())
}

/// Runs npm in `web/` with its output shown.
pub(crate) fn npm_aloud(workspace: &Workspace, args: &[&str]) -> anyhow::Result<()> {
    let web = folder(workspace)?;
    process::run(npm_command(workspace, &web).args(args))
}

fn npm_command(workspace: &Workspace, web: &Path) -> Command {
    let mut command = workspace.tool("npm");
    command.current_dir(web).env("NO_UPDATE_NOTIFIER", "1").env("NPM_CONFIG_FUND", "false");
    command
}

fn folder(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let web = workspace.root.join("web");
    if !web.join("package.json").is_file() {
        bail!("{} is missing", web.join("package.json").display());
    }
    Ok(web)
}

/// `true` when packages were installed now. `npm ci` empties `node_modules`, and the stamp with it.
fn install(workspace: &Workspace, web: &Path) -> anyhow::Result<bool> {
    let lock = web.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("failed to read {}", lock.display()))?;
    let stamp = web.join("node_modules/.keelson-installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(false);
    }
    step::say("  installing the page's packages");
    npm(workspace, &["ci", "--no-audit"])?;
    // A page without packages has no such folder yet.
    fs::create_dir_all(web.join("node_modules"))
        .and_then(|()| fs::write(&stamp, wanted))
        .with_context(|| format!("failed to write {}", stamp.display()))?;
    Ok(true)
}

/// Every file that the page is made of, with a digest of its bytes.
pub(crate) fn sources(web: &Path) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![web.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("failed to read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if NOT_SOURCES.iter().any(|not| name == *not) || name.to_string_lossy().ends_with(".tsbuildinfo")
            {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                let mut hasher = DefaultHasher::new();
                fs::read(entry.path())?.hash(&mut hasher);
                found.insert(entry.path(), hasher.finish());
            }
        }
    }
    Ok(found)
}

fn digest(sources: &BTreeMap<PathBuf, u64>) -> String {
    let mut hasher = DefaultHasher::new();
    sources.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_a_deleted_source_both_count_but_what_was_built_does_not() {
        let web = tempfile::tempdir().unwrap();
        let page = web.path().join("src/page.tsx");
        fs::create_dir_all(page.parent().unwrap()).unwrap();
        fs::write(&page, "one").unwrap();
        let first = digest(&sources(web.path()).unwrap());

        fs::create_dir_all(web.path().join("dist")).unwrap();
        fs::write(web.path().join("dist/index.html"), "built").unwrap();
        fs::write(web.path().join("tsconfig.tsbuildinfo"), "cache").unwrap();
        assert_eq!(digest(&sources(web.path()).unwrap()), first);

        fs::write(&page, "two").unwrap();
        assert_ne!(digest(&sources(web.path()).unwrap()), first);
        fs::remove_file(&page).unwrap();
        assert_ne!(digest(&sources(web.path()).unwrap()), first);
    }
}
