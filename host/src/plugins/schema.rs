//! JSON Schema 2020-12 for settings and parameters: compiled once, nothing is ever fetched.

use serde_json::{Map, Value};

/// The most complaints that one answer lists.
const MAX_COMPLAINTS: usize = 8;

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

    /// `value` with the schema's defaults filled in, or all complaints.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, Vec<String>> {
        if !value.is_object() {
            return Err(vec!["must be a JSON object".to_owned()]);
        }
        let mut filled = value.clone();
        fill_defaults(&self.source, &mut filled);
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
