//! Runs a rule natively, held to the same contract as in the host. No component, no host, no clock.

pub mod http;
pub mod inventory;
pub(crate) mod kv;
pub mod secrets;

use std::cell::RefCell;

use serde_json::Value;

use crate::bindings::base::keelson::plugin::types;
use crate::log::Level;
use crate::{AlertRules, Call, Facts, Severity};

thread_local! {
    static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
    static NOW: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
    static SETTINGS: RefCell<String> = RefCell::new("{}".to_owned());
}

/// A table under construction.
#[derive(Debug)]
pub struct Table(types::Table);

impl Table {
    /// A table of so many rows and no columns.
    pub fn new(rows: usize) -> Self {
        Self(types::Table { rows: u32::try_from(rows).unwrap_or(u32::MAX), columns: Vec::new() })
    }

    /// Adds a column of whole numbers or instants.
    #[must_use]
    pub fn ints(self, name: &str, values: impl Into<Vec<i64>>) -> Self {
        self.column(name, types::Values::Ints(values.into()))
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn floats(self, name: &str, values: impl Into<Vec<f64>>) -> Self {
        self.column(name, types::Values::Floats(values.into()))
    }

    /// Adds a column of flags: 0 false, 1 true, 2 absent.
    #[must_use]
    pub fn flags(self, name: &str, values: impl Into<Vec<u8>>) -> Self {
        self.column(name, types::Values::Flags(values.into()))
    }

    /// Adds a column of words.
    #[must_use]
    pub fn strings(self, name: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.column(name, types::Values::Strings(values))
    }

    fn column(mut self, name: &str, values: types::Values) -> Self {
        self.0.columns.push(types::Column { name: name.to_owned(), values });
        self
    }
}

/// A verdict as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Its position in the table.
    pub row: usize,
    /// How bad it is.
    pub severity: Severity,
    /// The text, filled in.
    pub message: String,
}

/// What a rule said about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The rows that are not well.
    pub raised: Vec<Raised>,
    /// When each row wants to be looked at again.
    pub recheck: Vec<Option<i64>>,
}

/// Runs the rule `rule` of `P` on `table` as of `now`. Parameters that are left out get the defaults of the rule's
/// schema. An error is the plugin's own, or says what of the contract it breaks.
pub fn evaluate<P: AlertRules>(
    rule: &str,
    parameters: &Value,
    now: i64,
    table: Table,
) -> Result<Outcome, String> {
    let rule = P::rules().into_iter().find(|known| known.id == rule).ok_or(format!("no rule `{rule}`"))?;
    let table = asked_for(table.0, rule.columns)?;
    let rows = usize::try_from(table.rows).map_err(|error| error.to_string())?;
    let parameters = with_defaults(&rule.parameters, parameters).to_string();
    let call = Call::new("test", now);
    let verdicts = P::evaluate(&call, rule.id, &parameters, &Facts::from_table(table))
        .map_err(|error| error.to_string())?;
    let mut raised = Vec::new();
    let mut next = 0;
    for verdict in verdicts.iter() {
        if verdict.row < next || verdict.row >= rows {
            return Err(format!("row {} is out of range or out of order", verdict.row));
        }
        next = verdict.row + 1;
        let severity = [Severity::Info, Severity::Warning, Severity::Error]
            .into_iter()
            .find(|known| *known as u8 == verdict.severity)
            .ok_or(format!("severity {}", verdict.severity))?;
        let text = rule.messages.get(verdict.message).ok_or(format!("no message {}", verdict.message))?;
        raised.push(Raised { row: verdict.row, severity, message: fill(text, verdict.arguments)? });
    }
    Ok(Outcome { raised, recheck: recheck(verdicts.recheck(), rows)? })
}

/// What was logged on this thread since the last look.
pub fn take_log() -> Vec<(Level, String)> {
    LOG.with_borrow_mut(std::mem::take)
}

/// What [`config`](crate::config) gives on this thread from now on.
pub fn settings(settings: &Value) {
    SETTINGS.set(settings.to_string());
}

/// What [`clock`](crate::clock) says on this thread from now on: unix milliseconds, UTC.
pub fn clock(now: i64) {
    NOW.set(now);
}

pub(crate) fn current_instant() -> i64 {
    NOW.get()
}

pub(crate) fn record(level: Level, message: &str) {
    LOG.with_borrow_mut(|log| log.push((level, message.to_owned())));
}

pub(crate) fn current_settings() -> String {
    SETTINGS.with_borrow(Clone::clone)
}

fn asked_for(mut table: types::Table, columns: &[&str]) -> Result<types::Table, String> {
    let mut kept = Vec::new();
    for name in columns {
        let position = table.columns.iter().position(|column| column.name == *name);
        kept.push(table.columns.swap_remove(position.ok_or(format!("the table lacks the column `{name}`"))?));
    }
    table.columns = kept;
    Ok(table)
}

fn with_defaults(schema: &Value, given: &Value) -> Value {
    let mut filled = given.clone();
    let properties = schema.get("properties").and_then(Value::as_object);
    if let (Some(properties), Some(object)) = (properties, filled.as_object_mut()) {
        for (name, property) in properties {
            if let (false, Some(default)) = (object.contains_key(name), property.get("default")) {
                object.insert(name.clone(), default.clone());
            }
        }
    }
    filled
}

fn fill(text: &str, arguments: &[String]) -> Result<String, String> {
    let mut filled = text.to_owned();
    for (position, argument) in arguments.iter().enumerate() {
        if argument.contains('\0') {
            return Err(format!("the argument {position} of {text:?} has a NUL character"));
        }
        let placeholder = format!("{{{position}}}");
        if !text.contains(&placeholder) {
            return Err(format!("the text {text:?} has no {placeholder}"));
        }
        filled = filled.replace(&placeholder, argument);
    }
    Ok(filled)
}

fn recheck(recheck: &[i64], rows: usize) -> Result<Vec<Option<i64>>, String> {
    match recheck.len() {
        0 => Ok(vec![None; rows]),
        len if len == rows => Ok(recheck.iter().map(|at| (*at != crate::NEVER).then_some(*at)).collect()),
        len => Err(format!("recheck has {len} entries, not {rows}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_with_a_nul_is_refused_as_the_host_would() {
        assert_eq!(fill("{0} h", &["2".to_owned()]).as_deref(), Ok("2 h"));
        assert!(fill("{0} h", &["2\0".to_owned()]).unwrap_err().contains("NUL"));
    }
}
