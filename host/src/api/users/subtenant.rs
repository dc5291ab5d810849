//! A subtenant has a part of one of their company's shares on a Cloud Connect server, with an account of their own there. What the
//! server must do for that is a command to the agent beside it, in the transaction of the change: also when the password or the
//! status changes, when the role is taken from the user, and when the user or their company goes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::Change;
use crate::api::error::ApiError;
use crate::clock::DAY;
use crate::id::{CommandUid, CompanyUid};
use crate::model::{BackupResource, CommandKind, NewCommand, Role, User};
use crate::store::{TenantShare, Tx};

/// How long an agent that is away has time to come back.
const PATIENCE: i64 = DAY;

/// Whether a user of this role can have this; what is wrong with it is named.
pub(super) fn check(role: Role, resource: Option<&BackupResource>) -> Result<(), ApiError> {
    match resource {
        Some(_) if role != Role::SubTenant => Err(ApiError::property(
            "backupResource",
            "backupResource is for users of the role CompanySubtenant only",
        )),
        Some(resource) if !resource.is_storage_quota_unlimited && resource.storage_quota.is_none() => {
            let message = "backupResource.storageQuota is missing, and isStorageQuotaUnlimited is false";
            Err(ApiError::property("backupResource.storageQuota", message))
        }
        _ => Ok(()),
    }
}

/// Gives a subtenant their part, here and on the server.
pub(super) async fn give(
    change: &Change,
    tx: &mut Tx,
    user: &User,
    resource: &BackupResource,
    password: Option<String>,
) -> Result<(), ApiError> {
    const NAME: &str = "backupResource.tenantBackupResourceUid";
    let share = tx.accounts().share(resource.tenant_backup_resource_uid).await?;
    let share = share.filter(|share| share.company_uid == Some(user.organization_uid)).ok_or_else(|| {
        ApiError::property(NAME, format!("{NAME} names no backup resource of the user's company"))
    })?;
    if resource.site_uid.is_some_and(|site| site != share.site_uid) {
        let message = "backupResource.siteUid is not the site of the backup resource";
        return Err(ApiError::property("backupResource.siteUid", message));
    }
    tx.accounts().add_resource(change.ask.state.clock(), user.uid, resource).await?;
    let own = json!({
        "userName": user.name,
        "resourceName": resource.resource_friendly_name,
        "description": resource.description,
        "storageQuota": resource.quota(),
        "vcdUserId": resource.vcd_user_id,
    });
    order(change, tx, user, &share, (CommandKind::SubtenantCreate, own, password)).await
}

/// Takes a subtenant away from the server too, if they had a part of a share there.
pub(super) async fn take(change: &Change, tx: &mut Tx, user: &User) -> Result<(), ApiError> {
    let Some(uid) = tx.accounts().share_of(user.uid).await? else { return Ok(()) };
    if let Some(share) = tx.accounts().share(uid).await? {
        let own = json!({"userName": user.name});
        order(change, tx, user, &share, (CommandKind::SubtenantDelete, own, None)).await?;
    }
    Ok(tx.subtenants().drop_part(user.uid).await?)
}

/// Takes all subtenants of a company that goes.
pub(crate) async fn take_all(change: &Change, tx: &mut Tx, company: CompanyUid) -> Result<(), ApiError> {
    for user in tx.subtenants().of_company(company).await? {
        take(change, tx, &user).await?;
    }
    Ok(())
}

/// After a subtenant was let in or kept out, or got another password.
pub(super) async fn edit(
    change: &Change,
    tx: &mut Tx,
    user: &User,
    (enabled, password): (bool, Option<String>),
) -> Result<(), ApiError> {
    let Some(part) = tx.subtenants().part(user.uid).await? else { return Ok(()) };
    let Some(share) = tx.accounts().share(part.resource_uid).await? else { return Ok(()) };
    let own = json!({
        "userName": user.name,
        "isEnabled": enabled,
        "resourceName": part.name,
        "description": part.description,
        "storageQuota": part.storage_quota,
        "vcdUserId": part.vcd_user_id,
    });
    order(change, tx, user, &share, (CommandKind::SubtenantEdit, own, password)).await
}

async fn order(
    change: &Change,
    tx: &mut Tx,
    user: &User,
    share: &TenantShare,
    (kind, subtenant, secret): (CommandKind, Value, Option<String>),
) -> Result<(), ApiError> {
    let (ask, clock) = (&change.ask, change.ask.state.clock());
    let uid = CommandUid::new(clock);
    let seal = |password: String| {
        let secret = json!({"password": password}).to_string();
        ask.state.seal().seal(&NewCommand::purpose(uid), secret.as_bytes()).map_err(ApiError::internal)
    };
    let verb = match kind {
        CommandKind::SubtenantCreate => "create",
        CommandKind::SubtenantDelete => "delete",
        _ => "change",
    };
    let command = NewCommand {
        uid,
        agent: share.agent_uid,
        kind,
        description: format!(
            "{verb} the subtenant \"{}\" of the tenant \"{}\"",
            user.name, share.tenant_name
        ),
        // After what is done to the tenant itself.
        subject: Some(share.tenant_uid),
        payload: payload(share, user.uid.0, &subtenant),
        sealed: secret.map(seal).transpose()?,
        key: None,
        deadline: clock.now_ms() + PATIENCE,
        user: Some(ask.caller.uid),
        operation: ask.operation.id.to_owned(),
    };
    tx.commands().put(clock, &command).await?;
    Ok(())
}

fn payload(share: &TenantShare, user: Uuid, subtenant: &Value) -> Value {
    json!({
        "tenantUid": share.tenant_uid,
        "tenantKey": share.tenant_key,
        "tenantName": share.tenant_name,
        "resourceKey": share.resource_key,
        "resourceName": share.resource_name,
        "subtenantUid": user,
        "subtenant": subtenant,
    })
}
