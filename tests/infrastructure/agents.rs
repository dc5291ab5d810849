//! Management agents: named, moved, restarted, removed, let in.

use std::path::Path;
use std::process::{Command, Stdio};

use keelson_tests::process::keelson_agent;
use keelson_tests::{TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::fleet::{Fleet, uid, uids};
use super::lists::LISTS;

const AGENTS: &str = "/infrastructure/managementAgents";
const WAITING: &str = "/infrastructure/unverifiedAgents";

async fn patch(fleet: &Fleet, path: &str, value: Value) -> (StatusCode, Value) {
    let steps = json!([{"op": "replace", "path": path, "value": value}]);
    fleet.admin.json(Method::PATCH, &format!("{AGENTS}/{}", fleet.of_bakery.agent), &steps).await
}

/// Enrols this machine as another agent, whose key is in this folder; whether it was let in.
fn enroll(token: &str, folder: &Path) -> bool {
    let file = folder.join("token");
    std::fs::write(&file, token).unwrap();
    let mut command = Command::new(keelson_agent());
    command.arg("enroll").arg("--token-file").arg(file).arg("--data").arg(folder.join("agent"));
    command.args(["--driver", "simulated"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

on_both! {
    fn an_agent_is_named_labelled_and_moved_within_its_organisation(database) {
        let fleet = Fleet::start(database).await;
        let (ok, body) = patch(&fleet, "/friendlyName", json!("Cellar")).await;
        assert_eq!((ok, &body["data"]["friendlyName"]), (StatusCode::OK, &json!("Cellar")), "{body}");
        let (ok, body) = patch(&fleet, "/agentLabel", json!("blue")).await;
        assert_eq!((ok, &body["data"]["agentLabel"]), (StatusCode::OK, &json!("blue")), "{body}");
        assert_eq!(body["data"]["computerInfo"]["fqdn"], "backup.example");
        assert_eq!(body["data"]["computerInfo"]["applications"], json!(["MicrosoftSqlServer"]));
        let locations = fleet.admin.data("/organizations/locations?limit=500").await;
        let of = |organization, kind: &str| {
            let found = locations.as_array().unwrap().iter();
            let mut found = found.filter(|one| uid(&one["organizationUid"]) == organization && one["type"] == kind);
            found.next().unwrap_or_else(|| panic!("{locations}"))["instanceUid"].clone()
        };
        let (ok, body) = patch(&fleet, "/locationUid", of(fleet.bakery, "Hosted")).await;
        assert_eq!((ok, &body["data"]["locationUid"]), (StatusCode::OK, &of(fleet.bakery, "Hosted")), "{body}");
        for (path, value) in [
            ("/locationUid", of(fleet.butcher, "Default")),
            ("/locationUid", json!(null)),
            ("/friendlyName", json!("x".repeat(257))),
            ("/hostName", json!("other")),
            ("/computerInfo/fqdn", json!("other")),
        ] {
            let (refused, body) = patch(&fleet, path, value).await;
            assert_eq!(refused, StatusCode::BAD_REQUEST, "{path}: {body}");
        }
        fleet.host.stop().await;
    }

    fn an_agent_that_moves_takes_its_alarms_along(database) {
        let fleet = Fleet::start(database).await;
        let alarm = keelson_tests::alarms::raise(&fleet.host.store, &*fleet.clock, fleet.of_bakery.agent).await;
        let body = json!({"organizationUid": fleet.bakery, "name": "Cellar", "quotaGb": 0});
        let (ok, made) = fleet.admin.json(Method::POST, "/organizations/locations", &body).await;
        assert_eq!(ok, StatusCode::OK, "{made}");
        let cellar = made["data"]["instanceUid"].clone();
        let (ok, body) = patch(&fleet, "/locationUid", cellar.clone()).await;
        assert_eq!(ok, StatusCode::OK, "{body}");
        let alarms = fleet.admin.data("/alarms/active").await;
        let moved = alarms.as_array().unwrap().iter().find(|one| uid(&one["instanceUid"]) == alarm).unwrap();
        assert_eq!(moved["object"]["locationUid"], cellar, "{moved}");
        fleet.host.stop().await;
    }

    fn a_removed_agent_takes_along_what_it_reported(database) {
        let fleet = Fleet::start(database).await;
        let path = format!("{AGENTS}/{}", fleet.of_bakery.agent);
        let (ok, body) = fleet.admin.json(Method::DELETE, &path, &json!({})).await;
        assert_eq!(ok, StatusCode::OK, "{body}");
        assert!(body["data"].as_array().unwrap().len() == 2 && body["data"][1]["message"].to_string().contains("5 workloads"), "{body}");
        assert_eq!(fleet.admin.json(Method::DELETE, &path, &json!({})).await.0, StatusCode::NOT_FOUND);
        for (list, id, rows) in LISTS {
            assert_eq!(uids(&fleet.admin, list, id).await.len() as u64, 2 * rows, "{list}");
        }
        fleet.host.stop().await;
    }

    fn an_agent_is_told_to_restart_once(database) {
        let fleet = Fleet::start(database).await;
        let path = format!("{AGENTS}/{}/restart", fleet.of_bakery.agent);
        assert_eq!(fleet.admin.json(Method::POST, &path, &json!({})).await.0, StatusCode::OK);
        assert_eq!(fleet.admin.json(Method::POST, &path, &json!({})).await.0, StatusCode::CONFLICT);
        let owner = fleet.owner("Butcher");
        assert_eq!(owner.json(Method::POST, &path, &json!({})).await.0, StatusCode::NOT_FOUND);
        fleet.host.stop().await;
    }

    fn a_machine_whose_token_is_used_up_waits_until_it_is_let_in(database) {
        let host = TestHost::start_with(database, None, std::sync::Arc::new(keelson::clock::SystemClock)).await;
        let admin = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        host.command(&["company", "add", "--name", "Butcher"]);
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [first, second, third] = folders.each_ref().map(tempfile::TempDir::path);
        assert!(enroll(&token, first) && !enroll(&token, second) && !enroll(&token, second), "one use");
        let waiting = keelson_tests::eventually("the machine to wait", || async {
            let waiting = admin.data(WAITING).await;
            (waiting != json!([])).then_some(waiting)
        })
        .await;
        assert_eq!(waiting.as_array().unwrap().len(), 1, "the same machine is the same: {waiting}");
        assert_eq!((&waiting[0]["status"], &waiting[0]["platformType"], &waiting[0]["type"]), (&json!("Pending"), &json!("Linux"), &json!("Client")));
        let path = format!("{WAITING}/{}", waiting[0]["instanceUid"].as_str().unwrap());
        let (butcher, baker) = (host.member("CompanyOwner", "Butcher"), host.member("CompanyOwner", "Bakery"));
        assert_eq!(butcher.get(&path).await.0, StatusCode::NOT_FOUND);
        assert_eq!(butcher.json(Method::POST, &format!("{path}/accept"), &json!({})).await.0, StatusCode::NOT_FOUND);
        let foreign = format!("{path}/accept?organizationUid={}", butcher.data("/users/me").await["organizationUid"].as_str().unwrap());
        assert_eq!(baker.json(Method::POST, &foreign, &json!({})).await.0, StatusCode::NOT_FOUND);
        assert_eq!(baker.json(Method::POST, &format!("{path}/reject?reason=who%20is%20it"), &json!({})).await.0, StatusCode::OK);
        assert_eq!(baker.data(&path).await["rejectReason"], "who is it");
        assert!(!enroll(&token, second), "it was kept out");
        let (ok, body) = baker.json(Method::POST, &format!("{path}/accept"), &json!({})).await;
        assert_eq!(ok, StatusCode::OK, "{body}");
        assert_eq!(admin.data(&path).await["status"], "Accepted");
        assert!(enroll(&token, second), "it was let in");
        assert_eq!(admin.data(WAITING).await, json!([]));
        assert_eq!(admin.data(AGENTS).await.as_array().unwrap().len(), 2);
        assert!(!enroll("kj1.bm90aGluZw", third), "what is no token is noted nowhere");
        assert!(!enroll(&token, third), "let in once");
        host.stop().await;
    }
}
