//! A table with a column of every kind, and the resource that shows it.

use keelson::model::Scope;
use keelson::store::Store;
use keelson::store::list::{Condition, ListQuery, Property, Reach, Resource, Shown};
use keelson_tests::TestDatabase;
use keelson_tests::database::sql;
use sqlx::{Connection as _, Executor as _, PgConnection, QueryBuilder, SqliteConnection};
use uuid::Uuid;

/// One row; everything but the id may be absent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) uid: Uuid,
    pub(super) text: Option<String>,
    pub(super) folded: Option<String>,
    pub(super) code: Option<String>,
    pub(super) integer: Option<i64>,
    pub(super) number: Option<f64>,
    pub(super) instant: Option<i64>,
    pub(super) date: Option<i64>,
    pub(super) id: Option<Uuid>,
    pub(super) flag: Option<bool>,
    pub(super) list: Option<Vec<String>>,
}

pub(super) const UID: Property = Property::uuid("uid", "t.uid");
pub(super) const TEXT: Property = Property::text("text", "t.plain");
pub(super) const FOLDED: Property = Property::text("folded", "t.name").folded("t.name_folded");
pub(super) const CODE: Property = Property::code("code", "t.code");
pub(super) const INTEGER: Property = Property::integer("integer", "t.whole");
pub(super) const NUMBER: Property = Property::number("number", "t.fraction");
pub(super) const INSTANT: Property = Property::instant("instant", "t.moment");
pub(super) const DATE: Property = Property::date("date", "t.day");
pub(super) const ID: Property = Property::uuid("id", "t.other");
pub(super) const FLAG: Property = Property::flag("flag", "t.flag");
pub(super) const LIST: Property = Property::list("list", "t.items");

/// Everything but the list, which has comparisons of its own.
pub(super) const SCALARS: &[Property] = &[UID, TEXT, FOLDED, CODE, INTEGER, NUMBER, INSTANT, DATE, ID, FLAG];

static THINGS: Resource = Resource {
    name: "Thing",
    table: "things",
    key: "uid",
    from: "things t",
    id: "t.uid",
    reach: Reach::PROVIDER,
    properties: &[UID, TEXT, FOLDED, CODE, INTEGER, NUMBER, INSTANT, DATE, ID, FLAG, LIST],
};

/// The table in a database of the test's own.
pub(super) struct Things {
    store: Store,
    url: String,
}

impl Things {
    /// Makes the table.
    pub(super) async fn create(database: &TestDatabase) -> Self {
        let store = database.store().await;
        let things = Self { store, url: database.url.clone() };
        let (uuid, number, flag) = if database.is_sqlite() {
            ("BLOB", "REAL", "INTEGER")
        } else {
            ("UUID", "DOUBLE PRECISION", "BOOLEAN")
        };
        let table = format!(
            "CREATE TABLE things (uid {uuid} NOT NULL PRIMARY KEY, plain TEXT, name TEXT, name_folded TEXT, code TEXT, \
             whole BIGINT, fraction {number}, moment BIGINT, day BIGINT, other {uuid}, flag {flag}, items TEXT)"
        );
        things.run(&table).await;
        things
    }

    /// Replaces all rows.
    pub(super) async fn fill(&self, rows: &[Row]) {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute("DELETE FROM things").await.unwrap();
            insert(rows).build().execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute("DELETE FROM things").await.unwrap();
            insert(rows).build().execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// What the engine answers: the ids of the page, and how many rows there are in all.
    pub(super) async fn ask(&self, query: &ListQuery) -> (Vec<Uuid>, u64) {
        let shown = [Shown { property: UID, unknown: &[] }];
        let mut tx = self.store.read().await.unwrap();
        let all = Condition::All(Vec::new());
        let page = tx.list(&THINGS, &Scope::Provider, &all, query, &shown).await.unwrap();
        let uid = |value: serde_json::Value| value["uid"].as_str().unwrap().parse().unwrap();
        (page.items.iter().map(|item| uid(item.value())).collect(), page.total)
    }

    async fn run(&self, text: &str) {
        let text = sql(text.to_owned());
        if self.url.starts_with("sqlite:") {
            SqliteConnection::connect(&self.url).await.unwrap().execute(sqlx::query(text)).await.unwrap();
        } else {
            PgConnection::connect(&self.url).await.unwrap().execute(sqlx::query(text)).await.unwrap();
        }
    }
}

/// One statement for all rows; of none, one that inserts nothing.
fn insert<DB>(rows: &[Row]) -> QueryBuilder<DB>
where
    DB: sqlx::Database,
    Uuid: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    Option<Uuid>: for<'q> sqlx::Encode<'q, DB>,
    Option<String>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    Option<i64>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    Option<f64>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    Option<bool>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
{
    let mut insert = QueryBuilder::new("INSERT INTO things ");
    if rows.is_empty() {
        insert.push("SELECT * FROM things WHERE 1 = 0");
        return insert;
    }
    insert.push_values(rows, |mut columns, row| {
        columns.push_bind(row.uid);
        columns.push_bind(row.text.clone());
        columns.push_bind(row.folded.clone());
        columns.push_bind(row.folded.as_ref().map(|text| text.to_lowercase()));
        columns.push_bind(row.code.clone());
        columns.push_bind(row.integer);
        columns.push_bind(row.number);
        columns.push_bind(row.instant);
        columns.push_bind(row.date);
        columns.push_bind(row.id);
        columns.push_bind(row.flag);
        columns.push_bind(row.list.as_ref().map(|items| serde_json::json!(items).to_string()));
    });
    insert
}
