//! What filters, orders and pages mean, written for a slice of rows: the meaning that both databases must give them.

use std::cmp::Ordering;

use keelson::store::list::{
    Collation, Comparison, Condition, ListQuery, Property, SetComparison, Sort, Value,
};
use uuid::Uuid;

use super::table::Row;

/// The ids of the page that a query asks for, and how many rows its filter admits.
pub(super) fn answer(rows: &[Row], query: &ListQuery) -> (Vec<Uuid>, u64) {
    let mut found: Vec<&Row> = rows.iter().filter(|row| holds(row, &query.filter)).collect();
    found.sort_by(|left, right| order(left, right, &query.sort));
    let total = found.len() as u64;
    let page = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
    (page.map(|row| row.uid).collect(), total)
}

fn holds(row: &Row, condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(row, part)),
        Condition::Any(parts) => parts.iter().any(|part| holds(row, part)),
        Condition::Not(part) => !holds(row, part),
        Condition::ExclusiveOr(left, right) => holds(row, left) != holds(row, right),
        Condition::Compare { property, comparison, value, collation } => {
            compares(row, property, *comparison, value, *collation)
        }
        Condition::In { property, values, collation } => {
            values.iter().any(|value| compares(row, property, Comparison::Equals, value, *collation))
        }
        Condition::Set { comparison, values, collation, .. } => {
            let fold = |item: &String| fold(item, false, *collation);
            let own: Vec<_> = row.list.iter().flatten().map(fold).collect();
            let given: Vec<_> = values.iter().map(fold).collect();
            let subset = own.iter().all(|item| given.contains(item));
            let superset = given.iter().all(|item| own.contains(item));
            match comparison {
                SetComparison::Equals => subset && superset,
                SetComparison::Subset => subset,
                SetComparison::Superset => superset,
                SetComparison::Overlap => own.iter().any(|item| given.contains(item)),
            }
        }
    }
}

/// An absent property equals nothing but null, is not less or greater than anything, and differs from every value.
fn compares(
    row: &Row,
    property: &Property,
    comparison: Comparison,
    value: &Value,
    collation: Collation,
) -> bool {
    if property.name == "list" {
        let Value::Text(wanted) = value else { return false };
        let wanted = fold(wanted, false, collation);
        return row.list.iter().flatten().any(|item| fold(item, false, collation) == wanted);
    }
    let own = own(row, property);
    let both = match (&own, value) {
        (Value::Null, Value::Null) => return comparison == Comparison::Equals,
        (Value::Null, _) | (_, Value::Null) => return comparison == Comparison::NotEquals,
        (Value::Text(own), Value::Text(value)) => {
            let shadow = property.folded.is_some();
            let (own, value) = (fold(own, shadow, collation), fold(value, shadow, collation));
            if comparison == Comparison::Contains {
                return own.contains(&value);
            }
            own.as_bytes().cmp(value.as_bytes())
        }
        _ => plain(&own, value),
    };
    match comparison {
        Comparison::Equals => both == Ordering::Equal,
        Comparison::NotEquals => both != Ordering::Equal,
        Comparison::LessThan => both == Ordering::Less,
        Comparison::LessThanOrEqual => both != Ordering::Greater,
        Comparison::GreaterThan => both == Ordering::Greater,
        Comparison::GreaterThanOrEqual => both != Ordering::Less,
        Comparison::Contains => false,
    }
}

/// Absent ones come first in ascending order and last in descending; the id decides last.
fn order(left: &Row, right: &Row, sort: &[Sort]) -> Ordering {
    let keys = sort.iter().map(|key| {
        let (left, right) = (own(left, &key.property), own(right, &key.property));
        let ascending = match (&left, &right) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            (Value::Text(left), Value::Text(right)) => {
                let shadow = key.property.folded.is_some();
                let folded = fold(left, shadow, key.collation).cmp(&fold(right, shadow, key.collation));
                match key.collation {
                    Collation::Lexicographic => folded.then_with(|| left.as_bytes().cmp(right.as_bytes())),
                    _ => folded,
                }
            }
            _ => plain(&left, &right),
        };
        if key.descending { ascending.reverse() } else { ascending }
    });
    keys.fold(Ordering::Equal, Ordering::then).then_with(|| left.uid.cmp(&right.uid))
}

/// Texts with a shadow lose the case of all letters, the others that of ASCII.
fn fold(text: &str, shadow: bool, collation: Collation) -> String {
    match (collation, shadow) {
        (Collation::Ordinal, _) => text.to_owned(),
        (_, true) => text.to_lowercase(),
        (_, false) => text.to_ascii_lowercase(),
    }
}

fn plain(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right).unwrap(),
        (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
        (Value::Flag(left), Value::Flag(right)) => left.cmp(right),
        _ => panic!("{left:?} and {right:?} are of different kinds"),
    }
}

fn own(row: &Row, property: &Property) -> Value {
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let integer = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
    match property.name {
        "uid" => Value::Uuid(row.uid),
        "text" => text(&row.text),
        "folded" => text(&row.folded),
        "code" => text(&row.code),
        "integer" => integer(row.integer),
        "number" => row.number.map_or(Value::Null, Value::Number),
        "instant" => integer(row.instant),
        "date" => integer(row.date),
        "id" => row.id.map_or(Value::Null, Value::Uuid),
        "flag" => row.flag.map_or(Value::Null, Value::Flag),
        name => panic!("no scalar is called {name}"),
    }
}
