//! The extension point `alert-rules`: facts in, verdicts out. Nothing that comes out is believed unchecked.

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::plugins::abi::{alert_rules as wit, types};
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::facts::{ABSENT, FactTable, Values};
use crate::plugins::rule::RawRule;
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;
use crate::plugins::text::cut;
use crate::plugins::verdict::{Severity, Verdict};

/// The longest message, and the longest argument of one.
const MAX_MESSAGE: usize = 2 * 1024;
/// The most arguments of one message.
const MAX_ARGUMENTS: usize = 16;

/// Asks for the rules.
#[derive(Debug)]
pub(in crate::plugins) struct ListRules;

impl GuestCall for ListRules {
    type Output = Vec<RawRule>;

    fn terms(&self, now: i64) -> Terms {
        Terms::load(now)
    }

    async fn run(
        self,
        guest: &Guest,
        _context: types::Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Vec<RawRule>, Failure> {
        let rules = load(guest, store, instance)?.call_rules(store).await?;
        Ok(rules.into_iter().map(RawRule::from).collect())
    }
}

/// Judges a table.
#[derive(Debug)]
pub(in crate::plugins) struct Evaluate {
    pub(in crate::plugins) rule: String,
    pub(in crate::plugins) parameters: String,
    pub(in crate::plugins) messages: Vec<String>,
    pub(in crate::plugins) now: i64,
    pub(in crate::plugins) facts: FactTable,
}

/// Checked verdicts and recheck times.
pub(in crate::plugins) type Judged = (Vec<Verdict>, Vec<Option<i64>>);

impl GuestCall for Evaluate {
    type Output = Judged;

    fn terms(&self, _now: i64) -> Terms {
        Terms::rule(self.now)
    }

    async fn run(
        self,
        guest: &Guest,
        context: types::Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Judged, Failure> {
        let Self { rule, parameters, messages, now: _, facts } = self;
        let rows = facts.rows;
        let exports = load(guest, store, instance)?;
        let table = types::Table::from(facts);
        let verdicts = exports.call_evaluate(store, &context, &rule, &parameters, &table).await??;
        check(verdicts, rows, &messages).map_err(|reason| Failure::Fault(GuestFault::BadVerdict(reason)))
    }
}

fn load(guest: &Guest, store: &mut Store<CallState>, instance: &Instance) -> Result<wit::Guest, Failure> {
    let Some(indices) = &guest.exports.alert_rules else {
        return Err(Failure::Fault(GuestFault::Contract("it exports no alert-rules".to_owned())));
    };
    Ok(indices.load(store, instance)?)
}

impl From<wit::Rule> for RawRule {
    fn from(rule: wit::Rule) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            subject: rule.subject,
            columns: rule.columns,
            parameters_schema: rule.parameters_schema,
            internal_id: rule.internal_id,
            summary: rule.summary,
            cause: rule.cause,
            resolution: rule.resolution,
            messages: rule.messages,
        }
    }
}

impl From<FactTable> for types::Table {
    fn from(table: FactTable) -> Self {
        let columns = table.columns.into_iter();
        Self {
            rows: u32::try_from(table.rows).unwrap_or(u32::MAX),
            columns: columns
                .map(|column| types::Column { name: column.name, values: column.values.into() })
                .collect(),
        }
    }
}

impl From<Values> for types::Values {
    fn from(values: Values) -> Self {
        match values {
            Values::Ints(values) => Self::Ints(values),
            Values::Floats(values) => Self::Floats(values),
            Values::Flags(values) => Self::Flags(values),
            Values::Codes { rows, dictionary } => Self::Codes(types::Coded { rows, dictionary }),
            Values::Strings(values) => Self::Strings(values),
        }
    }
}

/// Checks each column against the table and the rule's messages.
fn check(verdicts: wit::Verdicts, rows: usize, messages: &[String]) -> Result<Judged, String> {
    let wit::Verdicts { rows: positions, severities, messages: codes, arguments, recheck } = verdicts;
    let count = positions.len();
    for (column, len) in
        [("severities", severities.len()), ("messages", codes.len()), ("arguments", arguments.len())]
    {
        if len != count {
            return Err(format!("`rows` has {count} entries, but `{column}` has {len}"));
        }
    }
    check_positions(&positions, rows)?;
    let rows_of = positions.into_iter().zip(severities).zip(codes.into_iter().zip(arguments));
    let checked = rows_of
        .map(|((row, severity), (code, arguments))| {
            let severity = Severity::from_number(severity)
                .ok_or_else(|| format!("row {row} has the severity {severity}; known are 1, 2 and 3"))?;
            Ok(Verdict { row, severity, message: message(row, code, messages, arguments)? })
        })
        .collect::<Result<_, String>>()?;
    Ok((checked, check_recheck(&recheck, rows)?))
}

