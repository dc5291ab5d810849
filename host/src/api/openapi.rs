//! The OpenAPI document. Handlers document what is particular to them; what all share (paging, headers, errors, who is
//! admitted) is added here from the operations table.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::api::operations::{self, Operation, QueryKind};
use crate::api::{
    agents, alarms, companies, contract, diagnostics, envelope, jobs, plugins, resellers, session, users,
};

mod examples;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
static TEXT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string_pretty(&*DOCUMENT).unwrap_or_default());

/// What no area owns.
#[derive(Debug, OpenApi)]
#[openapi(components(schemas(envelope::ErrorResponse)))]
struct Shared;

/// The document as it is served and, with a line's end, committed.
pub(super) fn text() -> String {
    TEXT.clone()
}

/// A component schema.
pub(super) fn schema(name: &str) -> Option<&'static Value> {
    DOCUMENT.get("components")?.get("schemas")?.get(name)
}

/// The schema of an operation's JSON body.
pub(super) fn body_of(operation: &str) -> Option<&'static Value> {
    static BODIES: LazyLock<HashMap<&'static str, &'static Value>> = LazyLock::new(|| {
        let paths = DOCUMENT.get("paths").and_then(Value::as_object).into_iter().flatten();
        let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
        let bodies = operations.filter_map(|(_, operation)| {
            let schema = operation.pointer("/requestBody/content/application~1json/schema")?;
            Some((operation.get("operationId")?.as_str()?, schema))
        });
        bodies.collect()
    });
    BODIES.get(operation).copied()
}

/// The properties of a schema, through references and compositions.
pub(super) fn properties(schema: &'static Value) -> Vec<(&'static str, &'static Value)> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let named = name.rsplit('/').next().and_then(self::schema);
        return named.map(properties).unwrap_or_default();
    }
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own = own.map(|(name, schema)| (name.as_str(), schema));
    let parts =
        ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    own.chain(parts.flat_map(properties)).collect()
}

fn build() -> Value {
    let areas: [Document; 10] = [
        agents::Docs::openapi(),
        alarms::Docs::openapi(),
        companies::Docs::openapi(),
        diagnostics::Docs::openapi(),
        jobs::Docs::openapi(),
        plugins::Docs::openapi(),
        resellers::Docs::openapi(),
        session::Docs::openapi(),
        users::Docs::openapi(),
        Shared::openapi(),
    ];
    let merged = areas.into_iter().fold(Document::default(), Document::merge_from);
    let mut document = serde_json::to_value(merged).unwrap_or_default();
    let head = json!({
        "info": {
            "title": "Keelson",
            "description": "VSPC REST v3, as far as it is here, and what Keelson adds (`x-keelson`).",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v3"}],
    });
    merge(&mut document, head);
    merge(
        &mut document,
        json!({"components": {"parameters": parameters(), "securitySchemes": security_schemes()}}),
    );
    for (path, item) in members(&mut document, "paths") {
        if path.starts_with("/ui/") {
            merge(item, json!({"servers": [{"url": "/"}]}));
        }
        for (_, operation) in
            item.as_object_mut().into_iter().flatten().filter(|(name, _)| *name != "servers")
        {
            complete(operation);
        }
    }
    add_contract(&mut document);
    of_3_1(&mut document);
    if let Some(components) = document.get_mut("components") {
        for (name, schema) in members(components, "schemas") {
            refer(name, schema);
            // Nothing of ours is ever answered with null but `data`; what is taken may be null.
            if contract::schema(name).is_none() && !name.ends_with("Input") && !name.ends_with("Form") {
                without_null(schema);
            }
        }
    }
    examples::add(&mut document);
    document
}

/// The operations of the contract that are mounted, with all they refer to.
fn add_contract(document: &mut Value) {
    let mut wanted = Vec::new();
    for id in crate::api::routes().mounted() {
        let Some((path, method, operation)) = contract::operation(id) else { continue };
        // Parameters of all methods of a path stand beside them there, and with each here.
        let shared = contract::document().get("paths").and_then(|paths| paths.get(path)?.get("parameters"));
        let mut whole = operation.clone();
        if let Some(shared) = shared.and_then(Value::as_array)
            && let Some(own) = whole.get_mut("parameters").and_then(Value::as_array_mut)
        {
            own.splice(0..0, shared.iter().cloned());
        }
        shared.into_iter().chain([operation]).for_each(|value| references(value, &mut wanted));
        merge(document, json!({"paths": {path: {method: whole}}}));
    }
    let mut done = BTreeSet::new();
    while let Some(pointer) = wanted.pop() {
        let (Some(found), true) = (contract::document().pointer(pointer), done.insert(pointer)) else {
            continue;
        };
        let mut parts = pointer.trim_start_matches("/components/").splitn(2, '/');
        if let (Some(kind), Some(name)) = (parts.next(), parts.next()) {
            merge(document, json!({"components": {kind: {name: null}}}));
            merge(document, json!({"components": {kind: {name: found}}}));
        }
        references(found, &mut wanted);
    }
}

fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#')));
            members.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

/// An envelope repeats the schema of what is in it: refer to that instead.
fn refer(name: &str, schema: &mut Value) {
    let Some(inner) = name.strip_prefix("Envelope_") else { return };
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let data = match inner.strip_prefix("Vec_") {
        Some(item) => json!({"type": "array", "items": reference(item)}),
        None => reference(inner),
    };
    if let Some(slot) = schema.pointer_mut("/properties/data") {
        *slot = data;
    }
}

/// Adds to one operation what all have, and what its row in the table says.
fn complete(operation: &mut Value) {
    let row = operation.get("operationId").and_then(Value::as_str).and_then(operations::find);
    let is_open = row.is_none_or(|row| row.id == "OAuth2IssueToken");
    let mut shared: Vec<_> = row.map(of_query).unwrap_or_default();
    if !is_open {
        shared.push("requestId");
    }
    shared.extend(row.map(|_| "clientVersion"));
    let references =
        shared.into_iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    if let Some(members) = operation.as_object_mut() {
        let parameters = members.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().into_iter().for_each(|list| list.extend(references.clone()));
    }
    let error = json!({"$ref": "#/components/schemas/ErrorResponse"});
    let default = json!({"description": "A failure", "content": {"application/json": {"schema": error}}});
    merge(operation, json!({"responses": {"default": default}}));
    if let Some(row) = row.filter(|_| !is_open) {
        let roles: Vec<_> = row.roles.iter().map(|role| role.name()).collect();
        merge(operation, json!({"security": [{"bearer": []}], "x-keelson-admitted-roles": roles}));
    }
    if let Some(row) = row {
        merge(operation, json!({"tags": [row.tag]}));
    }
    if row.is_none_or(|row| row.keelson) {
        merge(operation, json!({"x-keelson": true}));
    }
}

fn of_query(row: &Operation) -> Vec<&'static str> {
    match row.query {
        QueryKind::List => vec!["filter", "sort", "limit", "offset", "select"],
        QueryKind::Select if row.id != "OAuth2IssueToken" => vec!["select"],
        _ => Vec::new(),
    }
}

