//! The document is whole, and says what the handlers do.

use std::collections::BTreeSet;

use super::*;
use crate::api::routes;

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
        assert_eq!(parameters.contains("#/components/parameters/limit"), is_list, "{id}");
    }
}

#[test]
fn every_offer_selects_from_a_schema_that_exists_and_can_be_filtered_by_what_it_shows() {
    use crate::store::{
        AGENTS, ALARM_TEMPLATES, ALARMS, BACKUP_SERVERS, COMPANIES, COMPUTERS, RESTORE_POINTS,
    };
    for resource in
        [&AGENTS, &ALARM_TEMPLATES, &ALARMS, &BACKUP_SERVERS, &COMPANIES, &COMPUTERS, &RESTORE_POINTS]
    {
        for property in resource.properties {
            let mut current = schema(resource.name);
            for step in property.name.split('.') {
                let inner = current.map(properties).unwrap_or_default();
                current = inner.into_iter().find(|(name, _)| *name == step).map(|(_, inner)| inner);
            }
            assert!(current.is_some(), "{} is not shown by {}", property.name, resource.name);
        }
    }
}

#[test]
fn answers_are_never_documented_as_null() {
    let company = schema("Company").unwrap().to_string();
    assert!(!company.contains("null"), "{company}");
}

#[test]
fn the_committed_document_is_this_one() {
    let committed = include_str!("../../../openapi.json");
    assert!(
        committed == format!("{}\n", text()),
        "run `keelson openapi > host/openapi.json`, and `npm run generate` in web/"
    );
}
