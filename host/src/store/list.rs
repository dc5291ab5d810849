//! Resources: what the API shows of the tables, as data. A [`Resource`] is a table of properties, each with its SQL
//! expression; from it alone a list or an object is read, filtered, sorted, cut, limited to the caller's scope, written
//! as JSON, and patched. `api/query.rs` parses a client's wishes into the types here; `compile` makes SQL of them,
//! `render` makes JSON of the rows. Neither side can name a column the resource does not offer.

use uuid::Uuid;

pub(crate) mod compile;
mod joins;
mod reach;
mod read;
mod render;
mod update;

pub use read::{Json, Rows};
pub(super) use read::{bind, every_property};
pub use update::Assignment;

/// What values a property takes, and so which operators fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Unix milliseconds in the database, RFC 3339 in the API.
    Instant,
    /// Unix milliseconds of a midnight in the database, `2026-01-31` in the API.
    Date,
    /// An id.
    Uuid,
    /// True or false.
    Flag,
    /// One of the contract's words; stored as the word.
    Code,
    /// A JSON array of texts, stored as text.
    List,
    /// JSON that is shown as it is stored, and neither filtered nor sorted by.
    Json,
    /// An object that may be there with nothing in it: its column says whether it is. Its members are properties too.
    Object,
}

/// A property of a resource.
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
    /// The column of the resource's own table that a patch writes; without one it is read-only.
    pub writes: Option<&'static str>,
    /// Whether an index serves filters by it, and orders by it unless it is another object's id, which has no order of meaning.
    pub indexed: bool,
}

/// Who sees a row. What is `None` hides the row from that kind of caller; the provider sees all.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// The column with the organisation that a row belongs to: a company, a reseller or the provider.
    pub organization: Option<&'static str>,
    /// A predicate with `{}` where the caller's locations go: `l.uid IN ({})`.
    pub location: Option<&'static str>,
    /// A predicate with `{}` where the caller's sites go: `s.uid IN ({})`.
    pub site: Option<&'static str>,
    /// Whether the site alone decides for site administrators: an organisation that has something on their site may have
    /// more of it on others.
    pub site_decides: bool,
    /// A predicate with `{}` where the caller's own id goes: `u.uid = {}`.
    pub user: Option<&'static str>,
    /// Whether everybody sees every row: what belongs to nobody.
    pub open: bool,
}

/// Something the API lists, shows and patches.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// The contract's schema, which also names it in messages: `Company`.
    pub name: &'static str,
    /// All properties.
    pub properties: &'static [Property],
    /// From where: tables and joins, and perhaps a condition that always holds, behind `WHERE`.
    pub from: &'static str,
    /// The id, the last key of every order.
    pub id: &'static str,
    /// Who sees a row.
    pub reach: Reach,
    /// The table that a patch writes, and its key.
    pub table: &'static str,
    /// The key column of that table.
    pub key: &'static str,
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
    /// Texts: the value occurs in the property. Lists: it is one of the items.
    Contains,
}

/// A comparison of a list with a list of values, as sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetComparison {
    /// The same items.
    Equals,
    /// Every item is among the values.
    Subset,
    /// Every value is among the items.
    Superset,
    /// Some item is among the values.
    Overlap,
}

/// A value of a property's kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent.
    Null,
    /// For [`Kind::Text`], [`Kind::Code`], [`Kind::List`] and [`Kind::Json`].
    Text(String),
    /// For [`Kind::Integer`], [`Kind::Instant`] and [`Kind::Date`].
    Integer(i64),
    /// For [`Kind::Number`].
    Number(f64),
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
    /// A list, compared as a set; an absent one is empty.
    Set {
        /// Which property.
        property: Property,
        /// How.
        comparison: SetComparison,
        /// With what.
        values: Vec<String>,
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

/// A property that an answer shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Which.
    pub property: Property,
    /// The words that this client does not know and reads as `Unknown`.
    pub unknown: &'static [&'static str],
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

