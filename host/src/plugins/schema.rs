//! JSON Schema 2020-12 for settings and parameters: compiled once, nothing is ever fetched.

use serde_json::{Map, Number, Value};

/// The most complaints that one answer lists.
const MAX_COMPLAINTS: usize = 8;
/// Up to here a float is exactly the whole number that it shows.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A schema of an object.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    source: Value,
    validator: jsonschema::Validator,
}

impl Schema {
    /// Compiles it; the error is one sentence.
    pub(super) fn compile(source: &Value) -> Result<Self, String> {
        if !source.is_object() {
            return Err("a JSON Schema must be an object".to_owned());
        }
        let validator = jsonschema::draft202012::new(source)
            .map_err(|error| format!("not a valid JSON Schema 2020-12: {error}"))?;
        Ok(Self { source: source.clone(), validator })
    }

    /// `value` with the schema's defaults filled in and its integers written as such, or all complaints.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, Vec<String>> {
        if !value.is_object() {
            return Err(vec!["must be a JSON object".to_owned()]);
        }
        let mut filled = value.clone();
        fill_defaults(&self.source, &mut filled);
        settle_integers(&self.source, &mut filled);
        let complaints: Vec<_> = self
            .validator
            .iter_errors(&filled)
            .take(MAX_COMPLAINTS)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                path => format!("{path}: {error}"),
            })
            .collect();
        if complaints.is_empty() { Ok(filled) } else { Err(complaints) }
    }
}

/// Sets what is absent and has a default, through nested objects.
fn fill_defaults(schema: &Value, value: &mut Value) {
    let (Some(properties), Some(object)) =
        (schema.get("properties").and_then(Value::as_object), value.as_object_mut())
    else {
        return;
    };
    for (name, property) in properties {
        if !object.contains_key(name)
            && let Some(default) = default_of(property)
        {
            object.insert(name.clone(), default);
        }
        if let Some(inner) = object.get_mut(name) {
            fill_defaults(property, inner);
        }
    }
}

/// The property's own default, or the object that its properties' defaults make.
fn default_of(property: &Value) -> Option<Value> {
    if let Some(default) = property.get("default") {
        return Some(default.clone());
    }
    let mut inner = Value::Object(Map::new());
    fill_defaults(property, &mut inner);
    inner.as_object().is_some_and(|object| !object.is_empty()).then_some(inner)
}

/// JSON Schema counts 24.0 as an integer; what a guest reads into an integer does not. So it becomes 24, through nested
/// objects and lists.
fn settle_integers(schema: &Value, value: &mut Value) {
    match value {
        Value::Number(number) if is_integer(schema) => {
            if let Some(whole) = whole(number) {
                *value = Value::from(whole);
            }
        }
        Value::Object(object) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if let Some(inner) = object.get_mut(name) {
                    settle_integers(property, inner);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                for item in list {
                    settle_integers(items, item);
                }
            }
        }
        _ => {}
    }
}

/// Whether the schema's `type` says integer, alone or beside others that are no numbers.
fn is_integer(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "integer",
        Some(Value::Array(kinds)) => {
            let has = |kind: &str| kinds.iter().any(|known| known == kind);
            has("integer") && !has("number")
        }
        _ => false,
    }
}

/// The whole number that a float stands for.
fn whole(number: &Number) -> Option<i64> {
    let float =
        number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT)?;
    format!("{float:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        Schema::compile(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "hours": {"type": "integer", "minimum": 1, "default": 24},
                "mail": {"type": "object", "properties": {"port": {"type": "integer", "default": 25}}},
                "share": {"type": ["integer", "number"]},
                "tries": {"items": {"type": ["integer", "object"], "properties": {"of": {"type": "integer"}}}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn defaults_are_filled_in_at_every_depth() {
        assert_eq!(schema().fill(&json!({})), Ok(json!({"hours": 24, "mail": {"port": 25}})));
        assert_eq!(
            schema().fill(&json!({"hours": 2, "mail": {}})),
            Ok(json!({"hours": 2, "mail": {"port": 25}}))
        );
    }

    #[test]
    fn a_whole_float_is_an_integer_where_the_schema_says_so_at_every_depth() {
        // The texts are compared: as values, some of these would be equal.
        let settled = |given: &str| {
            let given = serde_json::from_str(given).unwrap();
            schema().fill(&given).map(|filled| filled.to_string())
        };
        let expected = r#"{"hours":24,"mail":{"port":25},"share":1.0,"tries":[1,{"of":2}]}"#;
        let given = r#"{"hours":24.0,"mail":{"port":2.5e1},"share":1.0,"tries":[1.0,{"of":2.0}]}"#;
        assert_eq!(settled(given).unwrap(), expected);
        assert!(settled(r#"{"hours":24.5}"#).unwrap_err().join("; ").contains("/hours"));
    }

    #[test]
    fn only_floats_that_are_exact_become_integers() {
        let settled = |number: f64| whole(&Number::from_f64(number).unwrap());
        assert_eq!((settled(-0.0), settled(-7.0), settled(0.5)), (Some(0), Some(-7), None));
        assert_eq!((settled(EXACT), settled(-EXACT)), (Some(1 << 53), Some(-(1 << 53))));
        assert_eq!((settled(EXACT * 2.0), settled(1e300)), (None, None));
    }

    #[test]
    fn complaints_name_the_place() {
        let complaints = schema().fill(&json!({"hours": 0, "hour": 1})).unwrap_err().join("; ");
        assert!(complaints.contains("/hours") && complaints.contains("'hour'"), "{complaints}");
        assert_eq!(schema().fill(&json!([])), Err(vec!["must be a JSON object".to_owned()]));
    }

    #[test]
    fn a_schema_never_makes_the_host_fetch_anything() {
        let error = Schema::compile(&json!({"$ref": "https://example.com/schema.json"})).unwrap_err();
        assert!(error.contains("example.com"), "{error}");
    }
}
