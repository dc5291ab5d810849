//! The list engine: conditions, order and pages mean the same on both databases.

use keelson::model::Scope;
use keelson::store::list::{Collation, Comparison, Condition, ListQuery, Property, Sort, Value};
use keelson::store::{COMPANIES, Store};
use keelson_tests::on_both;

use super::fixtures::{World, company, rows};

fn property(name: &str) -> Property {
    *COMPANIES.properties.iter().find(|property| property.name == name).unwrap()
}

fn compare(comparison: Comparison, value: &str, collation: Collation) -> Condition {
    Condition::Compare {
        property: property("name"),
        comparison,
        value: Value::Text(value.to_owned()),
        collation,
    }
}

async fn names(store: &Store, query: &ListQuery) -> Vec<String> {
    let (_, companies) = rows(store, &COMPANIES, Scope::Provider, query).await;
    companies.iter().map(|company| company["name"].as_str().unwrap().to_owned()).collect()
}

async fn found(store: &Store, filter: Condition) -> Vec<String> {
    let sort = vec![Sort { property: property("name"), descending: false, collation: Collation::Ordinal }];
    names(store, &ListQuery { filter, sort, ..ListQuery::default() }).await
}

async fn world(store: Store) -> World {
    let world = World::new(store).await;
    for name in ["alpha", "Beta", "gamma_x", "gammaAx", "Ölberg", "50% off"] {
        company(&world.store, &world.clock, name).await;
    }
    world
}

on_both! {
    fn ordinal_order_is_byte_order_and_lexicographic_order_is_peoples(database) {
        let world = world(database.store().await).await;
        let by = |collation| ListQuery {
            sort: vec![Sort { property: property("name"), descending: false, collation }],
            ..ListQuery::default()
        };
        let ordinal = names(&world.store, &by(Collation::Ordinal)).await;
        assert_eq!(ordinal, ["50% off", "Beta", "Hängematte AG", "alpha", "gammaAx", "gamma_x", "Ölberg"]);
        let people = names(&world.store, &by(Collation::Lexicographic)).await;
        assert_eq!(people, ["50% off", "alpha", "Beta", "gamma_x", "gammaAx", "Hängematte AG", "Ölberg"]);
    }

    fn a_search_without_case_knows_more_letters_than_ascii(database) {
        let world = world(database.store().await).await;
        let hit = found(&world.store, compare(Comparison::Contains, "ÖLB", Collation::IgnoreCase)).await;
        assert_eq!(hit, ["Ölberg"]);
        assert!(found(&world.store, compare(Comparison::Contains, "ÖLB", Collation::Ordinal)).await.is_empty());
    }

    fn wildcards_of_the_database_are_letters_like_any_other(database) {
        let world = world(database.store().await).await;
        assert_eq!(found(&world.store, compare(Comparison::Contains, "_", Collation::Ordinal)).await, ["gamma_x"]);
        assert_eq!(found(&world.store, compare(Comparison::Contains, "%", Collation::Ordinal)).await, ["50% off"]);
    }

    fn not_and_exclusive_or_leave_no_row_undecided(database) {
        let world = world(database.store().await).await;
        let beta = || compare(Comparison::Equals, "Beta", Collation::Ordinal);
        let all = found(&world.store, Condition::All(Vec::new())).await.len();
        assert_eq!(found(&world.store, Condition::Not(Box::new(beta()))).await.len(), all - 1);
        let either = Condition::ExclusiveOr(
            Box::new(compare(Comparison::Contains, "eta", Collation::Ordinal)),
            Box::new(compare(Comparison::Contains, "l", Collation::Ordinal)),
        );
        assert_eq!(found(&world.store, either).await, ["Beta", "alpha", "Ölberg"]);
        assert!(found(&world.store, Condition::Any(Vec::new())).await.is_empty());
    }

    fn one_of_a_list_of_values_is_enough(database) {
        let world = world(database.store().await).await;
        let values = ["BETA", "alpha", "nobody"].map(|name| Value::Text(name.to_owned())).to_vec();
        let filter = Condition::In { property: property("name"), values, collation: Collation::IgnoreCase };
        assert_eq!(found(&world.store, filter).await, ["Beta", "alpha"]);
    }

    fn pages_follow_each_other_without_a_gap(database) {
        let world = world(database.store().await).await;
        let mut seen = Vec::new();
        for offset in [0, 3, 6] {
            let query = ListQuery { limit: 3, offset, ..ListQuery::default() };
            let (total, page) = rows(&world.store, &COMPANIES, Scope::Provider, &query).await;
            assert_eq!(total, 7);
            seen.extend(page.into_iter().map(|company| company["name"].to_string()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7);
    }

    fn a_company_sees_itself_only(database) {
        let world = world(database.store().await).await;
        let scope = Scope::Company(world.company);
        let (total, page) = rows(&world.store, &COMPANIES, scope, &ListQuery::default()).await;
        assert_eq!(total, 1);
        assert_eq!(page[0]["instanceUid"], world.company.to_string());
    }
}
