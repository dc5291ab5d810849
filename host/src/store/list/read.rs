//! Reading a resource: pages, single objects, and whether one is there.

use std::fmt;

use uuid::Uuid;

use super::super::{Dialect, StoreError, Tx, on, trusted};
use super::compile::{Compiler, order};
use super::joins::needed;
use super::render::Layout;
use super::{Condition, ListQuery, Page, Property, Resource, Shown, Value};
use crate::model::Scope;

/// An object as JSON text, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub String);

/// A page of objects.
pub type Rows = Page<Json>;

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Json {
    /// The object as a value to work with.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

macro_rules! bind {
    ($statement:expr, $values:expr) => {{
        let mut statement = $statement;
        for value in $values {
            statement = match value {
                Value::Null => statement.bind(None::<i64>),
                Value::Text(text) => statement.bind(text.clone()),
                Value::Integer(number) => statement.bind(*number),
                Value::Number(number) => statement.bind(*number),
                Value::Uuid(uid) => statement.bind(*uid),
                Value::Flag(flag) => statement.bind(*flag),
            };
        }
        statement
    }};
}
pub(in crate::store) use bind;

impl Tx {
    /// A page of `resource`, as far as `scope` sees it: the rows for which `of` and the query's filter hold.
    pub async fn list(
        &mut self,
        resource: &Resource,
        scope: &Scope,
        of: &Condition,
        query: &ListQuery,
        shown: &[Shown],
    ) -> Result<Rows, StoreError> {
        let Statements { layout, page, count, values } =
            statements(self.dialect(), resource, scope, of, query, shown);
        let items: Vec<Json> = on!(self, db => {
            let rows = bind!(sqlx::query(trusted(page)), &values).fetch_all(db).await?;
            rows.iter().map(|row| layout.render(row, false)).collect::<Result<_, _>>()?
        });
        // A first page that is not full is the whole list: no second statement for it.
        let all_here = query.offset == 0 && items.len() < query.limit as usize;
        let total = if all_here { items.len() as u64 } else { self.count(count, &values).await? };
        Ok(Page { items, total })
    }

    /// How the database would read the page and count the list: its plans, in its own words.
    pub async fn plans(
        &mut self,
        resource: &Resource,
        scope: &Scope,
        query: &ListQuery,
    ) -> Result<[String; 2], StoreError> {
        let (all, shown) = (Condition::All(Vec::new()), resource.shown());
        let Statements { page, count, values, .. } =
            statements(self.dialect(), resource, scope, &all, query, &shown);
        Ok([self.plan(&page, &values).await?, self.plan(&count, &values).await?])
    }

    async fn plan(&mut self, text: &str, values: &[Value]) -> Result<String, StoreError> {
        use sqlx::Row as _;
        let (explain, column) = match self.dialect() {
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN", 3),
            Dialect::Postgres => ("EXPLAIN (COSTS OFF)", 0),
        };
        let lines: Vec<String> = on!(self, db => {
            let rows = bind!(sqlx::query(trusted(format!("{explain} {text}"))), values).fetch_all(db).await?;
            rows.iter().map(|row| row.try_get(column)).collect::<Result<_, _>>()?
        });
        Ok(lines.join("\n"))
    }

    /// One object by its id, if `scope` sees it and `of` holds.
    pub async fn find(
        &mut self,
        resource: &Resource,
        scope: &Scope,
        of: &Condition,
        uid: Uuid,
        shown: &[Shown],
    ) -> Result<Option<Json>, StoreError> {
        self.one(resource, scope, of, uid, shown, false).await
    }

    /// Whether `scope` sees the object of this id.
    pub async fn sees(&mut self, resource: &Resource, scope: &Scope, uid: Uuid) -> Result<bool, StoreError> {
        let id = Shown { property: Property::uuid("id", resource.id), unknown: &[] };
        let found = self.find(resource, scope, &Condition::All(Vec::new()), uid, &[id]).await?;
        Ok(found.is_some())
    }

    #[expect(clippy::too_many_arguments, reason = "the three ways to read one object differ in each")]
    /// One object; with `nulls`, what it does not have is there as null: a patch may then replace it.
    pub(super) async fn one(
        &mut self,
        resource: &Resource,
        scope: &Scope,
        of: &Condition,
        uid: Uuid,
        shown: &[Shown],
        nulls: bool,
    ) -> Result<Option<Json>, StoreError> {
        let mut compiler = conditions(self.dialect(), resource, scope, of);
        let place = compiler.place(Value::Uuid(uid));
        let layout = Layout::new(shown);
        let text = format!(
            "SELECT {} FROM {}{}{} AND {} = {place}",
            layout.columns(),
            resource.from,
            joined(resource),
            compiler.text,
            resource.id
        );
        let found = on!(self, db => {
            let row = bind!(sqlx::query(trusted(text)), &compiler.values).fetch_optional(db).await?;
            row.map(|row| layout.render(&row, nulls)).transpose()?
        });
        Ok(found)
    }

    async fn count(&mut self, text: String, values: &[Value]) -> Result<u64, StoreError> {
        let count: i64 = on!(self, db => {
            use sqlx::Row as _;
            bind!(sqlx::query(trusted(text)), values).fetch_one(db).await?.try_get(0)?
        });
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// What is asked for a page: the statement of its rows, the one that counts the list, and the values of both.
struct Statements<'s> {
    layout: Layout<'s>,
    page: String,
    count: String,
    values: Vec<Value>,
}

fn statements<'s>(
    dialect: Dialect,
    resource: &Resource,
    scope: &Scope,
    of: &Condition,
    query: &ListQuery,
    shown: &'s [Shown],
) -> Statements<'s> {
    let mut compiler = conditions(dialect, resource, scope, of);
    compiler.push(" AND ");
    compiler.condition(&query.filter);
    let from = format!("FROM {}{}{}", resource.from, joined(resource), compiler.text);
    let layout = Layout::new(shown);
    let page = format!(
        "SELECT {} {from} ORDER BY {} LIMIT {} OFFSET {}",
        layout.columns(),
        order(&query.sort, resource, dialect),
        query.limit,
        query.offset
    );
    let counted = needed(resource.from, &compiler.text);
    let count = format!("SELECT count(*) FROM {counted}{}{}", joined(resource), compiler.text);
    Statements { layout, page, count, values: compiler.values }
}