fn parameters() -> Value {
    let query = |name: &str, schema: Value, description: &str| json!({"in": "query", "name": name, "schema": schema, "description": description});
    let text = || json!({"type": "string"});
    json!({
        "filter": query("filter", text(), "JSON: [{\"property\": …, \"operation\": …, \"collation\": …, \"value\": …}], all of which hold; \
            groups are {\"operation\": \"and\" | \"or\" | \"not\" | \"exclusiveOr\", \"items\": […]}"),
        "sort": query("sort", text(), "JSON: [{\"property\": …, \"direction\": \"ascending\" | \"descending\", \"collation\": …}]"),
        "select": query("select", text(), "JSON: [{\"propertyPath\": …}]"),
        "limit": query("limit", json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 500, "default": 100}), "Most rows of the page"),
        "offset": query("offset", json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX, "default": 0}), "Rows before the page"),
        "requestId": {"in": "header", "name": "X-Request-id", "schema": {"type": "string", "format": "uuid"}, "description": "Echoed, and in the host's log"},
        "clientVersion": {"in": "header", "name": "X-Client-Version", "schema": {"type": "string"}, "description": "3.4 to 3.7"},
    })
}

fn security_schemes() -> Value {
    json!({"bearer": {"type": "http", "scheme": "bearer", "description": "An access token of POST /token, or an API key"}})
}

fn members<'d>(document: &'d mut Value, name: &str) -> impl Iterator<Item = (&'d String, &'d mut Value)> {
    document.get_mut(name).and_then(Value::as_object_mut).into_iter().flatten()
}

/// Sets what `more` has, through nested objects.
fn merge(document: &mut Value, more: Value) {
    match (document, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, value) in more {
                merge(members.entry(name).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (document, more) => *document = more,
    }
}

/// The contract is an OpenAPI 3.0, whose `nullable` says nothing to readers of 3.1: there null is a type.
fn of_3_1(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(of_3_1);
            let nullable = members.get("nullable").and_then(Value::as_bool);
            if nullable.is_some() {
                members.remove("nullable");
            }
            if nullable == Some(true) {
                or_null(members);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(of_3_1),
        _ => {}
    }
}

fn or_null(members: &mut Map<String, Value>) {
    let null = json!({"type": "null"});
    if let Some(kind) = members.get_mut("type").filter(|kind| kind.is_string()) {
        *kind = json!([kind.take(), "null"]);
        if let Some(Value::Array(words)) = members.get_mut("enum") {
            words.push(Value::Null);
        }
    } else if let Some(Value::Array(parts)) = members.get_mut("oneOf") {
        parts.push(null);
    } else if let Some(reference) = members.remove("$ref") {
        members.insert("anyOf".to_owned(), json!([{"$ref": reference}, null]));
    } else if let Some(parts) = members.remove("allOf") {
        members.insert("anyOf".to_owned(), json!([{"allOf": parts}, null]));
    }
}

/// `type: [x, null]` becomes `type: x`, `oneOf: [null, x]` becomes `x`.
fn without_null(schema: &mut Value) {
    let is_null = |part: &Value| *part == json!("null") || *part == json!({"type": "null"});
    if let Some(members) = schema.as_object_mut() {
        for word in ["type", "oneOf"] {
            if let Some(Value::Array(parts)) = members.get_mut(word) {
                parts.retain(|part| !is_null(part));
            }
        }
        if let Some(Value::Array(types)) = members.get("type")
            && let [only] = types.as_slice()
        {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
        if let Some(Value::Array(parts)) = members.get("oneOf")
            && let [only] = parts.as_slice()
        {
            let only = only.clone();
            members.remove("oneOf");
            merge(schema, only);
        }
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(without_null),
        Value::Array(parts) => parts.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
