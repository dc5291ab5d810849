//! Tenants' shares of repositories, as people manage them.

use uuid::Uuid;

use super::Cloud;
use crate::clock::Clock;
use crate::id::{CloudTenantUid, TenantBackupResourceUid};
use crate::model::Sync;
use crate::store::{StoreError, on, statements};

statements! {
    INSERT = "INSERT INTO tenant_backup_resources (uid, tenant_uid, repository_uid, name, name_folded, storage_quota, \
        servers_quota, servers_unlimited, workstations_quota, workstations_unlimited, vms_quota, vms_unlimited, wan_enabled, \
        wan_accelerator_uid, is_default, used_space, server_backups, workstation_backups, vm_backups, sync, created_at, \
        changed_at, epoch) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 0, 0, 0, 'Creating', $16, $16, 0)";
    GET = "SELECT uid, tenant_uid, key, repository_uid, name, storage_quota, wan_accelerator_uid, is_default, sync, deleted_at \
        FROM tenant_backup_resources WHERE uid = $1";
    NAMED = "SELECT uid, deleted_at FROM tenant_backup_resources WHERE tenant_uid = $1 AND name_folded = $2 AND uid <> $3 LIMIT 1";
    NO_DEFAULT = "UPDATE tenant_backup_resources SET is_default = $3 WHERE tenant_uid = $1 AND uid <> $2";
    // What is unlimited has no number, and what has no accelerator names none.
    TIDY = "UPDATE tenant_backup_resources SET servers_quota = CASE WHEN servers_unlimited THEN NULL ELSE servers_quota END, \
        workstations_quota = CASE WHEN workstations_unlimited THEN NULL ELSE workstations_quota END, \
        vms_quota = CASE WHEN vms_unlimited THEN NULL ELSE vms_quota END, \
        wan_accelerator_uid = CASE WHEN wan_enabled THEN wan_accelerator_uid ELSE NULL END WHERE uid = $1";
    WANTED = "UPDATE tenant_backup_resources SET sync = CASE WHEN sync = 'Creating' THEN sync ELSE 'Updating' END, \
        sync_message = NULL, changed_at = $2 WHERE uid = $1";
    DELETING = "UPDATE tenant_backup_resources SET sync = 'Deleting', sync_message = NULL, deleted_at = $2, changed_at = $2 \
        WHERE uid = $1";
    DELETE = "DELETE FROM tenant_backup_resources WHERE uid = $1";
}

/// A share to be made.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own switches")]
pub struct NewBackupResource {
    /// Its id.
    pub uid: TenantBackupResourceUid,
    /// Whose.
    pub tenant: CloudTenantUid,
    /// Of what.
    pub repository: Uuid,
    /// For people.
    pub name: String,
    /// Bytes.
    pub storage_quota: i64,
    /// How many servers.
    pub servers_quota: Option<i64>,
    /// As many as they like.
    pub servers_unlimited: bool,
    /// How many workstations.
    pub workstations_quota: Option<i64>,
    /// As many as they like.
    pub workstations_unlimited: bool,
    /// How many virtual machines.
    pub vms_quota: Option<i64>,
    /// As many as they like.
    pub vms_unlimited: bool,
    /// Whether an accelerator serves it.
    pub wan_enabled: bool,
    /// Which.
    pub wan_accelerator: Option<Uuid>,
    /// Whether policies take it when they name none.
    pub is_default: bool,
}

/// A share.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BackupResource {
    /// Its id.
    pub uid: TenantBackupResourceUid,
    /// Whose.
    pub tenant_uid: CloudTenantUid,
    /// The server's own id; absent until the server told it.
    pub key: Option<String>,
    /// Of what.
    pub repository_uid: Uuid,
    /// For people.
    pub name: String,
    /// Bytes.
    pub storage_quota: i64,
    /// Its accelerator.
    pub wan_accelerator_uid: Option<Uuid>,
    /// Whether policies take it when they name none.
    pub is_default: bool,
    /// A [`Sync`], as stored.
    pub sync: String,
    /// Its deletion was asked for.
    pub deleted_at: Option<i64>,
}

impl BackupResource {
    /// Whether the server has it, or will have.
    pub fn is_on_server(&self) -> bool {
        self.sync != Sync::CreationFailed.name()
    }
}

impl Cloud<'_> {
    /// Makes a share that the server is still to make.
    pub async fn create_resource(
        &mut self,
        clock: &dyn Clock,
        new: &NewBackupResource,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(INSERT)
            .bind(new.uid)
            .bind(new.tenant)
            .bind(new.repository)
            .bind(&new.name)
            .bind(new.name.to_lowercase())
            .bind(new.storage_quota)
            .bind(new.servers_quota)
            .bind(new.servers_unlimited)
            .bind(new.workstations_quota)
            .bind(new.workstations_unlimited)
            .bind(new.vms_quota)
            .bind(new.vms_unlimited)
            .bind(new.wan_enabled)
            .bind(new.wan_accelerator)
            .bind(new.is_default)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        self.settle_resource(new.tenant, new.uid, new.is_default).await
    }

    /// A share, in whatever state.
    pub async fn resource(
        &mut self,
        uid: TenantBackupResourceUid,
    ) -> Result<Option<BackupResource>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Another share of this name of the same tenant, and whether it is being deleted.
    pub async fn resource_named(
        &mut self,
        tenant: CloudTenantUid,
        name: &str,
        other_than: TenantBackupResourceUid,
    ) -> Result<Option<(Uuid, Option<i64>)>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(NAMED)
            .bind(tenant)
            .bind(name.to_lowercase())
            .bind(other_than)
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// After a share was written: its numbers fit its switches, and if it is the default no other one is.
    pub async fn settle_resource(
        &mut self,
        tenant: CloudTenantUid,
        uid: TenantBackupResourceUid,
        is_default: bool,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(TIDY).bind(uid).execute(db).await?.rows_affected());
        if is_default {
            on!(self.0, db => sqlx::query(NO_DEFAULT)
                .bind(tenant)
                .bind(uid)
                .bind(false)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }

    /// Something else is wanted of it than the server has.
    pub async fn resource_wanted(
        &mut self,
        clock: &dyn Clock,
        uid: TenantBackupResourceUid,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(WANTED).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// It is to be removed: nobody sees it any more, unless the server keeps it.
    pub async fn resource_deleting(
        &mut self,
        clock: &dyn Clock,
        uid: TenantBackupResourceUid,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETING).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Forgets a share that the server never made.
    pub async fn forget_resource(&mut self, uid: TenantBackupResourceUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
