//! Commands to the agent on a site's server. Each carries the whole of what is wanted in the server's own keys, so that doing it
//! twice, or after another one was lost, ends in the same state.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::Change;
use crate::api::error::ApiError;
use crate::clock::DAY;
use crate::id::{AgentUid, CloudTenantUid, CommandUid, TenantBackupResourceUid};
use crate::instant;
use crate::model::{CommandKind, NewCommand, Scope};
use crate::store::list::{Condition, Resource};
use crate::store::{BackupResource, CloudTenant, StoreError, Tx};

/// How long an agent that is away has time to come back.
const PATIENCE: i64 = DAY;

/// What an agent is to do.
pub(super) struct Order {
    /// Who.
    pub(super) agent: AgentUid,
    /// What.
    pub(super) kind: CommandKind,
    /// What it is about: the site, or the tenant, also for a tenant's shares, so that a share follows its tenant.
    pub(super) subject: Uuid,
    /// For people.
    pub(super) description: String,
    /// What the agent needs to know.
    pub(super) payload: Value,
    /// A password; never in the payload.
    pub(super) secret: Option<String>,
}

/// Puts an order into the outbox, in the change's own transaction.
pub(super) async fn put(change: &Change, tx: &mut Tx, order: Order) -> Result<(), ApiError> {
    let state = &change.ask.state;
    let uid = CommandUid::new(state.clock());
    let seal = |password: String| {
        let secret = json!({"password": password}).to_string();
        state.seal().seal(&NewCommand::purpose(uid), secret.as_bytes()).map_err(ApiError::internal)
    };
    let command = NewCommand {
        uid,
        agent: order.agent,
        kind: order.kind,
        description: order.description,
        subject: Some(order.subject),
        payload: order.payload,
        sealed: order.secret.map(seal).transpose()?,
        key: None,
        deadline: state.clock().now_ms() + PATIENCE,
        user: Some(change.ask.caller.uid),
        operation: change.ask.operation.id.to_owned(),
    };
    tx.commands().put(state.clock(), &command).await?;
    Ok(())
}

/// A tenant that this transaction has written.
pub(super) async fn written_tenant(tx: &mut Tx, uid: CloudTenantUid) -> Result<CloudTenant, ApiError> {
    let tenant = tx.cloud().tenant(uid).await?;
    tenant.ok_or_else(|| ApiError::internal("a tenant vanished in its own transaction"))
}

/// A share that this transaction has written.
pub(super) async fn written_resource(
    tx: &mut Tx,
    uid: TenantBackupResourceUid,
) -> Result<BackupResource, ApiError> {
    let resource = tx.cloud().resource(uid).await?;
    resource.ok_or_else(|| ApiError::internal("a share vanished in its own transaction"))
}

/// How the agent finds the tenant: by the server's key, or by the name that the server has or will have by then.
pub(super) fn tenant_reference(tenant: &CloudTenant, known_as: &str) -> Value {
    json!({"tenantUid": tenant.uid, "tenantKey": tenant.key, "tenantName": known_as})
}

/// A tenant's settings, all of them.
pub(super) async fn tenant_payload(
    tx: &mut Tx,
    tenant: &CloudTenant,
    known_as: &str,
) -> Result<Value, StoreError> {
    let mut pools = Vec::new();
    for pool in tenant.gateway_pools() {
        pools.extend(tx.cloud().pool_key(pool, tenant.site_uid).await?);
    }
    let lease = tenant.lease_expires_at.filter(|_| tenant.lease_enabled).map(instant::format);
    let throttling = tenant
        .throttling_enabled
        .then(|| json!({"value": tenant.throttling_value, "unit": tenant.throttling_unit}));
    let mut payload = tenant_reference(tenant, known_as);
    let settings = json!({
        "type": tenant.kind,
        "vCloudOrganizationUid": tenant.vcd_organization_uid,
        "userName": tenant.user_name,
        "description": tenant.description,
        "isEnabled": tenant.enabled,
        "leaseExpirationDate": lease,
        "throttling": throttling,
        "maxConcurrentTask": tenant.max_concurrent_tasks,
        "backupProtectionPeriod": tenant.protection_days.filter(|_| tenant.protection_enabled),
        "gatewaySelectionType": tenant.gateway_selection,
        "gatewayPools": pools,
        "isGatewayFailoverEnabled": tenant.gateway_failover,
        "isNativeReplicationResourcesEnabled": tenant.native_replication,
        "isVcdReplicationResourcesEnabled": tenant.vcd_replication,
    });
    if let Some(members) = payload.as_object_mut() {
        members.insert("settings".to_owned(), settings);
    }
    Ok(payload)
}

/// A share's settings, all that the server knows of: it does not count machines.
pub(super) async fn resource_payload(
    tx: &mut Tx,
    tenant: &CloudTenant,
    resource: &BackupResource,
    known_as: &str,
) -> Result<Value, StoreError> {
    let repository = tx.cloud().repository(resource.repository_uid, tenant.site_uid).await?;
    let accelerator = match resource.wan_accelerator_uid {
        Some(uid) => tx.cloud().accelerator_key(uid, tenant.site_uid).await?,
        None => None,
    };
    let mut payload = tenant_reference(tenant, &tenant.user_name);
    let own = json!({
        "resourceUid": resource.uid,
        "resourceKey": resource.key,
        "resourceName": known_as,
        "settings": {
            "cloudRepositoryName": resource.name,
            "repository": repository.map(|repository| repository.key),
            "storageQuota": resource.storage_quota,
            "wanAccelerator": accelerator,
        },
    });
    if let (Some(members), Value::Object(own)) = (payload.as_object_mut(), own) {
        members.extend(own);
    }
    Ok(payload)
}

/// An object as the activity log keeps it: without what proves a password.
pub(super) async fn document(tx: &mut Tx, resource: &Resource, uid: Uuid) -> Result<Value, ApiError> {
    let all = Condition::All(Vec::new());
    let found = tx.find(resource, &Scope::Provider, &all, uid, &resource.shown()).await?;
    let mut document = found.map(|found| found.value()).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.remove("hashedPassword");
    }
    Ok(document)
}
