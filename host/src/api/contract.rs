//! The contract as data: the shapes of the VSPC operations (`contract.json`), from which bodies are validated, the words
//! of an enumeration are known, read-only properties are refused, and the served OpenAPI is made. Facts only: what we
//! say about an operation is in our own documents.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Map, Value, json};

use crate::api::error::ApiError;
use crate::api::query::brief;
use crate::model::check_name;

mod defaults;
mod members;

pub(crate) use defaults::fill;
pub(crate) use members::settle;

const TEXT: &str = include_str!("contract.json");

/// Properties that answers have beside the contract's own, by schema; the contract requires a `usage` and forgets it.
const ADDED: &str = include_str!("contract-keelson.json");

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let mut contract: Value = serde_json::from_str(TEXT).unwrap_or_default();
    let added: Map<String, Value> = serde_json::from_str(ADDED).unwrap_or_default();
    for (schema, properties) in added {
        let known = contract.pointer_mut(&format!("/components/schemas/{schema}/properties"));
        if let (Some(Value::Object(known)), Value::Object(properties)) = (known, properties) {
            known.extend(properties);
        }
    }
    contract
});
static OPERATIONS: LazyLock<HashMap<&'static str, Described>> = LazyLock::new(operations);
/// The schemas as a validator of input takes them.
static INPUTS: LazyLock<Value> = LazyLock::new(inputs);

struct Described {
    path: &'static str,
    method: &'static str,
    operation: &'static Value,
    body: OnceLock<Option<Validator>>,
}

impl Described {
    fn body_schema(&self) -> Option<&'static Value> {
        let body = self.operation.get("requestBody")?;
        let body = match body.get("$ref").and_then(Value::as_str) {
            Some(name) => CONTRACT.pointer(name.strip_prefix('#')?)?,
            None => body,
        };
        body.pointer("/content/application~1json/schema")
    }
}

/// The whole document.
pub(crate) fn document() -> &'static Value {
    &CONTRACT
}

/// An operation as the contract has it: its path, its method in small letters, and itself.
pub(crate) fn operation(id: &str) -> Option<(&'static str, &'static str, &'static Value)> {
    OPERATIONS.get(id).map(|described| (described.path, described.method, described.operation))
}

/// The parameters of an operation's query, those of all methods of its path among them.
pub(crate) fn query_parameters(id: &str) -> impl Iterator<Item = &'static Value> {
    let described = OPERATIONS.get(id);
    let of_path =
        described.and_then(|described| CONTRACT.get("paths")?.get(described.path)?.get("parameters"));
    let own = described.and_then(|described| described.operation.get("parameters"));
    let all = of_path.into_iter().chain(own).filter_map(Value::as_array).flatten();
    let whole = all.map(|parameter| {
        let pointer = parameter.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        pointer.and_then(|pointer| CONTRACT.pointer(pointer)).unwrap_or(parameter)
    });
    whole.filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"))
}

/// A named schema.
pub(crate) fn schema(name: &str) -> Option<&'static Value> {
    CONTRACT.get("components")?.get("schemas")?.get(name)
}

/// The schema of a property by its dotted name, references followed.
pub(crate) fn property(schema: &str, dotted: &str) -> Option<&'static Value> {
    let mut current = self::schema(schema)?;
    for step in dotted.split('.') {
        current = member(current, step)?;
    }
    Some(current)
}

/// The name of the enum that a property's words come from: that of its schema (`UserRole`), or for one that stands inside a
/// schema that schema's and the property's (`Company.status`).
pub(crate) fn enum_name(schema: &str, dotted: &str) -> Option<String> {
    let (parents, last) =
        dotted.rsplit_once('.').map_or((None, dotted), |(parents, last)| (Some(parents), last));
    let owner = match parents {
        None => schema.to_owned(),
        Some(parents) => reference(property(schema, parents)?)?.to_owned(),
    };
    let found = member(self::schema(&owner)?, last)?;
    Some(reference(found).map_or_else(|| format!("{owner}.{last}"), str::to_owned))
}

