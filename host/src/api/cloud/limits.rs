//! What a reseller was given of Cloud Connect binds the tenants that are its own or its companies', whoever makes or changes them: a
//! limit is the reseller's, not a matter of who asks. It binds what is made, changed or mapped from then on; what was there before it
//! stays as it is until somebody touches it. How much tenants download, and how many agents there are, is not held to a limit here:
//! going over those quotas raises an alarm.

use serde_json::Value;

use super::resource_input::Share;
use super::wish::Wish;
use crate::api::change::Change;
use crate::api::error::ApiError;
use crate::id::ResellerUid;
use crate::store::{CloudTenant, ResellerLimits, Tx};

/// The API's number for what the provider has switched off.
const SWITCHED_OFF: u16 = 1101;

/// What a tenant takes of its reseller's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'t> {
    tasks: i64,
    throttling: Option<(i64, &'t str)>,
    protection_days: Option<i64>,
}

impl<'t> From<&'t Wish> for Terms<'t> {
    fn from(wish: &'t Wish) -> Self {
        let throttling = wish.throttling_value.zip(wish.throttling_unit.as_deref());
        Self {
            tasks: wish.max_concurrent_task,
            throttling: throttling.filter(|_| wish.is_throttling_enabled),
            protection_days: wish.backup_protection_period.filter(|_| wish.is_backup_protection_enabled),
        }
    }
}

impl<'t> From<&'t CloudTenant> for Terms<'t> {
    fn from(tenant: &'t CloudTenant) -> Self {
        let throttling = tenant.throttling_value.zip(tenant.throttling_unit.as_deref());
        Self {
            tasks: tenant.max_concurrent_tasks,
            throttling: throttling.filter(|_| tenant.throttling_enabled),
            protection_days: tenant.protection_days.filter(|_| tenant.protection_enabled),
        }
    }
}

/// The limits of a reseller; none where there is no reseller.
pub(super) async fn of(
    tx: &mut Tx,
    reseller: Option<ResellerUid>,
) -> Result<Option<ResellerLimits>, ApiError> {
    match reseller {
        Some(reseller) => Ok(tx.resellers().limits(reseller).await?),
        None => Ok(None),
    }
}

/// Refuses a reseller that Cloud Connect was not given to. `anew`: a tenant or a share comes to the reseller, which the provider does
/// not do either; what it has already the provider goes on managing.
pub(super) fn must_have_cloud_connect(
    change: &Change,
    limits: Option<&ResellerLimits>,
    anew: bool,
) -> Result<(), ApiError> {
    let Some(limits) = limits.filter(|limits| !limits.cloud_connect) else { return Ok(()) };
    if !anew && change.ask.caller.scope.reseller().is_none() {
        return Ok(());
    }
    let message = format!(
        "Cloud Connect is switched off for the reseller \"{}\"; the provider switches it on: replace \
         /resellerServices/cloudConnectManagementEnabled of the reseller with true",
        limits.name
    );
    Err(ApiError::forbidden(message).coded(SWITCHED_OFF))
}

/// What a body leaves open is as the reseller's limits say.
pub(super) fn fill(limits: Option<&ResellerLimits>, wish: &mut Wish, body: &Value) {
    let Some(limits) = limits.filter(|limits| limits.cloud_quota) else { return };
    let says = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    if let Some((value, unit)) = limits.throttling()
        && !says("isThrottlingEnabled")
    {
        wish.is_throttling_enabled = true;
        wish.throttling_value.get_or_insert(value);
        wish.throttling_unit.get_or_insert_with(|| unit.to_owned());
    }
    if let Some(days) = limits.protection() {
        if !says("isBackupProtectionEnabled") {
            wish.is_backup_protection_enabled = true;
        }
        if wish.is_backup_protection_enabled && !says("backupProtectionPeriod") {
            wish.backup_protection_period = Some(days);
        }
    }
}

/// Refuses terms that go beyond the reseller's. `touched`: whether this request sets a property.
pub(super) fn check(
    limits: Option<&ResellerLimits>,
    terms: Terms<'_>,
    touched: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    let Some(limits) = limits.filter(|limits| limits.cloud_quota) else { return Ok(()) };
    let refuse = |property: &str, what: String| {
        let message = format!("{property}: {what}, as the provider limits the reseller \"{}\"", limits.name);
        Err(ApiError::property(property, message))
    };
    if let Some(most) = limits.max_concurrent_task.filter(|most| terms.tasks > *most)
        && touched("maxConcurrentTask")
    {
        return refuse("maxConcurrentTask", format!("{} is more than {most}", terms.tasks));
    }
    if let Some((value, unit)) = limits.throttling() {
        match terms.throttling {
            None if touched("isThrottlingEnabled") => {
                return refuse("isThrottlingEnabled", format!("it stays on, at {value} {unit} at most"));
            }
            Some((given, of))
                if bytes(given, of) > bytes(value, unit)
                    && (touched("throttlingValue") || touched("throttlingUnit")) =>
            {
                return refuse("throttlingValue", format!("{given} {of} is more than {value} {unit}"));
            }
            _ => {}
        }
    }
    if let Some(least) = limits.protection() {
        match terms.protection_days {
            None if touched("isBackupProtectionEnabled") => {
                return refuse(
                    "isBackupProtectionEnabled",
                    format!("it stays on, for {least} days at least"),
                );
            }
            Some(days) if days < least && touched("backupProtectionPeriod") => {
                return refuse("backupProtectionPeriod", format!("{days} days are fewer than {least}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a share that its tenant's reseller may not give.
pub(super) fn check_share(limits: Option<&ResellerLimits>, share: &Share) -> Result<(), ApiError> {
    match limits {
        Some(limits) if share.is_wan_acceleration_enabled && limits.has_no_acceleration() => {
            Err(ApiError::property(
                "isWanAccelerationEnabled",
                format!(
                    "isWanAccelerationEnabled: the provider has switched WAN acceleration off for the reseller \"{}\"; \
                     leave it off, or have /resellerServices/cloudConnectQuota/isWanAccelerationEnabled switched on",
                    limits.name
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn bytes(value: i64, unit: &str) -> i64 {
    let size = match unit {
        "MbitPerSec" => 1_000_000 / 8,
        "KbytePerSec" => 1 << 10,
        _ => 1 << 20,
    };
    value.saturating_mul(size)
}
