//! A simulated Cloud Connect site, by itself.

use std::collections::HashSet;
use std::sync::Arc;

use keelson_proto::v1::{CloudBackupResource, CloudTenant};
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock as _, ManualClock, SharedClock};
use crate::driver::simulated::{HOUR, Simulated, SiteSettings};
use crate::driver::{Done, Driver as _, Order, Refused};

const SINCE: i64 = 1_700_000_000_000;

struct Stage {
    clock: Arc<ManualClock>,
    driver: Simulated,
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(SINCE));
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let driver = Simulated::new(9, 0, 0, SINCE, shared).with_site(Some(&SiteSettings { tenants: 6 }));
        Self { clock, driver }
    }

    fn facts(&self) -> Vec<What> {
        let state = self.driver.inventory_at(self.clock.now_ms());
        assert!(state.machine.unwrap().cloud_connect && state.jobs.is_empty());
        state.cloud.into_iter().map(|one| one.what.unwrap()).collect()
    }

    fn tenants(&self) -> Vec<CloudTenant> {
        let tenants = self.facts().into_iter().filter_map(|what| match what {
            What::Tenant(one) => Some(one),
            _ => None,
        });
        tenants.collect()
    }

    fn shares(&self) -> Vec<CloudBackupResource> {
        let shares = self.facts().into_iter().filter_map(|what| match what {
            What::BackupResource(one) => Some(one),
            _ => None,
        });
        shares.collect()
    }

    async fn tell(&self, kind: &str, payload: Value) -> Result<Done, Refused> {
        let order = Order { kind: kind.to_owned(), payload, secret: json!({"password": "p"}) };
        self.driver.execute(&order).await
    }
}

fn key_of(done: &Done) -> String {
    done.result.as_ref().unwrap()["key"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_seed_and_time_give_the_same_site_whose_shares_fill_up() {
    let (one, other) = (Stage::new(), Stage::new());
    assert_eq!(one.facts(), other.facts());
    let full = |share: &CloudBackupResource| share.used_space * 100 / share.storage_quota;
    let before = one.shares();
    assert_eq!(before.len(), 6);
    assert!(full(&before[0]) >= 93, "one is nearly full from the start");
    one.clock.advance(60 * 24 * HOUR);
    let after = one.shares();
    assert!(before.iter().zip(&after).all(|(before, after)| after.used_space > before.used_space));
    assert!(after.iter().all(|share| share.used_space < share.storage_quota));
    let names: HashSet<String> = one.tenants().into_iter().map(|tenant| tenant.user_name).collect();
    assert_eq!(names.len(), 6);
}

#[tokio::test]
async fn a_tenant_that_a_host_wants_is_made_changed_and_removed() {
    let stage = Stage::new();
    let wish = json!({
        "tenantUid": "u1", "tenantKey": null, "tenantName": "omega",
        "settings": {
            "type": "General", "userName": "omega", "description": "of a test", "isEnabled": true,
            "leaseExpirationDate": "2030-01-01T00:00:00Z", "throttling": {"value": 3, "unit": "KbytePerSec"},
            "maxConcurrentTask": 5, "backupProtectionPeriod": null, "gatewaySelectionType": "StandaloneGateways",
            "gatewayPools": [], "isGatewayFailoverEnabled": false,
        },
    });
    let key = key_of(&stage.tell("tenant-create", wish.clone()).await.unwrap());
    assert_eq!(key_of(&stage.tell("tenant-create", wish.clone()).await.unwrap()), key, "twice is once");
    let find = || stage.tenants().into_iter().find(|tenant| tenant.key == key);
    let tenant = find().unwrap();
    assert_eq!(
        (tenant.user_name.as_str(), tenant.max_concurrent_tasks, tenant.throttling),
        ("omega", 5, Some(3))
    );
    assert_eq!(tenant.lease_expires_at, Some(1_893_456_000_000));
    let mut other = wish.clone();
    other["tenantUid"] = json!("u2");
    assert!(stage.tell("tenant-create", other).await.unwrap_err().0.contains("already"));

    let named = json!({"tenantKey": key, "tenantName": "omega"});
    stage.tell("tenant-disable", named.clone()).await.unwrap();
    assert!(!find().unwrap().enabled);
    let share = json!({
        "tenantKey": key, "tenantName": "omega", "resourceUid": "r1", "resourceKey": null, "resourceName": "omega cloud",
        "settings": {"cloudRepositoryName": "omega cloud", "repository": "sim-9-0-repository-1", "storageQuota": 1_i64 << 40},
    });
    let share_key = key_of(&stage.tell("backup-resource-create", share.clone()).await.unwrap());
    let mut smaller = share.clone();
    smaller["resourceKey"] = json!(share_key);
    smaller["settings"]["storageQuota"] = json!(1_i64 << 39);
    stage.tell("backup-resource-edit", smaller.clone()).await.unwrap();
    let told = stage.shares().into_iter().find(|share| share.key == share_key).unwrap();
    assert_eq!((told.storage_quota, told.tenant_key.as_str()), (1 << 39, key.as_str()));
    let subtenant = json!({"tenantKey": key, "tenantName": "omega", "subtenant": {"userName": "sub"}});
    stage.tell("subtenant-edit", subtenant.clone()).await.unwrap_err();
    stage.tell("subtenant-create", subtenant.clone()).await.unwrap();
    stage.tell("subtenant-edit", subtenant.clone()).await.unwrap();
    for _ in 0..2 {
        stage.tell("subtenant-delete", subtenant.clone()).await.unwrap();
        stage.tell("backup-resource-delete", smaller.clone()).await.unwrap();
    }
    stage.tell("tenant-delete", named.clone()).await.unwrap();
    stage.tell("tenant-delete", named.clone()).await.unwrap();
    assert_eq!((find(), stage.tenants().len()), (None, 6));
    assert!(stage.tell("tenant-enable", named).await.is_err());
}

#[tokio::test]
async fn a_sites_switches_are_turned() {
    let stage = Stage::new();
    stage.tell("site-maintenance", json!({"enabled": true})).await.unwrap();
    stage.tell("site-tenant-management", json!({"enabled": false})).await.unwrap();
    let What::Site(site) = stage.facts().remove(0) else { panic!() };
    assert_eq!((site.maintenance_mode, site.tenant_management), (true, false));
    let plain = Simulated::new(9, 0, 0, SINCE, Arc::new(ManualClock::new(SINCE)));
    let order = Order { kind: "tenant-create".to_owned(), payload: json!({}), secret: Value::Null };
    assert!(plain.execute(&order).await.unwrap_err().0.contains("tenant-create"), "no site, no tenants");
}
