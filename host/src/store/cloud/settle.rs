//! What the end of a command means for what it was about.

use uuid::Uuid;

use super::mapping::relink;
use crate::clock::Clock;
use crate::id::CloudTenantUid;
use crate::model::{Command, CommandKind, CommandState, Sync};
use crate::store::{StoreError, Tx, on, statements};

statements! {
    TENANT_DONE = "UPDATE cloud_tenants SET key = COALESCE(key, $3), changed_at = $4, sync = COALESCE($2, sync), \
        sync_message = NULL WHERE uid = $1";
    // What is to be deleted stays so, whatever became of what was asked before: only the deletion's own failure brings it back.
    TENANT_FAILED = "UPDATE cloud_tenants SET sync = $2, sync_message = $3 WHERE uid = $1 AND deleted_at IS NULL";
    TENANT_BACK = "UPDATE cloud_tenants SET sync = $2, sync_message = $3, deleted_at = NULL WHERE uid = $1";
    TENANT_GONE = "DELETE FROM cloud_tenants WHERE uid = $1";
    RESOURCE_DONE = "UPDATE tenant_backup_resources SET key = COALESCE(key, $3), changed_at = $4, \
        sync = COALESCE($2, sync), sync_message = NULL WHERE uid = $1";
    RESOURCE_FAILED = "UPDATE tenant_backup_resources SET sync = $2, sync_message = $3 WHERE uid = $1 AND deleted_at IS NULL";
    RESOURCE_BACK = "UPDATE tenant_backup_resources SET sync = $2, sync_message = $3, deleted_at = NULL WHERE uid = $1";
    RESOURCE_GONE = "DELETE FROM tenant_backup_resources WHERE uid = $1";
    MAINTENANCE_BACK = "UPDATE sites SET maintenance_mode = $2 WHERE uid = $1";
    TENANT_MANAGEMENT_BACK = "UPDATE sites SET tenant_management = $2 WHERE uid = $1";
}

/// What was changed, and how its row is told.
struct Settled {
    done: &'static str,
    failed: &'static str,
    back: &'static str,
    gone: &'static str,
    uid: Uuid,
}

/// Settles the row that a command was about, now that the command is over.
pub(in crate::store) async fn settle(
    tx: &mut Tx,
    clock: &dyn Clock,
    kind: CommandKind,
    command: &Command,
) -> Result<(), StoreError> {
    use CommandKind as K;
    let Some(subject) = command.subject_uid else { return Ok(()) };
    let tenant = Settled {
        done: TENANT_DONE,
        failed: TENANT_FAILED,
        back: TENANT_BACK,
        gone: TENANT_GONE,
        uid: subject,
    };
    match kind {
        K::SiteMaintenance => switch_back(tx, command, subject, MAINTENANCE_BACK).await,
        K::SiteTenantManagement => switch_back(tx, command, subject, TENANT_MANAGEMENT_BACK).await,
        K::TenantCreate => tenant.settle(tx, clock, command, Sync::CreationFailed).await,
        K::TenantEdit | K::TenantEnable | K::TenantDisable => {
            tenant.settle(tx, clock, command, Sync::UpdateFailed).await
        }
        K::TenantDelete => {
            let site = tx.cloud().tenant(CloudTenantUid(subject)).await?.map(|tenant| tenant.site_uid);
            tenant.settle(tx, clock, command, Sync::DeletionFailed).await?;
            match site {
                Some(site) => relink(tx, site).await,
                None => Ok(()),
            }
        }
        K::BackupResourceCreate | K::BackupResourceEdit | K::BackupResourceDelete => {
            let Some(uid) = about(command) else { return Ok(()) };
            let failed = match kind {
                K::BackupResourceCreate => Sync::CreationFailed,
                K::BackupResourceDelete => Sync::DeletionFailed,
                _ => Sync::UpdateFailed,
            };
            let resource = Settled {
                done: RESOURCE_DONE,
                failed: RESOURCE_FAILED,
                back: RESOURCE_BACK,
                gone: RESOURCE_GONE,
                uid,
            };
            resource.settle(tx, clock, command, failed).await
        }
        _ => Ok(()),
    }
}

impl Settled {
    async fn settle(
        self,
        tx: &mut Tx,
        clock: &dyn Clock,
        command: &Command,
        failed: Sync,
    ) -> Result<(), StoreError> {
        if !succeeded(command) {
            let statement = if failed == Sync::DeletionFailed { self.back } else { self.failed };
            on!(tx, db => sqlx::query(statement)
                .bind(self.uid)
                .bind(failed.name())
                .bind(command.message.as_deref().unwrap_or("the server gave no reason"))
                .execute(db)
                .await?
                .rows_affected());
        } else if failed == Sync::DeletionFailed {
            on!(tx, db => sqlx::query(self.gone).bind(self.uid).execute(db).await?.rows_affected());
        } else {
            self.done(tx, clock, command).await?;
        }
        Ok(())
    }

    /// The result of a creation names the server's own key. While another change is under way it is not settled yet.
    async fn done(&self, tx: &mut Tx, clock: &dyn Clock, command: &Command) -> Result<(), StoreError> {
        let key = command.result.as_deref().and_then(|result| said(result, "key"));
        let busy = open(tx, command).await?.iter().any(|other| about(other) == Some(self.uid));
        on!(tx, db => sqlx::query(self.done)
            .bind(self.uid)
            .bind((!busy).then_some(Sync::Settled.name()))
            .bind(key.as_deref())
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}

/// What else is to be done about the same thing.
async fn open(tx: &mut Tx, command: &Command) -> Result<Vec<Command>, StoreError> {
    match command.subject_uid {
        Some(subject) => tx.commands().open_about(subject).await,
        None => Ok(Vec::new()),
    }
}

/// The row that a command is about: commands about a tenant's shares are ordered with those about the tenant, and name the share.
fn about(command: &Command) -> Option<Uuid> {
    match said(&command.payload, "resourceUid") {
        Some(uid) => uid.parse().ok(),
        None => command.subject_uid,
    }
}

fn succeeded(command: &Command) -> bool {
    command.state == CommandState::Succeeded.name()
}

/// A text in a JSON object.
fn said(json: &str, name: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(json).ok()?;
    object.get(name)?.as_str().map(str::to_owned)
}

/// A switch that the server did not turn is where it was.
async fn switch_back(
    tx: &mut Tx,
    command: &Command,
    site: Uuid,
    statement: &'static str,
) -> Result<(), StoreError> {
    if succeeded(command) || open(tx, command).await?.iter().any(|other| other.kind == command.kind) {
        return Ok(());
    }
    let wanted = serde_json::from_str::<serde_json::Value>(&command.payload)
        .ok()
        .and_then(|payload| payload.get("enabled")?.as_bool());
    if let Some(wanted) = wanted {
        on!(tx, db => sqlx::query(statement).bind(site).bind(!wanted).execute(db).await?.rows_affected());
    }
    Ok(())
}
