//! What a check found, and how it is told: as the agent's doctor tells it.

use serde::Serialize;
use serde_json::json;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and will not for ever.
    Warn,
    /// It does not work.
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One check's outcome.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    /// What was checked, in one word.
    pub(super) check: &'static str,
    pub(super) level: Level,
    pub(super) message: String,
    /// What to change; empty when all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    advice: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, message: message.into(), advice: String::new() }
    }

    pub(super) fn warn(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, advice: advice.into(), ..Self::ok(check, message) }
    }

    pub(super) fn fail(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Fail, advice: advice.into(), ..Self::ok(check, message) }
    }

    pub(super) fn is_failure(&self) -> bool {
        self.level == Level::Fail
    }
}

/// A line each.
pub(super) fn to_text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { check, level, message, advice } = finding;
        // What a database or the settings' reader said may have several.
        let line = format!("{:<4}  {check:<11} {message}", level.word()).replace(['\r', '\n'], " ");
        if advice.is_empty() { line } else { format!("{line} -> {advice}") }
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One line for all.
pub(super) fn to_json(findings: &[Finding]) -> String {
    let ok = !findings.iter().any(Finding::is_failure);
    json!({"ok": ok, "version": env!("CARGO_PKG_VERSION"), "checks": findings}).to_string()
}
