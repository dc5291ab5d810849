//! Patching a resource: its document as a patch sees it, and writing what changed.

use uuid::Uuid;

use super::super::{Dialect, StoreError, Tx, on, trusted};
use super::read::{Json, bind};
use super::{Condition, Kind, Property, Resource, Value};
use crate::model::Scope;

/// A property's new value.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Which property, one that says what it [`Property::writes`].
    pub property: Property,
    /// Its new value.
    pub value: Value,
}

impl Tx {
    /// The object of this id with null for what it does not have, kept for this transaction: what a patch starts from.
    pub async fn document(
        &mut self,
        resource: &Resource,
        scope: &Scope,
        of: &Condition,
        uid: Uuid,
    ) -> Result<Option<Json>, StoreError> {
        if self.dialect() == Dialect::Postgres {
            let text = format!("SELECT 1 FROM {} WHERE {} = $1 FOR UPDATE", resource.table, resource.key);
            on!(self, db => sqlx::query(trusted(text)).bind(uid).execute(db).await?.rows_affected());
        }
        self.one(resource, scope, of, uid, &resource.shown(), true).await
    }

    /// Writes new values of properties; those that write nothing are passed over.
    pub async fn assign(
        &mut self,
        resource: &Resource,
        uid: Uuid,
        assignments: &[Assignment],
    ) -> Result<(), StoreError> {
        let (mut sets, mut values) = (Vec::new(), Vec::new());
        for Assignment { property, value } in assignments {
            let Some(column) = property.writes else { continue };
            set(&mut sets, &mut values, column, property.kind, value.clone(), self.dialect());
            if let (Some(_), Value::Text(text)) = (property.folded, value) {
                let folded = Value::Text(text.to_lowercase());
                set(&mut sets, &mut values, &format!("{column}_folded"), Kind::Text, folded, self.dialect());
            }
        }
        if sets.is_empty() {
            return Ok(());
        }
        values.push(Value::Uuid(uid));
        let (table, key, place) = (resource.table, resource.key, values.len());
        let text = format!("UPDATE {table} SET {} WHERE {key} = ${place}", sets.join(", "));
        on!(self, db => bind!(sqlx::query(trusted(text)), &values).execute(db).await?.rows_affected());
        Ok(())
    }
}

fn set(
    sets: &mut Vec<String>,
    values: &mut Vec<Value>,
    column: &str,
    kind: Kind,
    value: Value,
    dialect: Dialect,
) {
    // An unknown null has no type of its own that PostgreSQL would take for every column.
    let cast = match (dialect, kind) {
        (Dialect::Sqlite, _) => "",
        (_, Kind::Integer | Kind::Instant | Kind::Date) => "::bigint",
        (_, Kind::Number) => "::double precision",
        (_, Kind::Uuid) => "::uuid",
        (_, Kind::Flag | Kind::Object) => "::boolean",
        (_, Kind::Text | Kind::Code | Kind::List | Kind::Json) => "::text",
    };
    if value == Value::Null {
        sets.push(format!("{column} = NULL"));
        return;
    }
    values.push(value);
    sets.push(format!("{column} = ${}{cast}", values.len()));
}
