//! A tenant's shares of repositories: `…/tenants/{tenantUid}/backupResources`.

use axum::response::Response;
use serde_json::Value;

use super::limits;
use super::orders::{self, Order};
use super::resource_input::Share;
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::{CloudTenantUid, TenantBackupResourceUid};
use crate::model::CommandKind;
use crate::store::{BackupResource, CLOUD_TENANTS, CloudTenant, TENANT_BACKUP_RESOURCES, Tx};

/// What the server knows of a share; the rest is counted here.
const OF_SERVER: [&str; 4] =
    ["cloudRepositoryName", "storageQuota", "isWanAccelerationEnabled", "wanAcceleratorUid"];

/// Gives a tenant a share of a repository of its site.
pub(super) async fn create(mut change: Change, Input(body): Input<Value>) -> Result<Rendered, ApiError> {
    let share = Share::new(body)?;
    share.check()?;
    share.check_sent(|_| true)?;
    let mut tx = change.begin().await?;
    let tenant = hold(&change, &mut tx).await?;
    let uid = TenantBackupResourceUid::new(change.ask.state.clock());
    let limits = limits::of(&mut tx, tenant.reseller_uid).await?;
    limits::must_have_cloud_connect(&change, limits.as_ref(), true)?;
    limits::check_share(limits.as_ref(), &share)?;
    share.check_site(&mut tx, tenant.site_uid).await?;
    share.check_name(&mut tx, tenant.uid, uid).await?;
    let new = share.into_new(uid, tenant.uid);
    tx.cloud().create_resource(change.ask.state.clock(), &new).await?;
    order(&change, &mut tx, &tenant, uid, (CommandKind::BackupResourceCreate, &new.name)).await?;
    let made = orders::document(&mut tx, &TENANT_BACKUP_RESOURCES, uid.0).await?;
    change.note(&object(&tenant, uid, &new.name), None, Some(&made));
    change.commit(tx).await?;
    change.reply(&TENANT_BACKUP_RESOURCES, uid.0).await
}

/// Changes a share.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = TenantBackupResourceUid(change.ask.uid("resourceUid")?);
    let mut tx = change.begin().await?;
    let tenant = hold(&change, &mut tx).await?;
    let before = share_of(&mut tx, &tenant, uid).await?;
    if !before.is_on_server() {
        return Err(ApiError::conflict(format!(
            "the site's server could not make the cloud repository \"{}\"; delete it, and create it anew",
            before.name
        )));
    }
    let patched = change.patched(&mut tx, &TENANT_BACKUP_RESOURCES, uid.0, &steps, &[]).await?;
    let share = Share::new(patched.after.clone())?;
    check(&change, &mut tx, (&tenant, uid), &patched, &share).await?;
    change.write(&mut tx, uid.0, &patched, &before.name, tenant.owner_uid).await?;
    tx.cloud().settle_resource(tenant.uid, uid, share.is_default).await?;
    if OF_SERVER.iter().any(|name| patched.changed(name).is_some()) {
        tx.cloud().resource_wanted(change.ask.state.clock(), uid).await?;
        order(&change, &mut tx, &tenant, uid, (CommandKind::BackupResourceEdit, &before.name)).await?;
    }
    change.commit(tx).await?;
    change.reply(&TENANT_BACKUP_RESOURCES, uid.0).await
}

