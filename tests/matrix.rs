//! Who may do what, to what: every operation that is mounted × every role × objects of their own, of another company,
//! of another reseller, of another site, of another location and of another user, on both databases.
//!
//! Nothing is listed here: the tables of operations say whom each admits, `calls.json` what it needs, the planted fleet
//! has the objects, and [`sight`] says, from the objects' own facts, who sees them. An operation that is mounted and has
//! no call fails the build's tests, and so does one that none of its roles could be shown an object of their own for.

mod callers;
mod calls;
mod objects;
mod sight;
mod walk;

use std::collections::BTreeSet;

use keelson::clock::{Clock as _, SystemClock};
use keelson_tests::fleet::{Scale, plant};
use keelson_tests::{TestDatabase, TestHost, on_both};

use callers::Callers;
use calls::Table;
use objects::World;
use walk::Walk;

/// A host on a planted fleet.
async fn host(database: TestDatabase) -> TestHost {
    plant(&database.url, Scale::SMALL, SystemClock.now_ms()).await.unwrap();
    TestHost::start_with(database, None, std::sync::Arc::new(SystemClock)).await
}

on_both! {
    fn each_role_does_what_the_table_admits_to_what_is_its_own_and_finds_nothing_else(database) {
        let host = host(database).await;
        let table = Table::mounted(&host).await;
        let world = World::read(&host, &table).await;
        let callers = Callers::make(&host, &world).await;
        let mut walk = Walk::new(&table, &world, &callers);
        walk.all().await;
        host.stop().await;
        let findings = walk.findings();
        assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_that_is_mounted_has_a_call_and_every_call_an_operation() {
    let host = TestHost::start_with(TestDatabase::sqlite(), None, std::sync::Arc::new(SystemClock)).await;
    let mounted = calls::mounted(&host).await;
    host.stop().await;
    let called: BTreeSet<_> = calls::ids();
    let missing: Vec<_> = mounted.difference(&called).collect();
    assert!(missing.is_empty(), "host/src/api/calls.json has no call of {missing:?}: add one line each");
    let known: BTreeSet<_> = calls::rows().into_iter().map(|row| row.id).collect();
    let stale: Vec<_> = called.difference(&known).collect();
    assert!(stale.is_empty(), "host/src/api/calls.json calls {stale:?}, which no table of operations has");
}
