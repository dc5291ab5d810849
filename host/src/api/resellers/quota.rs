//! What a reseller's quota of Cloud Connect must be, beyond what the contract says of it.

use serde_json::Value;

use crate::api::error::ApiError;

/// Refuses fewer days than none: the contract gives them no lower end.
pub(super) fn check(reseller: &Value) -> Result<(), ApiError> {
    const QUOTA: &str = "resellerServices.cloudConnectQuota.insiderProtectionQuota";
    match reseller.pointer(&format!("/{}", QUOTA.replace('.', "/"))).and_then(Value::as_i64) {
        Some(days) if days < 0 => {
            Err(ApiError::property(QUOTA, format!("{QUOTA} cannot be {days} days; 0 is the least")))
        }
        _ => Ok(()),
    }
}
