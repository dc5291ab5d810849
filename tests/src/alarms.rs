//! Alarms without a rule that raises them.

use keelson::clock::Clock;
use keelson::id::{AgentUid, AlarmUid};
use keelson::model::{AlarmStatus, NewTemplate};
use keelson::store::{Raise, Store};
use uuid::Uuid;

/// Raises an alarm about some workload of an agent that is due now; the alarm's id.
pub async fn raise(store: &Store, clock: &dyn Clock, agent: AgentUid) -> Uuid {
    let new = NewTemplate {
        plugin: "keelson.alert-rules".to_owned(),
        rule: "computer-without-backup".to_owned(),
        subject: "computer".to_owned(),
        internal_id: 0,
        name: "Computer without backup".to_owned(),
        category: "BackupAgent".to_owned(),
        parameters: "{}".to_owned(),
        summary: String::new(),
        cause: String::new(),
        resolution: String::new(),
    };
    let mut tx = store.write().await.expect("a transaction");
    tx.templates().sync(clock, &new).await.expect("a template");
    let template_uid = tx.templates().all().await.expect("templates")[0].uid;
    let due = tx.due().workloads(clock.now_ms(), 1_000).await.expect("workloads");
    let workload = due.into_iter().find(|row| row.agent_uid == agent).expect("a workload that is due");
    let raise = Raise {
        uid: AlarmUid::new(clock),
        template_uid,
        company_uid: workload.company_uid,
        location_uid: workload.location_uid,
        agent_uid: workload.agent_uid,
        object_type: "BackupAgent",
        object_uid: workload.uid.0,
        object_name: workload.name.clone(),
        computer_name: workload.name,
        status: AlarmStatus::Error,
        message: "late".to_owned(),
    };
    tx.alarms().raise(clock, std::slice::from_ref(&raise)).await.expect("an alarm");
    tx.commit().await.expect("a commit");
    raise.uid.0
}
