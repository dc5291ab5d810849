//! What a list can be asked: typed properties, conditions, order and page. `api/query.rs` parses a client's JSON into
//! these; `store/list/compile.rs` turns them into SQL. Neither side can name a column the resource does not offer.

use uuid::Uuid;

pub(crate) mod compile;

/// What values a property takes, and so which operators fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// Unix milliseconds in the database, RFC 3339 in the API.
    Instant,
    /// An id.
    Uuid,
    /// True or false.
    Flag,
    /// One of these words; stored as the word.
    Code(&'static [&'static str]),
}

/// A property that clients may filter and sort by.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// As the API spells it, dotted where nested: `name`, `_embedded.organization.name`.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The SQL expression.
    pub column: &'static str,
    /// The case-folded shadow column; texts without one are folded by the database, ASCII only.
    pub folded: Option<&'static str>,
}

/// A list that the API offers.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// For error messages: `Company`.
    pub name: &'static str,
    /// All properties.
    pub properties: &'static [Property],
    /// What is read: the columns of the row type.
    pub(crate) columns: &'static str,
    /// From where: tables and joins, and a condition that always holds behind `WHERE`.
    pub(crate) from: &'static str,
    /// The column that says which company a row belongs to; the caller's scope limits it.
    pub(crate) company: Option<&'static str>,
    /// The id, the last key of every order.
    pub(crate) id: &'static str,
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collation {
    /// Byte by byte.
    #[default]
    Ordinal,
    /// Without regard to case.
    IgnoreCase,
    /// As people sort: here, without regard to case, then byte by byte.
    Lexicographic,
}

/// A comparison of one property with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`; with a null value, "is absent".
    Equals,
    /// `<>`; an absent property differs from every value.
    NotEquals,
    /// `<`
    LessThan,
    /// `<=`
    LessThanOrEqual,
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanOrEqual,
    /// Texts only: the value occurs in the property.
    Contains,
}

/// A value of a property's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Absent.
    Null,
    /// For [`Kind::Text`] and [`Kind::Code`].
    Text(String),
    /// For [`Kind::Integer`] and [`Kind::Instant`].
    Integer(i64),
    /// For [`Kind::Uuid`].
    Uuid(Uuid),
    /// For [`Kind::Flag`].
    Flag(bool),
}

/// Which rows.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All of these; of none, every row.
    All(Vec<Condition>),
    /// Any of these; of none, no row.
    Any(Vec<Condition>),
    /// Just one of the two.
    ExclusiveOr(Box<Condition>, Box<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// One comparison.
    Compare {
        /// Which property.
        property: Property,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
        /// How texts compare.
        collation: Collation,
    },
    /// The property is one of these values.
    In {
        /// Which property.
        property: Property,
        /// Which values.
        values: Vec<Value>,
        /// How texts compare.
        collation: Collation,
    },
}

/// One key of the order.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// By what.
    pub property: Property,
    /// The other way round.
    pub descending: bool,
    /// How texts compare.
    pub collation: Collation,
}

/// What a client asked of a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which rows.
    pub filter: Condition,
    /// In which order; the id always comes last.
    pub sort: Vec<Sort>,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

impl Property {
    /// A text with its case-folded shadow.
    pub(crate) const fn text(name: &'static str, column: &'static str, folded: Option<&'static str>) -> Self {
        Self { name, kind: Kind::Text, column, folded }
    }

    /// Anything but a text.
    pub(crate) const fn of(name: &'static str, kind: Kind, column: &'static str) -> Self {
        Self { name, kind, column, folded: None }
    }
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { filter: Condition::All(Vec::new()), sort: Vec::new(), limit: 100, offset: 0 }
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// All rows that the filter admits.
    pub total: u64,
}
