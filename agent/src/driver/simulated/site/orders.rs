//! What hosts order of a made-up site. Each order is one that may come twice.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::tenant::{Life, Share, Tenant};
use super::{Site, State};
use crate::driver::{Done, Order, Refused};

impl Site {
    /// Does what a host wants.
    pub(in crate::driver::simulated) fn execute(&self, order: &Order, now: i64) -> Result<Done, Refused> {
        let (mut state, payload) = (self.state(), &order.payload);
        match order.kind.as_str() {
            "site-maintenance" => {
                state.maintenance = flag(payload, "enabled");
                Ok(Done::saying("the maintenance mode is as it should be"))
            }
            "site-tenant-management" => {
                state.tenant_management = flag(payload, "enabled");
                Ok(Done::saying("the server's console is as it should be"))
            }
            "tenant-create" => self.create_tenant(&mut state, payload),
            "tenant-edit" => {
                let others: Vec<_> =
                    state.tenants.values().map(|one| (one.key.clone(), one.name.clone())).collect();
                let tenant = state.tenant(payload)?;
                let name = text(settings(payload), "userName");
                if others.iter().any(|(key, other)| *key != tenant.key && *other == name) {
                    return Err(Refused(format!("the server has another tenant \"{name}\"")));
                }
                tenant.set(settings(payload));
                Ok(Done::saying("the tenant was changed"))
            }
            "tenant-enable" | "tenant-disable" => {
                state.tenant(payload)?.enabled = order.kind == "tenant-enable";
                Ok(Done::saying("the tenant is as it should be"))
            }
            "tenant-delete" => {
                if let Ok(key) = state.tenant(payload).map(|tenant| tenant.key.clone()) {
                    state.tenants.remove(&key);
                }
                Ok(Done::saying("the tenant is gone"))
            }
            "backup-resource-create" => create_share(state.tenant(payload)?, payload, now),
            "backup-resource-edit" => {
                let share = share(state.tenant(payload)?, payload)?;
                share.set(settings(payload));
                Ok(Done::saying("the share was changed"))
            }
            "backup-resource-delete" => {
                let tenant = state.tenant(payload)?;
                if let Ok(key) = share(tenant, payload).map(|share| share.key.clone()) {
                    tenant.shares.remove(&key);
                }
                Ok(Done::saying("the share is gone"))
            }
            kind if kind.starts_with("subtenant-") => subtenant(state.tenant(payload)?, kind, payload),
            _ => Err(Refused::unknown("simulated", order)),
        }
    }

    fn create_tenant(&self, state: &mut State, payload: &Value) -> Result<Done, Refused> {
        let (wish, settings) = (text(payload, "tenantUid"), settings(payload));
        let name = text(settings, "userName");
        if name.is_empty() {
            return Err(Refused("the tenant has no user name".to_owned()));
        }
        let key = format!("{}-tenant-{wish}", self.server);
        if state.tenants.values().any(|other| other.name == name && other.wish != wish) {
            return Err(Refused(format!("the server has a tenant \"{name}\" already")));
        }
        let tenant = state.tenants.entry(key.clone()).or_insert_with(|| Tenant {
            key: key.clone(),
            wish,
            name,
            description: String::new(),
            enabled: true,
            lease_expires_at: None,
            throttling: None,
            max_concurrent_tasks: 1,
            protection_days: None,
            pools: Vec::new(),
            gateway_failover: false,
            native_replication: false,
            vcd_replication: false,
            shares: BTreeMap::new(),
            subtenants: BTreeMap::new(),
        });
        tenant.set(settings);
        Ok(made("the tenant was made", &key))
    }
}

impl State {
    /// By the server's key, or by the name that it has.
    fn tenant(&mut self, payload: &Value) -> Result<&mut Tenant, Refused> {
        let (key, name) = (text(payload, "tenantKey"), text(payload, "tenantName"));
        let found = self
            .tenants
            .values_mut()
            .find(|one| if key.is_empty() { one.name == name } else { one.key == key });
        found.ok_or_else(|| Refused(format!("the server has no tenant \"{name}\"")))
    }
}

