//! Tenants, as their server reports them.

use std::collections::HashMap;

use uuid::Uuid;

use super::facts::TenantFact;
use super::ingest::{Report, Tenants};
use crate::clock::Clock;
use crate::store::bulk::{BulkStatement, Column, Type, columns};
use crate::store::list::Value;
use crate::store::{StoreError, Tx};

/// A tenant that was made here is known by its name until the server told its key.
const RESOLVE: BulkStatement = BulkStatement {
    name: "store::cloud::RESOLVE_TENANTS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text), ("user_name_folded", Type::Text)],
    text: "SELECT input.key AS key, t.uid AS uid, CAST(CASE WHEN t.key IS NULL THEN 0 ELSE 1 END AS BIGINT) AS known \
        FROM input JOIN cloud_tenants t ON t.site_uid = :site \
        AND (t.key = input.key OR (t.key IS NULL AND t.user_name_folded = input.user_name_folded))",
};

const BY_KEY: BulkStatement = BulkStatement {
    name: "store::cloud::TENANTS_BY_KEY",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "SELECT input.key AS key, t.uid AS uid FROM input JOIN cloud_tenants t ON t.site_uid = :site AND t.key = input.key",
};

const COLUMNS: &[(&str, Type)] = &[
    ("uid", Type::Uuid),
    ("key", Type::Text),
    ("kind", Type::Text),
    ("vcd_organization_uid", Type::Uuid),
    ("name", Type::Text),
    ("name_folded", Type::Text),
    ("user_name", Type::Text),
    ("user_name_folded", Type::Text),
    ("description", Type::Text),
    ("enabled", Type::Flag),
    ("lease_enabled", Type::Flag),
    ("lease_expires_at", Type::Int),
    ("throttling_enabled", Type::Flag),
    ("throttling_value", Type::Int),
    ("throttling_unit", Type::Text),
    ("max_concurrent_tasks", Type::Int),
    ("protection_enabled", Type::Flag),
    ("protection_days", Type::Int),
    ("gateway_selection", Type::Text),
    ("gateway_pool_uids", Type::Text),
    ("gateway_failover", Type::Flag),
    ("native_replication", Type::Flag),
    ("vcd_replication", Type::Flag),
    ("last_active", Type::Int),
    ("data_out", Type::Int),
    ("data_in", Type::Int),
];

const INSERT: BulkStatement = BulkStatement {
    name: "store::cloud::INSERT_TENANTS",
    fixed: &[("site", Type::Uuid), ("epoch", Type::Int), ("instant", Type::Int)],
    columns: COLUMNS,
    text: "INSERT INTO cloud_tenants (uid, site_uid, key, kind, vcd_organization_uid, name, name_folded, user_name, \
        user_name_folded, description, enabled, last_active, lease_enabled, lease_expires_at, throttling_enabled, \
        throttling_value, throttling_unit, max_concurrent_tasks, protection_enabled, protection_days, gateway_selection, \
        gateway_pool_uids, gateway_failover, native_replication, vcd_replication, data_out_unlimited, data_out, data_in, \
        sync, created_at, changed_at, epoch) \
        SELECT uid, :site, key, kind, vcd_organization_uid, name, name_folded, user_name, user_name_folded, description, \
        enabled, last_active, lease_enabled, lease_expires_at, throttling_enabled, throttling_value, throttling_unit, \
        max_concurrent_tasks, protection_enabled, protection_days, gateway_selection, gateway_pool_uids, gateway_failover, \
        native_replication, vcd_replication, TRUE, data_out, data_in, 'Settled', :instant, 0, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO NOTHING",
};

/// What only the server knows.
const NOTE: BulkStatement = BulkStatement {
    name: "store::cloud::NOTE_TENANTS",
    fixed: &[("epoch", Type::Int)],
    columns: COLUMNS,
    text: "UPDATE cloud_tenants SET key = input.key, last_active = input.last_active, data_out = input.data_out, \
        data_in = input.data_in, epoch = :epoch FROM input WHERE cloud_tenants.uid = input.uid",
};

