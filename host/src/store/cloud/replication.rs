//! What tenants may replicate to, and what they use of it.

use super::facts::{CloudFacts, HardwarePlanFact, ReplicationFact, ReplicationUsageFact};
use super::ingest::{Report, Tenants};
use super::resources::placed;
use crate::store::bulk::{BulkStatement, Type, columns};
use crate::store::list::Value;
use crate::store::{StoreError, Tx};

const PUT: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_REPLICATIONS",
    fixed: &[("epoch", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("tenant_uid", Type::Uuid),
        ("hardware_plans", Type::Text),
        ("failover_enabled", Type::Flag),
        ("public_allocation", Type::Flag),
        ("public_ips", Type::Int),
    ],
    text: "INSERT INTO tenant_replication_resources (uid, tenant_uid, hardware_plans, failover_enabled, public_allocation, \
        public_ips, epoch) SELECT uid, tenant_uid, hardware_plans, failover_enabled, public_allocation, public_ips, :epoch \
        FROM input WHERE 1 = 1 ON CONFLICT (tenant_uid) DO UPDATE SET hardware_plans = excluded.hardware_plans, \
        failover_enabled = excluded.failover_enabled, public_allocation = excluded.public_allocation, \
        public_ips = excluded.public_ips, epoch = excluded.epoch",
};

const PUT_USAGES: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_REPLICATION_USAGES",
    fixed: &[("epoch", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("tenant_uid", Type::Uuid),
        ("hardware_plan_uid", Type::Uuid),
        ("vms", Type::Int),
        ("vcpus", Type::Int),
        ("host_cores", Type::Int),
        ("memory", Type::Int),
        ("storage", Type::Int),
    ],
    text: "INSERT INTO tenant_replication_usages (uid, tenant_uid, hardware_plan_uid, vms, vcpus, host_cores, memory, storage, \
        epoch) SELECT uid, tenant_uid, hardware_plan_uid, vms, vcpus, host_cores, memory, storage, :epoch \
        FROM input WHERE 1 = 1 ON CONFLICT (tenant_uid, hardware_plan_uid) DO UPDATE SET vms = excluded.vms, \
        vcpus = excluded.vcpus, host_cores = excluded.host_cores, memory = excluded.memory, storage = excluded.storage, \
        epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_REPLICATIONS",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM tenant_replication_resources WHERE tenant_uid IN (SELECT uid FROM input)",
};

const DROP_USAGES: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_REPLICATION_USAGES",
    fixed: &[],
    columns: &[("tenant_uid", Type::Uuid), ("hardware_plan_uid", Type::Uuid)],
    text: "DELETE FROM tenant_replication_usages \
        WHERE (tenant_uid, hardware_plan_uid) IN (SELECT tenant_uid, hardware_plan_uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, PUT_USAGES, DROP, DROP_USAGES];

impl Report {
    pub(super) async fn put_replications(
        &self,
        tx: &mut Tx,
        tenants: &Tenants,
        facts: &[ReplicationFact],
    ) -> Result<usize, StoreError> {
        let rows = placed(tenants, facts, |fact| &fact.tenant);
        let columns = columns!(rows, row => {
            Uuid self.ids.own("replication", &row.1.tenant),
            Uuid row.0,
            Text self.plans(&row.1.plans),
            Flag row.1.failover,
            Flag row.1.public_allocation,
            Int row.1.public_ips,
        });
        PUT.execute(tx, &[Value::Integer(self.epoch)], &columns).await?;
        Ok(facts.len() - rows.len())
    }

    pub(super) async fn put_replication_usages(
        &self,
        tx: &mut Tx,
        tenants: &Tenants,
        facts: &[ReplicationUsageFact],
    ) -> Result<usize, StoreError> {
        let rows = placed(tenants, facts, |fact| &fact.tenant);
        let columns = columns!(rows, row => {
            Uuid self.ids.own("replication-usage", &format!("{}\0{}", row.1.tenant, row.1.plan)),
            Uuid row.0,
            Uuid self.ids.own("plan", &row.1.plan),
            Int row.1.vms,
            Int row.1.vcpus,
            Int row.1.host_cores,
            Int row.1.memory,
            Int row.1.storage,
        });
        PUT_USAGES.execute(tx, &[Value::Integer(self.epoch)], &columns).await?;
        Ok(facts.len() - rows.len())
    }

    pub(super) async fn drop_replications(
        &self,
        tx: &mut Tx,
        tenants: &Tenants,
        facts: &CloudFacts,
    ) -> Result<(), StoreError> {
        let rows = placed(tenants, &facts.replications_gone, |tenant| tenant);
        DROP.execute(tx, &[], &columns!(rows, row => { Uuid row.0 })).await?;
        let rows = placed(tenants, &facts.replication_usages_gone, |(tenant, _)| tenant);
        let columns = columns!(rows, row => { Uuid row.0, Uuid self.ids.own("plan", &row.1.1) });
        DROP_USAGES.execute(tx, &[], &columns).await?;
        Ok(())
    }

    /// The plans as the API shows them.
    fn plans(&self, plans: &[HardwarePlanFact]) -> String {
        let plan = |fact: &HardwarePlanFact| {
            let mut plan = serde_json::json!({
                "hardwarePlanUid": self.ids.own("plan", &fact.plan),
                "isWanAccelerationEnabled": fact.wan_accelerator.is_some(),
            });
            if let (Some(key), Some(plan)) = (&fact.wan_accelerator, plan.as_object_mut()) {
                let uid = self.ids.part("accelerator", key).to_string();
                plan.insert("wanAcceleratorUid".to_owned(), uid.into());
            }
            plan
        };
        serde_json::Value::Array(plans.iter().map(plan).collect()).to_string()
    }
}
