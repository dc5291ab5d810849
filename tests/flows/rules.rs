//! The rules are the plugin's, and the host has none of its own.

use std::path::Path;

use keelson::plugins::SecretKey;
use keelson_tests::process::packages;
use keelson_tests::{Agent, Client, HostProcess, Repository, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::view::{alarm, alarm_becomes, restore_points_become, template};

const RULE: &str = "Computer without backup";

/// A host with one workload whose only backup is three days old.
async fn late_oven(host: &HostProcess) -> (Client, Agent, Repository) {
    let client = host.administrator();
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let repository = Repository::create();
    repository.back_up("oven", 72);
    let mut agent = Agent::enroll(&token, &repository);
    agent.start();
    restore_points_become(&client, 1).await;
    (client, agent, repository)
}

/// A copy of the shipped packages, to change at will.
fn copy_of_packages(into: &Path) {
    for package in std::fs::read_dir(packages()).expect("packages") {
        let package = package.expect("a package");
        let folder = into.join(package.file_name());
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in std::fs::read_dir(package.path()).expect("files") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
        }
    }
}

on_both! {
    fn without_the_wasm_file_no_alarm_is_ever_raised(database) {
        let empty = tempfile::tempdir().unwrap();
        let host = HostProcess::start(database, Some(empty.path().to_owned())).await;
        let (client, _agent, _repository) = late_oven(&host).await;
        assert_eq!(client.data("/alarms/templates").await, json!([]));
        assert_eq!(client.data("/alarms/active").await, json!([]));

        // The same fleet, and now the plugin: that alone makes the difference.
        copy_of_packages(empty.path());
        alarm_becomes(&client, "oven", "Error").await;
    }

    fn the_alarms_of_a_plugin_end_when_it_is_disabled_and_where_a_company_does_not_have_it(database) {
        const PLUGIN: &str = "keelson.alert-rules";
        let host = HostProcess::start(database, None).await;
        let key = SecretKey::generate();
        let packed = keelson::plugins::sign(&packages().join(PLUGIN), &key, None).unwrap();
        let package = host.data_folder().join(packed.file_name);
        std::fs::write(&package, packed.bytes).unwrap();
        host.command(&["plugin", "trust", &key.public().to_string(), "--name", "Keelson"]);
        host.command(&["plugin", "install", package.to_str().unwrap(), "--enable"]);
        let (client, _agent, _repository) = late_oven(&host).await;
        alarm_becomes(&client, "oven", "Error").await;

        let companies = client.data("/organizations/companies").await;
        let bakery = companies[0]["instanceUid"].as_str().unwrap();
        host.command(&["plugin", "companies", PLUGIN, "--deny", bakery]);
        let resolved = alarm_becomes(&client, "oven", "Resolved").await;
        assert_eq!(resolved["lastActivation"]["remark"], "The company does not have the plugin.");
        host.command(&["plugin", "companies", PLUGIN, "--allow", bakery]);
        alarm_becomes(&client, "oven", "Error").await;
        host.command(&["plugin", "disable", PLUGIN]);
        let resolved = alarm_becomes(&client, "oven", "Resolved").await;
        assert_eq!(resolved["lastActivation"]["remark"], "The plugin is disabled, or was removed.");
    }

    fn changing_only_the_parameter_changes_the_verdict(database) {
        let host = HostProcess::start(database, Some(packages())).await;
        let (client, _agent, _repository) = late_oven(&host).await;
        alarm_becomes(&client, "oven", "Error").await;
        let rule = format!("/alarms/templates/{}/rule", template(&client, RULE).await);

        let patch = json!([{ "op": "replace", "path": "/parameters/rpoHours", "value": 100 }]);
        let (status, body) = client.json(Method::PATCH, &rule, &patch).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["data"]["parameters"]["rpoHours"], 100);
        alarm_becomes(&client, "oven", "Resolved").await;

        let patch = json!([{ "op": "replace", "path": "/parameters/rpoHours", "value": 10 }]);
        client.json(Method::PATCH, &rule, &patch).await;
        let again = alarm_becomes(&client, "oven", "Error").await;
        assert_eq!(again["repeatCount"], 2);
    }

    fn a_template_that_is_switched_off_resolves_its_alarms(database) {
        let host = HostProcess::start(database, Some(packages())).await;
        let (client, _agent, _repository) = late_oven(&host).await;
        alarm_becomes(&client, "oven", "Error").await;
        let rule = format!("/alarms/templates/{}/rule", template(&client, RULE).await);
        let patch = json!([{ "op": "replace", "path": "/isEnabled", "value": false }]);
        client.json(Method::PATCH, &rule, &patch).await;
        let resolved = alarm_becomes(&client, "oven", "Resolved").await;
        assert_eq!(resolved["lastActivation"]["remark"], "The alarm was switched off.");
    }

    fn a_plugin_rebuilt_with_other_words_changes_the_next_evaluation(database) {
        let folder = tempfile::tempdir().unwrap();
        copy_of_packages(folder.path());
        let host = HostProcess::start(database, Some(folder.path().to_owned())).await;
        let (client, _agent, _repository) = late_oven(&host).await;
        let before = alarm_becomes(&client, "oven", "Error").await;
        let words = before["lastActivation"]["message"].as_str().unwrap().to_owned();
        assert!(words.starts_with("No restore point"), "{words}");

        reword(folder.path(), b"No restore point", b"NO RESTORE POINT");
        eventually("the new words", || async {
            let now = alarm(&client, "oven", "Error").await?;
            let message = now["lastActivation"]["message"].as_str()?.to_owned();
            (message.starts_with("NO RESTORE POINT") && now["repeatCount"] == 1).then_some(())
        })
        .await;
    }

    fn a_broken_file_leaves_the_running_plugin_in_place(database) {
        let folder = tempfile::tempdir().unwrap();
        copy_of_packages(folder.path());
        let host = HostProcess::start(database, Some(folder.path().to_owned())).await;
        let (client, _agent, repository) = late_oven(&host).await;
        alarm_becomes(&client, "oven", "Error").await;
        std::fs::write(folder.path().join("keelson.alert-rules/plugin.wasm"), b"\0asm junk").unwrap();
        eventually("the refusal to be listed", || async {
            let plugins = client.data("/plugins").await;
            plugins.to_string().contains("component").then_some(())
        })
        .await;
        repository.back_up("oven", 0);
        alarm_becomes(&client, "oven", "Resolved").await;
    }
}

/// Puts other words of the same length into the component's data: what a rebuild with another text gives.
fn reword(packages: &Path, old: &[u8], new: &[u8]) {
    let file = packages.join("keelson.alert-rules/plugin.wasm");
    let mut component = std::fs::read(&file).expect("the component");
    let places: Vec<_> = component
        .windows(old.len())
        .enumerate()
        .filter(|(_, window)| *window == old)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the component holds its message");
    for at in places {
        component[at..at + new.len()].copy_from_slice(new);
    }
    let draft = file.with_extension("new");
    std::fs::write(&draft, component).expect("a file");
    std::fs::rename(draft, file).expect("a file in its place");
}
