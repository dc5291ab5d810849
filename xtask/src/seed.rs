//! `cargo xtask seed`: fills an empty database with a fleet. The fleet itself is described in `tests/src/fleet.rs`.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::process;
use crate::step;
use crate::workspace::Workspace;

/// Where the fleet goes, and how large it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The database: `sqlite:PATH` or `postgres://…`; it must have no companies
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data")]
    database: Option<String>,
    /// A host's data folder, whose database is its `keelson.db`
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How much of everything
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
}

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scale {
    /// 40 companies, 800 workloads: every list has rows, every property a value
    Small,
    /// 1,000 companies, 20,000 workloads
    Middle,
    /// 10,000 companies, 20,000 servers, 1,000,000 workloads, 5,000,000 restore points
    Full,
}

impl Scale {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Middle => "middle",
            Self::Full => "full",
        }
    }

    /// What is to write millions of rows is built to be fast.
    fn profile(self) -> (&'static str, &'static str) {
        match self {
            Self::Small | Self::Middle => ("dev", "debug"),
            Self::Full => ("release", "release"),
        }
    }
}

/// Builds the generator and runs it.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let url = match (&args.database, &args.data) {
        (Some(url), _) => url.clone(),
        (None, Some(folder)) => {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            format!("sqlite:{}", folder.join("keelson.db").display())
        }
        (None, None) => anyhow::bail!("name a database with --database or a folder with --data"),
    };
    plant(workspace, &url, args.scale)
}

/// Plants a fleet of that scale in the database at `url`.
pub(crate) fn plant(workspace: &Workspace, url: &str, scale: Scale) -> anyhow::Result<()> {
    let (profile, folder) = scale.profile();
    step::run("build the generator", || {
        let mut build = workspace.cargo("build");
        build.args(["--profile", profile, "-p", "keelson-tests", "--bin", "keelson-seed"]);
        process::run(&mut build)
    })?;
    let program = workspace.target.join(folder).join(format!("keelson-seed{}", std::env::consts::EXE_SUFFIX));
    step::run("plant the fleet", || process::run(workspace.tool(program).args([url, scale.name()])))
}
