//! Tables and queries at random, from values that meet often: a comparison that never holds tests nothing.

use keelson::store::list::{
    Collation, Comparison, Condition, Kind, ListQuery, Property, SetComparison, Sort, Value,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use uuid::Uuid;

use super::table::{LIST, Row, SCALARS};

/// A table and what is asked of it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) rows: Vec<Row>,
    pub(super) queries: Vec<ListQuery>,
}

/// Case, accents, wildcards, quotes, letters whose lower case is longer or is another's too, and the two places where
/// the orders of UTF-8 and UTF-16 differ.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "b",
    "B",
    "ab",
    "aB",
    "AB",
    "z",
    "Z",
    "_",
    "%",
    "\\",
    "'",
    "\"",
    "a%b",
    "a_b",
    "1",
    "10",
    "2",
    "ä",
    "Ä",
    "a\u{308}",
    "é",
    "É",
    "ß",
    "ẞ",
    "ss",
    "SS",
    "ö",
    "Öl",
    "öL",
    "İ",
    "ı",
    "I",
    "i",
    "σ",
    "ς",
    "Σ",
    "ÅB",
    "日本",
    "日",
    "🙂",
    "\u{ffff}",
    "\u{10000}",
    "\u{e000}",
    "a\nb",
    "a\tb",
    "\u{7f}",
    "\u{200b}",
];
const CODES: &[&str] = &["Active", "Disabled", "Unknown", "active"];
const NUMBERS: &[i64] = &[0, 1, -1, 2, 10, 9_007_199_254_740_993, i64::MAX, i64::MIN];
const FRACTIONS: &[f64] = &[0.0, -0.0, 0.1, 0.5, -1.5, 1e300, -1e-300, 3.0];
const DAY: i64 = 86_400_000;
const INSTANTS: &[i64] =
    &[0, 1, -1, 951_782_400_000, 1_709_164_800_000, 1_709_251_199_999, 253_402_300_799_999];

/// A table and questions for it.
pub(super) fn tables_and_queries() -> impl Strategy<Value = Case> {
    (vec(row(), 0..20), vec(query(), 1..8)).prop_map(|(mut rows, queries)| {
        rows.sort_by_key(|row| row.uid);
        rows.dedup_by_key(|row| row.uid);
        Case { rows, queries }
    })
}

fn row() -> impl Strategy<Value = Row> {
    let first = (uid(), absent(text()), absent(text()), absent(code()), absent(integer()), absent(number()));
    let second = (absent(instant()), absent(date()), absent(uid()), absent(any::<bool>()), absent(items()));
    (first, second).prop_map(
        |((uid, text, folded, code, integer, number), (instant, date, id, flag, list))| Row {
            uid,
            text,
            folded,
            code,
            integer,
            number,
            instant,
            date,
            id,
            flag,
            list,
        },
    )
}

fn absent<T>(values: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>>
where
    T: std::fmt::Debug,
{
    weighted(0.75, values)
}

fn text() -> impl Strategy<Value = String> {
    let known = select(TEXTS).prop_map(str::to_owned);
    // PostgreSQL keeps no NUL, and the API takes none.
    let letter = any::<char>().prop_filter("NUL", |letter| *letter != '\0');
    prop_oneof![4 => known, 1 => vec(letter, 0..4).prop_map(String::from_iter)]
}

fn code() -> impl Strategy<Value = String> {
    select(CODES).prop_map(str::to_owned)
}

fn integer() -> impl Strategy<Value = i64> {
    select(NUMBERS)
}

fn number() -> impl Strategy<Value = f64> {
    select(FRACTIONS)
}

fn instant() -> impl Strategy<Value = i64> {
    select(INSTANTS)
}

fn date() -> impl Strategy<Value = i64> {
    (-2..3i64).prop_map(|days| days * DAY)
}

fn uid() -> impl Strategy<Value = Uuid> {
    // Few that differ in the first, the middle and the last byte.
    (0..3u128, 0..2u128, 0..8u128).prop_map(|(first, middle, last)| {
        Uuid::from_u128((first << 127) | (first << 120) | (middle << 64) | last)
    })
}

fn items() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..4)
}

fn query() -> impl Strategy<Value = ListQuery> {
    (condition(), vec(sort(), 0..4), 1..30u32, 0..6u32).prop_map(|(filter, sort, limit, offset)| ListQuery {
        filter,
        sort,
        limit,
        offset,
    })
}

fn sort() -> impl Strategy<Value = Sort> {
    (select(SCALARS), any::<bool>(), collation()).prop_map(|(property, descending, collation)| Sort {
        property,
        descending,
        collation,
    })
}

fn collation() -> impl Strategy<Value = Collation> {
    select(&[Collation::Ordinal, Collation::IgnoreCase, Collation::Lexicographic][..])
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![5 => compare(), 2 => one_of(), 1 => set(), 1 => in_list()].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Condition::All),
            vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            (inner.clone(), inner)
                .prop_map(|(left, right)| Condition::ExclusiveOr(Box::new(left), Box::new(right))),
        ]
    })
}

fn compare() -> impl Strategy<Value = Condition> {
    select(SCALARS).prop_flat_map(|property| {
        (select(comparisons(property.kind)), value(&property), collation()).prop_map(
            move |(comparison, value, collation)| {
                // Only "is absent" and "is there" compare with null.
                let null = value == Value::Null;
                let comparison = match comparison {
                    Comparison::Equals | Comparison::NotEquals => comparison,
                    _ if null => Comparison::Equals,
                    _ => comparison,
                };
                Condition::Compare { property, comparison, value, collation }
            },
        )
    })
}

fn one_of() -> impl Strategy<Value = Condition> {
    select(SCALARS).prop_flat_map(|property| {
        (vec(value(&property), 0..4), collation()).prop_map(move |(values, collation)| Condition::In {
            property,
            values,
            collation,
        })
    })
}

fn set() -> impl Strategy<Value = Condition> {
    let how = select(
        &[SetComparison::Equals, SetComparison::Subset, SetComparison::Superset, SetComparison::Overlap][..],
    );
    (how, items(), collation()).prop_map(|(comparison, values, collation)| Condition::Set {
        property: LIST,
        comparison,
        values,
        collation,
    })
}

fn in_list() -> impl Strategy<Value = Condition> {
    (text(), collation()).prop_map(|(text, collation)| Condition::Compare {
        property: LIST,
        comparison: Comparison::Contains,
        value: Value::Text(text),
        collation,
    })
}

fn comparisons(kind: Kind) -> &'static [Comparison] {
    use Comparison::{
        Contains, Equals, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, NotEquals,
    };
    match kind {
        Kind::Text => {
            &[Equals, NotEquals, LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual, Contains]
        }
        Kind::Uuid | Kind::Flag => &[Equals, NotEquals],
        _ => &[Equals, NotEquals, LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual],
    }
}

fn value(property: &Property) -> BoxedStrategy<Value> {
    let there = match property.kind {
        Kind::Text => text().prop_map(Value::Text).boxed(),
        Kind::Code => code().prop_map(Value::Text).boxed(),
        Kind::Integer => integer().prop_map(Value::Integer).boxed(),
        Kind::Number => number().prop_map(Value::Number).boxed(),
        Kind::Instant => instant().prop_map(Value::Integer).boxed(),
        Kind::Date => date().prop_map(Value::Integer).boxed(),
        Kind::Uuid => uid().prop_map(Value::Uuid).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::List | Kind::Json | Kind::Object => Just(Value::Null).boxed(),
    };
    prop_oneof![6 => there, 1 => Just(Value::Null)].boxed()
}
