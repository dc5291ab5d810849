//! What a resource calls indexed is: the databases' own plans say so. A fleet is planted that is large enough for the planners
//! to prefer an index where there is one; then every filter and every order by an indexed property, for the provider and
//! within one company, is explained on both databases.

use std::collections::BTreeSet;

use keelson::id::CompanyUid;
use keelson::model::Scope;
use keelson::store::list::{
    Collation, Comparison, Condition, Kind, ListQuery, Property, Resource, Sort, Value,
};
use keelson::store::{ALL, Dialect, Store};
use keelson_tests::fleet::{Scale, Thing, plant};
use keelson_tests::on_both;

use super::fixtures::NOW;

/// Tables of which this fleet has enough rows that reading one from end to end is never right. Of the others it has so few that
/// the planners rightly read them whole.
const LARGE: &[&str] = &[
    "alarms",
    "backup_jobs",
    "backup_repositories",
    "commands",
    "companies",
    "organizations",
    "restore_points",
    "users",
    "vb365_objects",
    "workload_backups",
    "workloads",
];

const MINUTE: i64 = 60_000;

/// A step of a plan that reads a large table.
#[derive(Debug)]
struct Access {
    line: String,
    /// It looks for rows by a key, and by more than the kind that half of all rows are of.
    by_key: bool,
    /// It walks along an index, in its order.
    along_index: bool,
}

impl Access {
    fn of(line: &str, dialect: Dialect, from: &str) -> Option<Self> {
        let large = match dialect {
            Dialect::Sqlite => line.split(' ').nth(1).is_some_and(|alias| is_large(alias, from)),
            Dialect::Postgres => line
                .split_once(" on ")
                .is_some_and(|(_, table)| LARGE.contains(&table.split(' ').next().unwrap_or(""))),
        };
        let scans = ["SCAN ", "SEARCH ", "Scan "].iter().any(|word| line.contains(word));
        (large && scans).then(|| Self {
            line: line.to_owned(),
            by_key: line.starts_with("SEARCH") && !line.ends_with("(kind=?)"),
            along_index: line.contains("USING") || line.contains("Index"),
        })
    }
}

/// SQLite names the alias.
fn is_large(alias: &str, from: &str) -> bool {
    let words: Vec<_> = from.split(' ').collect();
    LARGE.contains(&alias) || words.windows(2).any(|pair| pair[1] == alias && LARGE.contains(&pair[0]))
}

/// The accesses of a plan. PostgreSQL writes conditions on the lines behind.
fn accesses(plan: &str, dialect: Dialect, from: &str) -> Vec<Access> {
    let mut accesses: Vec<Access> = Vec::new();
    let mut open = false;
    for line in plan.lines().map(str::trim) {
        if line.starts_with("Index Cond:") || line.starts_with("Recheck Cond:") {
            let key = !line.contains("Cond: (kind = '") || line.contains(" AND ");
            if let (true, Some(access)) = (open, accesses.last_mut()) {
                access.by_key = key;
            }
        } else if let Some(access) = Access::of(line.trim_start_matches("->").trim(), dialect, from) {
            accesses.push(access);
            open = true;
        } else if line.contains("->") {
            open = false;
        }
    }
    accesses
}

/// What to look for: a value that few rows have.
fn filter(property: Property, sample: &serde_json::Value) -> Option<Condition> {
    let (comparison, value) = match property.kind {
        Kind::Instant => (Comparison::GreaterThan, Value::Integer(NOW - 10 * MINUTE)),
        Kind::Uuid => (Comparison::Equals, Value::Uuid(sample.as_str()?.parse().ok()?)),
        Kind::Integer => (Comparison::Equals, Value::Integer(sample.as_i64()?)),
        _ => (Comparison::Equals, Value::Text(sample.as_str()?.to_owned())),
    };
    Some(Condition::Compare { property, comparison, value, collation: Collation::Ordinal })
}

