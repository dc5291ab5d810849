//! Many rows in one statement: what decides the speed of ingest on both databases (each statement costs SQLite's driver a
//! thread hop, and PostgreSQL a round trip).
//!
//! A bulk statement is one text over a common table expression `input`, whose rows are the only thing that differs:
//! `UNNEST` of typed arrays on PostgreSQL, so that the text never changes and its plan is kept; `VALUES` in pieces of
//! [`PIECE`] rows on SQLite, where that is the fastest source there is.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, Postgres, Sqlite};
use uuid::Uuid;

use super::list::{Value, bind};
use super::{Connection, StoreError, Tx, trusted};

/// Rows of one SQLite statement: more gains nothing, and each other size is another text to prepare.
const PIECE: usize = 100;

/// Which database a transaction is on; for what has to be spelled in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

impl Dialect {
    /// Which one a URL names.
    pub(super) fn of_url(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            Err(StoreError::Url)
        }
    }
}

/// The values of one column of `input`.
#[derive(Debug, Clone)]
pub(super) enum Column {
    Uuid(Vec<Uuid>),
    MaybeUuid(Vec<Option<Uuid>>),
    Int(Vec<i64>),
    MaybeInt(Vec<Option<i64>>),
    Text(Vec<String>),
    MaybeText(Vec<Option<String>>),
    Flag(Vec<bool>),
    MaybeFlag(Vec<Option<bool>>),
    MaybeReal(Vec<Option<f64>>),
    Bytes(Vec<Vec<u8>>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Uuid(values) => values.len(),
            Self::MaybeUuid(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::MaybeInt(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::MaybeText(values) => values.len(),
            Self::Flag(values) => values.len(),
            Self::MaybeFlag(values) => values.len(),
            Self::MaybeReal(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }
}

/// The columns of `input` out of rows: `columns!(facts, fact => { Uuid fact.uid, Text fact.name.clone() })`.
macro_rules! columns {
    ($rows:expr, $row:pat_param => { $($kind:ident $value:expr),+ $(,)? }) => {{
        let rows = $rows.iter();
        let mut columns = [$($crate::store::bulk::Column::$kind(Vec::with_capacity(rows.len()))),+];
        for $row in rows {
            let mut cells = columns.iter_mut();
            $(if let Some($crate::store::bulk::Column::$kind(values)) = cells.next() {
                values.push($value);
            })+
        }
        columns
    }};
}

pub(super) use columns;

/// A type of a column of `input`, as PostgreSQL's `UNNEST` must be told it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Uuid,
    Int,
    Text,
    Flag,
    Real,
    Bytes,
}

impl Type {
    fn postgres(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Flag => "boolean",
            Self::Real => "double precision",
            Self::Bytes => "bytea",
        }
    }
}

/// A statement over the rows of `input`. Parameters that are the same for all rows are written `:name` in its text;
/// `{skip locked x}` leaves out rows of the table `x` that another transaction is changing.
#[derive(Debug, Clone, Copy)]
pub(super) struct BulkStatement {
    pub(super) name: &'static str,
    pub(super) fixed: &'static [(&'static str, Type)],
    pub(super) columns: &'static [(&'static str, Type)],
    pub(super) text: &'static str,
}

impl BulkStatement {
    /// For the prepare test.
    pub(super) fn text_for_one_row(&self, dialect: Dialect) -> String {
        self.render(dialect, 1)
    }