/// The name of the schema that this one refers to: itself, as its only composition, or as the items of its list.
fn reference(schema: &'static Value) -> Option<&'static str> {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let composed = schema.get("allOf").and_then(Value::as_array).and_then(|parts| parts.first());
    named.or_else(|| composed.or_else(|| schema.get("items")).and_then(reference))
}

/// A member of an object's schema: through references, compositions and the items of a list.
fn member(schema: &'static Value, name: &str) -> Option<&'static Value> {
    if let Some(found) = schema.get("properties").and_then(|properties| properties.get(name)) {
        return Some(found);
    }
    let inner = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    inner.chain(schema.get("items")).chain(referred(schema)).find_map(|part| member(part, name))
}

fn referred(schema: &'static Value) -> Option<&'static Value> {
    self::schema(schema.get("$ref")?.as_str()?.rsplit('/').next()?)
}

/// A schema with its reference, or its only composition, followed.
/// What a schema refers to, in the end.
pub(crate) fn resolved(schema: &'static Value) -> &'static Value {
    let one = schema.get("allOf").and_then(Value::as_array).and_then(|parts| parts.first());
    referred(schema).or(one).map_or(schema, resolved)
}

/// The words that a property takes.
pub(crate) fn words(schema: &str, dotted: &str) -> Vec<&'static str> {
    let Some(found) = property(schema, dotted).map(resolved) else { return Vec::new() };
    let items = found.get("items").map(resolved);
    let listed = found.get("enum").or_else(|| items?.get("enum"));
    listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a property is for reading only: itself or what it is in.
pub(crate) fn is_read_only(schema: &str, dotted: &str) -> bool {
    let parents = dotted.match_indices('.').map(|(end, _)| dotted.get(..end).unwrap_or_default());
    let marked = |name: &str| {
        property(schema, name).and_then(|found| found.get("readOnly")).and_then(Value::as_bool) == Some(true)
    };
    parents.chain([dotted]).any(marked)
}

/// The names that `expand` takes for a schema.
pub(crate) fn expands(schema: &str) -> Vec<&'static str> {
    let words = self::schema(&format!("{schema}Expand")).and_then(|found| found.get("enum"));
    words.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Holds a body to its operation's schema, names first; the first thing that does not fit is refused by its name.
pub(crate) fn check_body(operation: &str, body: &mut Value) -> Result<(), ApiError> {
    let Some(described) = OPERATIONS.get(operation) else { return Ok(()) };
    let Some(schema) = described.body_schema() else { return Ok(()) };
    settle(schema, self::schema, &[], body)?;
    let validator = described.body.get_or_init(|| validator(schema));
    validator.as_ref().map_or(Ok(()), |validator| check(validator, body))
}

/// Puts the names in a patch's values as the object's schema spells them. `extra` are dotted names that can be written beside it.
pub(crate) fn settle_part(
    schema: &str,
    pointer: &str,
    extra: &[&str],
    value: &mut Value,
) -> Result<(), ApiError> {
    // What stands in a list stands at a number, or behind its end.
    let is_name = |step: &&str| *step != "-" && step.parse::<usize>().is_err();
    let path: Vec<_> = pointer.split('/').skip(1).filter(is_name).collect();
    let path = path.join(".");
    let found = if path.is_empty() { self::schema(schema) } else { property(schema, &path) };
    found.map_or(Ok(()), |found| members::settle_below(found, self::schema, extra, (value, &path)))
}

/// Holds an object, as a patch left it, to its own schema.
pub(crate) fn check_object(schema: &str, object: &Value) -> Result<(), ApiError> {
    static VALIDATORS: LazyLock<HashMap<&'static str, OnceLock<Option<Validator>>>> = LazyLock::new(|| {
        let schemas = CONTRACT.pointer("/components/schemas").and_then(Value::as_object);
        schemas.into_iter().flatten().map(|(name, _)| (name.as_str(), OnceLock::new())).collect()
    });
    let Some(slot) = VALIDATORS.get(schema) else { return Ok(()) };
    let validator = slot.get_or_init(|| INPUTS.get(schema).cloned().and_then(compiled));
    validator.as_ref().map_or(Ok(()), |validator| check(validator, object))
}

fn check(validator: &Validator, given: &Value) -> Result<(), ApiError> {
    let Some(error) = validator.iter_errors(given).next() else { return Ok(()) };
    Err(refusal(&error, given))
}

/// What is wrong, by the property's path. What may be null is written as one of two: then it is wrong with the other one.
fn refusal(error: &ValidationError<'_>, given: &Value) -> ApiError {
    if let ValidationErrorKind::AnyOf { context } = error.kind()
        && let Some(inner) = context.last().and_then(|branch| branch.first())
    {
        return refusal(inner, given);
    }
    let place = error.instance_path().to_string();
    let mut path = place.trim_start_matches('/').replace('/', ".");
    if let ValidationErrorKind::Required { property } = error.kind() {
        let missing = property.as_str().unwrap_or_default();
        path = if path.is_empty() { missing.to_owned() } else { format!("{path}.{missing}") };
        return ApiError::property(&path, format!("{path} is missing"));
    }
    if let (ValidationErrorKind::Format { format }, Some(Value::String(name))) =
        (error.kind(), given.pointer(&place))
        && format == NAME
        && let Err(bad) = check_name(name)
    {
        return ApiError::property(&path, format!("{path} {bad}"));
    }
    let complaint = error.masked_with("the value").to_string();
    let value = brief(&given.pointer(&place).unwrap_or(given).to_string());
    if path.is_empty() {
        return ApiError::bad_request(format!("the body does not fit: {complaint}"));
    }
    ApiError::property(&path, format!("{path}: {complaint}; it is {value}"))
}

fn operations() -> HashMap<&'static str, Described> {
    let paths = CONTRACT.get("paths").and_then(Value::as_object).into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.filter_map(move |(method, operation)| {
            let id = operation.get("operationId")?.as_str()?;
            Some((id, Described { path, method, operation, body: OnceLock::new() }))
        })
    });
    all.collect()
}

