//! What a client asks of an answer: `filter`, `sort`, `limit`, `offset` of a list, `select` and `expand` of anything.
//! One engine for all lists; the result names only columns that the resource offers. Clients in the wild send
//! single-quoted JSON, quoted numbers, `null` for what they leave out and one object for a list of one: all of it is
//! understood. What is not understood is refused by name, never ignored: a filter that silently drops out returns
//! other people's rows to a script that deletes what it gets. So is a parameter whose name is a slip away from one that
//! the operation has (`fitler`); parameters of quite other names are ignored, because clients in the wild send some.

use crate::api::contract;
use crate::api::error::ApiError;
use crate::store::list::{Kind, ListQuery, Property, Resource, Shown, Value};

mod filter;
mod given;
mod json;
mod nearest;
mod pairs;
mod select;
mod sort;
mod value;

pub(crate) use given::check;
pub(crate) use nearest::{brief, nearest};
pub(crate) use pairs::Pairs;
pub(crate) use select::Select;

/// Rows of a page when the client does not say.
const DEFAULT_LIMIT: u32 = 100;
/// Most rows of a page.
const MAX_LIMIT: u32 = 500;
/// What fits the `int32` of the contract.
const MAX_OFFSET: u32 = i32::MAX as u32;

/// The parameters of a list.
const OF_LISTS: [&str; 6] = ["filter", "sort", "limit", "offset", "select", "expand"];
/// The parameters of anything else.
const OF_ANY: [&str; 2] = ["select", "expand"];

/// What can be asked of one kind of answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    /// The component schema that `select` picks from; it also says what `expand` takes.
    pub(crate) schema: &'static str,
}

/// How an answer is cut and what is added to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// The properties to keep.
    pub(crate) select: Select,
    /// The additions asked for, as the offer spells them.
    pub(crate) expand: Vec<&'static str>,
}

impl Shape {
    /// What of a resource the answer shows.
    pub(crate) fn shown(&self, resource: &Resource) -> Vec<Shown> {
        let kept = resource.properties.iter().filter(|property| {
            if self.select.is_all() {
                !property.is_embedded() || !self.expand.is_empty()
            } else {
                self.select.keeps(property.name)
            }
        });
        kept.map(|property| Shown { property: *property, unknown: &[] }).collect()
    }

    /// Reads `select` and `expand`.
    pub(crate) fn parse(query: Option<&str>, offer: Offer) -> Result<Self, ApiError> {
        Self::from_pairs(&Pairs::parse(query)?, offer)
    }

    /// Reads them from parameters that were split already.
    pub(crate) fn from_pairs(pairs: &Pairs, offer: Offer) -> Result<Self, ApiError> {
        pairs.no_slips(&OF_ANY)?;
        Ok(Self {
            select: Select::parse(pairs.one("select")?, offer.schema)?,
            expand: expand(pairs, &contract::expands(offer.schema))?,
        })
    }
}

/// A list, as one client wants it.
#[derive(Debug, Clone)]
pub(crate) struct ListRequest {
    /// For the store.
    pub(crate) query: ListQuery,
    /// For the answer.
    pub(crate) shape: Shape,
}

impl ListRequest {
    /// Reads all parameters of a list.
    #[cfg(test)]
    pub(crate) fn parse(query: Option<&str>, resource: &Resource, offer: Offer) -> Result<Self, ApiError> {
        Self::from_pairs(&Pairs::parse(query)?, resource, offer)
    }

    /// Reads them from parameters that were split already.
    pub(crate) fn from_pairs(pairs: &Pairs, resource: &Resource, offer: Offer) -> Result<Self, ApiError> {
        pairs.no_slips(&OF_LISTS)?;
        let query = ListQuery {
            filter: filter::parse(pairs.one("filter")?, resource)?,
            sort: sort::parse(pairs.one("sort")?, resource)?,
            limit: number(pairs, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?,
            offset: number(pairs, "offset", 0, 0..=MAX_OFFSET)?,
        };
        Ok(Self { query, shape: Shape::from_pairs(pairs, offer)? })
    }
}

fn number(
    pairs: &Pairs,
    name: &'static str,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, ApiError> {
    let Some(text) = pairs.one(name)?.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(default);
    };
    text.trim_matches('"').parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        ApiError::parameter(name, format!("{name} must be a whole number from {low} to {high}"))
    })
}

/// `expand=A&expand=B`, `expand=A,B` and `expand=["A","B"]` are the same.
fn expand(pairs: &Pairs, offered: &[&'static str]) -> Result<Vec<&'static str>, ApiError> {
    let mut chosen = Vec::new();
    for text in pairs.all("expand") {
        for word in text.split(|c: char| "[],\"' ".contains(c)).filter(|word| !word.is_empty()) {
            let known = offered.iter().find(|name| name.eq_ignore_ascii_case(word));
            chosen.push(*known.ok_or_else(|| unknown_expand(word, offered))?);
        }
    }
    Ok(chosen)
}

fn unknown_expand(word: &str, offered: &[&'static str]) -> ApiError {
    let message = if offered.is_empty() {
        format!("this operation expands nothing, so not \"{}\" either", brief(word))
    } else {
        format!("cannot expand \"{}\"; {}", brief(word), nearest(word, offered.iter().copied()))
    };
    ApiError::parameter("expand", message)
}

/// A value of the contract, as its property is stored.
pub(crate) fn stored(property: &Property, value: &serde_json::Value) -> Option<Value> {
    if property.kind == Kind::Object {
        return Some(Value::Flag(!value.is_null()));
    }
    if value.is_null() {
        return Some(Value::Null);
    }
    match property.kind {
        Kind::Object => None,
        Kind::Text | Kind::Code => value.as_str().map(|text| Value::Text(text.to_owned())),
        Kind::Integer => value.as_i64().map(Value::Integer),
        Kind::Number => value.as_f64().map(Value::Number),
        Kind::Instant | Kind::Date => value.as_str().and_then(crate::instant::parse).map(Value::Integer),
        Kind::Uuid => value.as_str().and_then(|text| uuid::Uuid::try_parse(text).ok()).map(Value::Uuid),
        Kind::Flag => value.as_bool().map(Value::Flag),
        Kind::List | Kind::Json => Some(Value::Text(value.to_string())),
    }
}

#[cfg(test)]
mod tests;