/// Takes a share away. If the server cannot, it comes back.
pub(super) async fn delete(mut change: Change) -> Result<Response, ApiError> {
    let uid = TenantBackupResourceUid(change.ask.uid("resourceUid")?);
    let mut tx = change.begin().await?;
    let tenant = hold(&change, &mut tx).await?;
    let resource = share_of(&mut tx, &tenant, uid).await?;
    let parts = tx.subtenants().count(uid.0).await?;
    if parts > 0 {
        return Err(ApiError::conflict(format!(
            "{parts} of the company's users have a part of the cloud repository \"{}\"; delete those subtenants first",
            resource.name
        )));
    }
    let before = orders::document(&mut tx, &TENANT_BACKUP_RESOURCES, uid.0).await?;
    if resource.is_on_server() {
        tx.cloud().resource_deleting(change.ask.state.clock(), uid).await?;
        order(&change, &mut tx, &tenant, uid, (CommandKind::BackupResourceDelete, &resource.name)).await?;
    } else {
        tx.cloud().forget_resource(uid).await?;
    }
    change.note(&object(&tenant, uid, &resource.name), Some(&before), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// The tenant of the path, kept for this transaction. One that its server could not make has no shares to manage.
async fn hold(change: &Change, tx: &mut Tx) -> Result<CloudTenant, ApiError> {
    let uid = CloudTenantUid(change.ask.uid("tenantUid")?);
    change.ask.must_see(tx, &CLOUD_TENANTS, uid.0).await?;
    let tenant = tx.cloud().hold_tenant(uid).await?;
    let tenant = tenant.ok_or_else(|| ApiError::absent(CLOUD_TENANTS.name, uid))?;
    if !tenant.is_on_server() {
        return Err(ApiError::conflict(format!(
            "the site's server could not make the tenant \"{}\"; delete it, and create it anew",
            tenant.name
        )));
    }
    Ok(tenant)
}

/// The share of the path, if it is the tenant's.
async fn share_of(
    tx: &mut Tx,
    tenant: &CloudTenant,
    uid: TenantBackupResourceUid,
) -> Result<BackupResource, ApiError> {
    let found = tx.cloud().resource(uid).await?;
    found
        .filter(|resource| resource.tenant_uid == tenant.uid && resource.deleted_at.is_none())
        .ok_or_else(|| ApiError::absent(TENANT_BACKUP_RESOURCES.name, uid))
}

async fn check(
    change: &Change,
    tx: &mut Tx,
    (tenant, uid): (&CloudTenant, TenantBackupResourceUid),
    patched: &Patched,
    share: &Share,
) -> Result<(), ApiError> {
    share.check()?;
    share.check_sent(|name| patched.changed(name).is_some())?;
    let limits = limits::of(tx, tenant.reseller_uid).await?;
    limits::must_have_cloud_connect(change, limits.as_ref(), false)?;
    if patched.changed("isWanAccelerationEnabled").is_some() {
        limits::check_share(limits.as_ref(), share)?;
    }
    if OF_SERVER.iter().any(|name| patched.changed(name).is_some()) {
        share.check_site(tx, tenant.site_uid).await?;
    }
    if patched.changed("cloudRepositoryName").is_some() {
        share.check_name(tx, tenant.uid, uid).await?;
    }
    Ok(())
}

fn object<'o>(tenant: &CloudTenant, uid: TenantBackupResourceUid, name: &'o str) -> Object<'o> {
    Object { kind: TENANT_BACKUP_RESOURCES.name, uid: uid.0, name, organization: tenant.owner_uid }
}

/// `known_as`: the name that the server has, or will have by then.
async fn order(
    change: &Change,
    tx: &mut Tx,
    tenant: &CloudTenant,
    uid: TenantBackupResourceUid,
    (kind, known_as): (CommandKind, &str),
) -> Result<(), ApiError> {
    let resource = orders::written_resource(tx, uid).await?;
    let verb = match kind {
        CommandKind::BackupResourceCreate => "create",
        CommandKind::BackupResourceDelete => "delete",
        _ => "change",
    };
    let order = Order {
        agent: tenant.agent_uid,
        kind,
        subject: tenant.uid.0,
        description: format!(
            "{verb} the cloud repository \"{known_as}\" of the tenant \"{}\"",
            tenant.user_name
        ),
        payload: orders::resource_payload(tx, tenant, &resource, known_as).await?,
        secret: None,
    };
    orders::put(change, tx, order).await
}
