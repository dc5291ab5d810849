//! Finds or makes a toolchain for guests, in this order:
//!
//! 1. the active toolchain has the target;
//! 2. rustup adds it;
//! 3. Debian's `rustc-web` builds the standard library from source, where we may install packages;
//! 4. one error that names the two commands that would mend it.
//!
//! Nothing is remembered between runs: each looks at the machine as it is, and the looks are cheap.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::process;
use crate::setup;
use crate::step;
use crate::workspace::{Workspace, on_path};

/// What guests are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Enough to fetch 20 MB; a network that swallows packets costs no more than this.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(45);

const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_CLIPPY: &str = "rust-web-clippy";

/// A toolchain that builds for [`TARGET`].
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The active one has the target.
    Active,
    /// Debian's, with the active toolchain's linker (Debian's own `rust-lld` is a dangling link).
    Debian {
        /// `rust-lld` of the active toolchain.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Climbs the ladder and says in one line where it ended.
    pub(crate) fn find(workspace: &Workspace) -> anyhow::Result<Self> {
        let sysroot = sysroot(workspace)?;
        if has_target(&sysroot) {
            step::say(format_args!("  toolchain: the active one, which has {TARGET}"));
            return Ok(Self::Active);
        }
        if rustup_adds_target(workspace)? && has_target(&sysroot) {
            step::say(format_args!("  toolchain: the active one, after `rustup target add {TARGET}`"));
            return Ok(Self::Active);
        }
        let Some(linker) = linker(&sysroot) else {
            bail!(no_toolchain("the active toolchain has no rust-lld"))
        };
        let missing: Vec<&str> =
            DEBIAN.iter().copied().filter(|package| !setup::installed(package)).collect();
        if !missing.is_empty() {
            if !setup::can_install() {
                bail!(no_toolchain("installing Debian packages needs apt and root"));
            }
            setup::apt_install(&missing).map_err(|error| error.context(no_toolchain("apt failed too")))?;
        }
        step::say("  toolchain: Debian's rustc-web with the standard library built from source");
        Ok(Self::Debian { linker })
    }

    /// Cargo for guests, with everything but what is to be built.
    pub(crate) fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut cargo = match self {
            Self::Active => workspace.cargo(subcommand),
            Self::Debian { linker } => {
                let mut cargo = workspace.tool("/usr/bin/cargo");
                cargo
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .env_remove("CARGO")
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .args([subcommand, "-Zbuild-std=std,panic_abort"]);
                cargo
            }
        };
        cargo
            .args(["--target", TARGET, "--workspace", "--manifest-path"])
            .arg(workspace.guests_manifest())
            .arg("--target-dir")
            .arg(&workspace.guests_target);
        cargo
    }

    /// Clippy for the guests' own target, where this machine has one.
    pub(crate) fn clippy(&self, workspace: &Workspace) -> anyhow::Result<Option<Command>> {
        if matches!(self, Self::Debian { .. }) {
            if !setup::installed(DEBIAN_CLIPPY) && setup::can_install() {
                setup::apt_install(&[DEBIAN_CLIPPY])?;
            }
            if !setup::installed(DEBIAN_CLIPPY) {
                return Ok(None);
            }
        }
        let mut clippy = self.cargo(workspace, "clippy");
        if matches!(self, Self::Debian { .. }) {
            // Cargo looks for `cargo-clippy` on the PATH, and rustup's would come first.
            clippy.env("PATH", system_path());
        }
        Ok(Some(clippy))
    }
}

fn system_path() -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from("/usr/bin")).chain(env::split_paths(&rest));
    env::join_paths(folders).unwrap_or_else(|_| OsString::from("/usr/bin"))
}

fn sysroot(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let path = process::read(workspace.tool(rustc).args(["--print", "sysroot"]));
    path.map(|path| PathBuf::from(path.trim())).context("failed to ask the active toolchain where it is")
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

fn rustup_adds_target(workspace: &Workspace) -> anyhow::Result<bool> {
    let Some(rustup) = on_path("rustup") else { return Ok(false) };
    let mut command = workspace.tool(rustup);
    command.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "0");
    process::succeeds_within(&mut command, RUSTUP_PATIENCE)
}

fn linker(sysroot: &Path) -> Option<PathBuf> {
    let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    hosts.filter_map(Result::ok).map(|host| host.path().join("bin/rust-lld")).find(|file| file.is_file())
}

fn no_toolchain(last: &str) -> String {
    let packages = DEBIAN.join(" ");
    format!(
        "no toolchain for {TARGET} ({last}): run `rustup target add {TARGET}`, or on Debian \
         `sudo apt-get install {packages}`, and try again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rung_names_both_commands() {
        let text = no_toolchain("apt failed too");
        assert!(text.contains("rustup target add wasm32-unknown-unknown"), "{text}");
        assert!(text.contains("apt-get install rustc-web cargo-web rust-web-src"), "{text}");
    }

    #[test]
    fn a_sysroot_has_the_target_only_with_its_libraries() {
        let sysroot = tempfile::tempdir().unwrap();
        assert!(!has_target(sysroot.path()));
        std::fs::create_dir_all(sysroot.path().join("lib/rustlib").join(TARGET).join("lib")).unwrap();
        assert!(has_target(sysroot.path()));
    }

    #[test]
    fn the_linker_is_found_under_whatever_host_the_toolchain_is_for() {
        let sysroot = tempfile::tempdir().unwrap();
        assert_eq!(linker(sysroot.path()), None);
        let bin = sysroot.path().join("lib/rustlib/aarch64-unknown-linux-gnu/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("rust-lld"), "").unwrap();
        assert_eq!(linker(sysroot.path()), Some(bin.join("rust-lld")));
    }
}
