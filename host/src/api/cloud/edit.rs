//! `PATCH /infrastructure/sites/tenants/{tenantUid}`, `…/enable` and `…/disable`.

use axum::response::Response;
use serde_json::json;

use super::limits::{self, Terms};
use super::orders::{self, Order};
use super::wish::Wish;
use super::{assign, orders::written_tenant};
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::{CloudTenantUid, CompanyUid};
use crate::instant;
use crate::model::{CommandKind, Sync};
use crate::store::{CLOUD_TENANTS, CloudTenant, Tx};

const COMPANY: &str = "assignedForCompany";
const PASSWORD: &str = "credentials.password";

/// Changes a tenant here, and has its server follow.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Response, ApiError> {
    let uid = CloudTenantUid(change.ask.uid("tenantUid")?);
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    let before = hold(&mut tx, uid).await?;
    let patched = change.patched(&mut tx, &CLOUD_TENANTS, uid.0, &steps, &[PASSWORD]).await?;
    let wish = Wish::of_patched(patched.after.clone())?;
    check(&change, &mut tx, &before, &patched, &wish).await?;
    let (password, hash) = password(&change, &wish).await?;
    change.write(&mut tx, uid.0, &patched, &before.name, before.owner_uid).await?;
    if let Some(hash) = &hash {
        tx.cloud().set_tenant_password(uid, hash).await?;
        let object = object(&before);
        change.note(&object, Some(&json!({})), Some(&json!({PASSWORD: "another one"})));
    }
    let warning = remap(&change, &mut tx, &before, &patched).await?;
    if is_for_server(&patched, password.is_some()) {
        order(&change, &mut tx, &before, password).await?;
    }
    change.commit(tx).await?;
    Ok(assign::warned(change.reply(&CLOUD_TENANTS, uid.0).await?, warning))
}

/// The tenant, kept for this transaction. One that its server could not make cannot be changed there.
async fn hold(tx: &mut Tx, uid: CloudTenantUid) -> Result<CloudTenant, ApiError> {
    let tenant = tx.cloud().hold_tenant(uid).await?;
    let tenant = tenant.ok_or_else(|| ApiError::absent(CLOUD_TENANTS.name, uid))?;
    if !tenant.is_on_server() {
        return Err(ApiError::conflict(format!(
            "the site's server could not make the tenant \"{}\" ({}); delete it, and create it anew",
            tenant.name,
            tenant.sync_message.as_deref().unwrap_or("it gave no reason")
        )));
    }
    Ok(tenant)
}

fn object(tenant: &CloudTenant) -> Object<'_> {
    Object { kind: CLOUD_TENANTS.name, uid: tenant.uid.0, name: &tenant.name, organization: tenant.owner_uid }
}

async fn check(
    change: &Change,
    tx: &mut Tx,
    before: &CloudTenant,
    patched: &Patched,
    wish: &Wish,
) -> Result<(), ApiError> {
    let lease_is_new = patched.changed("leaseExpirationDate").is_some()
        || patched.changed("isLeaseExpirationEnabled").is_some();
    wish.check(change.ask.state.clock().now_ms(), lease_is_new)?;
    let limits = limits::of(tx, before.reseller_uid).await?;
    limits::must_have_cloud_connect(change, limits.as_ref(), false)?;
    limits::check(limits.as_ref(), Terms::from(wish), |name| patched.changed(name).is_some())?;
    if patched.changed("gatewaySelectionType").is_some() || patched.changed("gatewayPoolsUids").is_some() {
        wish.check_gateways(tx, before.site_uid).await?;
    }
    if patched.changed("credentials.userName").is_some() {
        tx.cloud().hold_site(before.site_uid).await?;
        wish.check_name(tx, before.site_uid, before.uid).await?;
    }
    Ok(())
}

async fn password(change: &Change, wish: &Wish) -> Result<(Option<String>, Option<String>), ApiError> {
    let Some(password) = wish.credentials.password.clone() else { return Ok((None, None)) };
    let hash = change.ask.state.turnstile().enter().await?.hash(password.clone()).await?;
    Ok((Some(password), Some(hash)))
}