impl Tenant {
    fn set(&mut self, settings: &Value) {
        let throttling = &settings["throttling"];
        self.name = text(settings, "userName");
        self.description = text(settings, "description");
        self.enabled = settings["isEnabled"].as_bool().unwrap_or(true);
        self.lease_expires_at = settings["leaseExpirationDate"].as_str().and_then(instant);
        self.throttling = throttling["value"].as_i64().map(|value| (value, text(throttling, "unit")));
        self.max_concurrent_tasks = settings["maxConcurrentTask"].as_i64().unwrap_or(1);
        self.protection_days = settings["backupProtectionPeriod"].as_i64();
        let pools = settings["gatewayPools"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.pools = pools.iter().filter_map(|pool| pool.as_str().map(str::to_owned)).collect();
        self.gateway_failover = flag(settings, "isGatewayFailoverEnabled");
        self.native_replication = flag(settings, "isNativeReplicationResourcesEnabled");
        self.vcd_replication = flag(settings, "isVcdReplicationResourcesEnabled");
    }
}

impl Share {
    fn set(&mut self, settings: &Value) {
        self.name = text(settings, "cloudRepositoryName");
        self.repository = text(settings, "repository");
        self.quota = settings["storageQuota"].as_i64().unwrap_or_default().max(0);
        self.accelerator = text(settings, "wanAccelerator");
    }
}

fn create_share(tenant: &mut Tenant, payload: &Value, now: i64) -> Result<Done, Refused> {
    let (wish, settings) = (text(payload, "resourceUid"), settings(payload));
    let (key, name) = (format!("{}-share-{wish}", tenant.key), text(settings, "cloudRepositoryName"));
    if text(settings, "repository").is_empty() {
        return Err(Refused("the server has no such repository".to_owned()));
    }
    if tenant.shares.values().any(|other| other.name == name && other.wish != wish) {
        return Err(Refused(format!("the tenant has a cloud repository \"{name}\" already")));
    }
    let share = tenant.shares.entry(key.clone()).or_insert_with(|| Share {
        key: key.clone(),
        wish,
        name,
        repository: String::new(),
        quota: 0,
        accelerator: String::new(),
        life: Life::new(now),
    });
    share.set(settings);
    Ok(made("the share was made", &key))
}

fn share<'t>(tenant: &'t mut Tenant, payload: &Value) -> Result<&'t mut Share, Refused> {
    let (key, name) = (text(payload, "resourceKey"), text(payload, "resourceName"));
    let found =
        tenant.shares.values_mut().find(|one| if key.is_empty() { one.name == name } else { one.key == key });
    found.ok_or_else(|| Refused(format!("the tenant has no cloud repository \"{name}\"")))
}

fn subtenant(tenant: &mut Tenant, kind: &str, payload: &Value) -> Result<Done, Refused> {
    let wanted = &payload["subtenant"];
    let name = text(wanted, "userName");
    if kind == "subtenant-delete" {
        tenant.subtenants.remove(&name);
        return Ok(Done::saying("the subtenant is gone"));
    }
    if kind == "subtenant-edit" && !tenant.subtenants.contains_key(&name) {
        return Err(Refused(format!("the tenant has no subtenant \"{name}\"")));
    }
    tenant.subtenants.insert(name, wanted["isEnabled"].as_bool().unwrap_or(true));
    Ok(Done::saying("the subtenant is as it should be"))
}

fn made(message: &str, key: &str) -> Done {
    Done { message: message.to_owned(), result: Some(serde_json::json!({"key": key})) }
}

fn settings(payload: &Value) -> &Value {
    &payload["settings"]
}

/// Empty for what is absent, null or no text.
fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

fn flag(object: &Value, name: &str) -> bool {
    object[name].as_bool().unwrap_or(false)
}

fn instant(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}
