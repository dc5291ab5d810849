//! Examples in the document. A body's example is the operation's call in `calls.json`, which the conformance check and
//! the role matrix really send; an answer's example is made from its schema, with words that people recognise.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Every operation's good call: a place in braces stands for an object of that kind.
static CALLS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../calls.json")).unwrap_or_default());

/// What stands under well-known names.
static WORDS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("words.tsv").lines();
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// Where ids of examples come from: the same name has the same id everywhere.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b65_656c_736f_6e00_8000_6578_616d_706c);
/// No schema of the contract nests deeper; one that names itself ends here.
const DEPTH: usize = 12;

/// Adds an example to the body and to the good answer of every operation.
pub(super) fn add(document: &mut Value) {
    let components = document.get("components").cloned().unwrap_or_default();
    let maker = Maker { components: &components };
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, item) in paths {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            maker.complete(operation);
        }
    }
}

struct Maker<'d> {
    components: &'d Value,
}

impl Maker<'_> {
    fn complete(&self, operation: &mut Value) {
        let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_owned) else {
            return;
        };
        if let Some(body) = operation.get_mut("requestBody") {
            if let Some(shared) =
                body.get("$ref").and_then(Value::as_str).and_then(|name| self.component(name))
            {
                *body = shared.clone();
            }
            Self::contents(body, |schema| Self::call(&id).unwrap_or_else(|| self.value("", schema, DEPTH)));
        }
        if let Some(answer) = operation.pointer_mut("/responses/200") {
            Self::contents(answer, |schema| self.value("", schema, DEPTH));
        }
    }

    fn contents(place: &mut Value, example: impl Fn(&Value) -> Value) {
        let content = place.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten();
        for (kind, media) in content {
            if let Some(schema) = media.get("schema").cloned()
                && (kind == "application/json" || kind == "application/x-www-form-urlencoded")
                && let Some(media) = media.as_object_mut()
            {
                media.insert("example".to_owned(), example(&schema));
            }
        }
    }

    fn call(id: &str) -> Option<Value> {
        let call = CALLS.get(id)?;
        call.get("body").or_else(|| call.get("form")).map(filled)
    }

    fn component(&self, reference: &str) -> Option<&Value> {
        self.components.pointer(reference.strip_prefix("#/components")?)
    }

    /// A value that fits a schema; `name` is the property that it is for.
    fn value(&self, name: &str, schema: &Value, depth: usize) -> Value {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.component(name));
        if let Some(named) = named {
            return if depth == 0 { Value::Null } else { self.value(name, named, depth - 1) };
        }
        if let Some(word) = first_word(schema) {
            return word.clone();
        }
        for choice in ["oneOf", "anyOf"] {
            let parts = schema.get(choice).and_then(Value::as_array).into_iter().flatten();
            if let Some(part) = parts.into_iter().find(|part| part.get("type") != Some(&json!("null"))) {
                return self.value(name, part, depth);
            }
        }
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && schema.get("properties").is_none()
        {
            return self.value(name, only, depth);
        }
        if schema.get("allOf").is_some() || schema.get("properties").is_some() {
            return self.object(schema, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => schema
                .get("items")
                .filter(|_| depth > 0)
                .map_or_else(|| json!([]), |items| json!([self.value(&singular(name), items, depth - 1)])),
            "integer" | "number" => number(name, schema),
            "boolean" => schema.get("default").cloned().unwrap_or(Value::Bool(true)),
            _ => text(name, schema),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut made = Map::new();
        if depth > 0 {
            self.members(schema, depth, &mut made);
        }
        Value::Object(made)
    }

    /// Every member that an answer shows: neither secrets, nor the failures of a good answer, nor what only comes with
    /// `expand`.
    fn members(&self, schema: &Value, depth: usize, made: &mut Map<String, Value>) {
        if let Some(named) = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.component(name))
        {
            return self.members(named, depth - 1, made);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.members(part, depth, made);
        }
        let required = schema.get("required").and_then(Value::as_array);
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let needed = required.is_some_and(|names| names.iter().any(|one| one == name.as_str()));
            let secret =
                property.get("writeOnly").is_some() || property.get("format") == Some(&json!("password"));
            let left_out = secret || name == "errors" || name == "_embedded";
            if needed && name == "errors" {
                made.insert(name.clone(), json!([]));
            } else if needed || !left_out {
                made.insert(name.clone(), self.value(name, property, depth - 1));
            }
        }
    }
}

