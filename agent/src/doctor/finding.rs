//! What a check found, and how it is told.

use serde::Serialize;
use serde_json::{Value, json};

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked, in one word.
    pub check: &'static str,
    /// How grave it is.
    pub level: Level,
    /// What was found.
    pub message: String,
    /// What to change; empty when all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// For programs, when somebody between agent and host was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, message: message.into(), advice: String::new(), event: None }
    }

    pub(super) fn warn(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, advice: advice.into(), ..Self::ok(check, message) }
    }

    pub(super) fn fail(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Fail, advice: advice.into(), ..Self::ok(check, message) }
    }

    /// Whether it does not work.
    pub fn is_failure(&self) -> bool {
        self.level == Level::Fail
    }
}

/// A line each.
pub fn to_text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { check, level, message, advice, .. } = finding;
        let line = format!("{:<4}  {check:<11} {message}", level.word());
        // What a program said may have several.
        let line = line.replace(['\r', '\n'], " ");
        if advice.is_empty() { line } else { format!("{line} -> {advice}") }
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One line for all.
pub fn to_json(findings: &[Finding]) -> String {
    let ok = !findings.iter().any(Finding::is_failure);
    json!({"ok": ok, "version": crate::VERSION, "checks": findings}).to_string()
}
