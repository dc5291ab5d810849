//! From conditions and orders to SQL. Column names come from the resource's own table of properties, values are always
//! bound: nothing of what a client sends becomes text of a statement.
//!
//! Written by hand, not with a query builder: the whole of it is one tree walk, and both databases take `$1`.

use uuid::Uuid;

use super::super::Dialect;
use super::{Collation, Comparison, Condition, Kind, Property, Resource, SetComparison, Sort, Value};

/// A condition being written.
pub(super) struct Compiler {
    pub(super) dialect: Dialect,
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

pub(super) fn order(sort: &[Sort], resource: &Resource, dialect: Dialect) -> String {
    let mut keys: Vec<String> = Vec::new();
    for key in sort {
        // Every row has an id of its own: nothing is left to order behind it.
        if key.property.column == resource.id {
            keys.push(format!("{} {}", resource.id, if key.descending { "DESC" } else { "ASC" }));
            return keys.join(", ");
        }
        let (direction, nulls) = if key.descending { ("DESC", "NULLS LAST") } else { ("ASC", "NULLS FIRST") };
        let expressions = match key.collation {
            Collation::Ordinal => vec![plain(&key.property, dialect)],
            Collation::IgnoreCase => vec![folded(&key.property, dialect)],
            Collation::Lexicographic => vec![folded(&key.property, dialect), plain(&key.property, dialect)],
        };
        // Only texts have two: the same key twice would keep SQLite from an index.
        let twice = expressions.first() == expressions.get(1);
        let expressions = expressions.into_iter().take(if twice { 1 } else { 2 });
        keys.extend(expressions.map(|expression| format!("{expression} {direction} {nulls}")));
    }
    keys.push(resource.id.to_owned());
    keys.join(", ")
}

/// The property, compared byte by byte.
fn plain(property: &Property, dialect: Dialect) -> String {
    match (property.kind, dialect) {
        (Kind::Text | Kind::Code | Kind::List, Dialect::Postgres) => {
            format!("({}) COLLATE \"C\"", property.column)
        }
        _ => property.column.to_owned(),
    }
}

/// The property without its case.
fn folded(property: &Property, dialect: Dialect) -> String {
    match (property.kind, property.folded) {
        (Kind::Text | Kind::Code | Kind::List, Some(shadow)) => shadow.to_owned(),
        (Kind::Text | Kind::Code | Kind::List, None) => format!("lower({})", plain(property, dialect)),
        _ => property.column.to_owned(),
    }
}

impl Compiler {
    /// Nothing yet.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), values: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Binds a value; the placeholder that stands for it.
    pub(super) fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    pub(super) fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) => self.join(parts, " AND ", "1 = 1"),
            Condition::Any(parts) => self.join(parts, " OR ", "1 = 0"),
            Condition::Not(part) => {
                self.text.push_str("NOT (");
                self.condition(part);
                self.text.push(')');
            }
            Condition::ExclusiveOr(left, right) => {
                self.text.push_str("((");
                self.condition(left);
                self.text.push_str(") <> (");
                self.condition(right);
                self.text.push_str("))");
            }
            Condition::Compare { property, comparison, value, collation } => {
                self.compare(property, *comparison, value, *collation);
            }
            Condition::In { property, values, collation } => self.one_of(property, values, *collation),
            Condition::Set { property, comparison, values, collation } => {
                self.set(property, *comparison, values, *collation);
            }
        }
    }

    fn join(&mut self, parts: &[Condition], word: &str, empty: &str) {
        if parts.is_empty() {
            self.text.push_str(empty);
            return;
        }
        self.text.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.text.push_str(word);
            }
            self.condition(part);
        }
        self.text.push(')');
    }

    /// The property and the value's place, both folded if the collation says so.
    fn sides(&mut self, property: &Property, value: &Value, collation: Collation) -> (String, String) {
        match (collation, value) {
            (Collation::IgnoreCase | Collation::Lexicographic, Value::Text(text)) => {
                let text =
                    if property.folded.is_some() { text.to_lowercase() } else { text.to_ascii_lowercase() };
                (folded(property, self.dialect), self.place(Value::Text(text)))
            }
            _ => (plain(property, self.dialect), self.place(value.clone())),
        }
    }

    /// Never unknown: each comparison is true or false also where the property is absent, so that `not` and
    /// `exclusiveOr` mean what they say.
    fn compare(&mut self, property: &Property, comparison: Comparison, value: &Value, collation: Collation) {
        if *value == Value::Null {
            let test = match comparison {
                Comparison::Equals => format!("{} IS NULL", property.column),
                Comparison::NotEquals => format!("{} IS NOT NULL", property.column),
                _ => "1 = 0".to_owned(),
            };
            self.text.push_str(&test);
            return;
        }
        let (left, right) = self.sides(property, value, collation);
        let operator = match comparison {
            Comparison::Equals => "=",
            Comparison::NotEquals => {
                let test = format!("({left} <> {right} OR {} IS NULL)", property.column);
                self.text.push_str(&test);
                return;
            }
            Comparison::LessThan => "<",
            Comparison::LessThanOrEqual => "<=",
            Comparison::GreaterThan => ">",
            Comparison::GreaterThanOrEqual => ">=",
            Comparison::Contains if property.kind == Kind::List => {
                let test = self.item(property, &right, collation);
                self.text.push_str(&test);
                return;
            }
            Comparison::Contains => {
                let find = match self.dialect {
                    Dialect::Sqlite => "instr",
                    Dialect::Postgres => "strpos",
                };
                let test = format!("({find}({left}, {right}) > 0 AND {} IS NOT NULL)", property.column);
                self.text.push_str(&test);
                return;
            }
        };
        let test = format!("({left} {operator} {right} AND {} IS NOT NULL)", property.column);
        self.text.push_str(&test);
    }

    fn one_of(&mut self, property: &Property, values: &[Value], collation: Collation) {
        let present: Vec<_> = values.iter().filter(|value| **value != Value::Null).collect();
        let mut tests = Vec::new();
        if present.len() < values.len() {
            tests.push(format!("{} IS NULL", property.column));
        }
        let mut column = String::new();
        let mut places = Vec::with_capacity(present.len());
        for value in present {
            let (left, place) = self.sides(property, value, collation);
            column = left;
            places.push(place);
        }
        if !places.is_empty() {
            tests.push(format!("({column} IN ({}) AND {} IS NOT NULL)", places.join(","), property.column));
        }
        let test = if tests.is_empty() { "1 = 0".to_owned() } else { format!("({})", tests.join(" OR ")) };
        self.text.push_str(&test);
    }

    /// The items of a list, as rows with one column `value`; an absent list has none.
    fn items(&self, property: &Property) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("json_each(coalesce({}, '[]'))", property.column),
            Dialect::Postgres => {
                format!(
                    "jsonb_array_elements_text(coalesce({}, '[]')::jsonb) AS item(value)",
                    property.column
                )
            }
        }
    }

    fn item_value(&self, collation: Collation) -> &'static str {
        match (self.dialect, collation) {
            (Dialect::Sqlite, Collation::Ordinal) => "value",
            (Dialect::Postgres, Collation::Ordinal) => "item.value COLLATE \"C\"",
            (Dialect::Sqlite, _) => "lower(value)",
            (Dialect::Postgres, _) => "lower(item.value COLLATE \"C\")",
        }
    }

    fn item(&self, property: &Property, place: &str, collation: Collation) -> String {
        let (items, value) = (self.items(property), self.item_value(collation));
        format!("EXISTS (SELECT 1 FROM {items} WHERE {value} = {place})")
    }

    fn set(
        &mut self,
        property: &Property,
        comparison: SetComparison,
        values: &[String],
        collation: Collation,
    ) {
        // Each value once: a list of them then counts what it found. However many there are, it stays one test: a tree of
        // a thousand would be deeper than SQLite takes, and slow to prepare on both.
        let mut values: Vec<_> = values
            .iter()
            .map(|value| match collation {
                Collation::Ordinal => value.clone(),
                Collation::IgnoreCase | Collation::Lexicographic => value.to_ascii_lowercase(),
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        let number = values.len();
        let places: Vec<_> = values.into_iter().map(|value| self.place(Value::Text(value))).collect();
        let (items, value) = (self.items(property), self.item_value(collation));
        let among = |not: &str| match number {
            0 if not.is_empty() => "1 = 0".to_owned(),
            0 => "1 = 1".to_owned(),
            _ => format!("{value} {not}IN ({})", places.join(",")),
        };
        let found = format!("(SELECT count(DISTINCT {value}) FROM {items} WHERE {}) = {number}", among(""));
        let others = format!("EXISTS (SELECT 1 FROM {items} WHERE {})", among("NOT "));
        let test = match comparison {
            SetComparison::Subset => format!("(NOT {others})"),
            SetComparison::Superset => format!("({found})"),
            SetComparison::Equals => format!("({found} AND NOT {others})"),
            SetComparison::Overlap => format!("EXISTS (SELECT 1 FROM {items} WHERE {})", among("")),
        };
        self.push(&test);
    }
}

impl Compiler {
    /// Every comparison that a property's kind admits, joined to what is there: for the prepare test.
    pub(super) fn every_comparison(&mut self, property: &Property) {
        let value = match property.kind {
            Kind::Text | Kind::Code | Kind::List => Value::Text(String::new()),
            Kind::Integer | Kind::Instant | Kind::Date => Value::Integer(0),
            Kind::Number => Value::Number(0.0),
            Kind::Uuid => Value::Uuid(Uuid::nil()),
            Kind::Flag => Value::Flag(true),
            Kind::Json | Kind::Object => return,
        };
        let (property, list) = (*property, property.kind == Kind::List);
        let compare = |comparison, collation| {
            let value = value.clone();
            Condition::Compare { property, comparison, value, collation }
        };
        let mut parts = Vec::new();
        if list {
            let values = vec![String::new()];
            let comparison = SetComparison::Equals;
            parts.push(Condition::Set { property, comparison, values, collation: Collation::IgnoreCase });
        } else {
            parts.push(compare(Comparison::Equals, Collation::Ordinal));
            parts.push(compare(Comparison::NotEquals, Collation::IgnoreCase));
            let values = vec![value.clone(), Value::Null];
            parts.push(Condition::In { property, values, collation: Collation::Ordinal });
        }
        if !list && !matches!(property.kind, Kind::Uuid | Kind::Flag) {
            parts.push(compare(Comparison::LessThan, Collation::Lexicographic));
        }
        if matches!(property.kind, Kind::Text | Kind::List) {
            parts.push(compare(Comparison::Contains, Collation::IgnoreCase));
        }
        self.push(" AND ");
        self.condition(&Condition::All(parts));
    }
}
