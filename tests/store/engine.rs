//! The list engine against a reference that holds the same rows in memory: any filter, any order, any page, on both
//! databases. What differs is shrunk to the smallest table and the smallest query that show it.

mod generate;
mod reference;
mod table;

use keelson_tests::on_both;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime::Handle;

use generate::{Case, tables_and_queries};
use table::Things;

/// So many tables, each asked several questions. A failing run says which table and question; nothing is written down,
/// because the next run makes the same ones.
const TABLES: u32 = 96;

on_both! {
    fn any_query_gives_the_rows_of_the_reference_in_its_order(database) {
        let things = Things::create(&database).await;
        let config = Config { cases: TABLES, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, random);
        let outcome = tokio::task::block_in_place(|| {
            runner.run(&tables_and_queries(), |case| {
                Handle::current().block_on(check(&things, &case));
                Ok(())
            })
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    }
}

async fn check(things: &Things, case: &Case) {
    things.fill(&case.rows).await;
    for query in &case.queries {
        let (expected, total) = reference::answer(&case.rows, query);
        let (found, count) = things.ask(query).await;
        assert_eq!((&found, count), (&expected, total), "{query:#?}");
    }
}
