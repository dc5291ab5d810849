//! What people have jobs do: an order in the outbox, and a job that shows it.

use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fleet::{Fleet, inventory, point, uid, uids};

const JOBS: &str = "/infrastructure/backupServers/jobs";

async fn post(client: &Client, job: Uuid, action: &str) -> (StatusCode, Value) {
    client.json(Method::POST, &format!("{JOBS}/{job}/{action}"), &json!({})).await
}

async fn patch(client: &Client, job: Uuid, path: &str, value: Value) -> (StatusCode, Value) {
    let steps = json!([{"op": "replace", "path": path, "value": value}]);
    client.json(Method::PATCH, &format!("{JOBS}/{job}"), &steps).await
}

async fn status(client: &Client, job: Uuid) -> String {
    client.data(&format!("{JOBS}/{job}")).await["status"].as_str().unwrap().to_owned()
}

async fn tasks(client: &Client) -> Vec<(String, String)> {
    let found = client.data("/eventLogs/managementAgentTasks").await;
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    found.as_array().unwrap().iter().map(|one| (text(one, "description"), text(one, "status"))).collect()
}

on_both! {
    fn a_job_is_started_once_and_taken_back_while_nobody_took_it(database) {
        let fleet = Fleet::start(database).await;
        let job = fleet.of_bakery.job("vbr", "vm");
        assert_eq!(post(&fleet.admin, job, "start").await, (StatusCode::OK, json!({"data": {}, "errors": []})));
        assert_eq!(status(&fleet.admin, job).await, "Starting");
        let (refused, body) = post(&fleet.admin, job, "start").await;
        assert_eq!(refused, StatusCode::CONFLICT, "{body}");
        let started = "Start job \"Job vm\" on backup server \"Backup server\"".to_owned();
        assert_eq!(tasks(&fleet.admin).await, [(started.clone(), "Scheduled".to_owned())]);
        assert_eq!(post(&fleet.admin, job, "stop").await.0, StatusCode::OK);
        assert_eq!(status(&fleet.admin, job).await, "Success");
        assert_eq!(tasks(&fleet.admin).await, [(started, "Canceled".to_owned())]);
        fleet.host.stop().await;
    }

    fn an_order_that_nobody_fetched_is_over_at_its_deadline(database) {
        let fleet = Fleet::start(database).await;
        let job = fleet.of_bakery.job("vbr", "vm");
        assert_eq!(post(&fleet.admin, job, "start").await.0, StatusCode::OK);
        fleet.clock.advance(2 * 3_600_000);
        let mut tx = fleet.host.store.write().await.unwrap();
        tx.commands().expire(&*fleet.clock).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(status(&fleet.admin, job).await, "Success");
        assert_eq!(tasks(&fleet.admin).await[0].1, "Failed");
        assert_eq!(post(&fleet.admin, job, "start").await.0, StatusCode::OK);
        fleet.host.stop().await;
    }

    fn only_what_fits_a_jobs_state_is_done(database) {
        let fleet = Fleet::start(database).await;
        let job = |key| fleet.of_bakery.job("vbr", key);
        for (key, action) in [("copy", "start"), ("copy", "retry"), ("vm", "retry"), ("vm", "stop")] {
            let (refused, body) = post(&fleet.admin, job(key), action).await;
            assert_eq!(refused, StatusCode::CONFLICT, "{action} {key}: {body}");
        }
        assert_eq!(post(&fleet.admin, job("agent"), "retry").await.0, StatusCode::OK);
        assert_eq!(status(&fleet.admin, job("agent")).await, "Starting");
        assert_eq!(post(&fleet.admin, job("copy"), "stop").await.0, StatusCode::OK);
        assert_eq!(status(&fleet.admin, job("copy")).await, "Stopping");
        assert_eq!(post(&fleet.admin, Uuid::nil(), "start").await.0, StatusCode::NOT_FOUND);
        fleet.host.stop().await;
    }

    fn a_patched_status_starts_and_a_patched_flag_holds(database) {
        let fleet = Fleet::start(database).await;
        let job = fleet.of_bakery.job("vbr", "vm");
        let (ok, body) = patch(&fleet.admin, job, "/status", json!("Running")).await;
        assert_eq!((ok, &body["data"]["status"]), (StatusCode::OK, &json!("Starting")), "{body}");
        let share = fleet.of_bakery.job("vbr", "share");
        let (ok, body) = patch(&fleet.admin, share, "/isEnabled", json!(false)).await;
        assert_eq!((ok, &body["data"]["status"], &body["data"]["isEnabled"]), (StatusCode::OK, &json!("Disabling"), &json!(true)), "{body}");
        let again = patch(&fleet.admin, share, "/isEnabled", json!(false)).await;
        assert_eq!(again.0, StatusCode::OK);
        assert_eq!(tasks(&fleet.admin).await.len(), 2, "the same order is given once");
        for (path, value) in [("/name", json!("x")), ("/status", json!("Success")), ("/status", json!("Flying")), ("/isEnabled", json!("no"))] {
            let target = fleet.of_bakery.job("vbr", "agent");
            let (refused, body) = patch(&fleet.admin, target, path, value).await;
            assert_eq!(refused, StatusCode::BAD_REQUEST, "{path}: {body}");
            assert!(body.to_string().contains(path.trim_start_matches('/')), "{body}");
        }
        fleet.host.stop().await;
    }

    fn the_last_word_about_a_jobs_schedule_counts_while_an_earlier_order_is_open(database) {
        let fleet = Fleet::start(database).await;
        let job = fleet.of_bakery.job("vbr", "share");
        let turn = async |on: bool| {
            let (ok, body) = patch(&fleet.admin, job, "/isEnabled", json!(on)).await;
            assert_eq!(ok, StatusCode::OK, "{body}");
            body["data"]["status"].as_str().unwrap().to_owned()
        };
        let (held, freed) = ("Disable job \"Job share\" on backup server \"Backup server\"", "Enable job \"Job share\" on backup server \"Backup server\"");
        assert_eq!(turn(false).await, "Disabling");
        assert_eq!(turn(true).await, "Warning", "the order is taken back");
        assert_eq!(tasks(&fleet.admin).await, [(held.to_owned(), "Canceled".to_owned())]);
        assert_eq!(turn(true).await, "Warning", "and there is nothing to do");
        assert_eq!(turn(false).await, "Disabling");
        let mut tx = fleet.host.store.write().await.unwrap();
        tx.commands().send_out(&*fleet.clock, &[fleet.of_bakery.agent], 60_000, 10).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(turn(true).await, "Enabling", "what went out is followed by its opposite");
        assert_eq!(turn(true).await, "Enabling");
        let open = tasks(&fleet.admin).await.into_iter().filter(|(_, status)| status != "Canceled");
        let mut open: Vec<_> = open.map(|(what, _)| what).collect();
        open.sort();
        assert_eq!(open, [held, freed]);
        fleet.host.stop().await;
    }

    fn a_reseller_does_with_jobs_what_it_was_granted(database) {
        let fleet = Fleet::start(database).await;
        let body = json!({
            "organizationInput": {"name": "North"}, "isRestAccessEnabled": true,
            "ownerCredentials": {"userName": "north-owner", "password": "correct horse"},
        });
        let (ok, made) = fleet.admin.json(Method::POST, "/organizations/resellers", &body).await;
        assert_eq!(ok, StatusCode::OK, "{made}");
        let reseller = uid(&made["data"]["instanceUid"]);
        let replace = async |path: String, property: &str, value: Value| {
            let steps = json!([{"op": "replace", "path": property, "value": value}]);
            let (ok, body) = fleet.admin.json(Method::PATCH, &path, &steps).await;
            assert_eq!(ok, StatusCode::OK, "{body}");
        };
        replace(format!("/organizations/companies/{}", fleet.bakery), "/resellerUid", json!(reseller)).await;
        fleet.host.command(&["user", "add", "--name", "rita", "--role", "ServiceProviderAdministrator", "--reseller", &reseller.to_string()]);
        let key = fleet.host.command(&["apikey", "add", "--user", "rita"]);
        let (rita, owner) = (fleet.host.client.with(&key), fleet.baker("CompanyOwner"));
        let job = fleet.of_bakery.job("vbr", "vm");
        assert_eq!(post(&rita, job, "start").await.0, StatusCode::OK);
        replace(format!("/permissions/{reseller}"), "/claims", json!(["RemoteVbrJobEnableDisable"])).await;
        for client in [&rita, &owner] {
            let (refused, body) = post(client, job, "stop").await;
            assert_eq!(refused, StatusCode::FORBIDDEN, "{body}");
            assert_eq!(patch(client, job, "/status", json!("Idle")).await.0, StatusCode::FORBIDDEN);
        }
        assert_eq!(patch(&owner, job, "/isEnabled", json!(false)).await.0, StatusCode::OK, "what both have");
        // A company made under it begins with no more than it has.
        let body = json!({
            "organizationInput": {"name": "Brewery"}, "resellerUid": reseller,
            "ownerCredentials": {"userName": "brewery-owner", "password": "correct horse"},
        });
        let (_, made) = fleet.admin.json(Method::POST, "/organizations/companies", &body).await;
        let claims = fleet.admin.data(&format!("/permissions/{}", uid(&made["data"]["instanceUid"]))).await;
        assert_eq!(claims["claims"], json!(["RemoteVbrJobEnableDisable"]));
        fleet.host.stop().await;
    }

    fn disabling_a_reseller_stops_what_runs_for_its_companies(database) {
        let fleet = Fleet::start(database).await;
        let body = json!({
            "organizationInput": {"name": "North"},
            "ownerCredentials": {"userName": "north-owner", "password": "correct horse"},
        });
        let (_, made) = fleet.admin.json(Method::POST, "/organizations/resellers", &body).await;
        let reseller = uid(&made["data"]["instanceUid"]);
        let replace = |property: &str, value: Value| json!([{"op": "replace", "path": property, "value": value}]);
        let company = format!("/organizations/companies/{}", fleet.bakery);
        assert_eq!(fleet.admin.json(Method::PATCH, &company, &replace("/resellerUid", json!(reseller))).await.0, StatusCode::OK);
        let path = format!("/organizations/resellers/{reseller}");
        assert_eq!(fleet.admin.json(Method::PATCH, &path, &replace("/status", json!("Disabled"))).await.0, StatusCode::OK);
        let stopped = "Stop job \"Job copy\" on backup server \"Backup server\"".to_owned();
        assert_eq!(tasks(&fleet.admin).await, [(stopped, "Scheduled".to_owned())]);
        assert_eq!(status(&fleet.admin, fleet.of_bakery.job("vbr", "copy")).await, "Stopping");
        fleet.host.stop().await;
    }

    fn the_list_of_tasks_is_cut_by_time(database) {
        let fleet = Fleet::start(database).await;
        let server = fleet.of_bakery.server("vbr");
        let collect = format!("/infrastructure/backupServers/{server}/collect");
        for _ in 0..2 {
            assert_eq!(fleet.admin.json(Method::POST, &collect, &json!({})).await.0, StatusCode::OK);
        }
        assert_eq!(tasks(&fleet.admin).await.len(), 1, "asked again before it was done, it is the same");
        let path = "/eventLogs/managementAgentTasks";
        let found = fleet.admin.data(path).await;
        assert_eq!((&found[0]["taskType"], uid(&found[0]["managementAgentUid"])), (&json!("DataCollectionJob"), fleet.of_bakery.agent.0));
        // The host's clock stands at 2026-11-18T10:26:40Z.
        for (query, rows) in [("from=2026-11-17T00:00:00Z", 1), ("from=2026-11-17T00:00:00Z&to=2026-11-30T00:00:00Z", 1), ("to=2026-11-17T00:00:00Z", 0), ("from=2026-11-30T00:00:00Z", 0)] {
            assert_eq!(uids(&fleet.admin, &format!("{path}?{query}"), "instanceUid").await.len(), rows, "{query}, now {}", fleet.now());
        }
        assert_eq!(fleet.admin.get(&format!("{path}?from=yesterday")).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(fleet.baker("CompanyOwner").get(path).await.0, StatusCode::FORBIDDEN);
        fleet.host.stop().await;
    }

    fn a_cloud_connect_server_runs_no_jobs(database) {
        let fleet = Fleet::start(database).await;
        fleet.make_cloud_connect(fleet.hosted).await;
        for (job, action) in [("vm", "start"), ("replica", "start"), ("agent", "retry")] {
            let (refused, body) = post(&fleet.admin, fleet.hosted.job("vbr", job), action).await;
            assert_eq!(refused, StatusCode::CONFLICT);
            let body = body.to_string();
            assert!(body.contains("rule no-jobs") && body.contains("separate backup server"), "{body}");
        }
        let stopped = post(&fleet.admin, fleet.hosted.job("vbr", "copy"), "stop").await;
        assert_eq!(stopped.0, StatusCode::OK, "{}", stopped.1);
        let server = fleet.admin.data(&format!("/infrastructure/backupServers/{}", fleet.hosted.server("vbr"))).await;
        assert_eq!(server["backupServerRoleType"], "CloudConnect");
        fleet.host.stop().await;
    }

    fn a_hosted_servers_job_takes_its_workloads_to_the_company_it_is_assigned_to(database) {
        let fleet = Fleet::start(database).await;
        let owner = fleet.baker("CompanyOwner");
        let (job, vm) = (fleet.hosted.job("vbr", "vm"), fleet.hosted.workload("vbr", "vm1"));
        let assign = format!("{JOBS}/{job}/assign");
        let to = |company| format!("{assign}?companyUid={company}");
        let (refused, body) = fleet.admin.json(Method::POST, &to(fleet.bakery), &json!({})).await;
        assert_eq!(refused, StatusCode::CONFLICT, "{body}");
        assert!(body.to_string().contains("has no share of the backup server"), "{body}");
        let share = json!({"serverUid": fleet.hosted.server("vbr"), "friendlyName": "Ours", "isJobSchedulingEnabled": true});
        let shares = |company| format!("/organizations/companies/{company}/hostedResources/vbr");
        for company in [fleet.bakery, fleet.butcher] {
            let (ok, body) = fleet.admin.json(Method::POST, &shares(company), &share).await;
            assert_eq!(ok, StatusCode::OK, "{body}");
        }
        assert_eq!(fleet.admin.json(Method::POST, &to(fleet.bakery), &json!({})).await.0, StatusCode::OK);
        assert_eq!(owner.data(&format!("{JOBS}/{job}")).await["mappedOrganizationUid"], json!(fleet.bakery));
        let (refused, body) = fleet.admin.json(Method::POST, &to(fleet.butcher), &json!({})).await;
        assert_eq!(refused, StatusCode::CONFLICT, "{body}");
        assert!(body.to_string().contains("assigned to another company"), "{body}");
        let points = format!("/protectedWorkloads/virtualMachines/{vm}/backupRestorePoints");
        assert_eq!(uids(&owner, &points, "virtualMachineUid").await, [vm, vm]);
        assert_eq!(uids(&owner, &format!("/protectedWorkloads/virtualMachines/{vm}/backups"), "virtualMachineUid").await, [vm]);
        // What the server says afterwards does not undo it, and what is new comes along.
        let mut facts = inventory();
        facts.workloads.retain(|workload| workload.key == "vm1");
        facts.restore_points = vec![point("vm1", "vm", 2)];
        fleet.report(fleet.hosted, &facts).await;
        assert_eq!(uids(&owner, &points, "virtualMachineUid").await.len(), 3);
        assert_eq!(fleet.admin.json(Method::DELETE, &assign, &json!({})).await.0, StatusCode::OK);
        assert_eq!(owner.get(&format!("{JOBS}/{job}")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(owner.get(&points).await.0, StatusCode::NOT_FOUND);
        assert_eq!(fleet.admin.json(Method::DELETE, &assign, &json!({})).await.0, StatusCode::CONFLICT);
        let own = format!("{JOBS}/{}/assign?companyUid={}", fleet.of_bakery.job("vbr", "vm"), fleet.butcher);
        assert_eq!(fleet.admin.json(Method::POST, &own, &json!({})).await.0, StatusCode::CONFLICT, "a company's own server");
        assert_eq!(fleet.admin.json(Method::POST, &to(Uuid::nil()), &json!({})).await.0, StatusCode::NOT_FOUND);
        assert_eq!(fleet.admin.json(Method::POST, &assign, &json!({})).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(owner.json(Method::POST, &to(fleet.bakery), &json!({})).await.0, StatusCode::FORBIDDEN);
        // The share takes along the jobs that are assigned, and what could be done with their schedules.
        assert_eq!(fleet.admin.json(Method::POST, &to(fleet.bakery), &json!({})).await.0, StatusCode::OK);
        let claims = async || fleet.admin.data(&format!("/permissions/{}", fleet.bakery)).await.to_string();
        assert!(claims().await.contains("HostedVbrJobScheduleWrite"));
        let resource = uids(&fleet.admin, &shares(fleet.bakery), "instanceUid").await[0];
        let one = format!("{}/{resource}", shares(fleet.bakery));
        assert_eq!(fleet.admin.json(Method::DELETE, &one, &json!({})).await.0, StatusCode::OK);
        assert_eq!(owner.get(&format!("{JOBS}/{job}")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(owner.get(&points).await.0, StatusCode::NOT_FOUND);
        assert_eq!(fleet.admin.data(&format!("{JOBS}/{job}")).await["mappedOrganizationUid"], Value::Null);
        assert!(!claims().await.contains("HostedVbrJobScheduleWrite"));
        fleet.host.stop().await;
    }
}
