//! Facts as columns: what the store gives a rule, and what a rule may ask for. Plain data.

use super::text::cut;

/// The most rows that one call takes; it is part of the contract.
pub const CHUNK_ROWS: usize = 10_000;

/// The longest word of a column, in bytes. Words come from the fleet: one tenant's long names must not fill the memory of
/// a rule that judges all tenants in one chunk.
const MAX_WORD: usize = 256;

/// "Absent" in a column of whole numbers and instants, and "never" among the recheck times.
pub const ABSENT: i64 = i64::MIN;

/// One chunk of facts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FactTable {
    /// How many values each column has.
    pub rows: usize,
    /// In any order; a rule gets just those that it asked for.
    pub columns: Vec<Column>,
}

/// One property of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As in [`SUBJECTS`].
    pub name: String,
    /// One for each row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers and unix milliseconds; [`ABSENT`] where there is none.
    Ints(Vec<i64>),
    /// Not-a-number where there is none.
    Floats(Vec<f64>),
    /// 0 false, 1 true, 2 none.
    Flags(Vec<u8>),
    /// Positions in a dictionary of words.
    Codes {
        /// One position for each row.
        rows: Vec<u32>,
        /// Each word once.
        dictionary: Vec<String>,
    },
    /// Words that repeat little.
    Strings(Vec<String>),
}

/// The kinds of [`Values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Values::Ints`].
    Ints,
    /// [`Values::Floats`].
    Floats,
    /// [`Values::Flags`].
    Flags,
    /// [`Values::Codes`].
    Codes,
    /// [`Values::Strings`].
    Strings,
}

/// What a rule may judge.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// What each row is.
    pub name: &'static str,
    /// What is known of it.
    pub columns: &'static [(&'static str, Kind)],
}

/// All subjects. `wit/README.md` explains them to authors; a test holds the two together.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "computer",
        columns: &[
            ("newest-restore-point", Kind::Ints),
            ("first-seen", Kind::Ints),
            ("name", Kind::Strings),
            ("restore-points", Kind::Ints),
        ],
    },
    Subject {
        name: "management-agent",
        columns: &[
            ("last-heartbeat", Kind::Ints),
            ("connected", Kind::Flags),
            ("version", Kind::Strings),
            ("enrolled-at", Kind::Ints),
            ("misuse-seen-at", Kind::Ints),
        ],
    },
];

impl Subject {
    /// The subject of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SUBJECTS.iter().find(|subject| subject.name == name)
    }

    /// The kind of one of its columns.
    pub fn kind_of(&self, column: &str) -> Option<Kind> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind)
    }
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Flags(values) => values.len(),
            Self::Codes { rows, .. } => rows.len(),
            Self::Strings(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ints(_) => Kind::Ints,
            Self::Floats(_) => Kind::Floats,
            Self::Flags(_) => Kind::Flags,
            Self::Codes { .. } => Kind::Codes,
            Self::Strings(_) => Kind::Strings,
        }
    }

    /// No values of that kind.
    fn none(kind: Kind) -> Self {
        match kind {
            Kind::Ints => Self::Ints(Vec::new()),
            Kind::Floats => Self::Floats(Vec::new()),
            Kind::Flags => Self::Flags(Vec::new()),
            Kind::Codes => Self::Codes { rows: Vec::new(), dictionary: Vec::new() },
            Kind::Strings => Self::Strings(Vec::new()),
        }
    }

    fn cut_words(&mut self) {
        if let Self::Strings(words) | Self::Codes { dictionary: words, .. } = self {
            for word in words {
                cut(word, MAX_WORD);
            }
        }
    }
}

