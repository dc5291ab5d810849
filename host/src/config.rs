//! Settings: defaults < `keelson.toml` in the data folder < environment (`KEELSON_…`) < flags. An unknown key is an error.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

mod proxies;

pub use proxies::{ForwardedHeader, TrustedNetwork};

/// All settings of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`; absent: `keelson.db` in the data folder.
    #[serde(default)]
    pub database: Option<String>,
    /// REST and console.
    pub api: SocketAddr,
    /// Agents in tenants' networks.
    pub agents_remote: SocketAddr,
    /// Agents in the provider's network.
    pub agents_hosted: SocketAddr,
    /// Health, for load balancers and monitoring; plain HTTP.
    pub health: SocketAddr,
    /// The folder whose folders are plugins; absent: `plugins` in the data folder, if it exists.
    #[serde(default)]
    pub plugins: Option<PathBuf>,
    /// The folder with the library of packages that ships with the host; absent: `library` beside the program.
    #[serde(default)]
    pub library: Option<PathBuf>,
    /// Whether plugins that nobody signed may be installed: for who develops them.
    #[serde(default)]
    pub unsigned_plugins: bool,
    /// The name or address under which agents and browsers reach this host; absent: this machine's name.
    #[serde(default)]
    pub advertise: Option<String>,
    /// How often agents say that they are there.
    pub heartbeat_seconds: u32,
    /// The operator's own proxies in front of the API: addresses or networks. Only what they say about whom they speak
    /// for is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<TrustedNetwork>,
    /// The header in which they say it: `x-forwarded-for` or `forwarded`.
    #[serde(default)]
    pub forwarded_header: ForwardedHeader,
    /// Requests that one user may make each second, ten seconds' worth at once; 0: no limit.
    pub user_requests_per_second: u32,
    /// Requests that one address may make each second, ten seconds' worth at once; 0: no limit.
    pub address_requests_per_second: u32,
    /// A PEM file with authorities that mail servers may be vouched for by, beside the public ones.
    #[serde(default)]
    pub mail_ca: Option<PathBuf>,
    /// Whether mail servers of resellers and companies may stand in private networks, the provider's among them; those of the
    /// provider always may.
    #[serde(default)]
    pub private_mail_servers: bool,
    /// A read of the database that takes longer is ended, and its client told what to filter by instead.
    pub longest_read_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Self {
            database: None,
            api: any(1280),
            agents_remote: any(6180),
            agents_hosted: any(9999),
            health: SocketAddr::from(([127, 0, 0, 1], 1281)),
            plugins: None,
            library: None,
            unsigned_plugins: false,
            advertise: None,
            heartbeat_seconds: 30,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            user_requests_per_second: 200,
            address_requests_per_second: 500,
            mail_ca: None,
            private_mail_servers: false,
            longest_read_seconds: 10,
        }
    }
}

