//! A rule as its plugin describes it, and what the host holds it to.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::facts::{SUBJECTS, Subject};
use super::schema::Schema;
use crate::plugins::text::nearest;

/// The most rules that one plugin may have.
const MAX_RULES: usize = 200;
/// The longest text of a rule that an administrator reads.
const MAX_TEXT: usize = 8 * 1024;

/// One rule, in the words an administrator reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleDescription {
    /// Stable, unique in the plugin.
    pub id: String,
    /// The name of the alarm.
    pub name: String,
    /// What each row is.
    pub subject: String,
    /// The columns it gets.
    pub columns: Vec<String>,
    /// JSON Schema 2020-12 of the parameters.
    pub parameters_schema: Value,
    /// The schema's defaults, filled in.
    pub default_parameters: Value,
    /// The number under which scripts know the built-in alarm, 0 for none.
    pub internal_id: u32,
    /// What the alarm means.
    pub summary: String,
    /// What usually causes it.
    pub cause: String,
    /// What to do.
    pub resolution: String,
    /// Texts of the verdicts.
    pub messages: Vec<String>,
}

/// A rule of a running plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedRule {
    /// The plugin's id.
    pub plugin: String,
    /// The plugin's version.
    pub plugin_version: String,
    /// Grows with each load: two rules of one generation came from the same file.
    pub generation: u64,
    /// What it says of itself.
    pub rule: RuleDescription,
}

/// All rules of all running plugins at one moment, by plugin and then in the plugin's order.
#[derive(Debug, Clone, Default)]
pub struct RuleSet(pub(super) Vec<Arc<LoadedRule>>);

impl RuleSet {
    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<LoadedRule>> {
        self.0.iter()
    }

