//! JSON as clients write it: also with single quotes, and with Python's `None`, `True`, `False`. Valid JSON is never
//! touched; the rewriting happens only where the strict reader gives up.

use serde_json::Value;

use crate::api::error::ApiError;

/// Reads a JSON parameter; an absent or empty one is null.
pub(super) fn parse(name: &'static str, text: Option<&str>) -> Result<Value, ApiError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(Value::Null);
    };
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(strict) => serde_json::from_str(&rewrite(text))
            .map_err(|_| ApiError::parameter(name, format!("{name} is not valid JSON: {strict}"))),
    }
}

/// One object stands for a list of one, null for a list of none.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// The member `name` of an object, whatever its case; null counts as absent.
pub(super) fn take(object: &mut serde_json::Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    object.remove(&key).filter(|value| !value.is_null())
}

fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        if c.is_ascii_alphabetic() {
            word.push(c);
            continue;
        }
        flush(&mut word, &mut out);
        match c {
            '\'' | '"' => string(c, &mut chars, &mut out),
            other => out.push(other),
        }
    }
    flush(&mut word, &mut out);
    out
}

fn flush(word: &mut String, out: &mut String) {
    out.push_str(match word.as_str() {
        "None" => "null",
        "True" => "true",
        "False" => "false",
        other => other,
    });
    word.clear();
}

/// Copies one string up to its closing `quote`, in double quotes; one that never closes stays open.
fn string(quote: char, chars: &mut impl Iterator<Item = char>, out: &mut String) {
    out.push('"');
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return out.push('"'),
            '"' => out.push_str("\\\""),
            '\\' => match chars.next() {
                Some('\'') => out.push('\''),
                Some(escaped) => out.extend(['\\', escaped]),
                None => return,
            },
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        parse("filter", Some(text)).unwrap()
    }

    #[test]
    fn single_quotes_are_read_as_double_ones() {
        assert_eq!(
            read(r"[{'property':'name','value':'it\'s'}]"),
            json!([{"property": "name", "value": "it's"}])
        );
        assert_eq!(read(r#"{'a':'say "x"','b':"it's"}"#), json!({"a": "say \"x\"", "b": "it's"}));
    }

    #[test]
    fn python_literals_are_understood_outside_strings_only() {
        assert_eq!(
            read("{'a': None, 'b': [True, False], 'c': 'None'}"),
            json!({"a": null, "b": [true, false], "c": "None"})
        );
    }

    #[test]
    fn valid_json_with_apostrophes_is_left_alone() {
        assert_eq!(read(r#"{"a":"O'Brien 'None'"}"#), json!({"a": "O'Brien 'None'"}));
    }

    #[test]
    fn what_is_no_json_at_all_is_refused_with_the_place() {
        for text in ["{", "'", "[{'a':}]", "nul", "[1,2", "{\"a\":1}}", "1e999", "\\", "'\\"] {
            let error = parse("filter", Some(text)).unwrap_err();
            assert_eq!(error.parameter_name(), Some("filter"), "{text}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_and_does_not_overflow_the_stack() {
        assert!(parse("filter", Some(&"[".repeat(60_000))).is_err());
        assert!(parse("filter", Some(&"{'a':".repeat(20_000))).is_err());
    }
}