/// A value of the property in some row.
async fn sample(store: &Store, resource: &Resource, property: &Property) -> serde_json::Value {
    let mut tx = store.read().await.unwrap();
    let present = Condition::Compare {
        property: *property,
        comparison: Comparison::NotEquals,
        value: Value::Null,
        collation: Collation::Ordinal,
    };
    let shown = [keelson::store::list::Shown { property: *property, unknown: &[] }];
    // Not the first one: the first company is by far the largest.
    let query = ListQuery { filter: present, limit: 1, offset: 37, ..ListQuery::default() };
    let all = Condition::All(Vec::new());
    let page = tx.list(resource, &Scope::Provider, &all, &query, &shown).await.unwrap();
    let row = page.items.first().map(keelson::store::list::Json::value).unwrap_or_default();
    property.name.split('.').fold(row, |value, step| value[step].clone())
}

/// Explains one list; what is wrong with its plans.
async fn troubles(store: &Store, resource: &Resource, property: Property) -> Vec<String> {
    let company = Scope::Company(CompanyUid(Thing::Company.at(7)));
    let found = filter(property, &sample(store, resource, &property).await);
    let mut queries = Vec::new();
    if let Some(filter) = found {
        let by_value = ListQuery { filter, ..ListQuery::default() };
        queries.push(("filter", Scope::Provider, by_value.clone()));
        queries.push(("filter", company, by_value));
    }
    let ordered = property.kind != Kind::Uuid || property.column == resource.id();
    for (descending, collation) in
        [(false, Collation::Ordinal), (true, Collation::Lexicographic)].into_iter().filter(|_| ordered)
    {
        let sort = vec![Sort { property, descending, collation }];
        let sorted = ListQuery { sort, ..ListQuery::default() };
        queries.push(("sort", Scope::Provider, sorted.clone()));
        queries.push(("sort", company, sorted));
    }
    let mut troubles = Vec::new();
    let mut tx = store.read().await.unwrap();
    queries.retain(|(_, scope, _)| *scope == Scope::Provider || resource.has_owner());
    for (what, scope, query) in queries {
        let plans = tx.plans(resource, &scope, &query).await.unwrap();
        // An order needs no index to count by; what the provider sees of a list is all of it.
        let walks = what == "sort" && scope == Scope::Provider;
        let told = if walks { &plans[..1] } else { &plans[..] };
        for plan in told {
            let fine = |access: &Access| access.by_key || (walks && access.along_index);
            let told = accesses(plan, store.dialect(), resource.from());
            let sorts = walks && sorts_all(plan) && told.iter().any(|access| !access.by_key);
            let bad = told.into_iter().find(|access| !fine(access));
            let bad = bad.map(|access| access.line).or_else(|| sorts.then(|| "sorts all rows".to_owned()));
            troubles.extend(bad.map(|bad| {
                format!("{}.{}: {what} as {scope:?}: {bad}\n{plan}\n", resource.name, property.name)
            }));
        }
    }
    troubles
}

/// Whether the plan puts all rows in order itself, not only those that are equal in what an index orders by.
fn sorts_all(plan: &str) -> bool {
    let step = |line: &str| line.trim_start_matches([' ', '-', '>']) == "Sort";
    plan.contains("USE TEMP B-TREE FOR ORDER BY") || plan.lines().any(step)
}

/// Lists that are short on every fleet: there is nothing to find by an index.
fn is_short(resource: &Resource) -> bool {
    // Of twenty workloads one is a file share.
    resource.name.starts_with("ProtectedOnPremisesFileShare")
        || !LARGE.iter().any(|table| resource.from().split(' ').next() == Some(table))
}

on_both! {
    fn what_is_indexed_is_read_by_an_index(database) {
        plant(&database.url, Scale::MIDDLE, NOW).await.unwrap();
        let store = database.store().await;
        let mut all = Vec::new();
        for resource in ALL.iter().filter(|resource| !is_short(resource)) {
            for property in resource.properties.iter().filter(|property| property.indexed) {
                all.extend(troubles(&store, resource, *property).await);
            }
        }
        let short: BTreeSet<_> = all.iter().filter_map(|trouble| trouble.lines().next()).collect();
        assert!(all.is_empty(), "{}\n{short:#?}", all.join("\n"));
    }
}
