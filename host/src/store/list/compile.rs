//! From a [`ListQuery`] to SQL. Column names come from the resource's own table of properties, values are always bound:
//! nothing of what a client sends becomes text of a statement.
//!
//! Written by hand, not with a query builder: the whole of it is one tree walk, and both databases take `$1`.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::super::{Dialect, StoreError, Tx, on, trusted};
use super::{Collation, Comparison, Condition, Kind, ListQuery, Page, Property, Resource, Sort, Value};
use crate::model::Scope;

macro_rules! bind {
    ($statement:expr, $value:expr) => {
        match $value {
            Value::Null => $statement.bind(None::<i64>),
            Value::Text(text) => $statement.bind(text.clone()),
            Value::Integer(number) => $statement.bind(*number),
            Value::Uuid(uid) => $statement.bind(*uid),
            Value::Flag(flag) => $statement.bind(*flag),
        }
    };
}

/// A condition being written.
struct Compiler {
    dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

/// One page, and how many rows there are in all.
pub(crate) async fn run<T>(
    tx: &mut Tx,
    resource: &Resource,
    scope: &Scope,
    query: &ListQuery,
) -> Result<Page<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut compiler = Compiler { dialect: tx.dialect(), text: String::new(), values: Vec::new() };
    compiler.scope(resource, *scope);
    compiler.text.push_str(" AND ");
    compiler.condition(&query.filter);
    let count = format!("SELECT count(*) FROM {}{}", resource.from, compiler.text);
    let page = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT {} OFFSET {}",
        resource.columns,
        resource.from,
        compiler.text,
        order(&query.sort, resource, compiler.dialect),
        query.limit,
        query.offset
    );
    let items: Vec<T> = on!(tx, db => {
        let mut statement = sqlx::query_as(trusted(page));
        for value in &compiler.values {
            statement = bind!(statement, value);
        }
        statement.fetch_all(db).await?
    });
    // A first page that is not full is the whole list: no second statement for it.
    let all_here = query.offset == 0 && items.len() < query.limit as usize;
    let total = if all_here { items.len() as u64 } else { total(tx, count, &compiler.values).await? };
    Ok(Page { items, total })
}

/// One row by its id, if it is in scope.
pub(crate) async fn get<T>(
    tx: &mut Tx,
    resource: &Resource,
    scope: &Scope,
    uid: Uuid,
) -> Result<Option<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut compiler =
        Compiler { dialect: tx.dialect(), text: String::new(), values: vec![Value::Uuid(uid)] };
    compiler.scope(resource, *scope);
    let text = format!(
        "SELECT {} FROM {} AND {} = $1{}",
        resource.columns, resource.from, resource.id, compiler.text
    );
    let row = on!(tx, db => {
        let mut statement = sqlx::query_as(trusted(text));
        for value in &compiler.values {
            statement = bind!(statement, value);
        }
        statement.fetch_optional(db).await?
    });
    Ok(row)
}

async fn total(tx: &mut Tx, text: String, values: &[Value]) -> Result<u64, StoreError> {
    let count: i64 = on!(tx, db => {
        let mut statement = sqlx::query_scalar(trusted(text));
        for value in values {
            statement = bind!(statement, value);
        }
        statement.fetch_one(db).await?
    });
    Ok(u64::try_from(count).unwrap_or_default())
}

fn order(sort: &[Sort], resource: &Resource, dialect: Dialect) -> String {
    let mut keys: Vec<String> = Vec::new();
    for key in sort {
        let (direction, nulls) = if key.descending { ("DESC", "NULLS LAST") } else { ("ASC", "NULLS FIRST") };
        let expressions = match key.collation {
            Collation::Ordinal => vec![plain(&key.property, dialect)],
            Collation::IgnoreCase => vec![folded(&key.property, dialect)],
            Collation::Lexicographic => vec![folded(&key.property, dialect), plain(&key.property, dialect)],
        };
        keys.extend(expressions.into_iter().map(|expression| format!("{expression} {direction} {nulls}")));
    }
    keys.push(resource.id.to_owned());
    keys.join(", ")
}

/// The property, compared byte by byte.
fn plain(property: &Property, dialect: Dialect) -> String {
    match (property.kind, dialect) {
        (Kind::Text | Kind::Code(_), Dialect::Postgres) => format!("({}) COLLATE \"C\"", property.column),
        _ => property.column.to_owned(),
    }
}

/// The property without its case.
fn folded(property: &Property, dialect: Dialect) -> String {
    match (property.kind, property.folded) {
        (Kind::Text | Kind::Code(_), Some(shadow)) => shadow.to_owned(),
        (Kind::Text | Kind::Code(_), None) => format!("lower({})", plain(property, dialect)),
        _ => property.column.to_owned(),
    }
}

impl Compiler {
    fn scope(&mut self, resource: &Resource, scope: Scope) {
        // What belongs to no company is the provider's: a template, say, which all may read.
        if let (Some(company), Some(column)) = (scope.company(), resource.company) {
            let place = self.place(Value::Uuid(company.0));
            for piece in [" AND ", column, " = ", &place] {
                self.text.push_str(piece);
            }
        }
    }

    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn condition(&mut self, condition: &Condition) {
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
}

/// Statements that between them name every property of a list in every way: for the prepare test.
pub(crate) fn every_property(resource: &Resource, dialect: Dialect) -> Vec<(&'static str, String)> {
    let statement = |property: &Property| {
        let mut compiler = Compiler { dialect, text: String::new(), values: Vec::new() };
        let value = match property.kind {
            Kind::Text | Kind::Code(_) => Value::Text(String::new()),
            Kind::Integer | Kind::Instant => Value::Integer(0),
            Kind::Uuid => Value::Uuid(Uuid::nil()),
            Kind::Flag => Value::Flag(true),
        };
        let compare = |comparison, collation| Condition::Compare {
            property: *property,
            comparison,
            value: value.clone(),
            collation,
        };
        let mut parts = vec![
            compare(Comparison::Equals, Collation::Ordinal),
            compare(Comparison::NotEquals, Collation::IgnoreCase),
            Condition::In {
                property: *property,
                values: vec![value.clone(), Value::Null],
                collation: Collation::Ordinal,
            },
        ];
        if !matches!(property.kind, Kind::Uuid | Kind::Flag) {
            parts.push(compare(Comparison::LessThan, Collation::Lexicographic));
        }
        if matches!(property.kind, Kind::Text) {
            parts.push(compare(Comparison::Contains, Collation::IgnoreCase));
        }
        compiler.text.push_str(" AND ");
        compiler.condition(&Condition::All(parts));
        let sort = Sort { property: *property, descending: true, collation: Collation::Lexicographic };
        let order = order(&[sort], resource, dialect);
        format!(
            "SELECT {} FROM {}{} ORDER BY {order} LIMIT 1",
            resource.columns, resource.from, compiler.text
        )
    };
    resource.properties.iter().map(|property| (resource.name, statement(property))).collect()
}
