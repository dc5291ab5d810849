//! The document is whole, and says what the handlers do.

use std::collections::BTreeSet;

use super::*;
use crate::api::routes;
use crate::store::list::Kind;

/// (operationId, method, path, operation) of all that is documented below `/api/v3`.
fn documented() -> Vec<(String, String, String, Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let api = paths.iter().filter(|(path, _)| !path.starts_with("/ui/"));
    api.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            (id, method.to_uppercase(), path.trim_end_matches('/').to_owned(), operation.clone())
        })
    })
    .collect()
}

#[test]
fn what_is_documented_is_what_is_mounted() {
    let documented: BTreeSet<_> = documented().into_iter().map(|(id, ..)| id).collect();
    let mounted: BTreeSet<_> = routes().mounted().iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(documented, mounted);
}

#[test]
fn method_and_path_are_those_of_the_operations_table() {
    for (id, method, path, operation) in documented() {
        let row = operations::find(&id).unwrap();
        assert_eq!((row.method.as_str(), row.path), (method.as_str(), path.as_str()), "{id}");
        assert_eq!(operation["tags"], json!([row.tag]), "{id}");
        assert_eq!(operation.get("x-keelson").is_some(), row.keelson, "{id}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(DOCUMENT.pointer(pointer).is_some(), "{reference}");
                }
                members.values().for_each(check);
            }
            Value::Array(items) => items.iter().for_each(check),
            _ => {}
        }
    }
    check(&DOCUMENT);
}

#[test]
fn every_path_parameter_is_documented_and_every_list_can_be_paged() {
    for (id, _, path, operation) in documented() {
        let parameters = operation["parameters"].to_string();
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            assert!(parameters.contains(name), "{id}: {name}");
        }
        let is_list = operations::find(&id).unwrap().query == QueryKind::List;
        let is_paged = parameters.contains("parameters/limit") || parameters.contains("\"name\":\"limit\"");
        assert!(is_paged || !is_list, "{id}");
    }
}

#[test]
fn every_property_of_a_resource_is_in_its_schema_with_the_same_type() {
    for resource in crate::store::ALL {
        for property in resource.properties {
            let place = format!("{} of {}", property.name, resource.name);
            let found = contract::property(resource.name, property.name);
            let found = found.unwrap_or_else(|| panic!("{place} is not in the contract"));
            let format = found.get("format").and_then(Value::as_str);
            let has_words = !contract::words(resource.name, property.name).is_empty();
            let expected = match (found.get("type").and_then(Value::as_str), format) {
                (Some("string"), Some("uuid")) => Kind::Uuid,
                (Some("string"), Some("date-time")) => Kind::Instant,
                (Some("string"), Some("date")) => Kind::Date,
                (Some("array"), _) if found["items"]["type"] == "string" || has_words => Kind::List,
                (_, _) if has_words => Kind::Code,
                (Some("string"), _) => Kind::Text,
                (Some("integer"), _) => Kind::Integer,
                (Some("number"), _) => Kind::Number,
                (Some("boolean"), _) => Kind::Flag,
                _ => Kind::Json,
            };
            let is_object = property.kind == Kind::Object && expected == Kind::Json;
            assert!(is_object || property.kind == expected, "{place} is {expected:?}");
        }
    }
}

/// A schema of the document as a JSON Schema: no example has a null, so `nullable` need not be understood. A quote that
/// may be absent is written as our engine of patterns reads it.
fn validator(schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    let components = DOCUMENT["components"].to_string().replace(r#"(\")?"#, r#"(\"?)"#);
    let components = serde_json::from_str(&components).unwrap();
    whole.as_object_mut().unwrap().insert("components".to_owned(), components);
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}

#[test]
fn every_body_and_every_answer_has_an_example_that_fits_its_schema() {
    let mut missing = Vec::new();
    for (id, _, _, operation) in documented() {
        let body = operation.get("requestBody").map(|body| ("body", body));
        let answer = operation["responses"].get("200").map(|answer| ("answer", answer));
        for (place, part) in body.into_iter().chain(answer) {
            let content = part.get("content").and_then(Value::as_object).into_iter().flatten();
            let readable =
                content.filter(|(kind, _)| kind.contains("json") || kind.contains("form-urlencoded"));
            for (_, media) in readable {
                let Some(example) = media.get("example") else {
                    missing.push(format!("{id}: the {place} has no example"));
                    continue;
                };
                let validator = validator(&media["schema"]);
                let found = validator.iter_errors(example).map(|error| {
                    format!("{id}: the {place}'s example: {error} at {}", error.instance_path())
                });
                missing.extend(found);
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn our_own_answers_are_never_documented_as_null() {
    let rule = schema("AlarmRule").unwrap().to_string();
    assert!(!rule.contains("null"), "{rule}");
}

#[test]
fn the_committed_document_is_this_one() {
    let committed = include_str!("../../../openapi.json");
    assert!(
        committed == format!("{}\n", text()),
        "run `keelson openapi > host/openapi.json`, and `npm run generate` in web/"
    );
}
