//! Backups that tenants keep on a site.

use super::facts::CloudBackupFact;
use super::ingest::{Report, Tenants};
use super::resources::placed;
use crate::store::bulk::{BulkStatement, Column, Type, columns};
use crate::store::list::Value;
use crate::store::{StoreError, Tx};

const PUT: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_BACKUPS",
    fixed: &[("site", Type::Uuid), ("epoch", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("tenant_uid", Type::Uuid),
        ("subtenant_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("kind", Type::Text),
        ("repository_uid", Type::Uuid),
        ("object_uid", Type::Uuid),
        ("job_uid", Type::Uuid),
        ("installation_uid", Type::Uuid),
        ("restore_points", Type::Int),
    ],
    text: "INSERT INTO cloud_backups (uid, site_uid, tenant_uid, subtenant_uid, key, name, name_folded, kind, repository_uid, \
        object_uid, job_uid, installation_uid, restore_points, epoch) \
        SELECT uid, :site, tenant_uid, subtenant_uid, key, name, name_folded, kind, repository_uid, object_uid, job_uid, \
        installation_uid, restore_points, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET tenant_uid = excluded.tenant_uid, subtenant_uid = excluded.subtenant_uid, \
        name = excluded.name, name_folded = excluded.name_folded, kind = excluded.kind, \
        repository_uid = excluded.repository_uid, object_uid = excluded.object_uid, job_uid = excluded.job_uid, \
        installation_uid = excluded.installation_uid, restore_points = excluded.restore_points, epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_BACKUPS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_backups WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP];

impl Report {
    pub(super) async fn put_backups(
        &self,
        tx: &mut Tx,
        tenants: &Tenants,
        facts: &[CloudBackupFact],
    ) -> Result<usize, StoreError> {
        let rows = placed(tenants, facts, |fact| &fact.tenant);
        let columns = columns!(rows, row => {
            Uuid self.ids.own("backup", &row.1.key),
            Uuid row.0,
            MaybeUuid row.1.subtenant.as_deref().map(|key| self.ids.own("subtenant", key)),
            Text row.1.key.clone(),
            Text row.1.name.clone(),
            Text row.1.name.to_lowercase(),
            Text row.1.kind.clone(),
            Uuid self.ids.part("repository", &row.1.repository),
            Uuid self.ids.own("object", &row.1.object),
            MaybeUuid row.1.job.as_deref().map(|key| self.ids.own("job", key)),
            MaybeUuid row.1.installation,
            Int row.1.restore_points,
        });
        PUT.execute(tx, &self.fixed(), &columns).await?;
        Ok(facts.len() - rows.len())
    }

    pub(super) async fn drop_backups(&self, tx: &mut Tx, keys: &[String]) -> Result<(), StoreError> {
        DROP.execute(tx, &[Value::Uuid(self.ids.site.0)], &[Column::Text(keys.to_vec())]).await?;
        Ok(())
    }
}