    fn render(&self, dialect: Dialect, rows: usize) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let source = match dialect {
            Dialect::Postgres => self.unnest(),
            Dialect::Sqlite => self.values(rows),
        };
        let mut text = self.text.to_owned();
        for (index, (name, kind)) in self.fixed.iter().enumerate() {
            let place = match dialect {
                // In a SELECT list PostgreSQL would take an untyped parameter for a text.
                Dialect::Postgres => format!("${}::{}", index + 1, kind.postgres()),
                Dialect::Sqlite => format!("${}", rows * self.columns.len() + index + 1),
            };
            text = text.replace(&format!(":{name}"), &place);
        }
        let skip = match dialect {
            Dialect::Postgres => "FOR UPDATE OF x SKIP LOCKED",
            // One writer at a time: nobody else has a row locked.
            Dialect::Sqlite => "",
        };
        let text = text.replace("{skip locked x}", skip);
        format!("WITH input({}) AS ({source}) {text}", names.join(", "))
    }

    fn unnest(&self) -> String {
        let arrays =
            self.columns.iter().enumerate().map(|(index, (_, kind))| {
                format!("${}::{}[]", self.fixed.len() + index + 1, kind.postgres())
            });
        format!("SELECT * FROM UNNEST({})", arrays.collect::<Vec<_>>().join(", "))
    }

    // The driver asks for the name of every parameter, and SQLite looks each one up in a list of all that have one: cells of
    // thousands of names would cost more than the rows that they make. Without names they are bound in their order, before
    // the fixed ones.
    fn values(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(","));
        format!("VALUES {}", vec![row.as_str(); rows].join(","))
    }

    /// Runs it; the number of rows it touched.
    pub(super) async fn execute(
        &self,
        tx: &mut Tx,
        fixed: &[Value],
        columns: &[Column],
    ) -> Result<u64, StoreError> {
        let rows = columns.first().map_or(0, Column::len);
        let mut touched = 0;
        match &mut tx.connection {
            Connection::Postgres(transaction) => {
                if rows > 0 {
                    let text = self.render(Dialect::Postgres, rows);
                    let query = bind_arrays(bind_fixed_pg(sqlx::query(trusted(text)), fixed), columns);
                    touched = query.execute(&mut **transaction).await?.rows_affected();
                }
            }
            Connection::Sqlite(transaction) => {
                for start in (0..rows).step_by(PIECE) {
                    let end = rows.min(start + PIECE);
                    let text = self.render(Dialect::Sqlite, end - start);
                    let query = bind_cells(sqlx::query(trusted(text)), fixed, columns, start..end);
                    touched += query.execute(&mut **transaction).await?.rows_affected();
                }
            }
        }
        Ok(touched)
    }

    /// Runs it and reads what it returns.
    pub(super) async fn fetch<T>(
        &self,
        tx: &mut Tx,
        fixed: &[Value],
        columns: &[Column],
    ) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = columns.first().map_or(0, Column::len);
        let mut found = Vec::new();
        match &mut tx.connection {
            Connection::Postgres(transaction) => {
                if rows > 0 {
                    let text = self.render(Dialect::Postgres, rows);
                    let query: QueryAs<'_, Postgres, T, PgArguments> = sqlx::query_as(trusted(text));
                    let query = bind_arrays_as(bind_fixed_pg_as(query, fixed), columns);
                    found = query.fetch_all(&mut **transaction).await?;
                }
            }
            Connection::Sqlite(transaction) => {
                for start in (0..rows).step_by(PIECE) {
                    let end = rows.min(start + PIECE);
                    let text = self.render(Dialect::Sqlite, end - start);
                    let query: QueryAs<'_, Sqlite, T, SqliteArguments> = sqlx::query_as(trusted(text));
                    let query = bind_cells_as(query, fixed, columns, start..end);
                    found.extend(query.fetch_all(&mut **transaction).await?);
                }
            }
        }
        Ok(found)
    }
}

/// `Query` and `QueryAs` bind alike but share no trait: stamped for both.
macro_rules! binders {
    ($fixed:ident, $arrays:ident, $cells:ident, $pg:ty, $sqlite:ty $(, $param:ident)?) => {
        fn $fixed<'q $(, $param)?>(query: $pg, fixed: &[Value]) -> $pg {
            bind!(query, fixed)
        }

        fn $arrays<'q $(, $param)?>(mut query: $pg, columns: &'q [Column]) -> $pg {
            for column in columns {
                query = match column {
                    Column::Uuid(values) => query.bind(values.as_slice()),
                    Column::MaybeUuid(values) => query.bind(values.as_slice()),
                    Column::Int(values) => query.bind(values.as_slice()),
                    Column::MaybeInt(values) => query.bind(values.as_slice()),
                    Column::Text(values) => query.bind(values.as_slice()),
                    Column::MaybeText(values) => query.bind(values.as_slice()),
                    Column::Flag(values) => query.bind(values.as_slice()),
                    Column::MaybeFlag(values) => query.bind(values.as_slice()),
                    Column::MaybeReal(values) => query.bind(values.as_slice()),
                    Column::Bytes(values) => query.bind(values.as_slice()),
                };
            }
            query
        }

        fn $cells<'q $(, $param)?>(
            mut query: $sqlite,
            fixed: &[Value],
            columns: &[Column],
            rows: std::ops::Range<usize>,
        ) -> $sqlite {
            for row in rows {
                for column in columns {
                    query = match column {
                        Column::Uuid(values) => query.bind(values.get(row).copied()),
                        Column::MaybeUuid(values) => query.bind(values.get(row).copied().flatten()),
                        Column::Int(values) => query.bind(values.get(row).copied()),
                        Column::MaybeInt(values) => query.bind(values.get(row).copied().flatten()),
                        Column::Text(values) => query.bind(values.get(row).cloned()),
                        Column::MaybeText(values) => query.bind(values.get(row).cloned().flatten()),
                        Column::Flag(values) => query.bind(values.get(row).copied()),
                        Column::MaybeFlag(values) => query.bind(values.get(row).copied().flatten()),
                        Column::MaybeReal(values) => query.bind(values.get(row).copied().flatten()),
                        Column::Bytes(values) => query.bind(values.get(row).cloned()),
                    };
                }
            }
            bind!(query, fixed)
        }
    };
}

binders!(
    bind_fixed_pg,
    bind_arrays,
    bind_cells,
    Query<'q, Postgres, PgArguments>,
    Query<'q, Sqlite, SqliteArguments>
);
binders!(
    bind_fixed_pg_as,
    bind_arrays_as,
    bind_cells_as,
    QueryAs<'q, Postgres, T, PgArguments>,
    QueryAs<'q, Sqlite, T, SqliteArguments>,
    T
);
