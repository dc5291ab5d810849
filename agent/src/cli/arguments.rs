//! What the command line takes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::outcome::EXIT_CODES;
use crate::driver::vbr::VbrAddress;
use crate::tls::Pin;

/// Runs beside a backup server and reports to a Keelson host; it connects outbound only.
#[derive(Debug, Parser)]
#[command(name = "keelson-agent", version, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// How the log is written, to standard error. `KEELSON_AGENT_LOG` sets its level.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Trade a join token for this agent's certificate.
    #[command(after_help = EXIT_CODES)]
    Enroll(Box<EnrollArguments>),
    /// Run the enrolled agent until SIGTERM or SIGINT.
    #[command(after_help = EXIT_CODES)]
    Run(RunArguments),
    /// Look for what is wrong: one line a check. It changes nothing, and an agent that runs is left alone.
    #[command(after_help = EXIT_CODES)]
    Doctor(DoctorArguments),
    /// Run a simulated fleet: many agents in one process, for demonstrations and load.
    #[command(after_help = EXIT_CODES)]
    Fleet(FleetArguments),
}

#[derive(Debug, Args)]
pub(super) struct EnrollArguments {
    #[command(flatten)]
    pub(super) token: TokenArguments,
    /// The agent's data folder; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Replace the agent that the folder already holds.
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) driver: DriverArguments,
    /// A folder beneath which files may be restored, beside where they were. May come several times.
    #[arg(long = "restore-root", value_name = "DIR")]
    pub(super) restore_roots: Vec<PathBuf>,
    /// The machine is a Cloud Connect server, too; asked by PowerShell, or by a program of your own.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = "")]
    pub(super) cloud_connect: Option<PathBuf>,
    /// The machine is a server of Veeam Backup for Microsoft 365, too; asked by PowerShell, or by a program of your own.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = "")]
    pub(super) vb365: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct TokenArguments {
    /// File with the join token; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(super) token_file: Option<PathBuf>,
    /// The join token itself. Other users of this machine can see it: prefer --token-file.
    #[arg(long, value_name = "TOKEN")]
    pub(super) token: Option<String>,
}

impl fmt::Debug for TokenArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenArguments").field("token_file", &self.token_file).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DriverKind {
    /// A restic repository.
    Restic,
    /// A made-up backup server.
    Simulated,
    /// Veeam Backup & Replication 13 or later, by its REST API.
    Vbr,
    /// Nothing but what --cloud-connect or --vb365 tells.
    None,
}

#[derive(Debug, Args)]
pub(super) struct DriverArguments {
    /// What the agent sits beside.
    #[arg(long, value_enum)]
    pub(super) driver: DriverKind,
    /// restic: the repository, as in `restic --repo`.
    #[arg(long, value_name = "PATH")]
    pub(super) restic_repo: Option<String>,
    /// restic: the file with the repository's password. It stays where it is and is read by restic alone.
    #[arg(long, value_name = "FILE")]
    pub(super) restic_password_file: Option<PathBuf>,
    /// The backup server's name in the console.
    #[arg(long, value_name = "NAME")]
    pub(super) server_name: Option<String>,
    /// vbr: where the server's REST API listens.
    #[arg(long, value_name = "URL", default_value = "https://localhost:9419")]
    pub(super) vbr_address: VbrAddress,
    /// vbr: an account with the role Veeam Backup Administrator and without multi-factor authentication.
    #[arg(long, value_name = "NAME")]
    pub(super) vbr_user: Option<String>,
    /// vbr: the file with the account's password, readable by the agent's user alone (mode 0600).
    #[arg(long, value_name = "FILE")]
    pub(super) vbr_password_file: Option<PathBuf>,
    /// vbr: SHA-256 of the public key of the server's certificate; when absent, the one that is seen now is pinned.
    #[arg(long, value_name = "HEX")]
    pub(super) vbr_fingerprint: Option<Pin>,
    /// simulated: the same seed gives the same server.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// simulated: how many computers it backs up.
    #[arg(long, default_value_t = 10)]
    pub(super) workloads: u32,
}

#[derive(Debug, Args)]
pub(super) struct OptionArguments {
    /// Between two collections.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(super) interval: Duration,
    /// Longest wait before connecting again.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(super) max_backoff: Duration,
    /// Most that waits for the host; beyond it only the latest state is kept.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub(super) spool_limit: u64,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The data folder that `enroll` made.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) options: OptionArguments,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// The data folder that `enroll` made.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// One line of JSON instead.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FleetArguments {
    /// How many backup servers, each with an agent.
    #[arg(long)]
    pub(super) servers: u32,
    /// How many computers each of them backs up.
    #[arg(long, default_value_t = 10)]
    pub(super) workloads: u32,
    /// The same seed gives the same fleet.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Agent n lives in the folder n of this one; who is enrolled there is not enrolled again.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) token: TokenArguments,
    /// One more server: a provider's Cloud Connect server, with tenants.
    #[arg(long)]
    pub(super) site: bool,
    /// How many tenants it has from the start.
    #[arg(long, value_name = "COUNT", default_value_t = 6)]
    pub(super) site_tenants: u32,
    /// The site's own join token, of `keelson agent token --provider --door hosted`; the fleet's when absent.
    #[arg(long, value_name = "FILE")]
    pub(super) site_token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) options: OptionArguments,
}

/// Fractions are taken; nothing shorter than 10 ms, which would only burn time.
fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "give a number of seconds from 0.01 to 86400".to_owned();
    let value: f64 = text.parse().map_err(|_| bad())?;
    if !(0.01..=86_400.0).contains(&value) {
        return Err(bad());
    }
    Duration::try_from_secs_f64(value).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_documents_its_exit_codes() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("Exit codes") && help.contains("inspection"));
    }

    #[test]
    fn a_token_given_on_the_command_line_is_not_printed() {
        let cli = Cli::parse_from([
            "keelson-agent",
            "enroll",
            "--token",
            "kj1.geheim",
            "--data",
            "d",
            "--driver",
            "simulated",
        ]);
        assert!(!format!("{cli:?}").contains("geheim"));
    }

    #[test]
    fn seconds_take_fractions_and_refuse_nonsense() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["0", "-1", "NaN", "inf", "x", "1e9"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
