//! Tenants' shares of repositories, as their server reports them.

use std::collections::HashMap;

use uuid::Uuid;

use super::facts::BackupResourceFact;
use super::ingest::{Report, Tenants};
use crate::clock::Clock;
use crate::store::bulk::{BulkStatement, Type, columns};
use crate::store::list::Value;
use crate::store::{StoreError, Tx};

/// As with tenants: one that was made here is known by its name until the server told its key.
const RESOLVE: BulkStatement = BulkStatement {
    name: "store::cloud::RESOLVE_RESOURCES",
    fixed: &[],
    columns: &[("tenant_uid", Type::Uuid), ("key", Type::Text), ("name_folded", Type::Text)],
    text: "SELECT input.tenant_uid AS tenant_uid, input.key AS key, r.uid AS uid, \
        CAST(CASE WHEN r.key IS NULL THEN 0 ELSE 1 END AS BIGINT) AS known \
        FROM input JOIN tenant_backup_resources r ON r.tenant_uid = input.tenant_uid \
        AND (r.key = input.key OR (r.key IS NULL AND r.name_folded = input.name_folded))",
};

const COLUMNS: &[(&str, Type)] = &[
    ("uid", Type::Uuid),
    ("tenant_uid", Type::Uuid),
    ("key", Type::Text),
    ("repository_uid", Type::Uuid),
    ("name", Type::Text),
    ("name_folded", Type::Text),
    ("storage_quota", Type::Int),
    ("wan_enabled", Type::Flag),
    ("wan_accelerator_uid", Type::Uuid),
    ("used_space", Type::Int),
    ("archive_tier", Type::Int),
    ("capacity_tier", Type::Int),
    ("performance_tier", Type::Int),
    ("server_backups", Type::Int),
    ("workstation_backups", Type::Int),
    ("vm_backups", Type::Int),
];

const INSERT: BulkStatement = BulkStatement {
    name: "store::cloud::INSERT_RESOURCES",
    fixed: &[("epoch", Type::Int), ("instant", Type::Int)],
    columns: COLUMNS,
    text: "INSERT INTO tenant_backup_resources (uid, tenant_uid, key, repository_uid, name, name_folded, storage_quota, \
        servers_unlimited, workstations_unlimited, vms_unlimited, wan_enabled, wan_accelerator_uid, is_default, used_space, \
        archive_tier, capacity_tier, performance_tier, server_backups, workstation_backups, vm_backups, sync, created_at, \
        changed_at, epoch) \
        SELECT uid, tenant_uid, key, repository_uid, name, name_folded, storage_quota, TRUE, TRUE, TRUE, wan_enabled, \
        wan_accelerator_uid, FALSE, used_space, archive_tier, capacity_tier, performance_tier, server_backups, \
        workstation_backups, vm_backups, 'Settled', :instant, 0, :epoch FROM input WHERE 1 = 1 ON CONFLICT (uid) DO NOTHING",
};

const NOTE: BulkStatement = BulkStatement {
    name: "store::cloud::NOTE_RESOURCES",
    fixed: &[("epoch", Type::Int)],
    columns: COLUMNS,
    text: "UPDATE tenant_backup_resources SET key = input.key, used_space = input.used_space, \
        archive_tier = input.archive_tier, capacity_tier = input.capacity_tier, performance_tier = input.performance_tier, \
        server_backups = input.server_backups, workstation_backups = input.workstation_backups, \
        vm_backups = input.vm_backups, epoch = :epoch FROM input WHERE tenant_backup_resources.uid = input.uid",
};

