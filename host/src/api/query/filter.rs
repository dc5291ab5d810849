//! `filter`: an array of expressions, all of which must hold. A leaf compares a property with a value, a group joins
//! its `items`.

use serde_json::{Map, Value as Json};

use super::{brief, json, nearest, value};
use crate::api::error::ApiError;
use crate::store::list::{Collation, Comparison, Condition, Kind, Property, Resource, SetComparison, Value};

/// How deep groups may nest.
const MAX_DEPTH: usize = 8;
/// How many expressions there may be in all.
const MAX_NODES: usize = 64;
/// How many values `in` may have.
const MAX_VALUES: usize = 1000;
/// How many values all expressions may have between them.
const MAX_VALUES_IN_ALL: usize = 4 * MAX_VALUES;

const OPERATIONS: [&str; 14] = [
    "equals",
    "notEquals",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "contains",
    "in",
    "subset",
    "superset",
    "exclusiveOr",
    "and",
    "or",
    "not",
];
const COLLATIONS: [&str; 3] = ["ordinal", "ignorecase", "lexicographic"];
const MEMBERS: [&str; 5] = ["property", "operation", "collation", "value", "items"];

/// Reads a filter; an absent one admits every row.
pub(super) fn parse(text: Option<&str>, resource: &Resource) -> Result<Condition, ApiError> {
    let items = json::list(json::parse("filter", text)?);
    Parser { resource, nodes: 0, values: 0 }.all(items, 1).map(Condition::All)
}

/// The property of that name, or a refusal with the nearest one.
pub(super) fn property(
    parameter: &'static str,
    name: &str,
    resource: &Resource,
) -> Result<Property, ApiError> {
    let known = resource.properties.iter();
    let exact = known.clone().find(|property| property.name == name);
    exact
        .or_else(|| known.clone().find(|property| property.name.eq_ignore_ascii_case(name)))
        .copied()
        .ok_or_else(|| {
            let hint = nearest(name, known.map(|property| property.name));
            ApiError::parameter(
                parameter,
                format!("{} has no property \"{}\"; {hint}", resource.name, brief(name)),
            )
        })
}

/// The collation in a member that may be absent.
pub(super) fn collation(parameter: &'static str, member: Option<Json>) -> Result<Collation, ApiError> {
    match member {
        None => Ok(Collation::Ordinal),
        Some(word) => match known_word(parameter, "collation", &word, &COLLATIONS)? {
            "ordinal" => Ok(Collation::Ordinal),
            "ignorecase" => Ok(Collation::IgnoreCase),
            _ => Ok(Collation::Lexicographic),
        },
    }
}

/// One of `words`, whatever its case.
pub(super) fn known_word(
    parameter: &'static str,
    member: &str,
    word: &Json,
    words: &'static [&'static str],
) -> Result<&'static str, ApiError> {
    let Json::String(word) = word else {
        return Err(ApiError::parameter(
            parameter,
            format!("{member} must be a string, not {}", value::brief(word)),
        ));
    };
    words.iter().find(|known| known.eq_ignore_ascii_case(word)).copied().ok_or_else(|| {
        let hint = nearest(word, words.iter().copied());
        ApiError::parameter(parameter, format!("unknown {member} \"{}\"; {hint}", brief(word)))
    })
}

/// Refuses members that nobody asked for: a misspelt one would otherwise change the meaning.
pub(super) fn no_others(
    parameter: &'static str,
    object: &Map<String, Json>,
    known: &'static [&'static str],
) -> Result<(), ApiError> {
    match object.keys().next() {
        None => Ok(()),
        Some(key) => {
            let hint = nearest(key, known.iter().copied());
            Err(ApiError::parameter(
                parameter,
                format!("unknown member \"{}\" in {parameter}; {hint}", brief(key)),
            ))
        }
    }
}

struct Parser<'a> {
    resource: &'a Resource,
    nodes: usize,
    values: usize,
}

