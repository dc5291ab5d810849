//! What a view may be: JSON that the console draws by itself. The schema stands in `wit/`, where authors read it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The largest view.
const MAX_VIEW: usize = 256 << 10;
/// How deep its lists and objects may stand in each other.
const MAX_DEPTH: usize = 12;
/// More complaints help nobody.
const MAX_COMPLAINTS: usize = 5;

const SCHEMA: &str = include_str!("../../../wit/views.schema.json");

static VALIDATOR: LazyLock<Option<Validator>> =
    LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(SCHEMA).ok()?).ok());

/// Reads a view. What is wrong with it is a sentence that begins with where.
pub(super) fn check(text: &str) -> Result<Value, String> {
    if text.len() > MAX_VIEW {
        return Err(format!("it has {} bytes; {MAX_VIEW} at most", text.len()));
    }
    if depth(text) > MAX_DEPTH {
        return Err(format!("its lists and objects stand deeper than {MAX_DEPTH} in each other"));
    }
    let view: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let Some(validator) = &*VALIDATOR else { return Err("the host has no schema of views".to_owned()) };
    let complaints: Vec<String> = validator
        .iter_errors(&view)
        .take(MAX_COMPLAINTS)
        .map(|error| match error.instance_path().as_str() {
            "" => error.to_string(),
            path => format!("{path}: {error}"),
        })
        .collect();
    if complaints.is_empty() { Ok(view) } else { Err(complaints.join("; ")) }
}

/// The deepest nesting, seen before anything is built of it.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(widgets: &Value) -> String {
        json!({ "version": 1, "widgets": widgets }).to_string()
    }

    #[test]
    fn each_widget_passes_as_it_is_documented() {
        let every = json!([
            { "type": "text", "text": "Some *words*" },
            { "type": "stat", "label": "Agreements", "value": 7, "unit": "pcs", "trend": "up", "tone": "good" },
            { "type": "table", "title": "Lines", "columns": [{ "key": "a", "label": "A", "kind": "bytes" }],
              "rows": [{ "a": 1 }], "empty": "Nothing yet" },
            { "type": "chart", "kind": "line", "x": ["Mon", "Tue"], "series": [{ "name": "jobs", "values": [1, null] }] },
            { "type": "timeline", "items": [{ "at": 0, "title": "Synced", "tone": "neutral" }] },
            { "type": "form", "action": "save", "schema": { "type": "object" }, "values": {} },
            { "type": "action", "action": "sync", "label": "Sync now", "confirm": "Really?", "parameters": {} },
            { "type": "link", "label": "The company", "to": "/companies" },
            { "type": "group", "layout": "columns", "widgets": [{ "type": "text", "text": "inside" }] },
        ]);
        check(&view(&every)).unwrap();
    }

    #[test]
    fn what_is_wrong_says_where() {
        for (widget, said) in [
            (json!({ "type": "stat", "label": "A" }), "/widgets/0"),
            (json!({ "type": "stat", "label": "A", "value": 1, "tone": "loud" }), "/widgets/0/tone"),
            (json!({ "type": "link", "label": "A", "to": "https://elsewhere" }), "/widgets/0/to"),
            (json!({ "type": "link", "label": "A", "to": "//elsewhere" }), "/widgets/0/to"),
            (json!({ "type": "text" }), "/widgets/0"),
            (json!({ "text": "no type" }), "/widgets/0"),
            (json!("text"), "/widgets/0"),
        ] {
            let refused = check(&view(&json!([widget]))).unwrap_err();
            assert!(refused.contains(said), "{widget}: {refused}");
        }
        assert!(check(r#"{"widgets":[]}"#).unwrap_err().contains("version"));
        assert!(check("<html>").unwrap_err().contains("not JSON"));
    }

    #[test]
    fn a_widget_that_this_host_does_not_know_passes_for_a_newer_console() {
        check(&view(&json!([{ "type": "hologram", "beams": 7 }]))).unwrap();
    }

    #[test]
    fn a_view_that_is_too_large_or_too_deep_is_refused_before_it_is_read() {
        let text = view(&json!([{ "type": "text", "text": "x".repeat(MAX_VIEW) }]));
        assert!(check(&text).unwrap_err().contains("262144 at most"));
        assert!(check(&"[".repeat(100_000)).unwrap_err().contains("deeper than 12"));
        assert!(check(&view(&json!([{ "type": "text", "text": "[[[[[[[[[[[[[[[[\"{{{{{" }]))).is_ok());
    }
}
