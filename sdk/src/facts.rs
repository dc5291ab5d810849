//! A typed view of the table.

use crate::Error;
use crate::bindings::base::keelson::plugin::types::{Column, Table, Values};

/// Facts, column by column. Each getter checks the kind and the length, so that a loop over a column needs to check
/// nothing.
#[derive(Debug)]
pub struct Facts {
    table: Table,
}

impl Facts {
    #[doc(hidden)]
    pub fn from_table(table: Table) -> Self {
        Self { table }
    }

    /// How many rows each column has.
    pub fn rows(&self) -> usize {
        usize::try_from(self.table.rows).unwrap_or(usize::MAX)
    }

    /// Whole numbers and instants; [`ABSENT`](crate::ABSENT) where there is none.
    pub fn ints(&self, name: &str) -> Result<&[i64], Error> {
        match self.values(name)? {
            Values::Ints(values) => self.sized(name, values),
            _ => Err(wrong_kind(name, "ints")),
        }
    }

    /// Not-a-number where there is none.
    pub fn floats(&self, name: &str) -> Result<&[f64], Error> {
        match self.values(name)? {
            Values::Floats(values) => self.sized(name, values),
            _ => Err(wrong_kind(name, "floats")),
        }
    }

    /// 0 false, 1 true, 2 absent.
    pub fn flags(&self, name: &str) -> Result<&[u8], Error> {
        match self.values(name)? {
            Values::Flags(values) => self.sized(name, values),
            _ => Err(wrong_kind(name, "flags")),
        }
    }

    /// Positions in a dictionary, and the dictionary.
    pub fn codes(&self, name: &str) -> Result<(&[u32], &[String]), Error> {
        match self.values(name)? {
            Values::Codes(coded) => Ok((self.sized(name, &coded.rows)?, &coded.dictionary)),
            _ => Err(wrong_kind(name, "codes")),
        }
    }

    /// Words that repeat little.
    pub fn strings(&self, name: &str) -> Result<&[String], Error> {
        match self.values(name)? {
            Values::Strings(values) => self.sized(name, values),
            _ => Err(wrong_kind(name, "strings")),
        }
    }

    fn values(&self, name: &str) -> Result<&Values, Error> {
        let column = self.table.columns.iter().find(|column: &&Column| column.name == name);
        column.map(|column| &column.values).ok_or_else(|| {
            Error::new(
                "bad-table",
                format!("the table has no column `{name}`; name it in the rule's columns"),
            )
        })
    }

    fn sized<'a, T>(&self, name: &str, values: &'a [T]) -> Result<&'a [T], Error> {
        if values.len() == self.rows() {
            Ok(values)
        } else {
            Err(Error::new(
                "bad-table",
                format!("the column `{name}` has {} values, not {}", values.len(), self.rows()),
            ))
        }
    }
}

fn wrong_kind(name: &str, wanted: &str) -> Error {
    Error::new("bad-table", format!("the column `{name}` does not hold {wanted}"))
}