impl Parser<'_> {
    fn all(&mut self, items: Vec<Json>, depth: usize) -> Result<Vec<Condition>, ApiError> {
        items.into_iter().map(|item| self.expression(item, depth)).collect()
    }

    fn expression(&mut self, item: Json, depth: usize) -> Result<Condition, ApiError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(refuse(format!("more than {MAX_NODES} expressions")));
        }
        if depth > MAX_DEPTH {
            return Err(refuse(format!("expressions nest more than {MAX_DEPTH} deep")));
        }
        let Json::Object(mut object) = item else {
            return Err(refuse(format!("each expression must be an object, not {}", value::brief(&item))));
        };
        let Some(word) = json::take(&mut object, "operation") else {
            return Err(refuse("an expression has no \"operation\"; in doubt it is \"equals\"".to_owned()));
        };
        let operation = known_word("filter", "operation", &word, &OPERATIONS)?;
        match operation {
            "and" | "or" | "not" | "exclusiveOr" => self.group(operation, object, depth),
            _ => self.leaf(operation, object),
        }
    }

    fn group(
        &mut self,
        operation: &str,
        mut object: Map<String, Json>,
        depth: usize,
    ) -> Result<Condition, ApiError> {
        let items = json::list(json::take(&mut object, "items").unwrap_or_default());
        for member in ["property", "value"] {
            if json::take(&mut object, member).is_some() {
                return Err(refuse(format!("\"{operation}\" takes \"items\", not \"{member}\"")));
            }
        }
        collation("filter", json::take(&mut object, "collation"))?;
        no_others("filter", &drop_nulls(object), &MEMBERS)?;
        let mut conditions = self.all(items, depth + 1)?;
        match (operation, conditions.len()) {
            ("and", _) => Ok(Condition::All(conditions)),
            (_, 0) => Err(refuse(format!("\"{operation}\" needs \"items\""))),
            ("or", _) => Ok(Condition::Any(conditions)),
            ("not", _) => Ok(Condition::Not(Box::new(Condition::All(conditions)))),
            _ => match (conditions.pop(), conditions.pop(), conditions.pop()) {
                (Some(second), Some(first), None) => {
                    Ok(Condition::ExclusiveOr(Box::new(first), Box::new(second)))
                }
                _ => Err(refuse("\"exclusiveOr\" needs exactly two \"items\"".to_owned())),
            },
        }
    }

    fn leaf(
        &mut self,
        operation: &'static str,
        mut object: Map<String, Json>,
    ) -> Result<Condition, ApiError> {
        let property = match json::take(&mut object, "property") {
            Some(Json::String(name)) => property("filter", &name, self.resource)?,
            _ => return Err(refuse(format!("\"{operation}\" needs a \"property\""))),
        };
        if !json::list(json::take(&mut object, "items").unwrap_or_default()).is_empty() {
            return Err(refuse(format!(
                "\"{operation}\" compares a property; \"items\" belong to and, or, not"
            )));
        }
        let collation = collation("filter", json::take(&mut object, "collation"))?;
        let collation =
            if matches!(property.kind, Kind::Text | Kind::List) { collation } else { Collation::Ordinal };
        let stated = object.keys().any(|key| key.eq_ignore_ascii_case("value"));
        let given = json::take(&mut object, "value").unwrap_or_default();
        no_others("filter", &drop_nulls(object), &MEMBERS)?;
        if !stated {
            return Err(refuse(format!(
                "\"{operation}\" on \"{}\" has no \"value\"; write null to ask for what has none",
                property.name
            )));
        }
        self.values += given.as_array().map_or(1, Vec::len);
        if self.values > MAX_VALUES_IN_ALL {
            return Err(refuse(format!("more than {MAX_VALUES_IN_ALL} values in all expressions together")));
        }
        match (operation, property.kind) {
            (_, Kind::Json | Kind::Object) => {
                Err(refuse(format!("\"{}\" is an object; compare what is in it", property.name)))
            }
            (_, Kind::List) => of_list(operation, property, &given, collation),
            ("subset" | "superset", _) => Err(Self::no_list(operation, &property)),
            ("in", _) => one_of(self.resource, property, given, collation),
            _ => compare(self.resource, operation, property, &given, collation),
        }
    }

    fn no_list(operation: &str, property: &Property) -> ApiError {
        refuse(format!(
            "\"{operation}\" compares properties that hold a list; \"{}\" holds one value; use \"in\"",
            property.name
        ))
    }
}

