//! What companies and resellers are offered: each switch and quota is stored, shown with its default, filtered and patched.

use keelson_tests::client::escape;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::desk::{Desk, input, replace, uid};

on_both! {
    fn a_company_made_without_services_shows_their_defaults(database) {
        let desk = Desk::open(database).await;
        for given in [json!({}), json!({"companyServices": {}})] {
            let name = format!("Bakery {}", given.as_object().unwrap().len());
            let uid = desk.company_by(&desk.admin, &name, given).await;
            let shown = desk.admin.data(&format!("/organizations/companies/{uid}")).await;
            let expected = json!({
                "hostedServices": {"isVbPublicCloudManagementEnabled": false},
                "remoteServices": {"isBackupResourcesEnabled": true, "isVbPublicCloudManagementEnabled": false},
            });
            assert_eq!(shown["companyServices"], expected);
            assert_eq!((&shown["status"], &shown["isAlarmDetectEnabled"]), (&json!("Active"), &json!(false)));
            assert_eq!(shown["ownerCredentials"], json!({"userName": format!("{name}-owner")}), "no password is shown");
        }
        desk.close().await;
    }

    fn a_service_without_limits_is_there_and_one_that_is_off_is_not(database) {
        let desk = Desk::open(database).await;
        let given = json!({"companyServices": {
            "hostedServices": null,
            "remoteServices": {"backupServersManagement": {}, "backupAgentsManagement": {"serverAgentsQuota": 5}},
        }});
        let uid = desk.company_by(&desk.admin, "Bakery", given).await;
        let path = format!("/organizations/companies/{uid}");
        let shown = desk.admin.data(&path).await;
        assert_eq!(shown["companyServices"], json!({"remoteServices": {
            "isBackupResourcesEnabled": true,
            "isVbPublicCloudManagementEnabled": false,
            "backupAgentsManagement": {"isHardQuotaEnabled": false, "serverAgentsQuota": 5},
            "backupServersManagement": {},
        }}));
        let remote = "/companyServices/remoteServices";
        let (status, body) = desk.patch(&path, json!([
            {"op": "replace", "path": format!("{remote}/backupAgentsManagement"), "value": {"workstationAgentsQuota": 7}},
            {"op": "replace", "path": format!("{remote}/backupServersManagement"), "value": null},
            {"op": "add", "path": "/companyServices/hostedServices", "value": {}},
        ])).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["data"]["companyServices"], json!({
            "hostedServices": {"isVbPublicCloudManagementEnabled": false},
            "remoteServices": {
                "isBackupResourcesEnabled": true,
                "isVbPublicCloudManagementEnabled": false,
                "backupAgentsManagement": {"isHardQuotaEnabled": false, "workstationAgentsQuota": 7},
            },
        }));
        desk.close().await;
    }

    fn quotas_are_filtered_and_sorted_by(database) {
        let desk = Desk::open(database).await;
        for quota in [3, 9, 6] {
            let agents = json!({"serverAgentsQuota": quota});
            let given = json!({"companyServices": {"remoteServices": {"backupAgentsManagement": agents}}});
            desk.company_by(&desk.admin, &format!("Company {quota}"), given).await;
        }
        desk.company("Unlimited").await;
        let property = "companyServices.remoteServices.backupAgentsManagement.serverAgentsQuota";
        let filter = json!([{"property": property, "operation": "greaterThan", "value": 3}]).to_string();
        let sort = json!([{"property": property, "direction": "descending"}]).to_string();
        let path = format!("/organizations/companies?filter={}&sort={}", escape(&filter), escape(&sort));
        let found = desk.admin.data(&path).await;
        let names: Vec<_> = found.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Company 9", "Company 6"]);
        desk.close().await;
    }

    fn quotas_out_of_range_are_refused_by_name(database) {
        let desk = Desk::open(database).await;
        let uid = desk.company("Bakery").await;
        let agents = "companyServices.remoteServices.backupAgentsManagement";
        for (name, value) in [("serverAgentsQuota", json!(100_000)), ("workstationAgentsQuota", json!(-1)), ("isHardQuotaEnabled", json!("x"))] {
            let given = json!({"companyServices": {"remoteServices": {"backupAgentsManagement": {name: value}}}});
            let (status, body) = desk.admin.json(Method::POST, "/organizations/companies", &input("Other", given)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(body["errors"][0]["propertyName"], format!("{agents}.{name}"));
            let path = format!("/{}", agents.replace('.', "/"));
            let patch = replace(&path, &json!({name: value}));
            let (status, body) = desk.patch(&format!("/organizations/companies/{uid}"), patch).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        }
        desk.close().await;
    }

    fn a_resellers_services_have_their_defaults_and_are_patched(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/resellers/{}", desk.reseller("North").await);
        let shown = desk.admin.data(&path).await["resellerServices"].clone();
        assert_eq!(shown, json!({
            "cloudConnectManagementEnabled": false,
            "isFileLevelRestoreEnabled": false,
            "hostedServices": {"backupResourcesEnabled": false, "vb365ManagementEnabled": false, "vbPublicCloudManagementEnabled": false},
            "remoteServices": {"backupServersManagementEnabled": false, "vb365ManagementEnabled": false, "vbPublicCloudManagementEnabled": false},
        }));
        let (status, body) = desk.patch(&path, json!([
            {"op": "add", "path": "/resellerServices/cloudConnectQuota", "value": {"dataTransferOutQuota": 1_073_741_824}},
            {"op": "replace", "path": "/resellerServices/remoteServices/backupAgentsManagement/serverAgentsQuota", "value": 4},
            {"op": "replace", "path": "/proPartnerId", "value": "PP-1"},
        ])).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let services = &body["data"]["resellerServices"];
        assert_eq!(services["cloudConnectQuota"], json!({
            "dataTransferOutQuota": 1_073_741_824, "insiderProtectionQuota": 1, "isWanAccelerationEnabled": false,
            "maxConcurrentTask": 1, "throttlingUnit": "MbytePerSec", "throttlingValue": 1,
        }));
        assert_eq!(services["remoteServices"]["backupAgentsManagement"], json!({"serverAgentsQuota": 4}));
        assert_eq!(body["data"]["proPartnerId"], "PP-1");
        desk.close().await;
    }

    fn a_company_is_offered_nothing_that_its_reseller_lacks(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let path = format!("/organizations/resellers/{reseller}");
        let services = [
            ("hostedServices.isVbPublicCloudManagementEnabled", "hostedServices/vbPublicCloudManagementEnabled", json!(true)),
            ("remoteServices.isBackupResourcesEnabled", "cloudConnectManagementEnabled", json!(true)),
            ("remoteServices.isVbPublicCloudManagementEnabled", "remoteServices/vbPublicCloudManagementEnabled", json!(true)),
            ("remoteServices.backupServersManagement", "remoteServices/backupServersManagementEnabled", json!({})),
            ("remoteServices.vb365ServersManagement", "remoteServices/vb365ManagementEnabled", json!({})),
        ];
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let company = format!("/organizations/companies/{company}");
        let shown = desk.admin.data(&company).await;
        let remote = &shown["companyServices"]["remoteServices"];
        assert_eq!(remote["isBackupResourcesEnabled"], false, "the contract's default is no wish of anybody's");
        for (service, needs, value) in services {
            let (group, name) = service.split_once('.').unwrap();
            let given = json!({"resellerUid": reseller, "companyServices": {group: {name: value}}});
            let (status, body) = desk.admin.json(Method::POST, "/organizations/companies", &input("Other", given)).await;
            let expected = format!("companyServices.{service}");
            assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!(expected)), "{body}");
            let step = json!([{"op": "add", "path": format!("/{}", expected.replace('.', "/")), "value": value}]);
            let (status, body) = desk.patch(&company, step.clone()).await;
            assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!(expected)), "{body}");
            assert!(body.to_string().contains(needs), "{body}");
            let (status, body) = desk.patch(&path, replace(&format!("/resellerServices/{needs}"), &json!(true))).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let (status, body) = desk.patch(&company, step).await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
        desk.close().await;
    }

    fn days_of_protection_are_never_fewer_than_none(database) {
        let desk = Desk::open(database).await;
        let quota = json!({"insiderProtectionQuota": -1});
        let property = json!("resellerServices.cloudConnectQuota.insiderProtectionQuota");
        let given = input("North", json!({"resellerServices": {"cloudConnectQuota": quota}}));
        let (status, body) = desk.admin.json(Method::POST, "/organizations/resellers", &given).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &property), "{body}");
        let path = format!("/organizations/resellers/{}", desk.reseller("North").await);
        let (status, body) = desk.patch(&path, replace("/resellerServices/cloudConnectQuota", &quota)).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &property), "{body}");
        desk.close().await;
    }

    fn a_companys_portal_is_where_its_branding_says(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let path = format!("/organizations/{reseller}/configuration/branding");
        let (status, body) = desk.patch(&path, replace("/webUri", &json!("https://north.example"))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let shown = desk.admin.data(&format!("/organizations/companies/{company}")).await;
        assert_eq!(shown["loginUrl"], "https://north.example");
        desk.close().await;
    }

    fn the_provider_has_a_row_of_its_own(database) {
        let desk = Desk::open(database).await;
        let found = desk.admin.data("/organizations/provider").await;
        assert_eq!(uid(&found["instanceUid"]), desk.provider);
        assert_eq!(found.get("_embedded"), None::<&Value>);
        let found = desk.admin.data("/organizations/provider?expand=Organization").await;
        assert_eq!(found["_embedded"]["organization"]["type"], "Provider");
        desk.close().await;
    }
}