impl Kind {
    /// Whether filters and orders may name such a property.
    pub fn is_comparable(self) -> bool {
        !matches!(self, Self::Json | Self::Object)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident $kind:ident;)+) => {
        impl Property {$(
            $(#[$doc])+
            pub const fn $name(name: &'static str, column: &'static str) -> Self {
                Self { name, kind: Kind::$kind, column, folded: None, writes: None, indexed: false }
            }
        )+}
    };
}

kinds! {
    /// Free text.
    text Text;
    /// A whole number.
    integer Integer;
    /// Any number.
    number Number;
    /// Unix milliseconds.
    instant Instant;
    /// Unix milliseconds of a midnight.
    date Date;
    /// An id.
    uuid Uuid;
    /// True or false.
    flag Flag;
    /// A word of the contract.
    code Code;
    /// A JSON array of texts.
    list List;
    /// Any JSON.
    json Json;
    /// Whether an object is there.
    object Object;
}

impl Property {
    /// A text with its case-folded shadow.
    #[must_use]
    pub const fn folded(mut self, column: &'static str) -> Self {
        self.folded = Some(column);
        self
    }

    /// A patch writes this column of the resource's table; a folded text also writes `<column>_folded`.
    #[must_use]
    pub const fn writes(mut self, column: &'static str) -> Self {
        self.writes = Some(column);
        self
    }

    /// An index serves it.
    #[must_use]
    pub const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    /// An index serves it in some of the resources that share it.
    #[must_use]
    pub const fn indexed_if(mut self, indexed: bool) -> Self {
        self.indexed = indexed;
        self
    }

    /// Whether it comes only with `expand`.
    pub fn is_embedded(&self) -> bool {
        self.name.starts_with("_embedded.")
    }
}

impl Reach {
    /// Seen by the provider alone; the base of every other one.
    pub const PROVIDER: Self =
        Self { organization: None, location: None, site: None, site_decides: false, user: None, open: false };
    /// Seen by everybody.
    pub const EVERYBODY: Self = Self { open: true, ..Self::PROVIDER };

    /// Rows that belong to the organisation in `column`, as a whole.
    pub const fn organization(column: &'static str) -> Self {
        Self { organization: Some(column), ..Self::PROVIDER }
    }

    /// Location users see the rows of which this holds.
    #[must_use]
    pub const fn location(mut self, predicate: &'static str) -> Self {
        self.location = Some(predicate);
        self
    }

    /// Site administrators (and resellers, where no organisation owns the row) see the rows of which this holds.
    #[must_use]
    pub const fn site(mut self, predicate: &'static str) -> Self {
        self.site = Some(predicate);
        self
    }

    /// Rows that stand on a site: site administrators see those of which this holds, whoever owns them.
    #[must_use]
    pub const fn on_site(mut self, predicate: &'static str) -> Self {
        self.site = Some(predicate);
        self.site_decides = true;
        self
    }

    /// Subtenants see the rows of which this holds.
    #[must_use]
    pub const fn user(mut self, predicate: &'static str) -> Self {
        self.user = Some(predicate);
        self
    }
}

impl Resource {
    /// The property of exactly this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Whether rows belong to organisations: others are the provider's alone, or everybody's.
    pub fn has_owner(&self) -> bool {
        self.reach.organization.is_some()
    }

    /// The column of its id.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// From where its rows are read, as the statements have it.
    pub fn from(&self) -> &'static str {
        self.from
    }

    /// What an answer shows when the client selects and expands nothing.
    pub fn shown(&self) -> Vec<Shown> {
        let own = self.properties.iter().filter(|property| !property.is_embedded());
        own.map(|property| Shown { property: *property, unknown: &[] }).collect()
    }

    /// Everything.
    pub fn shown_with_embedded(&self) -> Vec<Shown> {
        self.properties.iter().map(|property| Shown { property: *property, unknown: &[] }).collect()
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