    /// The rule `rule` of `plugin`.
    pub fn get(&self, plugin: &str, rule: &str) -> Option<&Arc<LoadedRule>> {
        self.0.iter().find(|loaded| loaded.plugin == plugin && loaded.rule.id == rule)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no plugin has a rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a RuleSet {
    type Item = &'a Arc<LoadedRule>;
    type IntoIter = std::slice::Iter<'a, Arc<LoadedRule>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A rule that passed, with its compiled schema.
#[derive(Debug)]
pub(super) struct CheckedRule {
    pub(super) description: RuleDescription,
    pub(super) parameters: Schema,
}

/// A rule as it came out of the guest, before any check.
#[derive(Debug, Clone, Default)]
pub(super) struct RawRule {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) columns: Vec<String>,
    pub(super) parameters_schema: String,
    pub(super) internal_id: u32,
    pub(super) summary: String,
    pub(super) cause: String,
    pub(super) resolution: String,
    pub(super) messages: Vec<String>,
}

/// Holds all rules of a plugin to the contract. The error names the rule and both sides.
pub(super) fn check_all(raw: Vec<RawRule>) -> Result<Vec<CheckedRule>, String> {
    if raw.len() > MAX_RULES {
        return Err(format!("{} rules, but a plugin may have {MAX_RULES}", raw.len()));
    }
    let mut seen = BTreeSet::new();
    raw.into_iter()
        .map(|rule| {
            let id = rule.id.clone();
            if !seen.insert(id.clone()) {
                return Err(format!("two rules have the id `{id}`"));
            }
            check(rule).map_err(|reason| format!("rule `{id}`: {reason}"))
        })
        .collect()
}

fn check(raw: RawRule) -> Result<CheckedRule, String> {
    if !is_kebab(&raw.id) {
        return Err("its id must be lower-case words joined by hyphens".to_owned());
    }
    check_texts(&raw)?;
    check_columns(&raw)?;
    let schema: Value = serde_json::from_str(&raw.parameters_schema)
        .map_err(|error| format!("its parameters-schema is not JSON: {error}"))?;
    let parameters = Schema::compile(&schema).map_err(|error| format!("its parameters-schema: {error}"))?;
    let defaults = parameters.fill(&Value::Object(serde_json::Map::new())).map_err(|errors| {
        format!("its parameters-schema needs a default for each required property: {}", errors.join("; "))
    })?;
    let description = RuleDescription {
        id: raw.id,
        name: raw.name,
        subject: raw.subject,
        columns: raw.columns,
        parameters_schema: schema,
        default_parameters: defaults,
        internal_id: raw.internal_id,
        summary: raw.summary,
        cause: raw.cause,
        resolution: raw.resolution,
        messages: raw.messages,
    };
    Ok(CheckedRule { description, parameters })
}

fn check_texts(raw: &RawRule) -> Result<(), String> {
    if raw.name.trim().is_empty() {
        return Err("it has no name".to_owned());
    }
    if raw.messages.is_empty() {
        return Err("it has no messages, so a verdict could say nothing".to_owned());
    }
    let texts = [
        ("name", &raw.name),
        ("summary", &raw.summary),
        ("cause", &raw.cause),
        ("resolution", &raw.resolution),
    ];
    let messages = raw.messages.iter().map(|message| ("messages", message));
    texts.into_iter().chain(messages).try_for_each(|(place, text)| check_text(place, text))
}

/// One text that is kept in the database, which takes no NUL, and shown to an administrator.
fn check_text(place: &str, text: &str) -> Result<(), String> {
    if text.len() > MAX_TEXT {
        return Err(format!("its {place}: a text of {} bytes; {MAX_TEXT} are allowed", text.len()));
    }
    match text.chars().find(|letter| *letter < ' ' && !matches!(letter, '\n' | '\t')) {
        Some(letter) => Err(format!(
            "its {place}: a text with the control character U+{:04X}; only line breaks and tabs are allowed",
            u32::from(letter)
        )),
        None => Ok(()),
    }
}

fn check_columns(raw: &RawRule) -> Result<(), String> {
    let Some(subject) = Subject::named(&raw.subject) else {
        let known: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
        return Err(format!("this host knows no subject `{}`{}", raw.subject, nearest(&raw.subject, &known)));
    };
    let mut seen = BTreeSet::new();
    for column in &raw.columns {
        if subject.kind_of(column).is_none() {
            let known: Vec<_> = subject.columns.iter().map(|(name, _)| *name).collect();
            return Err(format!("a `{}` has no column `{column}`{}", subject.name, nearest(column, &known)));
        }
        if !seen.insert(column) {
            return Err(format!("it asks twice for the column `{column}`"));
        }
    }
    Ok(())
}

fn is_kebab(id: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    id.len() <= 64 && id.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawRule {
        RawRule {
            id: "computer-without-backup".to_owned(),
            name: "Computer without backup".to_owned(),
            subject: "computer".to_owned(),
            columns: vec!["first-seen".to_owned()],
            parameters_schema:
                r#"{"type":"object","properties":{"rpoHours":{"type":"integer","default":24}}}"#.to_owned(),
            messages: vec!["none".to_owned()],
            ..RawRule::default()
        }
    }

    fn refusal(change: impl FnOnce(&mut RawRule)) -> String {
        let mut rule = raw();
        change(&mut rule);
        check_all(vec![rule]).unwrap_err()
    }

    #[test]
    fn a_good_rule_comes_with_its_defaults() {
        let rules = check_all(vec![raw()]).unwrap();
        assert_eq!(rules[0].description.default_parameters, serde_json::json!({"rpoHours": 24}));
    }

    #[test]
    fn a_bad_rule_is_refused_by_name_with_the_nearest_word() {
        assert!(refusal(|rule| rule.subject = "computers".to_owned()).contains("did you mean `computer`"));
        assert!(refusal(|rule| rule.columns = vec!["first-see".to_owned()]).contains("`first-seen`"));
        assert!(refusal(|rule| rule.parameters_schema = "{".to_owned()).contains("not JSON"));
        assert!(
            refusal(|rule| rule.parameters_schema = r#"{"type":"nonsense"}"#.to_owned()).contains("schema")
        );
        assert!(
            refusal(|rule| rule.parameters_schema = r#"{"required":["a"]}"#.to_owned()).contains("default")
        );
        assert!(refusal(|rule| rule.id = "Bad id".to_owned()).contains("Bad id"));
        assert!(refusal(|rule| rule.messages.clear()).contains("messages"));
        assert!(check_all(vec![raw(), raw()]).unwrap_err().contains("two rules"));
    }

    #[test]
    fn a_control_character_in_any_text_is_refused_by_place_and_number() {
        type Set = fn(&mut RawRule, String);
        let places: [(&str, Set); 5] = [
            ("name", |rule, text| rule.name = text),
            ("summary", |rule, text| rule.summary = text),
            ("cause", |rule, text| rule.cause = text),
            ("resolution", |rule, text| rule.resolution = text),
            ("messages", |rule, text| rule.messages.push(text)),
        ];
        for (place, set) in places {
            let reason = refusal(|rule| set(rule, "a\0b".to_owned()));
            assert!(reason.contains(&format!("its {place}: ")) && reason.contains("U+0000"), "{reason}");
        }
        assert!(refusal(|rule| rule.cause = "\u{1b}[2J".to_owned()).contains("U+001B"));
        assert!(refusal(|rule| rule.cause = "x".repeat(MAX_TEXT + 1)).contains("8193 bytes"));
        let plain = RawRule { cause: "one\n\ttwo".to_owned(), ..raw() };
        check_all(vec![plain]).unwrap();
    }
}
