//! `DELETE /infrastructure/sites/tenants/{tenantUid}`.

use axum::response::Response;
use serde_json::{Value, json};

use super::orders::{self, Order};
use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::CloudTenantUid;
use crate::model::CommandKind;
use crate::store::{CLOUD_TENANTS, CloudTenant, Tx};

/// Hides a tenant, and has its server remove it. If the server cannot, it comes back.
pub(super) async fn delete(mut change: Change) -> Result<Response, ApiError> {
    let uid = CloudTenantUid(change.ask.uid("tenantUid")?);
    let backups_too = change.ask.flag_parameter("deleteBackups")?.ok_or_else(|| {
        let message =
            "deleteBackups is missing: say whether the tenant's backups go too (true) or stay (false)";
        ApiError::parameter("deleteBackups", message)
    })?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    let tenant = tx.cloud().hold_tenant(uid).await?;
    let tenant = tenant.ok_or_else(|| ApiError::absent(CLOUD_TENANTS.name, uid))?;
    let before = orders::document(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    if tenant.is_on_server() {
        tx.cloud().tenant_deleting(change.ask.state.clock(), uid).await?;
        order(&change, &mut tx, &tenant, backups_too).await?;
    } else {
        tx.cloud().forget_tenant(uid).await?;
    }
    tx.cloud().relink(tenant.site_uid).await?;
    let object =
        Object { kind: CLOUD_TENANTS.name, uid: uid.0, name: &tenant.name, organization: tenant.owner_uid };
    change.note(&object, Some(&with(before, "deleteBackups", backups_too)), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

async fn order(
    change: &Change,
    tx: &mut Tx,
    tenant: &CloudTenant,
    backups_too: bool,
) -> Result<(), ApiError> {
    let rest = if backups_too { "with its backups" } else { "and keep its backups" };
    let payload = orders::tenant_reference(tenant, &tenant.user_name);
    let order = Order {
        agent: tenant.agent_uid,
        kind: CommandKind::TenantDelete,
        subject: tenant.uid.0,
        description: format!("delete the tenant \"{}\" {rest}", tenant.user_name),
        payload: with(payload, "deleteBackups", backups_too),
        secret: None,
    };
    orders::put(change, tx, order).await
}

fn with(mut object: Value, name: &str, value: bool) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), json!(value));
    }
    object
}
