//! Each batch counts once, and the inventory is what the last whole epoch said.

use keelson::model::Scope;
use keelson::store::list::{ListQuery, Resource};
use keelson::store::{COMPUTERS, Facts, RESTORE_POINTS};
use keelson_tests::on_both;
use serde_json::Value;

use super::fixtures::{NOW, World, inventory, rows};

async fn names(world: &World) -> Vec<(String, Option<String>, usize)> {
    let query = ListQuery { limit: 500, ..ListQuery::default() };
    let of = async |resource: &Resource| rows(&world.store, resource, Scope::Provider, &query).await.1;
    let points = of(&RESTORE_POINTS).await;
    let count = |uid: &Value| points.iter().filter(|point| point["backupAgentUid"] == *uid).count();
    let shown = |row: &Value| {
        let newest = row["latestRestorePointDate"].as_str().map(ToOwned::to_owned);
        (row["name"].as_str().unwrap().to_owned(), newest, count(&row["backupAgentUid"]))
    };
    let mut rows: Vec<_> = of(&COMPUTERS).await.iter().map(shown).collect();
    rows.sort();
    rows
}

/// As the API writes it.
fn at(milliseconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).unwrap();
    format!("{}.{:03}Z", at.date().to_string() + "T" + &clock_time(at), at.millisecond())
}

fn clock_time(at: time::OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

on_both! {
    fn a_batch_that_comes_again_is_no_batch(database) {
        let world = World::new(database.store().await).await;
        let facts = inventory(&[("vm", &[NOW, NOW + 1])]);
        assert!(world.take(5, 1, &facts).await);
        assert!(!world.take(5, 1, &facts).await);
        assert!(!world.take(4, 1, &facts).await, "an older epoch");
        assert!(!world.take(5, 3, &facts).await, "a gap");
        assert_eq!(names(&world).await, [("vm".to_owned(), Some(at(NOW + 1)), 2)]);
    }

    fn a_new_epoch_begins_at_one(database) {
        let world = World::new(database.store().await).await;
        assert!(!world.take(5, 2, &Facts::default()).await);
        assert!(world.take(5, 1, &Facts::default()).await);
        assert!(world.take(5, 2, &Facts::default()).await);
        assert!(world.take(9, 1, &Facts::default()).await);
    }

    fn what_a_whole_inventory_does_not_mention_is_gone(database) {
        let world = World::new(database.store().await).await;
        world.take(1, 1, &inventory(&[("kept", &[NOW, NOW + 5]), ("dropped", &[NOW])])).await;
        world.take(2, 1, &inventory(&[("kept", &[NOW])])).await;
        assert_eq!(names(&world).await.len(), 2, "not before the inventory is whole");
        world.take(2, 2, &Facts { complete: true, ..Facts::default() }).await;
        assert_eq!(names(&world).await, [("kept".to_owned(), Some(at(NOW)), 1)]);
    }

    fn a_workload_that_comes_back_is_the_same_one(database) {
        let world = World::new(database.store().await).await;
        world.take(1, 1, &inventory(&[("vm", &[NOW])])).await;
        let gone = Facts { workloads_gone: vec![("repo".into(), "vm".into())], ..Facts::default() };
        world.take(1, 2, &gone).await;
        assert!(names(&world).await.is_empty());
        world.take(1, 3, &inventory(&[("vm", &[NOW + 9])])).await;
        assert_eq!(names(&world).await, [("vm".to_owned(), Some(at(NOW + 9)), 2)]);
    }

    fn the_newest_restore_point_is_right_after_one_was_forgotten(database) {
        let world = World::new(database.store().await).await;
        world.take(1, 1, &inventory(&[("vm", &[NOW, NOW + 7])])).await;
        let forgotten = ("repo".to_owned(), "vm".to_owned(), (NOW + 7).to_string());
        world.take(1, 2, &Facts { restore_points_gone: vec![forgotten], ..Facts::default() }).await;
        assert_eq!(names(&world).await, [("vm".to_owned(), Some(at(NOW)), 1)]);
    }

    fn more_rows_than_one_statement_takes_are_all_there(database) {
        let world = World::new(database.store().await).await;
        let owned: Vec<String> = (0..733).map(|number| format!("vm-{number:04}")).collect();
        let workloads: Vec<(&str, &[i64])> = owned.iter().map(|name| (name.as_str(), [NOW].as_slice())).collect();
        world.take(1, 1, &inventory(&workloads)).await;
        let query = ListQuery { limit: 500, offset: 500, ..ListQuery::default() };
        let (total, page) = rows(&world.store, &RESTORE_POINTS, Scope::Provider, &query).await;
        assert_eq!((total, page.len()), (733, 233));
    }

    fn a_batch_that_was_not_committed_left_nothing(database) {
        let world = World::new(database.store().await).await;
        let mut tx = world.store.write().await.unwrap();
        assert!(tx.ingest().advance(&[world.step(1, 1)]).await.unwrap().contains(&world.agent));
        let facts = inventory(&[("vm", &[NOW])]);
        tx.ingest().store(&*world.clock, &[(world.source(1), &facts)]).await.unwrap();
        drop(tx);
        assert!(names(&world).await.is_empty());
        assert!(world.take(1, 1, &facts).await);
    }
}
