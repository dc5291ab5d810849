//! `PATCH /infrastructure/sites/{siteUid}` and its two switches.

use serde_json::json;

use super::orders::{self, Order};
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::JsonPatch;
use crate::id::SiteUid;
use crate::model::CommandKind;
use crate::store::{SITES, Site, Tx};

/// Renames or describes a site: that is for people, and no matter of its server.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("siteUid")?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &SITES, uid, &steps, &[]).await?;
    let name = patched.text("siteName").to_owned();
    if patched.changed("siteName").is_some() && tx.cloud().site_name_taken(&name, SiteUid(uid)).await? {
        let message = format!("another site is named \"{name}\"; choose another name");
        return Err(ApiError::conflict(message));
    }
    change.write(&mut tx, uid, &patched, &name, None).await?;
    change.commit(tx).await?;
    change.reply(&SITES, uid).await
}

/// Holds off what tenants run against the site, or lets it go on.
pub(super) async fn maintenance(change: Change) -> Result<Rendered, ApiError> {
    turn(change, "maintenanceMode", &MAINTENANCE).await
}

/// Opens or locks tenants in the server's own console.
pub(super) async fn tenant_management(change: Change) -> Result<Rendered, ApiError> {
    turn(change, "tenantManagementMode", &TENANT_MANAGEMENT).await
}

/// One of a site's switches.
struct Switch {
    property: &'static str,
    kind: CommandKind,
    is_on: fn(&Site) -> bool,
}

const MAINTENANCE: Switch = Switch {
    property: "maintenanceModeIsEnabled",
    kind: CommandKind::SiteMaintenance,
    is_on: |site| site.maintenance_mode,
};
const TENANT_MANAGEMENT: Switch = Switch {
    property: "tenantManagementInCloudConnectIsEnabled",
    kind: CommandKind::SiteTenantManagement,
    is_on: |site| site.tenant_management,
};

/// A switch that is where it should be is left alone.
async fn turn(
    mut change: Change,
    parameter: &'static str,
    switch: &'static Switch,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("siteUid")?;
    let on = change.ask.flag_parameter(parameter)?;
    let on = on.ok_or_else(|| {
        ApiError::parameter(parameter, format!("{parameter} is missing: say true or false"))
    })?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &SITES, uid).await?;
    tx.cloud().hold_site(SiteUid(uid)).await?;
    let site = tx.cloud().site(SiteUid(uid)).await?.ok_or_else(|| ApiError::absent(SITES.name, uid))?;
    if (switch.is_on)(&site) != on {
        write(&mut change, &mut tx, &site, switch, on).await?;
        change.commit(tx).await?;
    }
    change.reply(&SITES, uid).await
}

async fn write(
    change: &mut Change,
    tx: &mut Tx,
    site: &Site,
    switch: &Switch,
    on: bool,
) -> Result<(), ApiError> {
    match switch.kind {
        CommandKind::SiteMaintenance => tx.cloud().set_maintenance(site.uid, on).await?,
        _ => tx.cloud().set_tenant_management(site.uid, on).await?,
    }
    let word = if on { "on" } else { "off" };
    let order = Order {
        agent: site.agent_uid,
        kind: switch.kind,
        subject: site.uid.0,
        description: format!("turn {} {word} on the site \"{}\"", switch.property, site.name),
        payload: json!({"siteUid": site.uid, "enabled": on}),
        secret: None,
    };
    orders::put(change, tx, order).await?;
    let object = Object { kind: SITES.name, uid: site.uid.0, name: &site.name, organization: None };
    change.note(&object, Some(&json!({switch.property: !on})), Some(&json!({switch.property: on})));
    Ok(())
}