/// The first word of an enumeration that says something.
fn first_word(schema: &Value) -> Option<&Value> {
    let words = schema.get("enum")?.as_array()?;
    let is_known = |word: &&Value| {
        !word.is_null() && !word.as_str().is_some_and(|word| word.eq_ignore_ascii_case("unknown"))
    };
    words.iter().find(is_known).or_else(|| words.first())
}

/// The type; of several, the one that is not null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("object")
        }
        _ => "object",
    }
}

fn number(name: &str, schema: &Value) -> Value {
    if let Some(word) = WORDS.get(name).and_then(|word| word.parse::<i64>().ok()) {
        return word.into();
    }
    if let Some(given) = schema.get("default").filter(|given| given.is_number()) {
        return given.clone();
    }
    let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(1).max(1);
    let is_size = ["Size", "Space", "Quota", "capacity", "size"].iter().any(|end| name.ends_with(end));
    let is_large = schema.get("format") == Some(&json!("int64")) && schema.get("maximum").is_none();
    if is_size && is_large { json!(10_737_418_240_i64) } else { least.into() }
}

fn text(name: &str, schema: &Value) -> Value {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let formatted = match format {
        "uuid" => id(name).to_string(),
        "date-time" => "2026-01-31T02:00:00.0000000Z".to_owned(),
        "date" => "2026-01-31".to_owned(),
        "time" => "00:10:00Z".to_owned(),
        "time-of-day" => "22:00".to_owned(),
        "uri" => "https://console.example.test".to_owned(),
        _ => String::new(),
    };
    let is_hour =
        schema.get("pattern").and_then(Value::as_str).is_some_and(|it| it.ends_with(":[0-5][0-9]$"));
    if is_hour {
        return "22:00".into();
    }
    if !formatted.is_empty() {
        return formatted.into();
    }
    WORDS.get(name).map_or_else(|| spaced(name), |word| (*word).to_owned()).into()
}

/// `backupRepository` as people write it.
fn spaced(name: &str) -> String {
    let letters = name.chars().flat_map(|letter| {
        let blank = letter.is_ascii_uppercase().then_some(' ');
        blank.into_iter().chain(std::iter::once(letter.to_ascii_lowercase()))
    });
    let text: String = letters.collect();
    if text.is_empty() { "text".to_owned() } else { text.replace('_', " ") }
}

fn singular(name: &str) -> String {
    name.strip_suffix('s').unwrap_or(name).to_owned()
}

fn id(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// A call with an id in every place.
fn filled(node: &Value) -> Value {
    match node {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), filled(value))).collect(),
        Value::Array(items) => items.iter().map(filled).collect(),
        Value::String(text) => match text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some("userName") => json!("operator"),
            Some("password") => json!("Long-enough-4-all"),
            Some(kind) => json!(id(kind).to_string()),
            None => Value::String(
                text.replace(" {{unique}}", "").replace("-{{unique}}", "").replace("{{mailPort}}", "25"),
            ),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_made_of_the_words_and_the_shape_of_its_schema() {
        let components = json!({"schemas": {"City": {"type": "object", "properties": {
            "name": {"type": "string"}, "size": {"type": "integer", "format": "int64"},
            "inner": {"$ref": "#/components/schemas/City"}, "password": {"type": "string", "format": "password"},
        }}}});
        let maker = Maker { components: &components };
        let made = maker.value("", &json!({"$ref": "#/components/schemas/City"}), 4);
        assert_eq!(made["size"], json!(10_737_418_240_i64));
        assert!(made["name"].is_string() && made["inner"]["name"].is_string());
        assert!(made.get("password").is_none(), "{made}");
    }

    #[test]
    fn a_call_shows_no_place_that_is_still_to_be_filled() {
        let shown = CALLS.as_object().unwrap().values().map(filled).map(|call| call.to_string());
        for call in shown {
            assert!(!call.contains("{{"), "{call}");
        }
    }
}
