//! Nobody sees or does more than their scope.

use keelson::model::Door;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::fleet::{Fleet, inventory, uid, uids};
use super::lists::LISTS;

on_both! {
    fn a_company_sees_its_own_and_nothing_of_others(database) {
        let fleet = Fleet::start(database).await;
        let owner = fleet.baker("CompanyOwner");
        for (path, id, rows) in LISTS {
            assert_eq!(uids(&owner, path, id).await.len() as u64, *rows, "{path}");
        }
        let (own, foreign) = (fleet.of_bakery, fleet.of_butcher);
        let pairs = [
            (format!("/infrastructure/managementAgents/{}", own.agent), format!("/infrastructure/managementAgents/{}", foreign.agent)),
            (format!("/infrastructure/backupServers/{}", own.server("vbr")), format!("/infrastructure/backupServers/{}", foreign.server("vbr"))),
            (
                format!("/infrastructure/backupServers/jobs/{}", own.job("vbr", "vm")),
                format!("/infrastructure/backupServers/jobs/{}", foreign.job("vbr", "vm")),
            ),
            (
                format!("/infrastructure/backupServers/{}/jobs", own.server("vbr")),
                format!("/infrastructure/backupServers/{}/jobs", foreign.server("vbr")),
            ),
            (
                format!("/protectedWorkloads/virtualMachines/{}/backups", own.workload("vbr", "vm1")),
                format!("/protectedWorkloads/virtualMachines/{}/backups", foreign.workload("vbr", "vm1")),
            ),
        ];
        for (mine, theirs) in pairs {
            assert_eq!(owner.get(&mine).await.0, StatusCode::OK, "{mine}");
            assert_eq!(owner.get(&theirs).await.0, StatusCode::NOT_FOUND, "{theirs}");
        }
        let path = format!("/infrastructure/backupServers/jobs/{}/start", foreign.job("vbr", "vm"));
        assert_eq!(owner.json(Method::POST, &path, &json!({})).await.0, StatusCode::NOT_FOUND);
        fleet.host.stop().await;
    }

    fn a_location_user_sees_what_stands_at_their_locations(database) {
        let fleet = Fleet::start(database).await;
        let client = fleet.baker("LocationAdministrator");
        for (path, id, rows) in LISTS {
            assert_eq!(uids(&client, path, id).await.len() as u64, *rows, "{path}");
        }
        let user = uid(&client.data("/users/me").await["instanceUid"]);
        let locations = fleet.admin.data(&format!("/organizations/{}/locations", fleet.bakery)).await;
        let hosted = locations.as_array().unwrap().iter().find(|location| location["type"] == "Hosted").unwrap();
        let body = json!({"siteUids": [], "locationUids": [hosted["instanceUid"]]});
        let (status, answer) = fleet.admin.json(Method::PUT, &format!("/users/{user}/assignments"), &body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        for (path, id, _) in LISTS {
            assert!(uids(&client, path, id).await.is_empty(), "{path} at another location");
        }
        fleet.host.stop().await;
    }

    fn a_subtenant_sees_what_their_account_backed_up(database) {
        let fleet = Fleet::start(database).await;
        let client = fleet.baker("SubTenant");
        let user = uid(&client.data("/users/me").await["instanceUid"]);
        let own = fleet.agent(fleet.bakery, Door::Remote, Some(user)).await;
        fleet.report(own, &inventory()).await;
        for (path, id, rows) in LISTS {
            if path.starts_with("/protectedWorkloads") {
                assert_eq!(uids(&client, path, id).await.len() as u64, *rows, "{path}");
            } else {
                assert_eq!(client.get(path).await.0, StatusCode::FORBIDDEN, "{path}");
            }
        }
        let (mine, theirs) = (own.workload("vbr", "vm1"), fleet.of_bakery.workload("vbr", "vm1"));
        let of = |vm| format!("/protectedWorkloads/virtualMachines/{vm}/backupRestorePoints");
        assert_eq!(client.get(&of(mine)).await.0, StatusCode::OK);
        assert_eq!(client.get(&of(theirs)).await.0, StatusCode::NOT_FOUND);
        fleet.host.stop().await;
    }

    fn who_may_only_read_starts_nothing(database) {
        let fleet = Fleet::start(database).await;
        let job = fleet.of_bakery.job("vbr", "vm");
        let path = format!("/infrastructure/backupServers/jobs/{job}/start");
        for role in ["LocationUser", "CompanyInvoiceAuditor", "SubTenant"] {
            assert_eq!(fleet.baker(role).json(Method::POST, &path, &json!({})).await.0, StatusCode::FORBIDDEN, "{role}");
        }
        let tenant = fleet.baker("CompanyTenant");
        assert_eq!(tenant.json(Method::POST, &path, &json!({})).await.0, StatusCode::OK);
        let without = json!([{"op": "replace", "path": "/claims", "value": ["RemoteVbrJobEnableDisable"]}]);
        let permissions = format!("/permissions/{}", fleet.bakery);
        assert_eq!(fleet.admin.json(Method::PATCH, &permissions, &without).await.0, StatusCode::OK);
        let stop = path.replace("/start", "/stop");
        assert_eq!(tenant.json(Method::POST, &stop, &json!({})).await.0, StatusCode::FORBIDDEN, "no longer granted");
        assert_eq!(fleet.admin.json(Method::POST, &stop, &json!({})).await.0, StatusCode::OK);
        fleet.host.stop().await;
    }
}