fn conditions(dialect: Dialect, resource: &Resource, scope: &Scope, of: &Condition) -> Compiler {
    let mut compiler = Compiler::new(dialect);
    compiler.scope(resource, *scope);
    compiler.push(" AND ");
    compiler.condition(of);
    compiler
}

fn joined(resource: &Resource) -> &'static str {
    if resource.from.contains(" WHERE ") { " AND " } else { " WHERE " }
}

/// Statements that between them name every property of a list in every way: for the prepare test.
pub(crate) fn every_property(resource: &Resource, dialect: Dialect) -> Vec<(&'static str, String)> {
    let columns = Layout::new(&resource.shown_with_embedded()).columns();
    let statement = |property: &Property| {
        let mut compiler = Compiler::new(dialect);
        compiler.scope(resource, Scope::Reseller(crate::id::ResellerUid(Uuid::nil())));
        compiler.every_comparison(property);
        let order = if property.kind.is_comparable() {
            let collation = super::Collation::Lexicographic;
            order(&[super::Sort { property: *property, descending: true, collation }], resource, dialect)
        } else {
            resource.id.to_owned()
        };
        let (from, joined, text) = (resource.from, joined(resource), compiler.text);
        format!("SELECT {columns} FROM {from}{joined}{text} ORDER BY {order} LIMIT 1")
    };
    resource.properties.iter().map(|property| (resource.name, statement(property))).collect()
}
