//! The provider's way from a library to a plugin that runs, by REST and by the command line.

use keelson::plugins::{SecretKey, make_index, plugin_uid, sign};
use keelson_tests::{Client, TestDatabase, TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{NOW, SHIPPED, Shelf};

/// A library as the host ships one: the shipped plugin, signed, and an index.
fn library() -> tempfile::TempDir {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::generate());
    let packed = sign(&Shelf::with_shipped().path(SHIPPED), &key, None).unwrap();
    std::fs::write(folder.path().join(&packed.file_name), packed.bytes).unwrap();
    std::fs::write(folder.path().join("publisher.pub"), key.public().to_string()).unwrap();
    make_index(folder.path(), &key, "Keelson", (NOW, 10 * 365 * 24 * 3_600_000), None).unwrap();
    folder
}

async fn host(database: TestDatabase) -> (TestHost, tempfile::TempDir) {
    let library = library();
    (TestHost::start_with_library(database, library.path().to_owned()).await, library)
}

fn path(rest: &str) -> String {
    format!("/plugins/{}{rest}", plugin_uid(SHIPPED))
}

async fn post(client: &Client, rest: &str, body: &Value) -> (StatusCode, Value) {
    client.json(Method::POST, &path(rest), body).await
}

async fn install(client: &Client) {
    let (status, body) = client.json(Method::POST, "/plugins/", &json!({ "id": SHIPPED })).await;
    assert_eq!((status, &body["data"]["outcome"]), (StatusCode::OK, &json!("New")), "{body}");
    let (status, body) = post(client, "/enabled", &json!({ "enabled": true })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

on_both! {
    fn a_plugin_of_the_shipped_library_is_found_installed_enabled_and_removed(database) {
        let (host, _library) = host(database).await;
        let client = host.administrator();
        assert_eq!(client.data("/plugins/").await, json!([]));
        let found = client.data("/plugins/library").await;
        assert_eq!((&found[0]["id"], &found[0]["library"]), (&json!(SHIPPED), &json!("shipped")));

        install(&client).await;
        let plugin = client.data(&path("")).await;
        assert_eq!((&plugin["state"], &plugin["trust"]), (&json!("loaded"), &json!("Shipped")));
        assert_eq!(client.data(&path("/versions")).await[0]["version"], plugin["version"]);
        assert_eq!(client.data("/plugins/charges").await, json!([]));

        let (_, body) = post(&client, "/enabled", &json!({ "enabled": false })).await;
        assert_eq!(client.data(&path("")).await["state"], "disabled", "{body}");
        let (status, _) = client.json(Method::DELETE, &path(""), &Value::Null).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(client.get(&path("")).await.0, StatusCode::NOT_FOUND);
        let log = host.count("SELECT count(*) FROM audit WHERE object_type = 'PluginInfo' AND user_name LIKE 'Portal%'").await;
        assert_eq!(log, 4);
        host.stop().await;
    }

    fn the_command_line_installs_from_the_shipped_library(database) {
        let (host, library) = host(database).await;
        let at = library.path().to_str().unwrap();
        let said = host.command(&["plugin", "search", "alert"]);
        assert!(said.contains(SHIPPED), "{said}");
        let said = host.command(&["plugin", "install", SHIPPED, "--enable", "--approve"]);
        assert!(said.contains("is enabled"), "{said} ({at})");
        assert!(host.command(&["plugin", "list"]).contains("loaded"));
        assert!(host.command(&["plugin", "rollback", "--help"]).contains("version before"));
        host.stop().await;
    }

    fn settings_come_with_their_form_and_are_held_to_it(database) {
        let (host, _library) = host(database).await;
        let client = host.administrator();
        install(&client).await;
        let form = client.data(&path("/settings")).await;
        assert!(form["schema"].is_object(), "{form}");
        let (status, body) = client.json(Method::PUT, &path("/settings"), &json!({ "surprise": 1 })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(body.to_string().contains("surprise"), "{body}");
        let (status, body) = client.json(Method::PUT, &path("/settings"), &json!({})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        host.stop().await;
    }

    fn companies_know_of_the_plugins_that_work_for_them_and_of_nobody_elses_rules(database) {
        let (host, _library) = host(database).await;
        let client = host.administrator();
        install(&client).await;
        let bakery = host.command(&["company", "add", "--name", "Bakery"]);
        let baker = host.member("CompanyAdministrator", "Bakery");
        let seen = baker.data("/plugins/").await;
        assert_eq!((&seen[0]["id"], &seen[0]["trust"]), (&json!(SHIPPED), &Value::Null), "{seen}");

        let (status, body) = post(&client, "/organizations", &json!({ "denyOrganizationIds": [bakery] })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(baker.data("/plugins/").await, json!([]));
        let rules = &client.data(&path("")).await["organizationPermissionRules"];
        assert_eq!(rules["rules"], json!([{ "id": bakery, "allowed": false }]));

        let (status, body) =
            post(&client, "/organizations", &json!({ "denyOrganizationIds": [], "allowOrganizationsByDefault": false })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(baker.data("/plugins/").await, json!([]), "nobody has it by default");
        post(&client, "/organizations", &json!({ "allowOrganizationIds": [bakery] })).await;
        assert_eq!(baker.data("/plugins/").await.as_array().map(Vec::len), Some(1));
        let (status, _) = baker.json(Method::POST, &path("/enabled"), &json!({ "enabled": false })).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        host.stop().await;
    }

    fn what_is_wrong_with_a_request_is_named(database) {
        let (host, _library) = host(database).await;
        let client = host.administrator();
        install(&client).await;
        let stranger = "6b8a3c4e-0000-4000-8000-000000000001";
        for (method, rest, body, status, said) in [
            (Method::POST, "/organizations", json!({ "allowOrganizationIds": ["bakery"] }), 400, "allowOrganizationIds[0]"),
            (Method::POST, "/organizations", json!({ "allowOrganizationIds": [stranger] }), 404, stranger),
            (
                Method::POST,
                "/organizations",
                json!({ "allowOrganizationIds": [stranger], "denyOrganizationIds": [stranger] }),
                400,
                "one or the other",
            ),
            (Method::POST, "/rollback", Value::Null, 409, "no version before"),
        ] {
            let (found, answer) = client.json(method, &path(rest), &body).await;
            assert_eq!(found.as_u16(), status, "{rest} {body}: {answer}");
            assert!(answer.to_string().contains(said), "{rest} {body}: {answer}");
        }
        for (body, status, said) in [
            (json!({ "id": "nobody.knows" }), 400, "no library has a plugin nobody.knows"),
            (json!({ "id": SHIPPED, "version": "9.9.9" }), 409, "has no version 9.9.9"),
            (json!({ "id": SHIPPED, "version": "new" }), 400, "like 1.2.3"),
        ] {
            let (found, answer) = client.json(Method::POST, "/plugins/", &body).await;
            assert_eq!(found.as_u16(), status, "{body}: {answer}");
            assert!(answer.to_string().contains(said), "{body}: {answer}");
        }
        host.stop().await;
    }
}
