//! Subtenants: what becomes of their account on the server when the user changes.

use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::cloud_world::{SITES, World};

/// A tenant of the first company with a share, and a subtenant with a part of it: (tenant, share, user).
async fn subtenant(world: &World) -> [String; 3] {
    let tenant = world.tenant(&world.admin, 0, json!({"assignedForCompany": world.companies[0]})).await;
    let share = world.share(&tenant, json!({})).await;
    let body = json!({
        "organizationUid": world.companies[0], "role": "CompanySubtenant", "profile": {"email": "sub@example.com"},
        "credentials": {"userName": "sub", "password": "correct horse"},
        "backupResource": {"tenantBackupResourceUid": share, "resourceFriendlyName": "disk"},
    });
    let (status, made) = world.admin.json(Method::POST, "/users", &body).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let user = made["data"]["instanceUid"].as_str().unwrap().to_owned();
    let kinds: Vec<_> = world.done(0, None).await.into_iter().map(|command| command.kind).collect();
    assert_eq!(kinds, ["tenant-create", "backup-resource-create", "subtenant-create"]);
    [tenant, share, user]
}

async fn delete(world: &World, path: &str) -> (StatusCode, Value) {
    Client::send(world.admin.request(Method::DELETE, &format!("/api/v3{path}"))).await
}

on_both! {
    fn a_new_password_and_another_status_go_to_the_server(database) {
        let world = World::new(database).await;
        let [.., user] = subtenant(&world).await;
        let path = format!("/users/{user}");
        assert_eq!(world.replace(&path, "/credentials/password", json!("another horse")).await.0, StatusCode::OK);
        assert_eq!(world.replace(&path, "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(world.replace(&path, "/profile/firstName", json!("Sue")).await.0, StatusCode::OK);
        let commands = world.done(0, None).await;
        assert!(commands.iter().all(|command| command.kind == "subtenant-edit"));
        let [password, status] = &commands[..] else { panic!("{commands:?}") };
        assert!(password.sealed.is_some() && !password.payload.contains("another horse"));
        let payload: Value = serde_json::from_str(&status.payload).unwrap();
        assert_eq!((status.sealed.is_none(), &payload["subtenant"]["isEnabled"]), (true, &json!(false)));
        world.stop().await;
    }

    fn another_role_takes_the_account_from_the_server(database) {
        let world = World::new(database).await;
        let [tenant, share, user] = subtenant(&world).await;
        let (status, body) = delete(&world, &format!("{SITES}/tenants/{tenant}/backupResources/{share}")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let (status, body) = world.replace(&format!("/users/{user}"), "/role", json!("CompanyTenant")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let commands = world.done(0, None).await;
        assert_eq!(commands.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["subtenant-delete"]);
        let (status, body) = delete(&world, &format!("{SITES}/tenants/{tenant}/backupResources/{share}")).await;
        assert_eq!(status, StatusCode::OK, "nobody has a part of it: {body}");
        assert_eq!(delete(&world, &format!("/users/{user}")).await.0, StatusCode::OK);
        assert!(world.done(0, None).await.iter().all(|one| one.kind == "backup-resource-delete"), "it is taken once");
        world.stop().await;
    }

    fn a_deleted_company_leaves_no_subtenants_on_the_server(database) {
        let world = World::new(database).await;
        subtenant(&world).await;
        let path = format!("/organizations/companies/{}?removeAllAgents=false", world.companies[0]);
        let (status, body) = delete(&world, &path).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let commands = world.done(0, None).await;
        assert_eq!(commands.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["subtenant-delete"]);
        world.stop().await;
    }
}
