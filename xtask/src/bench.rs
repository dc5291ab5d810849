//! `cargo xtask bench`: builds what is measured with the bench profile, starts PostgreSQL and runs the figures.
//! The benchmarks themselves, each with its peer, are in `tests/benches/`.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::guests;
use crate::setup::{self, Tool};
use crate::step;
use crate::test::{self, Surroundings};
use crate::web;
use crate::workspace::Workspace;

/// What to measure and where the lines go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only benchmarks whose name begins with one of these, such as `rules` or `agents`
    names: Vec<String>,
    /// Append one line of JSON per benchmark to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the benchmarks.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    setup::ensure(&[Tool::Restic, Tool::Postgres, Tool::Zabbix])?;
    let guests = guests::run(workspace, None)?;
    web::run(workspace)?;
    step::run("build", || test::build_programs(workspace, "bench"))?;
    // Cargo puts what the bench profile builds beside the release profile's.
    let mut surroundings = Surroundings::new(&guests, &workspace.target.join("release"))?;
    let mut bench = workspace.cargo("bench");
    bench.args(["-p", "keelson-tests", "--bench", "figures", "--"]).args(&args.names);
    if let Some(file) = &args.json {
        let file = std::path::absolute(file).context("failed to read the current folder")?;
        bench.arg("--json").arg(file);
    }
    step::run("figures", || surroundings.run(&mut bench))
}
