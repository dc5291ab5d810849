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
        let (refused, body) = post(&fleet.admin, fleet.hosted.job("vbr", "vm"), "start").await;
        assert_eq!(refused, StatusCode::CONFLICT);
        assert!(body.to_string().contains("Cloud Connect"), "{body}");
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
        assert_eq!(fleet.admin.json(Method::POST, &to(fleet.bakery), &json!({})).await.0, StatusCode::OK);
        assert_eq!(owner.data(&format!("{JOBS}/{job}")).await["mappedOrganizationUid"], json!(fleet.bakery));
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
        fleet.host.stop().await;
    }
}
