//! What somebody wishes of a tenant, and whether it makes sense: beyond what the contract's schema says of each property,
//! what they say together.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::error::ApiError;
use crate::id::{CloudTenantUid, SiteUid};
use crate::instant;
use crate::store::Tx;

/// A tenant as a body of the API has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the API's own switches")]
pub(super) struct Wish {
    pub(super) credentials: WishedCredentials,
    #[serde(rename = "type", default = "general")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) v_cloud_organization_uid: Option<Uuid>,
    #[serde(default)]
    pub(super) assigned_for_company: Option<Uuid>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) is_lease_expiration_enabled: bool,
    #[serde(default)]
    pub(super) lease_expiration_date: Option<String>,
    #[serde(default)]
    pub(super) is_throttling_enabled: bool,
    #[serde(default)]
    pub(super) throttling_value: Option<i64>,
    #[serde(default)]
    pub(super) throttling_unit: Option<String>,
    #[serde(default = "one")]
    pub(super) max_concurrent_task: i64,
    #[serde(default)]
    pub(super) is_backup_protection_enabled: bool,
    #[serde(default)]
    pub(super) backup_protection_period: Option<i64>,
    #[serde(default = "standalone")]
    pub(super) gateway_selection_type: String,
    #[serde(default)]
    pub(super) gateway_pools_uids: Option<Vec<Uuid>>,
    #[serde(default)]
    pub(super) is_gateway_failover_enabled: bool,
    #[serde(default)]
    pub(super) is_native_replication_resources_enabled: bool,
    #[serde(default)]
    pub(super) is_vcd_replication_resources_enabled: bool,
}

/// The tenant's account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WishedCredentials {
    pub(super) user_name: String,
    #[serde(default)]
    pub(super) password: Option<String>,
}

impl std::fmt::Debug for WishedCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WishedCredentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

fn general() -> String {
    "General".to_owned()
}

fn standalone() -> String {
    "StandaloneGateways".to_owned()
}

fn one() -> i64 {
    1
}

impl Wish {
    /// Reads a body; where a switch is on and its value is left out, the contract's default stands in.
    pub(super) fn new(body: Value) -> Result<Self, ApiError> {
        let mut wish = Self::of_patched(body)?;
        if wish.is_throttling_enabled {
            wish.throttling_value.get_or_insert(1);
            wish.throttling_unit.get_or_insert_with(|| "MbytePerSec".to_owned());
        }
        if wish.is_backup_protection_enabled {
            wish.backup_protection_period.get_or_insert(7);
        }
        Ok(wish)
    }

    /// Reads a tenant as a patch left it.
    pub(super) fn of_patched(document: Value) -> Result<Self, ApiError> {
        serde_json::from_value(document).map_err(|error| ApiError::bad_request(error.to_string()))
    }

    /// When the lease ends, in unix milliseconds.
    pub(super) fn lease_end(&self) -> Option<i64> {
        self.lease_expiration_date.as_deref().and_then(instant::parse)
    }

    /// The pools it names.
    pub(super) fn pools(&self) -> &[Uuid] {
        self.gateway_pools_uids.as_deref().unwrap_or_default()
    }

    /// Whether it makes sense in itself. `lease_is_new`: an end that stood there before may have passed.
    pub(super) fn check(&self, now: i64, lease_is_new: bool) -> Result<(), ApiError> {
        self.check_kind()?;
        self.check_lease(now, lease_is_new)?;
        let needs = |on: bool, switch: &str, value: &str, given: bool| {
            if on && !given {
                let message = format!("{value} is missing: {switch} is on; say a value or switch it off");
                return Err(ApiError::property(value, message));
            }
            Ok(())
        };
        let throttled = self.is_throttling_enabled;
        needs(throttled, "isThrottlingEnabled", "throttlingValue", self.throttling_value.is_some())?;
        needs(throttled, "isThrottlingEnabled", "throttlingUnit", self.throttling_unit.is_some())?;
        let period = self.backup_protection_period.is_some();
        let switch = "isBackupProtectionEnabled";
        needs(self.is_backup_protection_enabled, switch, "backupProtectionPeriod", period)
    }

    fn check_kind(&self) -> Result<(), ApiError> {
        let refuse = |property: &str, message: &str| Err(ApiError::property(property, message));
        let organization = self.v_cloud_organization_uid.is_some();
        match self.kind.as_str() {
            "General" if organization => refuse(
                "vCloudOrganizationUid",
                "a tenant of type General has no vCloudOrganizationUid; leave it out",
            ),
            "General" if self.is_vcd_replication_resources_enabled => refuse(
                "isVcdReplicationResourcesEnabled",
                "only a tenant of type VCD has Cloud Director's replication resources",
            ),
            "VCD" if !organization => refuse(
                "vCloudOrganizationUid",
                "vCloudOrganizationUid is missing: a tenant of type VCD belongs to an organization of Cloud Director",
            ),
            "VCD" if self.is_native_replication_resources_enabled => refuse(
                "isNativeReplicationResourcesEnabled",
                "a tenant of type VCD has Cloud Director's replication resources only",
            ),
            "General" | "VCD" => Ok(()),
            other => Err(ApiError::property(
                "type",
                format!("a tenant is of type General or VCD, not \"{other}\""),
            )),
        }
    }

