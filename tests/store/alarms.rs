//! What is due, and what becomes of alarms.

use keelson::id::{AlarmTemplateUid, AlarmUid};
use keelson::model::{AlarmStatus, NewTemplate, Scope};
use keelson::store::list::ListQuery;
use keelson::store::{ALARMS, Raise};
use keelson_tests::on_both;

use super::fixtures::{NOW, World, inventory, rows};

async fn template(world: &World, parameters: &str) -> AlarmTemplateUid {
    let new = NewTemplate {
        plugin: "keelson.alert-rules".to_owned(),
        rule: "computer-without-backup".to_owned(),
        subject: "computer".to_owned(),
        internal_id: 0,
        name: "Computer without backup".to_owned(),
        category: "BackupAgent".to_owned(),
        parameters: parameters.to_owned(),
        summary: String::new(),
        cause: String::new(),
        resolution: String::new(),
    };
    let mut tx = world.store.write().await.unwrap();
    tx.templates().sync(&*world.clock, &new).await.unwrap();
    let uid = tx.templates().all().await.unwrap()[0].uid;
    tx.commit().await.unwrap();
    uid
}

on_both! {
    fn a_plugin_that_comes_again_leaves_the_providers_parameters_alone(database) {
        let world = World::new(database.store().await).await;
        let uid = template(&world, r#"{"rpoHours":24}"#).await;
        let mut tx = world.store.write().await.unwrap();
        tx.templates().set_rule(uid, r#"{"rpoHours":4}"#, false).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(template(&world, r#"{"rpoHours":24}"#).await, uid);
        let mut tx = world.store.read().await.unwrap();
        let found = tx.templates().get(uid).await.unwrap().unwrap();
        assert_eq!((found.parameters.as_str(), found.enabled), (r#"{"rpoHours":4}"#, false));
    }

    fn what_changed_while_it_was_looked_at_stays_due(database) {
        let world = World::new(database.store().await).await;
        world.take(1, 1, &inventory(&[("still", &[NOW]), ("moving", &[NOW])])).await;
        let mut tx = world.store.read().await.unwrap();
        let seen = tx.due().workloads(NOW, 10).await.unwrap();
        assert_eq!(seen.len(), 2);
        drop(tx);
        world.take(1, 2, &inventory(&[("moving", &[NOW + 1])])).await;
        let settled: Vec<_> = seen.iter().map(|row| (row.uid.0, row.revision, Some(NOW + 100))).collect();
        let mut tx = world.store.write().await.unwrap();
        assert_eq!(tx.due().settle_workloads(&settled).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        let mut tx = world.store.read().await.unwrap();
        let due = tx.due().workloads(NOW, 10).await.unwrap();
        assert_eq!(due.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["moving"]);
        assert_eq!(tx.due().workloads(NOW + 100, 10).await.unwrap().len(), 2);
    }

    fn an_alarm_comes_back_under_its_id_and_remembers_its_history(database) {
        let world = World::new(database.store().await).await;
        let template_uid = template(&world, "{}").await;
        world.take(1, 1, &inventory(&[("vm", &[NOW])])).await;
        let mut tx = world.store.write().await.unwrap();
        let workload = tx.due().workloads(NOW, 10).await.unwrap().remove(0);
        let raise = Raise {
            uid: AlarmUid::new(&*world.clock),
            template_uid,
            company_uid: workload.company_uid,
            location_uid: workload.location_uid,
            agent_uid: workload.agent_uid,
            object_type: "BackupAgent",
            object_uid: workload.uid.0,
            object_name: workload.name.clone(),
            computer_name: workload.name.clone(),
            status: AlarmStatus::Error,
            message: "late".to_owned(),
        };
        tx.alarms().raise(&*world.clock, std::slice::from_ref(&raise)).await.unwrap();
        let existing = tx.alarms().of_objects(vec![workload.uid.0]).await.unwrap();
        world.clock.advance(1);
        tx.alarms().resolve(&*world.clock, "well again", &[&existing[0]]).await.unwrap();
        world.clock.advance(1);
        tx.alarms().raise(&*world.clock, &[raise]).await.unwrap();
        tx.commit().await.unwrap();

        let (total, alarms) = rows(&world.store, &ALARMS, Scope::Provider, &ListQuery::default()).await;
        assert_eq!((total, &alarms[0]["repeatCount"]), (1, &2.into()));
        assert_eq!(alarms[0]["instanceUid"], existing[0].uid.to_string());
        assert_eq!(alarms[0]["lastActivation"]["status"], "Error");
    }
}
