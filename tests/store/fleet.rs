//! The planted fleet: every list of the API has rows, and every property has a value in one of them.

use std::collections::BTreeSet;

use keelson::model::Scope;
use keelson::store::list::{Condition, ListQuery, Resource};
use keelson::store::{ALL, Store};
use keelson_tests::fleet::{Scale, plant};
use keelson_tests::on_both;
use serde_json::Value;

use super::fixtures::NOW;

/// What no row of the fleet has, by the beginning of its name, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("Certificate.", "the host writes those that it shows and signs with when it starts"),
    ("TimeZone.", "the host writes those of the world when it starts"),
    ("CloudTenant.hashedPassword", "what a password can be guessed against is given to nobody"),
    ("Alarm.knowledge.custom", "nobody adds words of their own to a template yet"),
    ("Alarm.organizationUid", "all templates are the provider's"),
    ("Alarm.schedule", "templates have no schedule yet: rules always hold"),
    ("BackupServerLicense.monitoring", "no server says of its licence whether it includes monitoring"),
    ("UserLogin.parameters", "the key itself, shown once, by the operation that makes it"),
    ("NotificationSettings.smtp", "a mail server has a password, which only the host's own key seals"),
];

/// The properties that have a value in some row, nested ones dotted.
async fn filled(store: &Store, resource: &Resource) -> BTreeSet<String> {
    let mut tx = store.read().await.unwrap();
    let (all, shown) = (Condition::All(Vec::new()), resource.shown_with_embedded());
    let mut there = BTreeSet::new();
    for offset in (0..).step_by(500) {
        let query = ListQuery { limit: 500, offset, ..ListQuery::default() };
        let page = tx.list(resource, &Scope::Provider, &all, &query, &shown).await.unwrap();
        let values = page.items.iter().map(keelson::store::list::Json::value);
        values.for_each(|value| names(&value, "", &mut there));
        if page.items.len() < 500 {
            break;
        }
    }
    there
}

fn names(value: &Value, prefix: &str, there: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let name = format!("{prefix}{key}");
        names(value, &format!("{name}."), there);
        there.insert(name);
    }
}

/// Everything that the contract says an object has: the leaves of its schema, dotted. What is only beside it on demand is not among
/// them, nor is what is only written.
fn leaves(contract: &Value, schema: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return leaves(contract, &contract["components"]["schemas"][name], prefix, found);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    parts.for_each(|part| leaves(contract, part, prefix, found));
    match schema["properties"].as_object() {
        Some(properties) => {
            let below = properties.iter().filter(|(name, property)| {
                *name != "_embedded" && property["writeOnly"] != true && property["format"] != "password"
            });
            for (name, property) in below {
                let prefix = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                leaves(contract, property, &prefix, found);
            }
        }
        None if schema.get("allOf").is_none() => drop(found.insert(prefix.to_owned())),
        None => {}
    }
}

on_both! {
    fn every_property_of_the_contract_is_filled_in_some_row(database) {
        plant(&database.url, Scale::SMALL, NOW).await.unwrap();
        let store = database.store().await;
        let contract: Value = serde_json::from_str(include_str!("../../host/src/api/contract.json")).unwrap();
        let mut empty = Vec::new();
        for resource in ALL {
            let filled = filled(&store, resource).await;
            let mut all: BTreeSet<_> = resource.properties.iter().map(|property| property.name.to_owned()).collect();
            leaves(&contract, &contract["components"]["schemas"][resource.name], "", &mut all);
            let missing = all.into_iter().filter(|name| !name.is_empty() && !filled.contains(name));
            empty.extend(missing.map(|name| format!("{}.{name}", resource.name)));
        }
        empty.retain(|name| !EXCEPTIONS.iter().any(|(exception, _)| name.starts_with(exception)));
        assert!(empty.is_empty(), "no row of the fleet has: {empty:#?}");
    }

    fn a_database_with_companies_is_left_alone(database) {
        plant(&database.url, Scale::SMALL, NOW).await.unwrap();
        let refusal = plant(&database.url, Scale::SMALL, NOW).await.unwrap_err();
        assert!(format!("{refusal:#}").contains("already"), "{refusal:#}");
    }
}