fn validator(schema: &Value) -> Option<Validator> {
    compiled(as_input(schema))
}

fn compiled(mut whole: Value) -> Option<Validator> {
    whole.as_object_mut()?.insert("components".to_owned(), json!({"schemas": INPUTS.clone()}));
    let built = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .with_format(NAME, |name: &str| check_name(name).is_ok())
        .build(&whole);
    built.inspect_err(|error| tracing::error!(%error, "a schema of the contract cannot be used")).ok()
}

fn inputs() -> Value {
    let schemas = CONTRACT.pointer("/components/schemas").and_then(Value::as_object);
    let converted = schemas.into_iter().flatten().map(|(name, schema)| (name.clone(), as_input(schema)));
    let mut converted: Map<String, Value> = converted.collect();
    // The contract has every value of a patch a text, and one also where RFC 6902 has none; clients send what the RFC says.
    if let Some(properties) = converted.get_mut("JsonPatch").and_then(Value::as_object_mut) {
        properties.insert("required".to_owned(), json!(["op", "path"]));
        if let Some(value) = properties.get_mut("properties").and_then(|all| all.get_mut("value")) {
            *value = json!({});
        }
    }
    for (schema, property) in NAMES {
        let properties = converted.get_mut(*schema).and_then(|schema| schema.get_mut("properties"));
        let found = properties.and_then(|all| all.get_mut(*property)).and_then(Value::as_object_mut);
        if let Some(found) = found {
            found.insert("format".to_owned(), json!(NAME));
        }
    }
    Value::Object(converted)
}

/// A pattern as our engine reads it: a group that took no part matches nothing here, and the empty text in ECMAScript.
fn as_pattern(pattern: &str) -> String {
    pattern.replace("(\")?", "(\"?)")
}

/// What the contract leaves open of names, checked as a format of ours.
const NAME: &str = "keelson-name";
/// Where a name is given, by schema and property.
const NAMES: &[(&str, &str)] = &[
    ("Credentials", "userName"),
    ("Organization", "name"),
    ("OrganizationInput", "name"),
    ("OrganizationLocation", "name"),
    ("OrganizationLocationInput", "name"),
    ("OwnerCredentials", "userName"),
];

/// An OpenAPI 3.0 schema as a JSON Schema of what clients send: `nullable` becomes a type, and what is read-only may
/// be there, whatever it is, because clients send back what they read.
fn as_input(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut converted = Map::new();
    let read_only = |property: &Value| property.get("readOnly").and_then(Value::as_bool) == Some(true);
    let properties = members.get("properties").and_then(Value::as_object);
    for (name, value) in members {
        let value = match (name.as_str(), value) {
            ("properties", Value::Object(all)) => {
                let kept = all.iter().filter(|(_, property)| !read_only(property));
                Value::Object(kept.map(|(name, property)| (name.clone(), as_input(property))).collect())
            }
            ("pattern", Value::String(pattern)) => Value::String(as_pattern(pattern)),
            ("required", Value::Array(names)) => {
                let is_sent = |name: &&Value| {
                    let property = name.as_str().and_then(|name| properties?.get(name));
                    !property.is_some_and(read_only)
                };
                Value::Array(names.iter().filter(is_sent).cloned().collect())
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.iter().map(as_input).collect(),
            ("items" | "additionalProperties", inner) => as_input(inner),
            ("nullable" | "default" | "example" | "discriminator", _) => continue,
            // The contract's `time` is HH:MM:SS; JSON Schema's has an offset from UTC behind it.
            ("format", Value::String(format)) if format == "time" => continue,
            (name, _) if name.starts_with("x-") => continue,
            (_, value) => value.clone(),
        };
        converted.insert(name.clone(), value);
    }
    limit_integers(&mut converted);
    if members.get("nullable").and_then(Value::as_bool) == Some(true) {
        return json!({"anyOf": [{"type": "null"}, converted]});
    }
    Value::Object(converted)
}

fn limit_integers(schema: &mut Map<String, Value>) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => (i64::MIN, i64::MAX),
        _ => return,
    };
    schema.entry("minimum").or_insert_with(|| least.into());
    schema.entry("maximum").or_insert_with(|| most.into());
}

#[cfg(test)]
mod tests;