/// A list is compared as a set; `contains` asks for one item, `in` for any of some.
fn of_list(
    operation: &str,
    property: Property,
    given: &Json,
    collation: Collation,
) -> Result<Condition, ApiError> {
    let values = value::texts(&property, given)?;
    if values.len() > MAX_VALUES {
        let message = format!("\"{operation}\" on \"{}\": at most {MAX_VALUES} values fit", property.name);
        return Err(refuse(message));
    }
    let set = |comparison| Condition::Set { property, comparison, values: values.clone(), collation };
    let contains = |value: &String| {
        let value = Value::Text(value.clone());
        Condition::Compare { property, comparison: Comparison::Contains, value, collation }
    };
    match operation {
        "subset" => Ok(set(SetComparison::Subset)),
        "superset" => Ok(set(SetComparison::Superset)),
        "equals" => Ok(set(SetComparison::Equals)),
        "notEquals" => Ok(Condition::Not(Box::new(set(SetComparison::Equals)))),
        "contains" if values.len() == 1 => Ok(Condition::All(values.iter().map(contains).collect())),
        "in" => Ok(set(SetComparison::Overlap)),
        _ => Err(refuse(format!(
            "\"{}\" is a list: ask with \"contains\", \"in\", \"subset\", \"superset\" or \"equals\"",
            property.name
        ))),
    }
}

fn compare(
    resource: &Resource,
    operation: &str,
    property: Property,
    given: &Json,
    collation: Collation,
) -> Result<Condition, ApiError> {
    let comparison = match operation {
        "equals" => Comparison::Equals,
        "notEquals" => Comparison::NotEquals,
        "lessThan" => Comparison::LessThan,
        "lessThanOrEqual" => Comparison::LessThanOrEqual,
        "greaterThan" => Comparison::GreaterThan,
        "greaterThanOrEqual" => Comparison::GreaterThanOrEqual,
        _ => Comparison::Contains,
    };
    let name = property.name;
    let value = value::parse(resource, &property, given)?;
    match comparison {
        Comparison::Equals | Comparison::NotEquals => {}
        _ if value == Value::Null => {
            return Err(refuse(format!(
                "\"{operation}\" on \"{name}\" needs a value; null goes with equals only"
            )));
        }
        Comparison::Contains if property.kind != Kind::Text => {
            return Err(refuse(format!(
                "\"contains\" searches texts, and \"{name}\" is none; use \"equals\" or \"in\""
            )));
        }
        _ if property.kind == Kind::Flag => {
            return Err(refuse(format!("\"{name}\" is true or false and has no order; use \"equals\"")));
        }
        _ => {}
    }
    Ok(Condition::Compare { property, comparison, value, collation })
}

/// `in`: null among the values asks for absent properties too, which SQL's own IN would never find.
fn one_of(
    resource: &Resource,
    property: Property,
    given: Json,
    collation: Collation,
) -> Result<Condition, ApiError> {
    let given = json::list(given);
    if given.len() > MAX_VALUES {
        let message =
            format!("\"in\" on \"{}\" has {} values, at most {MAX_VALUES} fit", property.name, given.len());
        return Err(refuse(message));
    }
    let values: Vec<Value> =
        given.iter().map(|one| value::parse(resource, &property, one)).collect::<Result<_, _>>()?;
    let (absent, values): (Vec<_>, Vec<_>) = values.into_iter().partition(|one| *one == Value::Null);
    let mut any = Vec::new();
    if !values.is_empty() {
        any.push(Condition::In { property, values, collation });
    }
    if let Some(value) = absent.into_iter().next() {
        any.push(Condition::Compare { property, comparison: Comparison::Equals, value, collation });
    }
    Ok(Condition::Any(any))
}

fn drop_nulls(object: Map<String, Json>) -> Map<String, Json> {
    object.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn refuse(message: String) -> ApiError {
    ApiError::parameter("filter", message)
}