/// What people set, unless a change of theirs is under way or younger than the report.
const FOLLOW: BulkStatement = BulkStatement {
    name: "store::cloud::FOLLOW_TENANTS",
    fixed: &[("collected", Type::Int)],
    columns: COLUMNS,
    text: "UPDATE cloud_tenants SET kind = input.kind, vcd_organization_uid = input.vcd_organization_uid, name = input.name, \
        name_folded = input.name_folded, user_name = input.user_name, user_name_folded = input.user_name_folded, \
        description = input.description, enabled = input.enabled, lease_enabled = input.lease_enabled, \
        lease_expires_at = input.lease_expires_at, throttling_enabled = input.throttling_enabled, \
        throttling_value = input.throttling_value, throttling_unit = input.throttling_unit, \
        max_concurrent_tasks = input.max_concurrent_tasks, protection_enabled = input.protection_enabled, \
        protection_days = input.protection_days, gateway_selection = input.gateway_selection, \
        gateway_pool_uids = input.gateway_pool_uids, gateway_failover = input.gateway_failover, \
        native_replication = input.native_replication, vcd_replication = input.vcd_replication, \
        sync = CASE WHEN sync = 'CreationFailed' THEN 'Settled' ELSE sync END, \
        sync_message = CASE WHEN sync = 'CreationFailed' THEN NULL ELSE sync_message END \
        FROM input WHERE cloud_tenants.uid = input.uid AND changed_at <= :collected \
        AND sync IN ('Settled', 'CreationFailed', 'UpdateFailed', 'DeletionFailed')",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_TENANTS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_tenants WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[RESOLVE, BY_KEY, INSERT, NOTE, FOLLOW, DROP];

impl Report {
    pub(super) async fn put_tenants(
        &self,
        tx: &mut Tx,
        clock: &dyn Clock,
        facts: &[TenantFact],
    ) -> Result<(), StoreError> {
        let uids = self.resolve_tenants(tx, facts).await?;
        let columns = self.tenant_columns(&uids, facts);
        let [site, epoch] = self.fixed();
        let now = Value::Integer(clock.now_ms());
        INSERT.execute(tx, &[site, epoch.clone(), now], &columns).await?;
        NOTE.execute(tx, &[epoch], &columns).await?;
        FOLLOW.execute(tx, &[Value::Integer(self.collected_at)], &columns).await?;
        Ok(())
    }

    fn tenant_columns(&self, uids: &Tenants, facts: &[TenantFact]) -> [Column; COLUMNS.len()] {
        columns!(facts, fact => {
            Uuid uids.get(&fact.key).copied().unwrap_or_else(|| self.ids.own("tenant", &fact.key)),
            Text fact.key.clone(),
            Text if fact.vcd_organization.is_some() { "VCD" } else { "General" }.to_owned(),
            MaybeUuid fact.vcd_organization.as_deref().map(|key| self.ids.part("vcd", key)),
            Text fact.settings.name.clone(),
            Text fact.settings.name.to_lowercase(),
            Text fact.settings.user_name.clone(),
            Text fact.settings.user_name.to_lowercase(),
            MaybeText fact.settings.description.clone(),
            Flag fact.settings.enabled,
            Flag fact.settings.lease_expires_at.is_some(),
            MaybeInt fact.settings.lease_expires_at,
            Flag fact.settings.throttling.is_some(),
            MaybeInt fact.settings.throttling.as_ref().map(|(value, _)| *value),
            MaybeText fact.settings.throttling.as_ref().map(|(_, unit)| unit.clone()),
            Int fact.settings.max_concurrent_tasks,
            Flag fact.settings.protection_days.is_some(),
            MaybeInt fact.settings.protection_days,
            Text if fact.settings.gateway_pools.is_empty() { "StandaloneGateways" } else { "GatewayPool" }.to_owned(),
            Text self.pools(&fact.settings.gateway_pools),
            Flag fact.settings.gateway_failover,
            Flag fact.settings.native_replication,
            Flag fact.settings.vcd_replication,
            MaybeInt fact.last_active,
            Int fact.data_out,
            Int fact.data_in,
        })
    }

    fn pools(&self, keys: &[String]) -> String {
        let uids: Vec<_> = keys.iter().map(|key| self.ids.own("pool", key).to_string()).collect();
        serde_json::Value::from(uids).to_string()
    }

    /// The rows that these facts are about, where there are any.
    async fn resolve_tenants(&self, tx: &mut Tx, facts: &[TenantFact]) -> Result<Tenants, StoreError> {
        let columns = columns!(facts, fact => {
            Text fact.key.clone(),
            Text fact.settings.user_name.to_lowercase(),
        });
        let mut rows: Vec<(String, Uuid, i64)> =
            RESOLVE.fetch(tx, &[Value::Uuid(self.ids.site.0)], &columns).await?;
        // One that is known by its key comes last and stays in the map.
        rows.sort_unstable_by_key(|(_, _, known)| *known);
        Ok(rows.into_iter().map(|(key, uid, _)| (key, uid)).collect())
    }

    pub(super) async fn tenants_by_key(&self, tx: &mut Tx, keys: Vec<String>) -> Result<Tenants, StoreError> {
        let site = [Value::Uuid(self.ids.site.0)];
        let rows: Vec<(String, Uuid)> = BY_KEY.fetch(tx, &site, &[Column::Text(keys)]).await?;
        Ok(rows.into_iter().collect::<HashMap<_, _>>())
    }

    pub(super) async fn drop_tenants(&self, tx: &mut Tx, keys: &[String]) -> Result<(), StoreError> {
        DROP.execute(tx, &[Value::Uuid(self.ids.site.0)], &[Column::Text(keys.to_vec())]).await?;
        Ok(())
    }
}
