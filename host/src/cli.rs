//! The command line. A command works with the host running or not: a running host does it on its own database
//! (`socket.rs`), and only when none runs does the command open the database itself.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::agents::AgentAccess;
use crate::app::App;
use crate::config::{Config, Flags, ServeFlags};
use crate::lifecycle;
use crate::plugins::Plugins;
use crate::store::Store;

mod admin;
mod ca;
mod db;
mod doctor;
mod log;
mod output;
mod plugin;
mod reseller;
mod socket;
mod token;

pub use socket::AdminSocket;

use output::say;

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
    /// Resellers
    #[command(subcommand)]
    Reseller(reseller::ResellerCommand),
    /// Management agents
    #[command(subcommand)]
    Agent(token::AgentCommand),
    /// The certificate authority
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// Plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// The database
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Look for what is wrong
    Doctor(doctor::DoctorArguments),
    /// Print the OpenAPI document
    Openapi,
}

/// What a command works on.
#[derive(Debug)]
struct Place {
    data: PathBuf,
    config: Config,
    /// The host in this process, if the command was handed over to one.
    running: Option<Running>,
}

/// What a running host lends to the commands that are handed over to it.
#[derive(Debug, Clone)]
struct Running {
    store: Store,
    plugins: Plugins,
    agents: AgentAccess,
}

impl Place {
    async fn store(&self) -> anyhow::Result<Store> {
        if let Some(running) = &self.running {
            return Ok(running.store.clone());
        }
        crate::app::make_data_folder(&self.data)?;
        let url = self.config.database(&self.data);
        crate::app::not_lost(&self.data, &url).await?;
        Ok(Store::open(&url).await?)
    }
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let serve = match &cli.command {
        // Settings that cannot be read are one of its findings.
        Command::Doctor(arguments) => return doctor::run(&cli.data, &cli.flags, arguments).await,
        Command::Serve(flags) => flags.clone(),
        _ => ServeFlags::default(),
    };
    let config = Config::load(&cli.data, &cli.flags, &serve)?;
    if cli.command.is_for_a_host() {
        let arguments = std::env::args().skip(1).map(plugin::from_the_root).collect();
        let reads = cli.command.reads_input();
        let asked = socket::ask(&cli.data, arguments, (config.database.clone(), reads)).await?;
        if let Some((output, error)) = asked {
            output::print(&output)?;
            return error.map_or(Ok(()), |error| Err(anyhow::anyhow!(error)));
        }
    }
    let place = Place { config, data: cli.data, running: None };
    match cli.command {
        Command::Serve(_) => serve_until_stopped(&place).await,
        command => command.run(&place).await,
    }
}

impl Command {
    /// Whether a host that runs on the data folder does it, rather than this process.
    fn is_for_a_host(&self) -> bool {
        match self {
            Self::Serve(_) | Self::Doctor(_) | Self::Openapi => false,
            Self::Plugin(command) => command.is_for_a_host(),
            Self::Db(command) => command.is_for_a_host(),
            _ => true,
        }
    }

    /// Whether it reads standard input without being told to by a flag.
    fn reads_input(&self) -> bool {
        matches!(self, Self::Plugin(command) if command.reads_input())
    }

    /// Does anything but serve.
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Serve(_) | Self::Doctor(_) => anyhow::bail!("a host cannot be asked to do this"),
            Self::User(command) => command.run(place).await,
            Self::Apikey(command) => command.run(place).await,
            Self::Company(command) => command.run(place).await,
            Self::Reseller(command) => command.run(place).await,
            Self::Agent(command) => command.run(place).await,
            Self::Ca(command) => command.run(place).await,
            Self::Plugin(command) => command.run(place).await,
            Self::Db(command) => command.run(place).await,
            Self::Openapi => say(&crate::api::openapi()),
        }
    }
}

async fn serve_until_stopped(place: &Place) -> anyhow::Result<()> {
    let app = App::start(&place.data, &place.config).await?;
    let socket = AdminSocket::open(&place.data, &place.config, &app)?;
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
    socket.close().await;
    app.stop().await;
    Ok(())
}
