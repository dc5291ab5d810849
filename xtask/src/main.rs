//! `cargo xtask`: everything that a person or CI runs on this repository, the same locally and there.
//!
//! One file per command. What they share: [`step`] prints and times, [`process`] runs and stops programs,
//! [`workspace`] knows the folders, [`setup`] brings in what the machine lacks.

mod bench;
mod ci;
mod conformance;
mod demo;
mod generate;
mod guests;
mod library;
mod postgres;
mod process;
mod seed;
mod setup;
mod soak;
mod step;
mod test;
mod tidy;
mod toolchain;
mod web;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::Interrupted;
use crate::workspace::Workspace;

/// Everything a person or CI runs on this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts everything on SQLite with a real restic repository and a simulated fleet
    Demo(demo::Args),
    /// Runs all tests, on SQLite and on a PostgreSQL that lives only as long as they do
    Test {
        /// Only tests whose name contains one of these; guests' and web tests are then left out
        filters: Vec<String>,
    },
    /// Runs every check that a change must pass
    Ci,
    /// Builds the plugins and the test guests and makes components of them
    Guests {
        /// Where they go
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Builds the library that ships with the host: the plugins as signed packages, with a signed index
    Library,
    /// Builds the page when its sources changed
    Web,
    /// Checks the repository's own rules
    Tidy,
    /// Writes the generated files that are kept in the repository
    Generate {
        /// Write nothing; fail where a file is not what it should be
        #[arg(long)]
        check: bool,
    },
    /// Takes figures, each beside its peer
    Bench(bench::Args),
    /// Holds the host to the vendor's own OpenAPI files and generated client
    Conformance(conformance::Args),
    /// Fills an empty database with a fleet
    Seed(seed::Args),
    /// Runs the seeded fault cycles for as long as is wanted
    Soak(soak::Args),
    /// Installs the programs that tests and demo need, where they are missing
    Setup,
}

fn main() -> ExitCode {
    let outcome = process::listen_for_signals().and_then(|()| run(Cli::parse().command));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            step::complain("stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            step::complain(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo(args) => demo::run(&workspace, &args),
        Command::Test { filters } => test::run(&workspace, &filters, test::Profile::Default),
        Command::Ci => ci::run(&workspace),
        Command::Guests { out } => guests::run(&workspace, out.as_deref()).map(drop),
        Command::Library => library::build(&workspace).map(drop),
        Command::Web => web::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Generate { check } => generate::run(&workspace, check),
        Command::Bench(args) => bench::run(&workspace, &args),
        Command::Conformance(args) => conformance::run(&workspace, &args),
        Command::Seed(args) => seed::run(&workspace, &args),
        Command::Soak(args) => soak::run(&workspace, &args),
        Command::Setup => setup::ensure(setup::Tool::ALL),
    }
}
