//! `select`: which properties of an answer to keep, `[{"propertyPath": "name"}, …]`. What can be selected is read from
//! the OpenAPI document, so it is exactly what the answer documents.

use serde_json::{Map, Value};

use super::filter::no_others;
use super::{brief, json, nearest, value};
use crate::api::error::ApiError;
use crate::api::openapi;

/// More paths than any answer has.
const MAX_PATHS: usize = 256;

/// The paths to keep; none means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Select(Vec<Vec<String>>);

impl Select {
    /// Reads the parameter; paths are those of the component `schema`.
    pub(super) fn parse(text: Option<&str>, schema: &str) -> Result<Self, ApiError> {
        let items = json::list(json::parse("select", text)?);
        if items.len() > MAX_PATHS {
            return Err(ApiError::parameter("select", format!("more than {MAX_PATHS} properties")));
        }
        items.into_iter().map(|item| path(item, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all is kept.
    pub(crate) fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a property, by its dotted name, is kept: itself, something that it is in, or something in it.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.is_all()
            || self.0.iter().any(|path| {
                let mut steps = name.split('.').zip(path);
                steps.all(|(step, kept)| step == kept)
            })
    }

    /// Keeps of `answer` what is selected.
    pub(crate) fn apply(&self, answer: &Value) -> Value {
        let mut kept = Value::Object(Map::new());
        for path in &self.0 {
            copy(answer, &mut kept, path);
        }
        kept
    }
}

fn path(item: Value, schema: &str) -> Result<Vec<String>, ApiError> {
    let path = match item {
        Value::String(path) => path,
        Value::Object(mut object) => {
            let Some(Value::String(path)) = json::take(&mut object, "propertyPath") else {
                return Err(ApiError::parameter("select", "an entry of select has no \"propertyPath\""));
            };
            no_others("select", &object, &["propertyPath"])?;
            path
        }
        other => {
            let message = format!("each entry of select must be an object, not {}", value::brief(&other));
            return Err(ApiError::parameter("select", message));
        }
    };
    resolve(&path, schema)
}

/// The path as the schema spells it.
fn resolve(path: &str, schema: &str) -> Result<Vec<String>, ApiError> {
    let mut current = openapi::schema(schema);
    let mut resolved = Vec::new();
    for step in path.split('.') {
        let properties = current.map(openapi::properties).unwrap_or_default();
        let Some((name, next)) = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(step)) else {
            let hint = nearest(step, properties.iter().map(|(name, _)| *name));
            let message = format!("{schema} has no property \"{}\"; {hint}", brief(path));
            return Err(ApiError::parameter("select", message));
        };
        resolved.push((*name).to_owned());
        current = Some(next);
    }
    Ok(resolved)
}

fn copy(from: &Value, to: &mut Value, path: &[String]) {
    let Some((step, rest)) = path.split_first() else {
        to.clone_from(from);
        return;
    };
    if let (Some(inner), Value::Object(kept)) = (from.get(step), to) {
        let slot = kept.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
        copy(inner, slot, rest);
    }
}