/// What flags may say; what they leave out comes from elsewhere.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
#[serde(rename_all = "kebab-case")]
pub struct Flags {
    /// `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

/// What flags of `serve` may say.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
#[serde(rename_all = "kebab-case")]
pub struct ServeFlags {
    /// REST and console [default: 0.0.0.0:1280]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<SocketAddr>,
    /// Agents in tenants' networks [default: 0.0.0.0:6180]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents_remote: Option<SocketAddr>,
    /// Agents in the provider's network [default: 0.0.0.0:9999]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents_hosted: Option<SocketAddr>,
    /// Health, plain HTTP [default: 127.0.0.1:1281]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<SocketAddr>,
    /// The folder whose folders are plugins
    #[arg(long, value_name = "FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<PathBuf>,
    /// The library of packages that ships with the host [default: `library` beside the program]
    #[arg(long, value_name = "FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<PathBuf>,
    /// The name under which agents and browsers reach this host
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise: Option<String>,
    /// How often agents say that they are there [default: 30]
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<u32>,
}

/// The settings do not do. The message names the key, where it stands, and what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not valid: {message}")]
pub struct ConfigError {
    message: String,
}

impl Config {
    /// Puts the settings together.
    pub fn load(data: &Path, flags: &Flags, serve: &ServeFlags) -> Result<Self, ConfigError> {
        let figment = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(data.join("keelson.toml")))
            // What else this family of variables may hold is for the tools around the host.
            .merge(Env::prefixed("KEELSON_").map(|key| key.as_str().replace('_', "-").into()).only(&[
                "database",
                "api",
                "agents-remote",
                "agents-hosted",
                "health",
                "plugins",
                "library",
                "unsigned-plugins",
                "advertise",
                "heartbeat-seconds",
                "trusted-proxies",
                "forwarded-header",
                "user-requests-per-second",
                "address-requests-per-second",
                "mail-ca",
                "private-mail-servers",
                "longest-read-seconds",
            ]))
            .merge(Serialized::defaults(flags))
            .merge(Serialized::defaults(serve));
        let config: Self = figment.extract().map_err(|error| ConfigError { message: error.to_string() })?;
        for (name, seconds) in [
            ("heartbeat-seconds", config.heartbeat_seconds),
            ("longest-read-seconds", config.longest_read_seconds),
        ] {
            if seconds == 0 {
                return Err(ConfigError { message: format!("{name} must be at least 1") });
            }
        }
        Ok(config)
    }

    /// The database to open.
    pub fn database(&self, data: &Path) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite:{}", data.join("keelson.db").display()))
    }

    /// The folder of plugins.
    pub fn plugins(&self, data: &Path) -> Option<PathBuf> {
        self.plugins.clone().or_else(|| Some(data.join("plugins")).filter(|folder| folder.is_dir()))
    }

    /// The library that ships with the host, where there is one.
    pub fn library(&self) -> Option<PathBuf> {
        let beside = || Some(std::env::current_exe().ok()?.with_file_name("library"));
        self.library.clone().or_else(beside).filter(|folder| folder.is_dir())
    }

    /// How often agents say that they are there.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs(u64::from(self.heartbeat_seconds))
    }

    /// Under which name agents reach this host.
    pub fn advertise(&self) -> String {
        self.advertise.clone().unwrap_or_else(machine_name)
    }
}

/// This machine's name, or `localhost` if it has none.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(
            data.path().join("keelson.toml"),
            "api = \"127.0.0.1:1\"\nadvertise = \"console.example\"",
        )
        .unwrap();
        let serve = ServeFlags { api: Some(SocketAddr::from(([127, 0, 0, 1], 2))), ..ServeFlags::default() };
        let config = Config::load(data.path(), &Flags::default(), &serve).unwrap();
        assert_eq!(config.api.port(), 2);
        assert_eq!(config.advertise(), "console.example");
        assert_eq!(config.agents_remote.port(), 6180);
    }

    #[test]
    fn proxies_are_networks_and_anything_else_is_refused_by_name() {
        let data = tempfile::tempdir().unwrap();
        let load = |text: &str| {
            std::fs::write(data.path().join("keelson.toml"), text).unwrap();
            Config::load(data.path(), &Flags::default(), &ServeFlags::default())
        };
        let config =
            load("trusted-proxies = [\"10.0.0.0/8\", \"::1\"]\nforwarded-header = \"forwarded\"").unwrap();
        assert_eq!((config.trusted_proxies.len(), config.forwarded_header), (2, ForwardedHeader::Forwarded));
        assert!(load("trusted-proxies = [\"ten\"]").unwrap_err().to_string().contains("ten"));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("keelson.toml"), "agent-remote = \"127.0.0.1:1\"").unwrap();
        let error =
            Config::load(data.path(), &Flags::default(), &ServeFlags::default()).unwrap_err().to_string();
        assert!(error.contains("agent-remote"), "{error}");
    }
}
