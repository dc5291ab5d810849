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
        assert_eq!(is_paged, is_list, "{id}");
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
            assert_eq!(property.kind, expected, "{place}");
        }
    }
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
