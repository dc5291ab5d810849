//! What a company is offered: of what its reseller has no more than that.

use serde_json::Value;

use crate::api::error::ApiError;
use crate::api::patch::Patched;
use crate::id::ResellerUid;
use crate::store::{ResellerLimits, Tx};

/// A service of a company, and the switch of its reseller's that it needs.
struct Service {
    pointer: &'static str,
    needs: &'static str,
    given: fn(&ResellerLimits) -> bool,
    /// What the contract says of a company that says nothing, so that it is no wish of anybody's.
    by_default: bool,
}

const SERVICES: &[Service] = &[
    Service {
        pointer: "/companyServices/hostedServices/isVbPublicCloudManagementEnabled",
        needs: "/resellerServices/hostedServices/vbPublicCloudManagementEnabled",
        given: |limits| limits.hosted_public_cloud,
        by_default: false,
    },
    Service {
        pointer: "/companyServices/remoteServices/isBackupResourcesEnabled",
        needs: "/resellerServices/cloudConnectManagementEnabled",
        given: |limits| limits.cloud_connect,
        by_default: true,
    },
    Service {
        pointer: "/companyServices/remoteServices/isVbPublicCloudManagementEnabled",
        needs: "/resellerServices/remoteServices/vbPublicCloudManagementEnabled",
        given: |limits| limits.remote_public_cloud,
        by_default: false,
    },
    Service {
        pointer: "/companyServices/remoteServices/backupServersManagement",
        needs: "/resellerServices/remoteServices/backupServersManagementEnabled",
        given: |limits| limits.remote_backup_servers,
        by_default: false,
    },
    Service {
        pointer: "/companyServices/remoteServices/vb365ServersManagement",
        needs: "/resellerServices/remoteServices/vb365ManagementEnabled",
        given: |limits| limits.remote_vb365,
        by_default: false,
    },
];

/// Whether a company has a service: a switch that is on, or an object that is there.
fn is_on(document: &Value, pointer: &str) -> bool {
    match document.pointer(pointer) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => true,
    }
}

fn refuse(service: &Service, limits: &ResellerLimits) -> ApiError {
    let name = service.pointer.trim_start_matches('/').replace('/', ".");
    let message = format!(
        "{name}: the company's reseller \"{}\" does not have this service; leave it off, or first replace {} of the reseller \
         with true",
        limits.name, service.needs
    );
    ApiError::property(&name, message)
}

/// Refuses what the body of a new company asks for and its reseller lacks; what the contract would add by itself is left off then.
/// `body` holds what was asked, `made` the same with the contract's defaults.
pub(super) async fn of_new(
    tx: &mut Tx,
    reseller: Option<ResellerUid>,
    body: &Value,
    made: &mut Value,
) -> Result<(), ApiError> {
    let Some(limits) = limits(tx, reseller).await? else { return Ok(()) };
    for service in SERVICES.iter().filter(|service| !(service.given)(&limits)) {
        if is_on(body, service.pointer) {
            return Err(refuse(service, &limits));
        }
        if let Some(switch @ Value::Bool(true)) = made.pointer_mut(service.pointer) {
            *switch = Value::Bool(false);
        }
    }
    Ok(())
}

/// Refuses what a patch switches on, or brings to another reseller, and the reseller lacks.
pub(super) async fn of_patched(
    tx: &mut Tx,
    reseller: Option<ResellerUid>,
    patched: &Patched,
) -> Result<(), ApiError> {
    let Some(limits) = limits(tx, reseller).await? else { return Ok(()) };
    let moves = patched.changed("resellerUid").is_some();
    for service in SERVICES.iter().filter(|service| !(service.given)(&limits)) {
        let is_new = !is_on(&patched.before, service.pointer) || moves && !service.by_default;
        if is_on(&patched.after, service.pointer) && is_new {
            return Err(refuse(service, &limits));
        }
    }
    Ok(())
}

async fn limits(tx: &mut Tx, reseller: Option<ResellerUid>) -> Result<Option<ResellerLimits>, ApiError> {
    match reseller {
        Some(reseller) => Ok(tx.resellers().limits(reseller).await?),
        None => Ok(None),
    }
}
