//! `POST /infrastructure/sites/{siteUid}/tenants`.

use axum::response::Response;
use serde_json::Value;

use super::assign;
use super::limits::{self, Terms};
use super::orders::{self, Order};
use super::wish::Wish;
use crate::api::change::{Change, Input, Object};
use crate::api::error::ApiError;
use crate::api::token::secret::{Secret, SecretKind};
use crate::id::{CloudTenantUid, CompanyUid, ResellerUid, SiteUid};
use crate::model::CommandKind;
use crate::store::{CLOUD_TENANTS, COMPANIES, NewCloudTenant, SITES, Tx};

/// Makes a tenant here, and has the site's server make it.
pub(super) async fn create(mut change: Change, Input(body): Input<Value>) -> Result<Response, ApiError> {
    let site = SiteUid(change.ask.uid("siteUid")?);
    let mut wish = Wish::new(body.clone())?;
    wish.check(change.ask.state.clock().now_ms(), true)?;
    let (password, hash) = password(&change, &wish).await?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &SITES, site.0).await?;
    tx.cloud().hold_site(site).await?;
    let reseller = reseller(&change, &mut tx, &wish).await?;
    let limits = limits::of(&mut tx, reseller).await?;
    limits::must_have_cloud_connect(&change, limits.as_ref(), true)?;
    limits::fill(limits.as_ref(), &mut wish, &body);
    limits::check(limits.as_ref(), Terms::from(&wish), |_| true)?;
    let uid = CloudTenantUid::new(change.ask.state.clock());
    wish.check_gateways(&mut tx, site).await?;
    wish.check_name(&mut tx, site, uid).await?;
    let new = new_tenant(&change, &wish, uid, site, hash);
    tx.cloud().create_tenant(change.ask.state.clock(), &new).await?;
    let warning = match wish.assigned_for_company {
        Some(company) => assign::map(&change, &mut tx, uid, company).await?,
        None => None,
    };
    order(&change, &mut tx, uid, password).await?;
    let made = orders::document(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    let organization = orders::written_tenant(&mut tx, uid).await?.owner_uid;
    let name = &wish.credentials.user_name;
    let object = Object { kind: CLOUD_TENANTS.name, uid: uid.0, name, organization };
    change.note(&object, None, Some(&made));
    change.commit(tx).await?;
    Ok(assign::warned(change.reply(&CLOUD_TENANTS, uid.0).await?, warning))
}

/// Whose reseller's the tenant will be: the company's that it is for, else the caller's own.
async fn reseller(change: &Change, tx: &mut Tx, wish: &Wish) -> Result<Option<ResellerUid>, ApiError> {
    let Some(company) = wish.assigned_for_company else { return Ok(change.ask.caller.scope.reseller()) };
    change.ask.must_see(tx, &COMPANIES, company).await?;
    Ok(tx.companies().get(CompanyUid(company)).await?.and_then(|company| company.reseller_uid))
}

/// The account's password and what is kept of it. Without one the account gets one that nobody knows: until another is set, the
/// tenant cannot connect.
async fn password(change: &Change, wish: &Wish) -> Result<(String, Option<String>), ApiError> {
    let Some(password) = wish.credentials.password.clone() else {
        return Ok((Secret::generate(SecretKind::Page).reveal().to_owned(), None));
    };
    let hash = change.ask.state.turnstile().enter().await?.hash(password.clone()).await?;
    Ok((password, Some(hash)))
}

fn new_tenant(
    change: &Change,
    wish: &Wish,
    uid: CloudTenantUid,
    site: SiteUid,
    password_hash: Option<String>,
) -> NewCloudTenant {
    NewCloudTenant {
        uid,
        site,
        reseller: change.ask.caller.scope.reseller(),
        kind: wish.kind.clone(),
        vcd_organization: wish.v_cloud_organization_uid,
        user_name: wish.credentials.user_name.clone(),
        password_hash,
        description: wish.description.clone(),
        lease_enabled: wish.is_lease_expiration_enabled,
        lease_expires_at: wish.lease_end(),
        throttling_enabled: wish.is_throttling_enabled,
        throttling_value: wish.throttling_value,
        throttling_unit: wish.throttling_unit.clone(),
        max_concurrent_tasks: wish.max_concurrent_task,
        protection_enabled: wish.is_backup_protection_enabled,
        protection_days: wish.backup_protection_period,
        gateway_selection: wish.gateway_selection_type.clone(),
        gateway_pools: wish.pools().to_vec(),
        gateway_failover: wish.is_gateway_failover_enabled,
        native_replication: wish.is_native_replication_resources_enabled,
        vcd_replication: wish.is_vcd_replication_resources_enabled,
    }
}

async fn order(change: &Change, tx: &mut Tx, uid: CloudTenantUid, password: String) -> Result<(), ApiError> {
    let tenant = orders::written_tenant(tx, uid).await?;
    let order = Order {
        agent: tenant.agent_uid,
        kind: CommandKind::TenantCreate,
        subject: uid.0,
        description: format!("create the tenant \"{}\"", tenant.user_name),
        payload: orders::tenant_payload(tx, &tenant, &tenant.user_name).await?,
        secret: Some(password),
    };
    orders::put(change, tx, order).await
}