const FOLLOW: BulkStatement = BulkStatement {
    name: "store::cloud::FOLLOW_RESOURCES",
    fixed: &[("collected", Type::Int)],
    columns: COLUMNS,
    text: "UPDATE tenant_backup_resources SET repository_uid = input.repository_uid, name = input.name, \
        name_folded = input.name_folded, storage_quota = input.storage_quota, wan_enabled = input.wan_enabled, \
        wan_accelerator_uid = input.wan_accelerator_uid, \
        sync = CASE WHEN sync = 'CreationFailed' THEN 'Settled' ELSE sync END, \
        sync_message = CASE WHEN sync = 'CreationFailed' THEN NULL ELSE sync_message END \
        FROM input WHERE tenant_backup_resources.uid = input.uid AND changed_at <= :collected \
        AND sync IN ('Settled', 'CreationFailed', 'UpdateFailed', 'DeletionFailed')",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_RESOURCES",
    fixed: &[],
    columns: &[("tenant_uid", Type::Uuid), ("key", Type::Text)],
    text: "DELETE FROM tenant_backup_resources WHERE (tenant_uid, key) IN (SELECT tenant_uid, key FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[RESOLVE, INSERT, NOTE, FOLLOW, DROP];

/// Those facts whose tenant is known, with the tenant.
pub(super) fn placed<'f, F>(tenants: &Tenants, facts: &'f [F], tenant: fn(&F) -> &str) -> Vec<(Uuid, &'f F)> {
    facts.iter().filter_map(|fact| Some((*tenants.get(tenant(fact))?, fact))).collect()
}

impl Report {
    pub(super) async fn put_resources(
        &self,
        tx: &mut Tx,
        clock: &dyn Clock,
        tenants: &Tenants,
        facts: &[BackupResourceFact],
    ) -> Result<usize, StoreError> {
        let rows = placed(tenants, facts, |fact| &fact.tenant);
        let uids = resolve(tx, &rows).await?;
        let columns = columns!(rows, row => {
            Uuid uids.get(&(row.0, row.1.key.clone())).copied()
                .unwrap_or_else(|| self.ids.own("resource", &format!("{}\0{}", row.1.tenant, row.1.key))),
            Uuid row.0,
            Text row.1.key.clone(),
            Uuid self.ids.part("repository", &row.1.repository),
            Text row.1.name.clone(),
            Text row.1.name.to_lowercase(),
            Int row.1.storage_quota,
            Flag row.1.wan_accelerator.is_some(),
            MaybeUuid row.1.wan_accelerator.as_deref().map(|key| self.ids.part("accelerator", key)),
            Int row.1.used_space,
            MaybeInt row.1.archive_tier,
            MaybeInt row.1.capacity_tier,
            MaybeInt row.1.performance_tier,
            Int row.1.server_backups,
            Int row.1.workstation_backups,
            Int row.1.vm_backups,
        });
        let epoch = Value::Integer(self.epoch);
        INSERT.execute(tx, &[epoch.clone(), Value::Integer(clock.now_ms())], &columns).await?;
        NOTE.execute(tx, &[epoch], &columns).await?;
        FOLLOW.execute(tx, &[Value::Integer(self.collected_at)], &columns).await?;
        Ok(facts.len() - rows.len())
    }

    pub(super) async fn drop_resources(
        &self,
        tx: &mut Tx,
        tenants: &Tenants,
        gone: &[(String, String)],
    ) -> Result<(), StoreError> {
        let rows = placed(tenants, gone, |(tenant, _)| tenant);
        let columns = columns!(rows, row => { Uuid row.0, Text row.1.1.clone() });
        DROP.execute(tx, &[], &columns).await?;
        Ok(())
    }
}

type Row<'f> = (Uuid, &'f BackupResourceFact);

async fn resolve(tx: &mut Tx, rows: &[Row<'_>]) -> Result<HashMap<(Uuid, String), Uuid>, StoreError> {
    let columns = columns!(rows, row => {
        Uuid row.0,
        Text row.1.key.clone(),
        Text row.1.name.to_lowercase(),
    });
    let mut known: Vec<(Uuid, String, Uuid, i64)> = RESOLVE.fetch(tx, &[], &columns).await?;
    known.sort_unstable_by_key(|(.., known)| *known);
    Ok(known.into_iter().map(|(tenant, key, uid, _)| ((tenant, key), uid)).collect())
}
