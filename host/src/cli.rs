//! The command line. What it manages it writes to the database itself, so it works with the host running or not.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::config::{Config, Flags, ServeFlags};
use crate::lifecycle;
use crate::store::Store;

mod admin;
mod plugin;
mod token;

/// Service provider console for backup MSPs, and a plugin host.
#[derive(Debug, Parser)]
#[command(name = "keelson", version)]
pub struct Cli {
    /// The folder with the database, the keys and the settings
    #[arg(long, global = true, env = "KEELSON_DATA", value_name = "FOLDER", default_value = "keelson-data")]
    data: PathBuf,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the host
    Serve(ServeFlags),
    /// Users
    #[command(subcommand)]
    User(admin::UserCommand),
    /// API keys
    #[command(subcommand)]
    Apikey(admin::KeyCommand),
    /// Companies
    #[command(subcommand)]
    Company(admin::CompanyCommand),
    /// Management agents
    #[command(subcommand)]
    Agent(token::AgentCommand),
    /// Plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Print the OpenAPI document
    Openapi,
}

/// What a command works on.
struct Place {
    data: PathBuf,
    config: Config,
}

impl Place {
    async fn store(&self) -> anyhow::Result<Store> {
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make {}", self.data.display()))?;
        Ok(Store::open(&self.config.database(&self.data)).await?)
    }
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let serve = match &cli.command {
        Command::Serve(flags) => flags.clone(),
        _ => ServeFlags::default(),
    };
    let place = Place { config: Config::load(&cli.data, &cli.flags, &serve)?, data: cli.data };
    match cli.command {
        Command::Serve(_) => serve_until_stopped(&place).await,
        Command::User(command) => command.run(&place).await,
        Command::Apikey(command) => command.run(&place).await,
        Command::Company(command) => command.run(&place).await,
        Command::Agent(command) => command.run(&place).await,
        Command::Plugin(command) => command.run(&place).await,
        Command::Openapi => say(&crate::api::openapi()),
    }
}

async fn serve_until_stopped(place: &Place) -> anyhow::Result<()> {
    let app = App::start(&place.data, &place.config).await?;
    let at = &app.addresses;
    let host = place.config.advertise();
    say(&format!("Keelson {} serves https://{host}:{}/", env!("CARGO_PKG_VERSION"), at.api.port()))?;
    say(&format!(
        "  agents     {host}:{} (remote), {host}:{} (hosted)",
        at.agents_remote.port(),
        at.agents_hosted.port()
    ))?;
    say(&format!("  health     http://{}/readyz", at.health))?;
    say(&format!("  CA         {} in {}", at.ca_fingerprint, at.ca_file.display()))?;
    say(&format!(
        "  first user keelson user add --name NAME --role PortalAdministrator --data {}",
        place.data.display()
    ))?;
    lifecycle::asked_to_stop().await.context("cannot listen for signals")?;
    tracing::info!("lifecycle: stopping");
    app.stop().await;
    Ok(())
}

/// One line on standard output, which scripts read; a reader that has gone is no fault.
fn say(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
