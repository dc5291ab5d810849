//! Where things are, and how to call Cargo from inside Cargo.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The folders that commands share.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder of the root workspace.
    pub(crate) target: PathBuf,
    /// Cargo's target folder of the guests' workspace.
    pub(crate) guests_target: PathBuf,
}

impl Workspace {
    /// Finds the repository from the current folder upwards: a path from build time would be wrong where several
    /// checkouts share one target folder.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let here = env::current_dir().context("failed to read the current folder")?;
        let root = here
            .ancestors()
            .find(|folder| folder.join("xtask/Cargo.toml").is_file())
            .with_context(|| {
                format!("{} is not inside the repository: change into it first", here.display())
            })?
            .to_path_buf();
        let shared = env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()).map(|dir| here.join(dir));
        let guests_target =
            shared.as_ref().map_or_else(|| root.join("plugins/target"), |dir| dir.join("guests"));
        let target = shared.unwrap_or_else(|| root.join("target"));
        Ok(Self { root, target, guests_target })
    }

    /// A program of this workspace, built by the dev profile.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The guests' manifest.
    pub(crate) fn guests_manifest(&self) -> PathBuf {
        self.root.join("plugins/Cargo.toml")
    }

    /// Cargo of the active toolchain, in the repository's root.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = self.tool(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        cargo.arg(subcommand);
        cargo
    }

    /// A program in the repository's root, with the environment as it was before `cargo run` started xtask.
    ///
    /// Cargo hands its `CARGO_PKG_…` to what it runs. A build script that watches one of them, as ring's does, would
    /// build again and again, depending on whether a person or xtask called Cargo.
    pub(crate) fn tool(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_remove("OUT_DIR");
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_from_cargo_run) {
                command.env_remove(&name);
            }
        }
        match library_path_before_cargo(&self.target) {
            Some(path) => command.env("LD_LIBRARY_PATH", path),
            None => command.env_remove("LD_LIBRARY_PATH"),
        };
        command
    }
}

fn is_from_cargo_run(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// `cargo run` puts its own folders in front; the person's stay.
fn library_path_before_cargo(target: &Path) -> Option<OsString> {
    let path = env::var_os("LD_LIBRARY_PATH")?;
    let kept: Vec<PathBuf> = env::split_paths(&path)
        .filter(|entry| {
            !entry.starts_with(target) && !entry.components().any(|part| part.as_os_str() == "rustlib")
        })
        .filter(|entry| !entry.as_os_str().is_empty())
        .collect();
    env::join_paths(&kept).ok().filter(|path| !path.is_empty())
}

/// Where a program is on the PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_run_adds_is_told_from_what_a_person_sets() {
        assert!(is_from_cargo_run("CARGO_PKG_NAME"));
        assert!(is_from_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!is_from_cargo_run("CARGO_TARGET_DIR"));
        assert!(!is_from_cargo_run("CARGO_TERM_COLOR"));
    }

    #[test]
    fn a_program_of_every_machine_is_found_and_an_unknown_one_is_not() {
        assert!(on_path("sh").is_some());
        assert!(on_path("keelson-no-such-program").is_none());
    }
}
