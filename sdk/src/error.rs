//! How a plugin says no.

use serde::de::DeserializeOwned;

use crate::bindings::base::keelson::plugin::types::PluginError;

/// Why a call was refused. It reaches the administrator as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Stable, kebab-case, for programs.
    pub code: String,
    /// One sentence, with the way out.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
}

impl Error {
    /// An error that stays until somebody changes something.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), retryable: false }
    }

    /// The same, but worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The host asked for a rule that the plugin does not have.
    pub fn unknown_rule(rule: &str) -> Self {
        Self::new("unknown-rule", format!("this plugin has no rule `{rule}`"))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<PluginError> for Error {
    /// An error of the host.
    fn from(error: PluginError) -> Self {
        let PluginError { code, message, retryable } = error;
        Self { code, message, retryable }
    }
}

/// Reads a call's parameters. The host has held them to the rule's schema and filled in its defaults.
pub fn parameters<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| Error::new("bad-parameters", error.to_string()))
}
