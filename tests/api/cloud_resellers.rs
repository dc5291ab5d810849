//! Tenants of resellers: whose they are when companies move, and what their resellers' limits allow.

use keelson::model::{Outcome, Role};
use keelson::store::Lease;
use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::cloud_world::{SITES, World};

async fn patch(client: &Client, path: &str, property: &str, value: Value) -> (StatusCode, Value) {
    let steps = json!([{"op": "replace", "path": property, "value": value}]);
    client.json(Method::PATCH, path, &steps).await
}

async fn resellers(world: &World) -> [Client; 2] {
    let role = Role::ServiceProviderAdministrator;
    [world.user(role, world.resellers[0].0).await.1, world.user(role, world.resellers[1].0).await.1]
}

/// The first reseller is limited in everything.
async fn limit(world: &World) {
    let path = format!("/organizations/resellers/{}", world.resellers[0]);
    let quota = json!({
        "insiderProtectionQuota": 5, "isWanAccelerationEnabled": false, "maxConcurrentTask": 4, "throttlingUnit": "MbytePerSec",
        "throttlingValue": 10,
    });
    let (status, body) = patch(&world.admin, &path, "/resellerServices/cloudConnectQuota", quota).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

fn property(body: &Value) -> &str {
    body["errors"][0]["propertyName"].as_str().unwrap_or_default()
}

on_both! {
    fn a_tenant_follows_its_company_to_another_reseller_and_stays_there(database) {
        let world = World::new(database).await;
        let [first, second] = resellers(&world).await;
        let uid = world.tenant(&first, 0, json!({"assignedForCompany": world.companies[1]})).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        let company = format!("/organizations/companies/{}", world.companies[1]);
        let (status, body) = patch(&world.admin, &company, "/resellerUid", json!(world.resellers[1])).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let seen = async || [first.get(&tenant).await.0, second.get(&tenant).await.0];
        assert_eq!(seen().await, [StatusCode::NOT_FOUND, StatusCode::OK]);
        world.done(0, None).await;
        let (status, body) = patch(&second, &tenant, "/assignedForCompany", json!(null)).await;
        assert_eq!((status, &body["data"]["instanceUid"]), (StatusCode::OK, &json!(uid)), "{body}");
        assert_eq!(seen().await, [StatusCode::NOT_FOUND, StatusCode::OK], "the one that lost the company has no claim to it");
        world.stop().await;
    }

    fn what_a_deleted_company_leaves_falls_to_the_reseller_that_it_had(database) {
        let world = World::new(database).await;
        let [first, second] = resellers(&world).await;
        let uid = world.tenant(&first, 0, json!({"assignedForCompany": world.companies[1]})).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        let company = format!("/organizations/companies/{}", world.companies[1]);
        assert_eq!(patch(&world.admin, &company, "/resellerUid", json!(world.resellers[1])).await.0, StatusCode::OK);
        let path = format!("/api/v3{company}?removeAllAgents=true");
        assert_eq!(Client::send(world.admin.request(Method::DELETE, &path)).await.0, StatusCode::OK);
        assert_eq!(first.get(&tenant).await.0, StatusCode::NOT_FOUND);
        assert_eq!(second.get(&tenant).await.0, StatusCode::OK);
        world.stop().await;
    }

    fn a_tenant_of_the_providers_is_its_companys_resellers_once_it_is_mapped(database) {
        let world = World::new(database).await;
        let [first, _] = resellers(&world).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        assert_eq!(first.get(&tenant).await.0, StatusCode::NOT_FOUND);
        let assign = format!("{tenant}/assignForCompany?companyUid={}", world.companies[1]);
        assert_eq!(world.admin.json(Method::POST, &assign, &json!({})).await.0, StatusCode::OK);
        let (status, body) = patch(&first, &tenant, "/assignedForCompany", json!(null)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(first.get(&tenant).await.0, StatusCode::OK, "it falls back to the reseller");
        world.stop().await;
    }

    fn the_end_of_an_earlier_command_brings_no_deleted_tenant_back(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({"assignedForCompany": world.companies[0]})).await;
        let share = world.share(&uid, json!({})).await;
        world.done(0, None).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        let shares = format!("{tenant}/backupResources");
        let fail = async |expected: &str| {
            let commands = world.sent(0).await;
            assert_eq!(commands.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), [expected]);
            let mut tx = world.host.store.write().await.unwrap();
            tx.commands().finish(&keelson::clock::SystemClock, Lease::of(&commands[0]), &Outcome::failed("no")).await.unwrap();
            tx.commit().await.unwrap();
        };
        let delete = async |path: String| Client::send(world.admin.request(Method::DELETE, &format!("/api/v3{path}"))).await.0;
        let listed = async || world.admin.data(&shares).await.as_array().unwrap().len();
        assert_eq!(world.replace(&format!("{shares}/{share}"), "/storageQuota", json!(2_i64 << 30)).await.0, StatusCode::OK);
        assert_eq!(delete(format!("{shares}/{share}")).await, StatusCode::OK);
        fail("backup-resource-edit").await;
        assert_eq!(listed().await, 0, "what failed was not the deletion");
        fail("backup-resource-delete").await;
        assert_eq!(listed().await, 1, "the server keeps it");

        let company = world.companies[0].0;
        let linked = async || {
            let mut tx = world.host.store.read().await.unwrap();
            tx.organization_sites().of(company).await.unwrap().len()
        };
        assert_eq!(world.replace(&tenant, "/description", json!("x")).await.0, StatusCode::OK);
        assert_eq!(delete(format!("{tenant}?deleteBackups=false")).await, StatusCode::OK);
        assert_eq!(linked().await, 0);
        fail("tenant-edit").await;
        assert_eq!((world.admin.get(&tenant).await.0, linked().await), (StatusCode::NOT_FOUND, 0));
        fail("tenant-delete").await;
        assert_eq!((world.admin.get(&tenant).await.0, linked().await), (StatusCode::OK, 1));
        world.stop().await;
    }

    fn a_resellers_limits_bind_its_tenants_whoever_makes_them(database) {
        let world = World::new(database).await;
        let [first, _] = resellers(&world).await;
        limit(&world).await;
        for client in [&first, &world.admin] {
            for (wish, name) in [
                (json!({"maxConcurrentTask": 5}), "maxConcurrentTask"),
                (json!({"isThrottlingEnabled": true, "throttlingValue": 11, "throttlingUnit": "MbytePerSec"}), "throttlingValue"),
                (json!({"isThrottlingEnabled": false}), "isThrottlingEnabled"),
                (json!({"isBackupProtectionEnabled": true, "backupProtectionPeriod": 4}), "backupProtectionPeriod"),
                (json!({"isBackupProtectionEnabled": false}), "isBackupProtectionEnabled"),
            ] {
                let mut wish = wish;
                wish["assignedForCompany"] = json!(world.companies[1]);
                let (status, body) = world.try_tenant(client, 0, wish.clone()).await;
                assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, name), "{wish}: {body}");
            }
        }
        let within = json!({"isThrottlingEnabled": true, "throttlingValue": 80, "throttlingUnit": "MbitPerSec"});
        let uid = world.tenant(&first, 0, within).await;
        world.done(0, None).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        let shown = first.data(&tenant).await;
        assert_eq!((&shown["isBackupProtectionEnabled"], &shown["backupProtectionPeriod"]), (&json!(true), &json!(5)));
        for (name, value) in [("maxConcurrentTask", json!(9)), ("backupProtectionPeriod", json!(1)), ("throttlingValue", json!(900))] {
            let (status, body) = world.replace(&tenant, &format!("/{name}"), value).await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, name), "{body}");
        }
        let accelerated = json!({"isWanAccelerationEnabled": true, "wanAcceleratorUid": world.sites[0].part("accelerator", "w1")});
        let (status, body) = world.try_share(&world.admin, &uid, accelerated).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "isWanAccelerationEnabled"), "{body}");
        // A tenant that was made without the limits does not come under the reseller as it is.
        let wish = json!({"credentials": {"userName": "beta"}, "maxConcurrentTask": 9});
        let other = world.tenant(&world.admin, 0, wish).await;
        let assign = format!("{SITES}/tenants/{other}/assignForCompany?companyUid={}", world.companies[1]);
        let (status, body) = world.admin.json(Method::POST, &assign, &json!({})).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "maxConcurrentTask"), "{body}");
        world.stop().await;
    }

    fn a_reseller_without_a_quota_is_not_limited(database) {
        let world = World::new(database).await;
        let [first, _] = resellers(&world).await;
        let uid = world.tenant(&first, 0, json!({"maxConcurrentTask": 500})).await;
        let shown = first.data(&format!("{SITES}/tenants/{uid}")).await;
        assert_eq!((&shown["isThrottlingEnabled"], &shown["isBackupProtectionEnabled"]), (&json!(false), &json!(false)));
        world.stop().await;
    }

    fn a_reseller_that_cloud_connect_was_not_given_to_has_no_tenants(database) {
        let world = World::new(database).await;
        let [first, _] = resellers(&world).await;
        let uid = world.tenant(&first, 0, json!({})).await;
        let path = format!("/organizations/resellers/{}", world.resellers[0]);
        let switch = "/resellerServices/cloudConnectManagementEnabled";
        assert_eq!(patch(&world.admin, &path, switch, json!(false)).await.0, StatusCode::OK);
        let tenant = format!("{SITES}/tenants/{uid}");
        for (status, body) in [
            world.try_tenant(&first, 0, json!({"credentials": {"userName": "beta"}})).await,
            world.try_tenant(&world.admin, 0, json!({"assignedForCompany": world.companies[1], "credentials": {"userName": "beta"}})).await,
            patch(&first, &tenant, "/description", json!("x")).await,
            world.try_share(&first, &uid, json!({})).await,
        ] {
            assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::FORBIDDEN, &json!(1101)), "{body}");
        }
        assert_eq!(world.replace(&tenant, "/description", json!("x")).await.0, StatusCode::OK, "the provider goes on managing it");
        world.stop().await;
    }

    fn a_site_on_which_a_reseller_has_tenants_is_not_taken_from_it(database) {
        let world = World::new(database).await;
        let [first, _] = resellers(&world).await;
        let uid = world.tenant(&first, 0, json!({})).await;
        let path = format!("/organizations/resellers/{}/sites", world.resellers[0]);
        let none = json!({"siteUids": []});
        let (status, body) = world.admin.json(Method::PUT, &path, &none).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(body.to_string().contains("1 tenant on the site"), "{body}");
        let gone = format!("/api/v3{SITES}/tenants/{uid}?deleteBackups=true");
        assert_eq!(Client::send(world.admin.request(Method::DELETE, &gone)).await.0, StatusCode::OK);
        assert_eq!(world.admin.json(Method::PUT, &path, &none).await.0, StatusCode::OK);
        world.stop().await;
    }

    fn a_tenant_that_its_server_could_not_make_says_so(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        let tenant = format!("{SITES}/tenants/{uid}");
        let shown = world.admin.data(&tenant).await;
        assert_eq!((&shown["syncState"], &shown["isEnabled"]), (&json!("Creating"), &json!(true)));
        world.done(0, Some("no licence")).await;
        let shown = world.admin.data(&tenant).await;
        assert_eq!((&shown["syncState"], &shown["syncMessage"]), (&json!("CreationFailed"), &json!("no licence")));
        assert_eq!(shown["isEnabled"], false);
        let filter = r#"{"property":"syncState","operation":"equals","collation":"ordinal","value":"CreationFailed"}"#;
        let found = world.admin.data(&format!("{SITES}/tenants?filter={}", keelson_tests::client::escape(filter))).await;
        assert_eq!(found.as_array().unwrap().len(), 1);
        world.stop().await;
    }

    fn numbers_that_a_switch_makes_meaningless_are_refused_not_dropped(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        let accelerator = world.sites[0].part("accelerator", "w1");
        for (more, name) in [
            (json!({"serversQuota": 5}), "serversQuota"),
            (json!({"isVmsQuotaUnlimited": true, "vmsQuota": 5}), "vmsQuota"),
            (json!({"wanAcceleratorUid": accelerator}), "wanAcceleratorUid"),
        ] {
            let (status, body) = world.try_share(&world.admin, &uid, more.clone()).await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, name), "{more}: {body}");
        }
        let share = world.share(&uid, json!({"isServersQuotaUnlimited": false, "serversQuota": 5})).await;
        let path = format!("{SITES}/tenants/{uid}/backupResources/{share}");
        let (status, body) = world.replace(&path, "/isServersQuotaUnlimited", json!(true)).await;
        assert_eq!((status, &body["data"]["serversQuota"]), (StatusCode::OK, &Value::Null), "{body}");
        let (status, body) = world.replace(&path, "/workstationsQuota", json!(5)).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "workstationsQuota"), "{body}");
        world.stop().await;
    }
}
