//! What the machine must have besides Rust. Installs only what is missing, and only as root on a machine with apt;
//! otherwise the error is the command to run.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, bail};

use crate::postgres;
use crate::process;
use crate::step;
use crate::workspace::on_path;

/// The oldest Node that the page's tools run on, as `major.minor`.
const NODE: (u32, u32) = (20, 19);

/// A program that tests or the demo need.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    /// The backup engine that is real in tests and demo.
    Restic,
    /// The browser of the one browser test.
    Chromium,
    /// The server's programs, for a throw-away cluster.
    Postgres,
    /// Builds the page.
    Node,
    /// Makes system calls fail in tests of what then happens.
    Strace,
    /// Holds the API to the vendor's contract.
    Python,
    /// What a provider might run instead, as a benchmark's peer.
    Zabbix,
}

impl Tool {
    /// What `cargo xtask test` needs.
    pub(crate) const ALL: &[Self] = &[Self::Restic, Self::Chromium, Self::Postgres, Self::Node, Self::Strace];

    fn present(self) -> bool {
        match self {
            Self::Restic => on_path("restic").is_some(),
            Self::Chromium => chromium().is_some(),
            Self::Strace => on_path("strace").is_some(),
            Self::Postgres => postgres::programs().is_some(),
            Self::Node => on_path("node").is_some() && on_path("npm").is_some(),
            Self::Zabbix => Path::new("/usr/sbin/zabbix_server").exists(),
            Self::Python => {
                process::read(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
            }
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Restic => &["restic"],
            Self::Chromium => &["chromium"],
            Self::Strace => &["strace"],
            Self::Postgres => &["postgresql"],
            Self::Node => &["nodejs", "npm"],
            Self::Python => &["python3", "python3-venv"],
            Self::Zabbix => &["zabbix-server-pgsql"],
        }
    }
}

/// A Chromium, whatever the distribution calls it.
pub(crate) fn chromium() -> Option<std::path::PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path)
}

/// Installs those of `tools` that are missing.
pub(crate) fn ensure(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        tools.iter().filter(|tool| !tool.present()).flat_map(|tool| tool.packages()).copied().collect();
    if !missing.is_empty() {
        step::run("setup", || apt_install(&missing))?;
    }
    if tools.iter().any(|tool| matches!(tool, Tool::Node)) {
        check_node(&process::read(Command::new("node").arg("--version"))?)?;
    }
    Ok(())
}

/// Installs Debian packages, or says which command would.
pub(crate) fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    if !can_install() {
        bail!(
            "{list} missing; install with `sudo apt-get install {list}`, or what your system calls it, and try again"
        );
    }
    update_package_lists()?;
    step::say(format_args!("  installing {list}"));
    let mut command = apt_get();
    command.args(["install", "-y", "--no-install-recommends"]).args(packages);
    process::read(&mut command).map(drop).with_context(|| format!("failed to install {list}"))
}

/// Whether this process may install packages on this machine.
pub(crate) fn can_install() -> bool {
    process::is_root() && on_path("apt-get").is_some()
}

/// Whether a Debian package is installed.
pub(crate) fn installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    let status = process::read(query.args(["--show", "--showformat=${db:Status-Status}", package]));
    status.is_ok_and(|status| status == "installed")
}

/// Once per run is enough; a machine whose lists are new has nothing to lose by a failure here.
fn update_package_lists() -> anyhow::Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    if UPDATED.set(()).is_ok()
        && let Err(error) = process::read(apt_get().arg("update"))
    {
        process::check_interrupted()?;
        step::say(format_args!("  apt-get update failed, going on with the lists that are here: {error:#}"));
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
    command
}

fn check_node(version: &str) -> anyhow::Result<()> {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < NODE {
        let (major, minor) = NODE;
        bail!("node {} is too old to build the page: install Node {major}.{minor} or newer", version.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused_with_the_version_that_is_needed() {
        let error = check_node("v18.20.4\n").unwrap_err().to_string();
        assert!(error.contains("v18.20.4") && error.contains("20.19"), "{error}");
    }

    #[test]
    fn the_oldest_supported_node_and_newer_ones_pass() {
        for version in ["v20.19.0", "v20.20.2\n", "v22.1.0"] {
            check_node(version).unwrap();
        }
    }
}
