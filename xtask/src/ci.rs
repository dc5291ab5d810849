//! `cargo xtask ci`: every check that a change must pass, cheapest first. CI runs exactly this.

use std::process::Command;

use crate::conformance;
use crate::generate;
use crate::guests;
use crate::process;
use crate::setup::{self, Tool};
use crate::step;
use crate::test;
use crate::tidy;
use crate::toolchain::Toolchain;
use crate::web;
use crate::workspace::{Workspace, on_path};

/// Runs all checks up to the first that fails, and prints the seconds of each.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let outcome = cheap_checks(workspace).and_then(|()| built_checks(workspace));
    step::table();
    outcome
}

/// What needs no build of the host.
fn cheap_checks(workspace: &Workspace) -> anyhow::Result<()> {
    step::run("format", || {
        process::run(workspace.cargo("fmt").args(["--all", "--check"]))?;
        let mut guests = workspace.cargo("fmt");
        process::run(guests.args(["--all", "--check", "--manifest-path"]).arg(workspace.guests_manifest()))
    })?;
    tidy::run(workspace)?;
    optional("typos", "typos", &mut workspace.tool("typos"))?;
    let mut deny = workspace.cargo("deny");
    optional("dependencies", "cargo-deny", deny.arg("check"))
}

/// The page and the guests come first: the host embeds the one, and clippy reads the host.
fn built_checks(workspace: &Workspace) -> anyhow::Result<()> {
    setup::ensure(Tool::ALL)?;
    web::run(workspace)?;
    step::run("web check", || web::npm(workspace, &["run", "check", "--if-present"]))?;
    guests::run(workspace, None)?;
    step::run("clippy", || {
        process::run(workspace.cargo("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    step::run("clippy of guests", || clippy_of_guests(workspace))?;
    step::run("plain build", || test::build_programs(workspace, "dev"))?;
    generate::run(workspace, true)?;
    test::run(workspace, &[], test::Profile::Ci)?;
    conformance::run(workspace, &conformance::Args::of_ci())?;
    step::run("documentation", || {
        let mut doc = workspace.cargo("doc");
        doc.args(["--workspace", "--no-deps", "--document-private-items"]).env("RUSTDOCFLAGS", "-D warnings");
        process::run(&mut doc)
    })
}

fn clippy_of_guests(workspace: &Workspace) -> anyhow::Result<()> {
    let mut clippy = if let Some(clippy) = Toolchain::find(workspace)?.clippy(workspace)? {
        step::say("  for their own target");
        clippy
    } else {
        step::say("  for this machine's target: there is no clippy for theirs here");
        let mut clippy = workspace.cargo("clippy");
        clippy.args(["--workspace", "--all-targets", "--manifest-path"]).arg(workspace.guests_manifest());
        clippy.arg("--target-dir").arg(&workspace.guests_target);
        clippy
    };
    process::run(clippy.args(["--", "-D", "warnings"]))
}

fn optional(name: &str, program: &str, command: &mut Command) -> anyhow::Result<()> {
    if on_path(program).is_none() {
        step::say(format_args!("→ {name} … left out: {program} is not installed"));
        return Ok(());
    }
    step::run(name, || process::run(command))
}
