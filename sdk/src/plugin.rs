//! Every plugin.

use crate::Error;

/// What every plugin says of itself. The host refuses a component whose id or version is not that of its `plugin.toml`.
pub trait Plugin {
    /// `vendor.name`.
    const ID: &'static str;
    /// Semver; usually `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;

    /// Called once at each load, before anything else. An error refuses the load with that message: a plugin that finds
    /// its settings unusable says so here. The argument is a JSON object with the host's `version` and `contract`.
    fn start(_host: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Called once before version `to` takes the place of version `from`, which may be a later one: time to rewrite what
    /// `kv` holds. An error keeps the old version running.
    fn migrate(_from: &str, _to: &str) -> Result<(), Error> {
        Ok(())
    }

    /// How it is. The error's message is what the administrator reads.
    fn health() -> Result<(), Error> {
        Ok(())
    }
}
