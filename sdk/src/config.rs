//! The plugin's settings, as the administrator left them. Outside a component they are what
//! [`testkit::settings`](crate::testkit::settings) set.

use serde::de::DeserializeOwned;

use crate::Error;

/// All settings as one JSON object; the host has held it to `config.schema.json` and filled in the defaults.
#[cfg(target_arch = "wasm32")]
pub fn json() -> String {
    crate::bindings::base::keelson::plugin::config::get()
}

/// All settings as one JSON object; the host has held it to `config.schema.json` and filled in the defaults.
#[cfg(not(target_arch = "wasm32"))]
pub fn json() -> String {
    crate::testkit::current_settings()
}

/// The settings as a type of the plugin's own.
pub fn read<T: DeserializeOwned>() -> Result<T, Error> {
    serde_json::from_str(&json()).map_err(|error| Error::new("bad-settings", error.to_string()))
}
