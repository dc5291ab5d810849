//! From rows to JSON text, without a tree in between. The dotted names of the properties give the shape: it is worked
//! out once for an answer, then every row runs through the same steps.
//!
//! What a row does not have is left out, and so is an object of which nothing is left: generated clients die on a null
//! that their schema does not mention.

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::read::Json;
use super::{Kind, Property, Shown};
use crate::instant;

/// How the columns of a row become an object.
#[derive(Debug)]
pub(super) struct Layout<'s> {
    columns: Vec<&'s Shown>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// An object begins under this key; the column, if there is one, says whether it is there.
    Open(String, Option<usize>),
    /// It ends; if nothing was written since and no column spoke for it, it was never there.
    Close,
    /// A value under this key, from that column.
    Value(String, usize),
}

impl<'s> Layout<'s> {
    /// For the properties that an answer shows.
    pub(super) fn new(shown: &'s [Shown]) -> Self {
        let mut layout = Self { columns: Vec::with_capacity(shown.len()), steps: Vec::new() };
        let all: Vec<_> = shown.iter().map(|one| (one.property.name, one)).collect();
        layout.object(&all);
        layout
    }

    /// Members in the order of their first mention; those of one nested object together.
    fn object(&mut self, members: &[(&'s str, &'s Shown)]) {
        let mut done: Vec<&str> = Vec::new();
        for (path, shown) in members {
            let (key, is_object) = match path.split_once('.') {
                Some((key, _)) => (key, true),
                None => (*path, shown.property.kind == Kind::Object),
            };
            if !is_object {
                self.steps.push(Step::Value(quoted(path), self.columns.len()));
                self.columns.push(shown);
                continue;
            }
            if done.contains(&key) {
                continue;
            }
            done.push(key);
            let presence =
                members.iter().find(|(path, shown)| *path == key && shown.property.kind == Kind::Object);
            let presence = presence.map(|(_, shown)| {
                self.columns.push(shown);
                self.columns.len() - 1
            });
            let inner: Vec<_> = members
                .iter()
                .filter_map(|(path, shown)| Some((path.strip_prefix(key)?.strip_prefix('.')?, *shown)))
                .collect();
            self.steps.push(Step::Open(quoted(key), presence));
            self.object(&inner);
            self.steps.push(Step::Close);
        }
    }

    /// What to select, in the order that [`Layout::render`] reads.
    pub(super) fn columns(&self) -> String {
        let expressions: Vec<_> = self.columns.iter().map(|shown| shown.property.column).collect();
        if expressions.is_empty() { "1".to_owned() } else { expressions.join(", ") }
    }

    /// One row as an object; with `nulls`, absent values are null instead of left out.
    pub(super) fn render(&self, row: &impl Cells, nulls: bool) -> Result<Json, sqlx::Error> {
        let mut text = String::with_capacity(32 * self.steps.len());
        let mut open: Vec<Opened> = Vec::new();
        text.push('{');
        for step in &self.steps {
            match step {
                Step::Open(key, presence) => {
                    let before = text.len();
                    begin(&mut text, key);
                    let value = text.len();
                    text.push('{');
                    let there = presence.map(|column| row.flag(column)).transpose()?;
                    open.push(Opened { before, value, there: there.map(|there| there == Some(true)) });
                }
                Step::Close => {
                    if let Some(opened) = open.pop() {
                        opened.close(&mut text, nulls);
                    }
                }
                Step::Value(key, column) => {
                    let before = text.len();
                    begin(&mut text, key);
                    let there = self.columns.get(*column).map(|shown| value(&mut text, row, *column, shown));
                    match there.transpose()? {
                        Some(true) => {}
                        _ if nulls => text.push_str("null"),
                        _ => text.truncate(before),
                    }
                }
            }
        }
        text.push('}');
        Ok(Json(text))
    }
}

/// An object that is being written.
struct Opened {
    /// How long the text was before its key.
    before: usize,
    /// And before its brace.
    value: usize,
    /// What its column says, if it has one.
    there: Option<bool>,
}

impl Opened {
    fn close(self, text: &mut String, nulls: bool) {
        let empty = text.len() == self.value + 1;
        match self.there {
            Some(false) if nulls => {
                text.truncate(self.value);
                text.push_str("null");
            }
            Some(false) => text.truncate(self.before),
            None if empty => text.truncate(self.before),
            _ => text.push('}'),
        }
    }
}

fn begin(text: &mut String, key: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push_str(key);
    text.push(':');
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes a value; false if there is none.
fn value(text: &mut String, row: &impl Cells, column: usize, shown: &Shown) -> Result<bool, sqlx::Error> {
    let Property { kind, .. } = shown.property;
    let written = match kind {
        Kind::Text => row.text(column)?.map(|value| push_quoted(text, value)),
        Kind::Code => row.text(column)?.map(|word| {
            push_quoted(text, if shown.unknown.contains(&word) { "Unknown" } else { word });
        }),
        Kind::List | Kind::Json => row.text(column)?.map(|json| text.push_str(json)),
        Kind::Integer => row.integer(column)?.map(|number| text.push_str(&number.to_string())),
        Kind::Number => {
            let number = row.number(column)?.and_then(serde_json::Number::from_f64);
            number.map(|number| text.push_str(&number.to_string()))
        }
        Kind::Instant => row.integer(column)?.map(|at| push_quoted(text, &instant::format(at))),
        Kind::Date => row.integer(column)?.map(|at| {
            let whole = instant::format(at);
            push_quoted(text, whole.split('T').next().unwrap_or_default());
        }),
        Kind::Uuid => row.uuid(column)?.map(|uid| {
            text.push('"');
            text.push_str(uid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
            text.push('"');
        }),
        Kind::Flag | Kind::Object => {
            row.flag(column)?.map(|flag| text.push_str(if flag { "true" } else { "false" }))
        }
    };
    Ok(written.is_some())
}

fn push_quoted(text: &mut String, value: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if value.bytes().all(plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&quoted(value));
    }
}

/// What a row of either database can be asked.
pub(super) trait Cells {
    fn text(&self, column: usize) -> Result<Option<&str>, sqlx::Error>;
    fn integer(&self, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn number(&self, column: usize) -> Result<Option<f64>, sqlx::Error>;
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, sqlx::Error>;
    fn flag(&self, column: usize) -> Result<Option<bool>, sqlx::Error>;
}

macro_rules! cells {
    ($($row:ty)+) => {$(
        impl Cells for $row {
            fn text(&self, column: usize) -> Result<Option<&str>, sqlx::Error> {
                self.try_get(column)
            }
            fn integer(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }
            fn number(&self, column: usize) -> Result<Option<f64>, sqlx::Error> {
                self.try_get(column)
            }
            fn uuid(&self, column: usize) -> Result<Option<Uuid>, sqlx::Error> {
                self.try_get(column)
            }
            fn flag(&self, column: usize) -> Result<Option<bool>, sqlx::Error> {
                self.try_get(column)
            }
        }
    )+};
}

cells!(SqliteRow PgRow);
