//! Names as people give them.

use super::numbers::one_of;

const STEMS: &[&str] = &[
    "Müller & Söhne",
    "Ångström Labs",
    "O'Brien",
    "Łódź Transport",
    "Café Zoë",
    "東京精機",
    "Νίκη",
    "Нева Софт",
    "Hängematte",
    "São Bento",
    "Smørrebrød",
    "Şahin",
    "Dvořák",
    "García Peña",
    "Nordlicht",
    "Bakkerij De Molen",
    "Tårn",
    "Ĝardeno",
    "Élan",
    "Ötztal",
    "Quince & Co.",
    "Half & Half Tools",
    "data_works",
    "Ñandú",
];
const TRADES: &[&str] = &[
    "Bakery",
    "Logistik GmbH",
    "Immobilier",
    "Dental",
    "Travel",
    "Steel",
    "Pharma",
    "Energi",
    "Media",
    "Books",
    "Law",
    "Farms",
    "Optik",
    "Robotics",
    "Hotels",
    "Verlag",
    "Fisheries",
];
const PLACES: &[(&str, &str, i64, &str)] = &[
    ("Zürich", "Switzerland", 41, "8001"),
    ("København", "Denmark", 57, "1050"),
    ("Kraków", "Poland", 173, "30-001"),
    ("São Paulo", "Brazil", 29, "01310-100"),
    ("東京", "Japan", 109, "100-0001"),
    ("Köln", "Germany", 80, "50667"),
    ("Austin", "United States", 231, "78701"),
];
const MACHINES: &[&str] =
    &["web", "db", "mail", "files", "erp", "Büro", "kasse", "cad", "dc", "build", "laptop", "Empfang"];
const GIVEN: &[&str] =
    &["Zoë", "Jürgen", "Søren", "Łucja", "Ana", "健", "Οδυσσέας", "Ivan", "Mary-Ann", "Noël"];
const FAMILY: &[&str] =
    &["Ødegård", "Müller", "Nowak", "da Silva", "山田", "Παπαδάκη", "O'Neill", "Smith", "Çelik"];

/// The `n`-th company's; no two are the same.
pub(super) fn company(n: i64) -> String {
    let (stem, trade) = (one_of(STEMS, n), one_of(TRADES, n));
    let round = n / 408;
    if round == 0 { format!("{stem} {trade}") } else { format!("{stem} {trade} {}", round + 1) }
}

/// City, country, the country's number, postcode.
pub(super) fn place(n: i64) -> (&'static str, &'static str, i64, &'static str) {
    one_of(PLACES, n)
}

/// A machine's.
pub(super) fn machine(n: i64) -> String {
    format!("{}-{:05}", one_of(MACHINES, n), n)
}

/// Given and family name.
pub(super) fn person(n: i64) -> (&'static str, &'static str) {
    (one_of(GIVEN, n), one_of(FAMILY, n / 3))
}