impl FactTable {
    /// A table of so many rows, and no columns yet.
    pub fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::new() }
    }

    /// Adds a column.
    #[must_use]
    pub fn with(mut self, name: &str, values: Values) -> Self {
        self.columns.push(Column { name: name.to_owned(), values });
        self
    }

    /// A table of no rows, with every column that `subject` has.
    pub(super) fn empty(subject: &str) -> Self {
        let columns = Subject::named(subject).map_or(&[][..], |subject| subject.columns);
        columns.iter().fold(Self::new(0), |table, (name, kind)| table.with(name, Values::none(*kind)))
    }

    /// A copy with just these columns: many rules share one table, and none needs a copy of what it does not ask for.
    #[must_use]
    pub fn only(&self, wanted: &[String]) -> Self {
        let columns = self.columns.iter().filter(|column| wanted.contains(&column.name));
        Self { rows: self.rows, columns: columns.cloned().collect() }
    }

    /// Keeps the `wanted` columns of `subject`, in that order, with words that are cut to their longest. An error says
    /// what the *host* did wrong.
    pub(super) fn project(mut self, subject: &str, wanted: &[String]) -> Result<Self, String> {
        if self.rows > CHUNK_ROWS {
            return Err(format!("a table of {} rows, but a call takes {CHUNK_ROWS} at most", self.rows));
        }
        let columns = wanted.iter().map(|name| self.take(subject, name)).collect::<Result<_, _>>()?;
        Ok(Self { rows: self.rows, columns })
    }

    fn take(&mut self, subject: &str, name: &str) -> Result<Column, String> {
        let position = self.columns.iter().position(|column| column.name == name);
        let mut column = match position {
            Some(position) => self.columns.swap_remove(position),
            None => return Err(format!("the column `{name}` of `{subject}` is missing")),
        };
        let (rows, len) = (self.rows, column.values.len());
        if len != rows {
            return Err(format!("the column `{name}` has {len} values, but the table {rows} rows"));
        }
        let expected = Subject::named(subject).and_then(|subject| subject.kind_of(name));
        if expected != Some(column.values.kind()) {
            return Err(format!("the column `{name}` holds {:?}, not {expected:?}", column.values.kind()));
        }
        column.values.cut_words();
        Ok(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> FactTable {
        FactTable::new(2)
            .with("first-seen", Values::Ints(vec![1, 2]))
            .with("newest-restore-point", Values::Ints(vec![3, ABSENT]))
    }

    #[test]
    fn a_rule_gets_its_columns_and_in_its_order() {
        let wanted = ["newest-restore-point".to_owned()];
        let projected = table().project("computer", &wanted).unwrap();
        assert_eq!(
            projected.columns,
            vec![Column { name: wanted[0].clone(), values: Values::Ints(vec![3, ABSENT]) }]
        );
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_before_a_rule_gets_it() {
        let names = Values::Strings(vec!["ä".repeat(2_048), "oven".to_owned()]);
        let projected = FactTable::new(2).with("name", names).project("computer", &["name".to_owned()]);
        let Values::Strings(names) = &projected.unwrap().columns[0].values else { panic!("no strings") };
        assert!(names[0].len() <= MAX_WORD && names[0].ends_with("ä…"), "{names:?}");
        assert_eq!(names[1], "oven");
    }

    #[test]
    fn an_empty_table_has_every_column_that_a_rule_may_ask_for() {
        for subject in SUBJECTS {
            let wanted: Vec<_> = subject.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
            let projected = FactTable::empty(subject.name).project(subject.name, &wanted).unwrap();
            assert_eq!((projected.rows, projected.columns.len()), (0, wanted.len()));
        }
    }

    #[test]
    fn a_column_of_the_wrong_length_or_kind_is_the_hosts_fault() {
        let wanted = ["first-seen".to_owned()];
        let short = FactTable::new(2).with("first-seen", Values::Ints(vec![1]));
        assert!(short.project("computer", &wanted).unwrap_err().contains("1 values"));
        let flags = FactTable::new(1).with("first-seen", Values::Flags(vec![1]));
        assert!(flags.project("computer", &wanted).unwrap_err().contains("Flags"));
        assert!(FactTable::new(0).project("computer", &wanted).unwrap_err().contains("missing"));
        assert!(FactTable::new(CHUNK_ROWS + 1).project("computer", &[]).unwrap_err().contains("10000"));
    }
}