    fn check_lease(&self, now: i64, lease_is_new: bool) -> Result<(), ApiError> {
        let property = "leaseExpirationDate";
        match self.lease_end() {
            None if self.is_lease_expiration_enabled => Err(ApiError::property(
                property,
                "leaseExpirationDate is missing: isLeaseExpirationEnabled is on; say when the lease ends",
            )),
            Some(end) if self.is_lease_expiration_enabled && lease_is_new && end <= now => {
                let (end, now) = (instant::format(end), instant::format(now));
                let message =
                    format!("leaseExpirationDate {end} has passed; now it is {now}: say a later one");
                Err(ApiError::property(property, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether the site has the gateway pools it names, and whether it names some exactly if it takes gateways from pools.
    pub(super) async fn check_gateways(&self, tx: &mut Tx, site: SiteUid) -> Result<(), ApiError> {
        let property = "gatewayPoolsUids";
        let refuse = |message: String| Err(ApiError::property(property, message));
        match (self.gateway_selection_type.as_str(), self.pools()) {
            ("GatewayPool", []) => refuse(format!(
                "{property} is missing: gatewaySelectionType is GatewayPool; name at least one pool of the site"
            )),
            ("StandaloneGateways", [_, ..]) => refuse(format!(
                "gatewaySelectionType is StandaloneGateways; leave {property} out or set it to GatewayPool"
            )),
            ("GatewayPool" | "StandaloneGateways", pools) => {
                for pool in pools {
                    if tx.cloud().pool_key(*pool, site).await?.is_none() {
                        return refuse(format!("{pool} is no gateway pool of the tenant's site"));
                    }
                }
                Ok(())
            }
            (other, _) => {
                let message = format!("gateways are StandaloneGateways or of a GatewayPool, not \"{other}\"");
                Err(ApiError::property("gatewaySelectionType", message))
            }
        }
    }

    /// Whether its user name is free on the site; who asks must hold the site.
    pub(super) async fn check_name(
        &self,
        tx: &mut Tx,
        site: SiteUid,
        own: CloudTenantUid,
    ) -> Result<(), ApiError> {
        let name = &self.credentials.user_name;
        match tx.cloud().tenant_named(site, name, own).await? {
            None => Ok(()),
            Some((_, None)) => Err(ApiError::conflict(format!(
                "the site has a tenant with the user name \"{name}\" already; choose another"
            ))),
            Some((_, Some(_))) => Err(ApiError::conflict(format!(
                "the tenant \"{name}\" is being deleted on its server; try again when that is done, or choose another name"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    #[expect(clippy::needless_pass_by_value, reason = "so that each case reads as one line")]
    fn refused(more: Value) -> Option<String> {
        let mut body = json!({"credentials": {"userName": "alpha"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refusal = Wish::new(body).unwrap().check(NOW, true).err()?;
        Some(refusal.property_name().unwrap().to_owned())
    }

    #[test]
    fn a_name_is_enough_and_switches_take_the_contracts_defaults() {
        assert_eq!(refused(json!({})), None);
        let body = json!({"credentials": {"userName": "a"}, "isThrottlingEnabled": true, "isBackupProtectionEnabled": true});
        let wish = Wish::new(body).unwrap();
        assert_eq!((wish.throttling_value, wish.backup_protection_period), (Some(1), Some(7)));
        assert_eq!(wish.throttling_unit.as_deref(), Some("MbytePerSec"));
        assert_eq!((wish.max_concurrent_task, wish.kind.as_str()), (1, "General"));
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        let uid = Uuid::from_u128(1);
        for (more, property) in [
            (json!({"isLeaseExpirationEnabled": true}), "leaseExpirationDate"),
            (
                json!({"isLeaseExpirationEnabled": true, "leaseExpirationDate": "2020-01-01T00:00:00Z"}),
                "leaseExpirationDate",
            ),
            (json!({"type": "VCD"}), "vCloudOrganizationUid"),
            (json!({"vCloudOrganizationUid": uid}), "vCloudOrganizationUid"),
            (json!({"type": "Unknown"}), "type"),
            (json!({"isVcdReplicationResourcesEnabled": true}), "isVcdReplicationResourcesEnabled"),
            (
                json!({"type": "VCD", "vCloudOrganizationUid": uid, "isNativeReplicationResourcesEnabled": true}),
                "isNativeReplicationResourcesEnabled",
            ),
        ] {
            assert_eq!(refused(more.clone()).as_deref(), Some(property), "{more}");
        }
    }

    #[test]
    fn a_lease_that_stood_there_may_have_ended_and_an_end_that_is_off_does_not_matter() {
        let over = json!({
            "credentials": {"userName": "a"}, "isLeaseExpirationEnabled": true, "leaseExpirationDate": "2020-01-01T00:00:00Z",
        });
        assert!(Wish::new(over).unwrap().check(NOW, false).is_ok());
        assert_eq!(refused(json!({"leaseExpirationDate": "2020-01-01T00:00:00Z"})), None);
    }

    #[test]
    fn a_patched_tenant_gets_no_defaults() {
        let body =
            json!({"credentials": {"userName": "a"}, "isThrottlingEnabled": true, "throttlingValue": null});
        let refusal = Wish::of_patched(body).unwrap().check(NOW, false).unwrap_err();
        assert_eq!(refusal.property_name(), Some("throttlingValue"));
    }
}
