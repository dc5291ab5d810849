//! Tenants' shares of repositories, and the lists of what servers report.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cloud_world::{SITES, World};
use crate::store::cloud::whole;

const GIB: i64 = 1 << 30;

on_both! {
    fn a_share_is_made_changed_and_taken_away_here_and_on_the_server(database) {
        let world = World::new(database).await;
        let tenant = world.tenant(&world.admin, 0, json!({})).await;
        let accelerator = world.sites[0].part("accelerator", "w1");
        let wish = json!({
            "isVmsQuotaUnlimited": false, "vmsQuota": 3, "isWanAccelerationEnabled": true,
            "wanAcceleratorUid": accelerator,
        });
        let share = world.share(&tenant, wish).await;
        let of_tenant = format!("{SITES}/tenants/{tenant}/backupResources");
        let shown = world.admin.data(&of_tenant).await[0].clone();
        assert_eq!((&shown["vmsQuota"], shown.get("serversQuota")), (&json!(3), None), "unlimited has no number");
        assert_eq!(world.admin.data(&format!("{SITES}/tenants/{tenant}")).await["isBackupResourcesEnabled"], json!(true));
        let path = format!("{of_tenant}/{share}");
        let (status, body) = world.replace(&path, "/storageQuota", json!(5 * GIB)).await;
        assert_eq!((status, &body["data"]["storageQuota"]), (StatusCode::OK, &json!(5 * GIB)), "{body}");
        let (status, body) = world.replace(&path, "/isVmsQuotaUnlimited", json!(true)).await;
        assert_eq!((status, body["data"].get("vmsQuota")), (StatusCode::OK, None), "{body}");
        let (status, _) = keelson_tests::Client::send(world.admin.request(Method::DELETE, &format!("/api/v3{path}"))).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(world.admin.data(&of_tenant).await, json!([]));
        let commands = world.done(0, None).await;
        let kinds: Vec<_> = commands.iter().map(|command| command.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["tenant-create", "backup-resource-create", "backup-resource-edit", "backup-resource-delete"],
            "in order, and machines are counted here"
        );
        let edit: Value = serde_json::from_str(&commands[2].payload).unwrap();
        assert_eq!(edit["settings"], json!({
            "cloudRepositoryName": "Cloud", "repository": "r1", "storageQuota": 5 * GIB, "wanAccelerator": "w1",
        }));
        world.stop().await;
    }

    fn a_share_that_makes_no_sense_is_refused_by_name(database) {
        let world = World::new(database).await;
        let tenant = world.tenant(&world.admin, 0, json!({})).await;
        world.share(&tenant, json!({})).await;
        let foreign = world.sites[1];
        for (wish, property) in [
            (json!({"storageQuota": GIB - 1}), "storageQuota"),
            (json!({"storageQuota": 1_124_774_006_935_781_401_i64}), "storageQuota"),
            (json!({"repositoryUid": foreign.part("repository", "r1")}), "repositoryUid"),
            (json!({"isServersQuotaUnlimited": false}), "serversQuota"),
            (json!({"isWanAccelerationEnabled": true}), "wanAcceleratorUid"),
            (
                json!({"isWanAccelerationEnabled": true, "wanAcceleratorUid": foreign.part("accelerator", "w1")}),
                "wanAcceleratorUid",
            ),
        ] {
            let (status, body) = world.try_share(&world.admin, &tenant, wish.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{wish}: {body}");
            assert_eq!(body["errors"][0]["propertyName"], property, "{wish}: {body}");
        }
        let (status, _) = world.try_share(&world.admin, &tenant, json!({"cloudRepositoryName": "CLOUD"})).await;
        assert_eq!(status, StatusCode::CONFLICT);
        world.stop().await;
    }

    fn object_storage_has_no_accelerator(database) {
        let world = World::new(database).await;
        let mut facts = whole();
        facts.repositories[0].object_storage = true;
        facts.complete = false;
        world.report(world.agents[0], &facts).await;
        let tenant = world.tenant(&world.admin, 0, json!({"credentials": {"userName": "gamma"}})).await;
        let wish =
            json!({"isWanAccelerationEnabled": true, "wanAcceleratorUid": world.sites[0].part("accelerator", "w1")});
        let (status, body) = world.try_share(&world.admin, &tenant, wish).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(body["errors"][0]["propertyName"], "isWanAccelerationEnabled");
        world.stop().await;
    }

    fn a_tenant_has_one_default_share(database) {
        let world = World::new(database).await;
        let tenant = world.tenant(&world.admin, 0, json!({})).await;
        let first = world.share(&tenant, json!({"isDefault": true})).await;
        let second = world.share(&tenant, json!({"isDefault": true, "cloudRepositoryName": "Two"})).await;
        let of_tenant = format!("{SITES}/tenants/{tenant}/backupResources");
        let default = async || {
            let filter = r#"?filter=[{"property":"isDefault","operation":"equals","value":true}]"#;
            let rows = world.admin.data(&format!("{of_tenant}{filter}")).await;
            assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
            rows[0]["instanceUid"].as_str().unwrap().to_owned()
        };
        assert_eq!(default().await, second);
        world.replace(&format!("{of_tenant}/{first}"), "/isDefault", json!(true)).await;
        assert_eq!(default().await, first);
        world.stop().await;
    }

    fn a_share_is_found_under_its_own_tenant_only(database) {
        let world = World::new(database).await;
        let tenant = world.tenant(&world.admin, 0, json!({})).await;
        let other = world.tenant(&world.admin, 0, json!({"credentials": {"userName": "beta"}})).await;
        let share = world.share(&tenant, json!({})).await;
        let path = format!("{SITES}/tenants/{other}/backupResources/{share}");
        assert_eq!(world.replace(&path, "/isDefault", json!(true)).await.0, StatusCode::NOT_FOUND);
        let request = world.admin.request(Method::DELETE, &format!("/api/v3{path}"));
        assert_eq!(keelson_tests::Client::send(request).await.0, StatusCode::NOT_FOUND);
        world.stop().await;
    }

    fn what_servers_report_is_listed_and_every_schema_is_filled(database) {
        let world = World::new(database).await;
        let mut facts = whole();
        facts.backups[0].subtenant = Some("s1".to_owned());
        facts.backups[0].installation = Some(Uuid::from_u128(5));
        facts.backup_resources[0].archive_tier = Some(1);
        world.report(world.agents[0], &facts).await;
        let tenant = world.sites[0].own("tenant", "t1");
        let mut tx = world.host.store.write().await.unwrap();
        tx.cloud().set_traffic_quota(keelson::id::CloudTenantUid(tenant), Some(10)).await.unwrap();
        tx.cloud()
            .map_tenant(keelson::id::CloudTenantUid(tenant), world.sites[0].site, Some(world.companies[0]))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for (path, rows) in [
            (SITES.to_owned(), 2),
            (format!("{SITES}/cloudgateways"), 2),
            (format!("{}/cloudgateways", world.site(0)), 1),
            (format!("{SITES}/cloudgatewaypools"), 2),
            (format!("{SITES}/backups"), 1),
            (format!("{SITES}/tenants"), 2),
            (format!("{}/tenants", world.site(1)), 0),
            (format!("{SITES}/tenants/backupResources"), 2),
            (format!("{SITES}/tenants/backupResources/usage"), 2),
            (format!("{SITES}/tenants/{tenant}/backupResources/usage"), 1),
            (format!("{SITES}/tenants/replicationResources"), 1),
            (format!("{SITES}/tenants/replicationResources/usage"), 1),
        ] {
            assert_eq!(world.admin.data(&path).await.as_array().unwrap().len(), rows, "{path}");
        }
        let plans = &world.admin.data(&format!("{SITES}/tenants/replicationResources")).await[0]["hardwarePlans"];
        assert_eq!(plans[0]["wanAcceleratorUid"], json!(world.sites[0].part("accelerator", "w1")));
        let traffic = world.admin.data(&format!("{SITES}/tenants/{tenant}/traffic")).await;
        assert_eq!((&traffic["dataTransferOutQuota"], &traffic["isDataTransferOutQuotaUnlimited"]), (&json!(10), &json!(false)));
        let pools = world.admin.data(&format!("{SITES}/cloudgatewaypools")).await;
        assert_eq!(pools[0]["numberOfGateways"], json!(1));
        world.stop().await;
    }
}
