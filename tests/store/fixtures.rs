//! Rows that tests start from.

use std::sync::Arc;

use keelson::clock::ManualClock;
use keelson::id::{AgentUid, CompanyUid};
use keelson::model::{Door, NewCompany, NewOrganization, Scope};
use keelson::store::list::{Condition, ListQuery, Resource};
use keelson::store::{
    Facts, Move, NewAgent, Offset, RestorePointFact, ServerFact, Source, Store, WorkloadFact,
};

/// An instant in 2026.
pub(super) const NOW: i64 = 1_795_000_000_000;

/// A store with one company and one agent.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) clock: Arc<ManualClock>,
    pub(super) company: CompanyUid,
    pub(super) agent: AgentUid,
}

pub(super) async fn company(store: &Store, clock: &ManualClock, name: &str) -> CompanyUid {
    let new = NewCompany {
        organization: NewOrganization::named(name),
        alarm_detect_enabled: true,
        rest_access_enabled: true,
        owner_name: String::new(),
        reseller_uid: None,
        subscription_plan_uid: None,
    };
    let mut tx = store.write().await.unwrap();
    let company = tx.companies().create(clock, &new).await.unwrap();
    tx.commit().await.unwrap();
    company
}

/// A page of a resource as a caller sees it: how many there are in all, and those of the page.
pub(super) async fn rows(
    store: &Store,
    resource: &Resource,
    scope: Scope,
    query: &ListQuery,
) -> (u64, Vec<serde_json::Value>) {
    let mut tx = store.read().await.unwrap();
    let all = Condition::All(Vec::new());
    let page = tx.list(resource, &scope, &all, query, &resource.shown()).await.unwrap();
    (page.total, page.items.iter().map(keelson::store::list::Json::value).collect())
}

pub(super) async fn agent(store: &Store, clock: &ManualClock, company: CompanyUid) -> AgentUid {
    let mut tx = store.write().await.unwrap();
    let location = tx.companies().default_location(company).await.unwrap().unwrap();
    let uid = AgentUid::new(clock);
    let new = NewAgent {
        host_name: "Backup-01".to_owned(),
        machine_id: "m".to_owned(),
        platform: "Linux".to_owned(),
        os_version: "12".to_owned(),
        version: "0.1.0".to_owned(),
        door: Door::Remote,
    };
    tx.agents().create(clock, uid, (company, location), None, &new, &[7; 32]).await.unwrap();
    tx.commit().await.unwrap();
    uid
}

impl World {
    pub(super) async fn new(store: Store) -> Self {
        let clock = ManualClock::at(NOW);
        let company = company(&store, &clock, "Hängematte AG").await;
        let agent = agent(&store, &clock, company).await;
        Self { store, clock, company, agent }
    }

    /// The step from the batch before this one.
    pub(super) fn step(&self, epoch: i64, sequence: i64) -> Move {
        Move { agent: self.agent, after: sequence - 1, to: Offset { epoch, sequence } }
    }

    /// Who reports.
    pub(super) fn source(&self, epoch: i64) -> Source {
        Source { agent: self.agent, company: self.company, epoch }
    }

    /// Takes one batch, as a session does; whether it was the next.
    pub(super) async fn take(&self, epoch: i64, sequence: i64, facts: &Facts) -> bool {
        let mut tx = self.store.write().await.unwrap();
        if tx.ingest().advance(&[self.step(epoch, sequence)]).await.unwrap().is_empty() {
            return false;
        }
        tx.ingest().store(&*self.clock, &[(self.source(epoch), facts)]).await.unwrap();
        tx.commit().await.unwrap();
        true
    }
}

/// A server with these workloads, each with restore points at these instants.
pub(super) fn inventory(workloads: &[(&str, &[i64])]) -> Facts {
    let server = ServerFact {
        key: "repo".to_owned(),
        name: "Repository".to_owned(),
        engine: "restic".to_owned(),
        version: "0.14".to_owned(),
        ..ServerFact::default()
    };
    let workload = |name: &str| WorkloadFact {
        server: "repo".to_owned(),
        key: name.to_owned(),
        name: name.to_owned(),
        kind: "computer".to_owned(),
        operation_mode: "Server".to_owned(),
        backed_up_items: "/srv".to_owned(),
        details: None,
    };
    let point = |name: &str, at: i64| RestorePointFact {
        server: "repo".to_owned(),
        workload: name.to_owned(),
        key: at.to_string(),
        created_at: at,
        size: None,
        source_size: Some(5),
        destination: "/repo".to_owned(),
        details: None,
    };
    Facts {
        servers: vec![server],
        workloads: workloads.iter().map(|(name, _)| workload(name)).collect(),
        restore_points: workloads
            .iter()
            .flat_map(|(name, at)| at.iter().map(|at| point(name, *at)))
            .collect(),
        ..Facts::default()
    }
}
