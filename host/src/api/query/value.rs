//! A JSON value as one of a property's kind. Numbers may be quoted and texts may be numbers; everything else that does
//! not fit is refused with what would.

use serde_json::Value as Json;
use uuid::Uuid;

use super::nearest;
use crate::api::contract;
use crate::api::error::ApiError;
use crate::instant;
use crate::store::list::{Kind, Property, Resource, Value};

/// Reads `given` as `property` would hold it.
pub(super) fn parse(resource: &Resource, property: &Property, given: &Json) -> Result<Value, ApiError> {
    if given.is_null() {
        return Ok(Value::Null);
    }
    match property.kind {
        Kind::Text => text(given)
            .ok_or_else(|| misfit(property, given, "a text"))
            .and_then(|text| {
                if text.contains('\0') {
                    Err(misfit(property, given, "a text without NUL characters"))
                } else {
                    Ok(text)
                }
            })
            .map(Value::Text),
        Kind::Integer => {
            integer(given).map(Value::Integer).ok_or_else(|| misfit(property, given, "a whole number"))
        }
        Kind::Instant => {
            let read = given.as_str().and_then(instant::parse).map(Value::Integer);
            read.ok_or_else(|| misfit(property, given, "an RFC 3339 date such as 2026-01-31T12:00:00Z"))
        }
        Kind::Uuid => {
            let read = given.as_str().and_then(|text| Uuid::try_parse(text.trim()).ok()).map(Value::Uuid);
            read.ok_or_else(|| misfit(property, given, "a UUID"))
        }
        Kind::Flag => flag(given).map(Value::Flag).ok_or_else(|| misfit(property, given, "true or false")),
        Kind::Number => number(given).map(Value::Number).ok_or_else(|| misfit(property, given, "a number")),
        Kind::Date => {
            let read = given.as_str().and_then(instant::parse).map(Value::Integer);
            read.ok_or_else(|| misfit(property, given, "a date such as 2026-01-31"))
        }
        Kind::Code => code(resource, property, given),
        Kind::List | Kind::Json | Kind::Object => Err(misfit(property, given, "no comparison")),
    }
}

/// The start of a value, for messages.
pub(super) fn brief(given: &Json) -> String {
    super::brief(&given.to_string())
}

fn text(given: &Json) -> Option<String> {
    match given {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(given.to_string()),
        _ => None,
    }
}

fn integer(given: &Json) -> Option<i64> {
    match given {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `5.0` is 5; what a double cannot hold exactly is not guessed at.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    let whole = (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    whole
}

fn number(given: &Json) -> Option<f64> {
    let number = match given {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

fn flag(given: &Json) -> Option<bool> {
    match given {
        Json::Bool(flag) => Some(*flag),
        Json::String(word) if word.eq_ignore_ascii_case("true") || word == "1" => Some(true),
        Json::String(word) if word.eq_ignore_ascii_case("false") || word == "0" => Some(false),
        Json::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn code(resource: &Resource, property: &Property, given: &Json) -> Result<Value, ApiError> {
    let Json::String(word) = given else {
        return Err(misfit(property, given, "one of its words"));
    };
    let words = contract::words(resource.name, property.name);
    let known = words.iter().find(|known| known.eq_ignore_ascii_case(word));
    known.map(|known| Value::Text((*known).to_owned())).ok_or_else(|| {
        let hint = nearest(word, words.iter().copied());
        ApiError::parameter("filter", format!("\"{}\" is never {}; {hint}", property.name, brief(given)))
    })
}

/// The items of a list that a list is compared with.
pub(super) fn texts(property: &Property, given: &Json) -> Result<Vec<String>, ApiError> {
    let items = match given {
        Json::Array(items) => items.as_slice(),
        Json::Null => &[],
        one => std::slice::from_ref(one),
    };
    let item = |item: &Json| {
        text(item)
            .filter(|text| !text.contains('\0'))
            .ok_or_else(|| misfit(property, item, "a list of texts without NUL characters"))
    };
    items.iter().map(item).collect()
}

fn misfit(property: &Property, given: &Json, wanted: &str) -> ApiError {
    ApiError::parameter("filter", format!("\"{}\" needs {wanted}, not {}", property.name, brief(given)))
}