fn check_positions(positions: &[u32], rows: usize) -> Result<(), String> {
    if let Some([left, right]) = positions.array_windows().find(|[left, right]| left >= right) {
        return Err(format!("the rows are not ascending: {right} comes after {left}"));
    }
    match positions.last() {
        Some(last) if usize::try_from(*last).is_ok_and(|last| last >= rows) => {
            Err(format!("row {last} is out of range: the table has {rows} rows"))
        }
        _ => Ok(()),
    }
}

fn check_recheck(recheck: &[i64], rows: usize) -> Result<Vec<Option<i64>>, String> {
    if recheck.is_empty() {
        return Ok(vec![None; rows]);
    }
    if recheck.len() != rows {
        return Err(format!("`recheck` has {} entries, but the table {rows} rows", recheck.len()));
    }
    Ok(recheck.iter().map(|at| (*at != ABSENT).then_some(*at)).collect())
}

/// The rule's text with `{0}`, `{1}` … filled in, cut where it is too long.
fn message(row: u32, code: u32, messages: &[String], arguments: Vec<String>) -> Result<String, String> {
    let template = usize::try_from(code).ok().and_then(|code| messages.get(code)).ok_or_else(|| {
        format!("row {row} has the message {code}, but the rule has {} messages", messages.len())
    })?;
    if arguments.len() > MAX_ARGUMENTS {
        return Err(format!("row {row} has {} arguments; {MAX_ARGUMENTS} are allowed", arguments.len()));
    }
    // The database takes none, and one such message would stop every alarm of the pass.
    if arguments.iter().any(|argument| argument.contains('\0')) || template.contains('\0') {
        return Err(format!("row {row} has a NUL character in its message"));
    }
    let mut text = fill(template, arguments);
    cut(&mut text, MAX_MESSAGE);
    Ok(text)
}

fn fill(template: &str, mut arguments: Vec<String>) -> String {
    for argument in &mut arguments {
        cut(argument, MAX_MESSAGE);
    }
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let placeholder = after.split_once('}').and_then(|(number, after)| {
            let argument = arguments.get(number.parse::<usize>().ok()?)?;
            Some((argument, after))
        });
        if let Some((argument, after)) = placeholder {
            text.push_str(argument);
            rest = after;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> wit::Verdicts {
        wit::Verdicts {
            rows: vec![1],
            severities: vec![3],
            messages: vec![0],
            arguments: vec![vec!["26".to_owned()]],
            recheck: vec![ABSENT, 5],
        }
    }

    fn refusal(change: impl FnOnce(&mut wit::Verdicts)) -> String {
        let mut verdicts = one();
        change(&mut verdicts);
        check(verdicts, 2, &["none for {0} h".to_owned()]).unwrap_err()
    }

    #[test]
    fn a_good_verdict_is_a_row_a_severity_and_a_sentence() {
        let (verdicts, recheck) = check(one(), 2, &["none for {0} h".to_owned()]).unwrap();
        assert_eq!(verdicts[0].message, "none for 26 h");
        assert_eq!((verdicts[0].row, verdicts[0].severity), (1, Severity::Error));
        assert_eq!(recheck, vec![None, Some(5)]);
    }

    #[test]
    fn each_column_is_checked() {
        assert!(refusal(|v| v.rows = vec![2]).contains("out of range"));
        assert!(refusal(|v| v.severities = vec![]).contains("`severities` has 0"));
        assert!(refusal(|v| v.severities = vec![4]).contains("severity 4"));
        assert!(refusal(|v| v.messages = vec![1]).contains("has 1 messages"));
        assert!(refusal(|v| v.recheck = vec![1]).contains("`recheck` has 1"));
        assert!(refusal(|v| v.arguments = vec![vec![String::new(); 17]]).contains("17 arguments"));
        assert!(refusal(|v| v.arguments = vec![vec!["2\u{0}6".to_owned()]]).contains("row 1 has a NUL"));
        assert!(refusal(|v| v.arguments[0].push("unused\0".to_owned())).contains("NUL"));
        let twice = refusal(|v| {
            *v = wit::Verdicts {
                rows: vec![1, 1],
                severities: vec![3, 3],
                messages: vec![0, 0],
                arguments: vec![vec![], vec![]],
                recheck: vec![],
            }
        });
        assert!(twice.contains("not ascending"), "{twice}");
    }

    #[test]
    fn placeholders_are_filled_once_and_text_is_cut() {
        let arguments = || vec!["{1}".to_owned(), "b".to_owned()];
        assert_eq!(fill("{0}-{1}-{2}-{x}-{", arguments()), "{1}-b-{2}-{x}-{");
        assert!(message(0, 0, &["a\0".to_owned()], vec![]).unwrap_err().contains("NUL"));
        let long = message(0, 0, &["{0}{0}".to_owned()], vec!["x".repeat(5_000)]).unwrap();
        assert!(long.len() <= MAX_MESSAGE && long.ends_with('…'));
    }
}
