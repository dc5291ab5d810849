//! Why a capability says no: the codes that the contract names, each with a sentence.

use crate::plugins::abi::types::PluginError;

/// A refusal on its way to the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) retryable: bool,
}

impl Refusal {
    /// One that stays until somebody changes something.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: false }
    }

    /// One that may be different later.
    pub(super) fn later(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: true }
    }

    /// What the guest asked for is malformed.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new("bad-request", message)
    }

    /// The manifest has no such secret.
    pub(super) fn unknown_secret(label: &str) -> Self {
        // The guest's word, which may be megabytes.
        let label = label.chars().take(64).collect::<String>();
        Self::new(
            "unknown-secret",
            format!("plugin.toml has no [[secrets]] `{}`; add it", label.escape_default()),
        )
    }

    /// Plugins are only looked at: `keelson plugin check`.
    pub(super) fn no_services() -> Self {
        Self::new("unavailable", "this host only looks at plugins; run it with `keelson serve`")
    }

    /// The database does not answer.
    pub(super) fn no_store(error: &crate::store::StoreError) -> Self {
        tracing::warn!(error = %crate::error::chain(error), "plugins: a capability cannot use the database");
        Self::later("unavailable", "the host's database does not answer; try again later")
    }

    /// The call goes on without its host.
    pub(super) fn stopping() -> Self {
        Self::later("unavailable", "the host is stopping; try again later")
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        Self::no_store(&error)
    }
}

impl From<Refusal> for PluginError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, retryable } = refusal;
        Self { code: code.to_owned(), message, retryable }
    }
}
