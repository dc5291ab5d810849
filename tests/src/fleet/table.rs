//! The rows of a table, described.

use super::cell::Cell;

/// What goes into a table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Box<dyn Iterator<Item = Vec<Cell>> + Send>,
}

impl Table {
    /// Rows of cells in the order of `columns`.
    pub(super) fn new(
        name: &'static str,
        columns: &'static [&'static str],
        rows: impl Iterator<Item = Vec<Cell>> + Send + 'static,
    ) -> Self {
        Self { name, columns, rows: Box::new(rows) }
    }
}

/// `rows!("table", numbers, |n| (name = expression, …) { column: expression, … })`: for each number the names are worked out,
/// then the columns.
macro_rules! rows {
    ($table:literal, $rows:expr, |$row:pat_param| ($($name:ident = $known:expr),* $(,)?) { $($column:ident: $value:expr,)+ }) => {
        $crate::fleet::table::Table::new(
            $table,
            &[$(stringify!($column)),+],
            ($rows).map(move |$row| {
                $(let $name = $known;)*
                vec![$($crate::fleet::cell::Cell::from($value)),+]
            }),
        )
    };
}

pub(super) use rows;
