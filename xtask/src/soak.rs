//! `cargo xtask soak`: the seeded fault cycles, of which the tests run a bounded number with each change, for as long as is
//! wanted. A cycle that fails names its seed.

use crate::guests;
use crate::setup::{self, Tool};
use crate::step;
use crate::test::{self, Profile, Surroundings};
use crate::workspace::Workspace;

/// The tests that go on for longer when they are told to.
const CYCLES: &[&str] = &["agents::simulation::tests::whatever", "session::lives::", "_killed_twenty_times_"];

/// How long to go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Simulations of the agent protocol, each of a seed
    #[arg(long, default_value_t = 2_000)]
    seeds: u32,
    /// Lives of an agent's sessions, each of a seed
    #[arg(long, default_value_t = 20_000)]
    lives: u32,
    /// How many times the usual number of kills, of real processes over both databases
    #[arg(long, default_value_t = 10)]
    cycles: u32,
}

/// Runs the cycles.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    setup::ensure(&[Tool::Restic, Tool::Postgres])?;
    let guests = guests::run(workspace, None)?;
    step::run("build", || crate::process::run(workspace.cargo("build").arg("--workspace")))?;
    let mut surroundings = Surroundings::new(&guests, &workspace.target.join("debug"))?;
    let filters: Vec<String> = CYCLES.iter().map(|&name| name.to_owned()).collect();
    let mut tests = test::tests(workspace, &filters, Profile::Soak);
    let numbers =
        [("KEELSON_SEEDS", args.seeds), ("KEELSON_LIVES", args.lives), ("KEELSON_CYCLES", args.cycles)];
    tests.envs(numbers.map(|(name, number)| (name, number.to_string())));
    step::run("cycles", || surroundings.run(&mut tests))
}
