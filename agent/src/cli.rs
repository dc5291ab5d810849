//! The command line. Exit codes are in `outcome`, the commands' arguments in `arguments`.

mod arguments;
mod outcome;
mod vbr;

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::agent::{Agent, AgentError, Options};
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::{DataFolder, Extras};
use crate::doctor;
use crate::driver::DriverSettings;
use crate::driver::facet::{Facets, Script};
use crate::enroll::{Enrolment, enroll};
use crate::error::chain;
use crate::fleet::{Fleet, FleetSite};
use crate::token::JoinToken;
use crate::work::Ended;
use arguments::{
    Cli, Command, DoctorArguments, DriverArguments, DriverKind, EnrollArguments, FleetArguments, LogFormat,
    OptionArguments, RunArguments, TokenArguments,
};

/// Everything that `main` does.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(execute(cli.command)));
    outcome::report(outcome)
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("KEELSON_AGENT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => {
            let colour = io::IsTerminal::is_terminal(&io::stderr());
            log.with_ansi(colour).init();
        }
        LogFormat::Json => log.json().init(),
    }
}

async fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Enroll(arguments) => run_enroll(*arguments).await,
        Command::Run(arguments) => Box::pin(run_agent(arguments)).await,
        Command::Doctor(arguments) => run_doctor(arguments).await,
        Command::Fleet(arguments) => run_fleet(arguments).await,
    }
}

async fn run_enroll(arguments: EnrollArguments) -> anyhow::Result<()> {
    let driver = driver_settings(arguments.driver).await?;
    let token = required_token(&arguments.token)?;
    let enrolment = Enrolment {
        token,
        data: arguments.data.clone(),
        computer: driver.computer(),
        driver,
        extras: Extras {
            restore_roots: arguments.restore_roots,
            facets: Facets {
                cloud_connect: arguments.cloud_connect.map(script),
                vb365: arguments.vb365.map(script),
            },
        },
        force: arguments.force,
    };
    let settings = enroll(enrolment).await?;
    let folder = DataFolder::at(&arguments.data);
    if let Err(error) = settings.driver(&folder, &clock()).collect().await {
        warn!("the agent is enrolled, but {}; it tries again at every interval", chain(&error));
    }
    let data = arguments.data.display();
    writeln!(
        io::stdout(),
        "enrolled as agent {}; start it with: keelson-agent run --data {data}",
        settings.agent_uid
    )
    .context("cannot write to standard output")
}

async fn run_agent(arguments: RunArguments) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    loop {
        let agent = Agent::open(&arguments.data, options(&arguments.options), clock()).await?;
        info!(agent.uid = %agent.settings().agent_uid, version = crate::VERSION, "agent starts");
        match agent.run(stop.clone()).await? {
            Ended::Stopped => return Ok(()),
            Ended::Restart => {}
            Ended::Removed => return Err(AgentError::Removed.into()),
        }
    }
}

async fn run_doctor(arguments: DoctorArguments) -> anyhow::Result<()> {
    let findings = doctor::examine(&arguments.data, &clock()).await;
    let report = if arguments.json { doctor::to_json(&findings) } else { doctor::to_text(&findings) };
    writeln!(io::stdout(), "{report}").context("cannot write to standard output")?;
    let failed = findings.iter().filter(|finding| finding.is_failure()).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

async fn run_fleet(arguments: FleetArguments) -> anyhow::Result<()> {
    let fleet = Fleet {
        servers: arguments.servers,
        workloads: arguments.workloads,
        seed: arguments.seed,
        token: token(&arguments.token)?,
        site: site(&arguments)?,
        data: arguments.data,
        options: options(&arguments.options),
    };
    Ok(fleet.run(clock(), stop_signal()?).await?)
}

fn site(arguments: &FleetArguments) -> anyhow::Result<Option<FleetSite>> {
    let read = |file: &PathBuf| read_token(file).and_then(|text| Ok(JoinToken::parse(&text)?));
    let token = arguments.site_token_file.as_ref().map(read).transpose()?;
    let tenants = arguments.site_tenants;
    Ok((arguments.site || token.is_some()).then_some(FleetSite { tenants, token }))
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

fn options(arguments: &OptionArguments) -> Options {
    Options {
        interval: arguments.interval,
        max_backoff: arguments.max_backoff,
        spool_limit: arguments.spool_limit << 20,
        ..Options::default()
    }
}

async fn driver_settings(arguments: DriverArguments) -> anyhow::Result<DriverSettings> {
    match arguments.driver {
        DriverKind::Restic => Ok(DriverSettings::Restic {
            repository: located(arguments.restic_repo.context("--driver restic needs --restic-repo")?),
            password_file: std::path::absolute(
                arguments.restic_password_file.context("--driver restic needs --restic-password-file")?,
            )
            .context("cannot locate the password file")?,
            server_name: arguments.server_name,
        }),
        DriverKind::Simulated => Ok(DriverSettings::Simulated {
            seed: arguments.seed,
            server: 0,
            workloads: arguments.workloads,
            since: SystemClock.now_ms(),
            site: None,
        }),
        DriverKind::Vbr => vbr::settings(arguments, &clock()).await,
        DriverKind::None => Ok(DriverSettings::None {}),
    }
}

/// No name: the script that the agent brings.
fn script(program: PathBuf) -> Script {
    Script { program: Some(program).filter(|program| !program.as_os_str().is_empty()), arguments: Vec::new() }
}

/// A relative folder is made absolute: a service runs elsewhere than the shell that enrolled it.
fn located(repository: String) -> String {
    let path = Path::new(&repository);
    if path.is_relative() && path.is_dir() {
        std::path::absolute(path).map_or(repository.clone(), |path| path.display().to_string())
    } else {
        repository
    }
}

fn required_token(arguments: &TokenArguments) -> anyhow::Result<JoinToken> {
    token(arguments)?.context("no join token: give --token-file FILE (`-` for standard input) or --token")
}

fn token(arguments: &TokenArguments) -> anyhow::Result<Option<JoinToken>> {
    let text = match (&arguments.token_file, &arguments.token) {
        (Some(file), _) => read_token(file)?,
        (None, Some(text)) => text.clone(),
        (None, None) => return Ok(None),
    };
    Ok(Some(JoinToken::parse(&text)?))
}

fn read_token(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("cannot read the token from standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read the token file {}", file.display()))
}

/// Cancelled by the first SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    #[cfg(unix)]
    let signal = {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
        async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    };
    #[cfg(not(unix))]
    let signal = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    tokio::spawn(async move {
        signal.await;
        info!("stopping");
        cancelled.cancel();
    });
    Ok(stop)
}
