//! The extension point `alert-rules`.

use serde_json::Value;

use crate::bindings::alert_rules::exports::keelson::plugin::alert_rules as wit;
use crate::{Call, Error, Facts};

/// Rules that look at facts and say what is wrong. A rule is a pure function: same table, same verdicts.
pub trait AlertRules {
    /// The rules of this plugin.
    fn rules() -> Vec<Rule>;

    /// Judges each row. What the verdicts do not mention is well, and the host resolves its alarm.
    fn evaluate(call: &Call, rule: &str, parameters: &str, facts: &Facts) -> Result<Verdicts, Error>;
}

/// One rule, in the words an administrator reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Stable, kebab-case, unique in the plugin.
    pub id: &'static str,
    /// "Computer without backup".
    pub name: &'static str,
    /// What each row is; `wit/README.md` has the list.
    pub subject: &'static str,
    /// The columns that `evaluate` gets, and no others.
    pub columns: &'static [&'static str],
    /// JSON Schema 2020-12 of the parameters: an object with a default for each property.
    pub parameters: Value,
    /// The number under which scripts know the built-in alarm, 0 for none.
    pub internal_id: u32,
    /// What the alarm means.
    pub summary: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What to do.
    pub resolution: &'static str,
    /// Texts of the verdicts: `{0}`, `{1}` … stand for a verdict's arguments.
    pub messages: &'static [&'static str],
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    /// Worth knowing.
    Info = 1,
    /// Needs a look.
    Warning = 2,
    /// Needs a hand.
    Error = 3,
}

/// The verdicts on a table, kept as columns because that is how they travel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdicts {
    rows: Vec<u32>,
    severities: Vec<u8>,
    messages: Vec<u32>,
    arguments: Vec<Vec<String>>,
    recheck: Vec<i64>,
}

/// One of them, read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Its position in the table.
    pub row: usize,
    /// The number of its severity.
    pub severity: u8,
    /// Its position in the rule's messages.
    pub message: usize,
    /// What the message's placeholders stand for.
    pub arguments: &'a [String],
}

impl Verdicts {
    /// None yet. `recheck` says, for every row, when its verdict may change though no fact does
    /// ([`NEVER`](crate::NEVER) for never); empty for never at all.
    pub fn with_recheck(recheck: Vec<i64>) -> Self {
        Self { recheck, ..Self::default() }
    }

    /// Says that a row is not well. Rows must come in ascending order, each at most once.
    pub fn raise(&mut self, row: usize, severity: Severity, message: usize, arguments: Vec<String>) {
        self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        self.severities.push(severity as u8);
        self.messages.push(u32::try_from(message).unwrap_or(u32::MAX));
        self.arguments.push(arguments);
    }

    /// How many rows are not well.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all rows are well.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// When each row wants to be looked at again.
    pub fn recheck(&self) -> &[i64] {
        &self.recheck
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Verdict<'_>> {
        let position = |number: &u32| usize::try_from(*number).unwrap_or(usize::MAX);
        let columns = self.rows.iter().zip(&self.severities).zip(self.messages.iter().zip(&self.arguments));
        columns.map(move |((row, severity), (message, arguments))| Verdict {
            row: position(row),
            severity: *severity,
            message: position(message),
            arguments,
        })
    }
}

impl From<Verdicts> for wit::Verdicts {
    fn from(verdicts: Verdicts) -> Self {
        let Verdicts { rows, severities, messages, arguments, recheck } = verdicts;
        Self { rows, severities, messages, arguments, recheck }
    }
}

impl From<Rule> for wit::Rule {
    fn from(rule: Rule) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            id: rule.id.to_owned(),
            name: rule.name.to_owned(),
            subject: rule.subject.to_owned(),
            columns: owned(rule.columns),
            parameters_schema: rule.parameters.to_string(),
            internal_id: rule.internal_id,
            summary: rule.summary.to_owned(),
            cause: rule.cause.to_owned(),
            resolution: rule.resolution.to_owned(),
            messages: owned(rule.messages),
        }
    }
}