/// The patch wrote the company as a property; here its place on the site and the tenant's owner follow.
async fn remap(
    change: &Change,
    tx: &mut Tx,
    before: &CloudTenant,
    patched: &Patched,
) -> Result<Option<String>, ApiError> {
    let Some(company) = patched.changed(COMPANY) else { return Ok(None) };
    // As it stood: whether another company has it is asked of that.
    tx.cloud().map_tenant(before.uid, before.site_uid, before.company_uid).await?;
    if let Some(company) = company.as_str().and_then(|company| company.parse().ok()) {
        return assign::map(change, tx, before.uid, company).await;
    }
    tx.cloud().map_tenant(before.uid, before.site_uid, None::<CompanyUid>).await?;
    Ok(None)
}

/// Whose a tenant is does not matter to its server.
fn is_for_server(patched: &Patched, password: bool) -> bool {
    let properties = patched.resource.properties.iter().map(|property| property.name);
    password || properties.filter(|name| *name != COMPANY).any(|name| patched.changed(name).is_some())
}

async fn order(
    change: &Change,
    tx: &mut Tx,
    before: &CloudTenant,
    secret: Option<String>,
) -> Result<(), ApiError> {
    tx.cloud().tenant_renamed(before.uid).await?;
    tx.cloud().tenant_wanted(change.ask.state.clock(), before.uid).await?;
    let tenant = written_tenant(tx, before.uid).await?;
    let order = Order {
        agent: tenant.agent_uid,
        kind: CommandKind::TenantEdit,
        subject: tenant.uid.0,
        description: format!("change the tenant \"{}\"", before.user_name),
        payload: orders::tenant_payload(tx, &tenant, &before.user_name).await?,
        secret,
    };
    orders::put(change, tx, order).await
}

/// Lets a tenant in.
pub(super) async fn enable(change: Change) -> Result<Rendered, ApiError> {
    turn(change, true).await
}

/// Keeps a tenant out.
pub(super) async fn disable(change: Change) -> Result<Rendered, ApiError> {
    turn(change, false).await
}

/// One that is as it should be is left alone, unless its server last refused.
async fn turn(mut change: Change, on: bool) -> Result<Rendered, ApiError> {
    let uid = CloudTenantUid(change.ask.uid("tenantUid")?);
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    let tenant = hold(&mut tx, uid).await?;
    if on {
        lease_runs(&tenant, change.ask.state.clock().now_ms())?;
    }
    if tenant.enabled != on || tenant.sync == Sync::UpdateFailed.name() {
        tx.cloud().set_tenant_enabled(uid, on).await?;
        tx.cloud().tenant_wanted(change.ask.state.clock(), uid).await?;
        let (kind, verb) =
            if on { (CommandKind::TenantEnable, "enable") } else { (CommandKind::TenantDisable, "disable") };
        let order = Order {
            agent: tenant.agent_uid,
            kind,
            subject: uid.0,
            description: format!("{verb} the tenant \"{}\"", tenant.user_name),
            payload: orders::tenant_reference(&tenant, &tenant.user_name),
            secret: None,
        };
        orders::put(&change, &mut tx, order).await?;
        change.note(
            &object(&tenant),
            Some(&json!({"isEnabled": tenant.enabled})),
            Some(&json!({"isEnabled": on})),
        );
        change.commit(tx).await?;
    }
    change.reply(&CLOUD_TENANTS, uid.0).await
}

/// A server lets nobody in whose lease is over.
fn lease_runs(tenant: &CloudTenant, now: i64) -> Result<(), ApiError> {
    match tenant.lease_expires_at.filter(|end| tenant.lease_enabled && *end <= now) {
        Some(end) => Err(ApiError::conflict(format!(
            "the lease of the tenant \"{}\" ended on {}; first replace /leaseExpirationDate with a later one, or \
             /isLeaseExpirationEnabled with false",
            tenant.name,
            instant::format(end)
        ))),
        None => Ok(()),
    }
}
