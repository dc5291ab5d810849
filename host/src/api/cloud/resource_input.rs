//! What somebody wishes of a tenant's share of a repository, and whether it makes sense.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::error::ApiError;
use crate::id::{CloudTenantUid, SiteUid, TenantBackupResourceUid};
use crate::store::{NewBackupResource, Tx};

/// A share as a body of the API has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the API's own switches")]
pub(super) struct Share {
    pub(super) repository_uid: Uuid,
    pub(super) cloud_repository_name: String,
    pub(super) storage_quota: i64,
    #[serde(default)]
    servers_quota: Option<i64>,
    #[serde(default = "yes")]
    is_servers_quota_unlimited: bool,
    #[serde(default)]
    workstations_quota: Option<i64>,
    #[serde(default = "yes")]
    is_workstations_quota_unlimited: bool,
    #[serde(default)]
    vms_quota: Option<i64>,
    #[serde(default = "yes")]
    is_vms_quota_unlimited: bool,
    #[serde(default)]
    pub(super) is_wan_acceleration_enabled: bool,
    #[serde(default)]
    wan_accelerator_uid: Option<Uuid>,
    #[serde(default)]
    pub(super) is_default: bool,
}

fn yes() -> bool {
    true
}

impl Share {
    /// Reads a body, or a share as a patch left it.
    pub(super) fn new(body: Value) -> Result<Self, ApiError> {
        serde_json::from_value(body).map_err(|error| ApiError::bad_request(error.to_string()))
    }

