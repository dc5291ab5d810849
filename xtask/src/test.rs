//! `cargo xtask test`: everything that the tests need, then the tests.
//!
//! Tests that touch the store come as two cases, one per database, so one run covers both. They find what they need
//! in the environment: see [`Surroundings`].

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::guests;
use crate::postgres::Postgres;
use crate::process;
use crate::setup::{self, Tool};
use crate::step;
use crate::web;
use crate::workspace::{Workspace, on_path};

/// Which of nextest's profiles to run with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// For a person: stops at the first failure.
    Default,
    /// Runs everything and keeps the report short.
    Ci,
    /// As `Ci`, for tests that go on for hours.
    Soak,
}

/// Prepares everything and runs the tests; with filters, only the host's tests that match.
pub(crate) fn run(workspace: &Workspace, filters: &[String], profile: Profile) -> anyhow::Result<()> {
    setup::ensure(Tool::ALL)?;
    let guests = guests::run(workspace, None)?;
    web::run(workspace)?;
    step::run("build", || process::run(workspace.cargo("build").arg("--workspace")))?;
    let mut surroundings = Surroundings::new(&guests, &workspace.target.join("debug"))?;
    step::run("tests", || surroundings.run(&mut tests(workspace, filters, profile)))?;
    if !filters.is_empty() {
        step::say("filtered: doc tests, guests' and web tests left out");
        return Ok(());
    }
    step::run("doc tests", || process::run(workspace.cargo("test").args(["--doc", "-p", "keelson-sdk"])))?;
    step::run("guest tests", || process::run(&mut guest_tests(workspace)))?;
    step::run("web tests", || web::npm_aloud(workspace, &["run", "test", "--if-present"]))
}

/// What tests and benchmarks find in their environment.
#[derive(Debug)]
pub(crate) struct Surroundings {
    variables: Vec<(&'static str, OsString)>,
    postgres: Postgres,
}

impl Surroundings {
    /// Starts PostgreSQL; `programs` is the folder with the built binaries.
    pub(crate) fn new(guests: &Path, programs: &Path) -> anyhow::Result<Self> {
        let postgres = Postgres::start()?;
        let mut variables = vec![
            ("KEELSON_GUESTS", guests.as_os_str().to_owned()),
            ("KEELSON_BIN", programs.join("keelson").into_os_string()),
            ("KEELSON_AGENT_BIN", programs.join("keelson-agent").into_os_string()),
            ("TEST_POSTGRES_URL", OsString::from(postgres.url())),
        ];
        variables.extend(setup::chromium().map(|browser| ("CHROMIUM_BIN", browser.into_os_string())));
        Ok(Self { variables, postgres })
    }

    /// Runs a command with these variables; a PostgreSQL that fell over is named before the failures it caused.
    pub(crate) fn run(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let outcome = process::run(command.envs(self.variables.iter().map(|(name, value)| (name, value))));
        if outcome.is_err() {
            process::check_interrupted()?;
            self.postgres.check()?;
        }
        outcome
    }
}

/// The tests, with nextest where it is installed.
pub(crate) fn tests(workspace: &Workspace, filters: &[String], profile: Profile) -> Command {
    if on_path("cargo-nextest").is_some() {
        let mut nextest = workspace.cargo("nextest");
        nextest.args(["run", "--workspace"]);
        match profile {
            Profile::Default => {}
            Profile::Ci => drop(nextest.args(["--profile", "ci"])),
            Profile::Soak => drop(nextest.args(["--profile", "soak"])),
        }
        nextest.args(filters);
        return nextest;
    }
    step::say("  cargo-nextest is not installed: `cargo test` runs them");
    let mut test = workspace.cargo("test");
    test.args(["--workspace", "--lib", "--bins", "--tests"]);
    if !filters.is_empty() {
        test.arg("--").args(filters);
    }
    test
}

/// The guests' own unit tests run natively: no host is needed for what a guest decides.
fn guest_tests(workspace: &Workspace) -> Command {
    let mut test = workspace.cargo("test");
    test.args(["--workspace", "--manifest-path"]).arg(workspace.guests_manifest());
    test.arg("--target-dir").arg(&workspace.guests_target);
    test
}

/// Builds host and agent as a person would, without what other members add to their dependencies' features.
pub(crate) fn build_programs(workspace: &Workspace, profile: &str) -> anyhow::Result<()> {
    let mut build = workspace.cargo("build");
    build.args(["--profile", profile, "-p", "keelson", "-p", "keelson-agent"]);
    process::run(&mut build).context("host and agent do not build")
}
