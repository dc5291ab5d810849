//! `sort`: an array of keys, the first one first.

use serde_json::Value as Json;

use super::filter::{collation, known_word, no_others, property};
use super::{json, value};
use crate::api::error::ApiError;
use crate::store::list::{Kind, Resource, Sort};

/// More keys than this sort nothing that a person reads.
const MAX_KEYS: usize = 16;
const DIRECTIONS: [&str; 2] = ["ascending", "descending"];
const MEMBERS: [&str; 3] = ["property", "direction", "collation"];

/// Reads the order; an absent one is the store's own, by id.
pub(super) fn parse(text: Option<&str>, resource: &Resource) -> Result<Vec<Sort>, ApiError> {
    let keys = json::list(json::parse("sort", text)?);
    if keys.len() > MAX_KEYS {
        return Err(ApiError::parameter("sort", format!("more than {MAX_KEYS} sort keys")));
    }
    keys.into_iter().map(|one| key(one, resource)).collect()
}

fn key(given: Json, resource: &Resource) -> Result<Sort, ApiError> {
    let Json::Object(mut object) = given else {
        let message = format!("each sort key must be an object, not {}", value::brief(&given));
        return Err(ApiError::parameter("sort", message));
    };
    let Some(Json::String(name)) = json::take(&mut object, "property") else {
        return Err(ApiError::parameter("sort", "a sort key has no \"property\""));
    };
    let property = property("sort", &name, resource)?;
    if matches!(property.kind, Kind::Json | Kind::List | Kind::Object) {
        let message = format!("\"{}\" has no order; sort by a property that holds one value", property.name);
        return Err(ApiError::parameter("sort", message));
    }
    let descending = match json::take(&mut object, "direction") {
        None => false,
        Some(word) => known_word("sort", "direction", &word, &DIRECTIONS)? == "descending",
    };
    let collation = collation("sort", json::take(&mut object, "collation"))?;
    no_others("sort", &object, &MEMBERS)?;
    Ok(Sort { property, descending, collation })
}