    /// Whether it makes sense in itself.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.cloud_repository_name.trim().is_empty() {
            let message = "cloudRepositoryName is empty: tenants find the cloud repository by its name";
            return Err(ApiError::property("cloudRepositoryName", message));
        }
        for (unlimited, quota, name, switch) in self.quotas() {
            match quota {
                _ if unlimited => {}
                None => {
                    let message =
                        format!("{name} is missing: {switch} is off; say how many, or switch it on");
                    return Err(ApiError::property(name, message));
                }
                Some(quota) if quota < 0 => {
                    return Err(ApiError::property(
                        name,
                        format!("{name} cannot be {quota}; 0 is the least"),
                    ));
                }
                Some(_) => {}
            }
        }
        if self.is_wan_acceleration_enabled && self.wan_accelerator_uid.is_none() {
            let message = "wanAcceleratorUid is missing: isWanAccelerationEnabled is on; name an accelerator of the site";
            return Err(ApiError::property("wanAcceleratorUid", message));
        }
        Ok(())
    }

    /// Refuses a number that a switch makes meaningless, where this request sends it: it would be dropped without a word.
    pub(super) fn check_sent(&self, sent: impl Fn(&str) -> bool) -> Result<(), ApiError> {
        const ACCELERATOR: &str = "wanAcceleratorUid";
        for (unlimited, quota, name, switch) in self.quotas() {
            if unlimited && quota.is_some() && sent(name) {
                let message = format!("{name} has no meaning while {switch} is true; send one or the other");
                return Err(ApiError::property(name, message));
            }
        }
        if !self.is_wan_acceleration_enabled && self.wan_accelerator_uid.is_some() && sent(ACCELERATOR) {
            let message = "wanAcceleratorUid has no meaning while isWanAccelerationEnabled is false; switch it on, or \
                leave the accelerator out";
            return Err(ApiError::property(ACCELERATOR, message));
        }
        Ok(())
    }

    fn quotas(&self) -> [(bool, Option<i64>, &'static str, &'static str); 3] {
        [
            (self.is_servers_quota_unlimited, self.servers_quota, "serversQuota", "isServersQuotaUnlimited"),
            (
                self.is_workstations_quota_unlimited,
                self.workstations_quota,
                "workstationsQuota",
                "isWorkstationsQuotaUnlimited",
            ),
            (self.is_vms_quota_unlimited, self.vms_quota, "vmsQuota", "isVmsQuotaUnlimited"),
        ]
    }

    /// Whether the site has what it names.
    pub(super) async fn check_site(&self, tx: &mut Tx, site: SiteUid) -> Result<(), ApiError> {
        let repository = tx.cloud().repository(self.repository_uid, site).await?.ok_or_else(|| {
            let message = format!("{} is no repository of the tenant's site", self.repository_uid);
            ApiError::property("repositoryUid", message)
        })?;
        let Some(accelerator) = self.wan_accelerator_uid.filter(|_| self.is_wan_acceleration_enabled) else {
            return Ok(());
        };
        if repository.object_storage {
            let message = format!(
                "the repository \"{}\" is object storage, which no WAN accelerator serves; switch the acceleration off",
                repository.name
            );
            return Err(ApiError::property("isWanAccelerationEnabled", message));
        }
        if tx.cloud().accelerator_key(accelerator, site).await?.is_none() {
            let message = format!("{accelerator} is no WAN accelerator of the tenant's site");
            return Err(ApiError::property("wanAcceleratorUid", message));
        }
        Ok(())
    }

    /// Whether its name is free among the tenant's; who asks must hold the tenant.
    pub(super) async fn check_name(
        &self,
        tx: &mut Tx,
        tenant: CloudTenantUid,
        own: TenantBackupResourceUid,
    ) -> Result<(), ApiError> {
        let name = &self.cloud_repository_name;
        match tx.cloud().resource_named(tenant, name, own).await? {
            None => Ok(()),
            Some((_, None)) => Err(ApiError::conflict(format!(
                "the tenant has a cloud repository named \"{name}\" already; choose another name"
            ))),
            Some((_, Some(_))) => Err(ApiError::conflict(format!(
                "the cloud repository \"{name}\" is being deleted on its server; try again when that is done, or choose \
                 another name"
            ))),
        }
    }

    /// As it is made.
    pub(super) fn into_new(self, uid: TenantBackupResourceUid, tenant: CloudTenantUid) -> NewBackupResource {
        NewBackupResource {
            uid,
            tenant,
            repository: self.repository_uid,
            name: self.cloud_repository_name,
            storage_quota: self.storage_quota,
            servers_quota: self.servers_quota,
            servers_unlimited: self.is_servers_quota_unlimited,
            workstations_quota: self.workstations_quota,
            workstations_unlimited: self.is_workstations_quota_unlimited,
            vms_quota: self.vms_quota,
            vms_unlimited: self.is_vms_quota_unlimited,
            wan_enabled: self.is_wan_acceleration_enabled,
            wan_accelerator: self.wan_accelerator_uid,
            is_default: self.is_default,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "so that each case reads as one line")]
    fn refused(more: Value) -> Option<String> {
        let mut body =
            json!({"repositoryUid": Uuid::nil(), "cloudRepositoryName": "Cloud", "storageQuota": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Share::new(body).unwrap().check().err().map(|error| error.property_name().unwrap().to_owned())
    }

    #[test]
    fn what_is_unlimited_needs_no_number_and_what_is_not_does() {
        assert_eq!(refused(json!({})), None);
        assert_eq!(refused(json!({"isVmsQuotaUnlimited": false, "vmsQuota": 0})), None);
        for (more, property) in [
            (json!({"isServersQuotaUnlimited": false}), "serversQuota"),
            (json!({"isWorkstationsQuotaUnlimited": false, "workstationsQuota": null}), "workstationsQuota"),
            (json!({"isVmsQuotaUnlimited": false, "vmsQuota": -1}), "vmsQuota"),
            (json!({"isWanAccelerationEnabled": true}), "wanAcceleratorUid"),
            (json!({"cloudRepositoryName": "  "}), "cloudRepositoryName"),
        ] {
            assert_eq!(refused(more.clone()).as_deref(), Some(property), "{more}");
        }
    }
}
