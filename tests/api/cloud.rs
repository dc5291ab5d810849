//! Sites and tenants: what each operation does, here and to the site's server, and what it refuses.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::cloud_world::{SITES, World};

fn error(body: &Value) -> (String, String) {
    let error = &body["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("propertyName"), text("message"))
}

fn payload(command: &keelson::model::Command) -> Value {
    serde_json::from_str(&command.payload).unwrap()
}

on_both! {
    fn a_tenant_is_made_here_and_on_its_server(database) {
        let world = World::new(database).await;
        let pool = world.sites[0].own("pool", "p1");
        let wish = json!({
            "description": "first", "isThrottlingEnabled": true, "gatewaySelectionType": "GatewayPool",
            "gatewayPoolsUids": [pool], "isLeaseExpirationEnabled": true, "leaseExpirationDate": "2099-01-01T00:00:00Z",
        });
        let uid = world.tenant(&world.admin, 0, wish).await;
        let shown = world.admin.data(&format!("{SITES}/tenants/{uid}")).await;
        assert_eq!(shown["name"], "alpha");
        assert_eq!(shown["siteName"], "Site One");
        assert_eq!((&shown["isEnabled"], &shown["throttlingValue"]), (&json!(true), &json!(1)));
        assert!(shown.get("hashedPassword").is_none(), "nobody needs it, and it can be guessed against");
        assert_eq!(shown["credentials"], json!({"userName": "alpha"}), "the password is not shown");
        let commands = world.sent(0).await;
        assert_eq!((commands[0].kind.as_str(), commands[0].operation.as_str()), ("tenant-create", "CreateTenant"));
        assert!(!commands[0].payload.contains("correct horse"), "the password is not in the payload");
        assert!(commands[0].sealed.is_some());
        let settings = &payload(&commands[0])["settings"];
        assert_eq!(settings["gatewayPools"], json!(["p1"]), "in the server's own keys");
        assert_eq!(settings["throttling"], json!({"value": 1, "unit": "MbytePerSec"}));
        assert!(world.sent(1).await.is_empty(), "the other site's agent has nothing to do with it");
        world.stop().await;
    }

    fn the_sealed_password_opens_for_its_command_only(database) {
        use keelson::model::NewCommand;
        let world = World::new(database).await;
        world.tenant(&world.admin, 0, json!({})).await;
        let commands = world.sent(0).await;
        let seal = keelson::seal::Seal::open(world.host.data.path()).unwrap();
        let sealed = commands[0].sealed.as_deref().unwrap();
        let plain = seal.unseal(&NewCommand::purpose(commands[0].uid), sealed).unwrap();
        assert_eq!(plain, br#"{"password":"correct horse"}"#, "an object, as the protocol says");
        assert!(seal.unseal("command:other", sealed).is_err());
        world.stop().await;
    }

    fn what_makes_no_sense_on_this_site_is_refused_by_name(database) {
        let world = World::new(database).await;
        world.tenant(&world.admin, 0, json!({})).await;
        let foreign_pool = world.sites[1].own("pool", "p1");
        for (wish, property) in [
            (json!({"gatewaySelectionType": "GatewayPool"}), "gatewayPoolsUids"),
            (json!({"gatewaySelectionType": "GatewayPool", "gatewayPoolsUids": [foreign_pool]}), "gatewayPoolsUids"),
            (json!({"gatewayPoolsUids": [world.sites[0].own("pool", "p1")]}), "gatewayPoolsUids"),
            (json!({"isLeaseExpirationEnabled": true}), "leaseExpirationDate"),
            (json!({"maxConcurrentTask": 0}), "maxConcurrentTask"),
            (json!({"credentials": {"userName": "a/b"}}), "credentials.userName"),
        ] {
            let (status, body) = world.try_tenant(&world.admin, 0, wish.clone()).await;
            assert_eq!((status, error(&body).0.as_str()), (StatusCode::BAD_REQUEST, property), "{wish}: {body}");
        }
        let (status, _) = world.try_tenant(&world.admin, 0, json!({"credentials": {"userName": "ALPHA"}})).await;
        assert_eq!(status, StatusCode::CONFLICT, "names are unique on a site");
        world.tenant(&world.admin, 1, json!({})).await;
        world.stop().await;
    }

    fn a_patch_writes_what_is_wanted_and_tells_the_server(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        world.done(0, None).await;
        let path = format!("{SITES}/tenants/{uid}");
        let (status, body) = world.replace(&path, "/maxConcurrentTask", json!(5)).await;
        assert_eq!((status, &body["data"]["maxConcurrentTask"]), (StatusCode::OK, &json!(5)), "{body}");
        let (status, body) = world.replace(&path, "/credentials/userName", json!("beta")).await;
        assert_eq!((status, &body["data"]["name"]), (StatusCode::OK, &json!("beta")), "{body}");
        let (status, body) = world.replace(&path, "/credentials/password", json!("another horse")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let commands = world.done(0, None).await;
        assert!(commands.iter().all(|command| command.kind == "tenant-edit"));
        assert_eq!(commands.len(), 3);
        assert_eq!(payload(&commands[1])["tenantName"], "alpha", "so the server finds it");
        assert_eq!(payload(&commands[1])["settings"]["userName"], "beta");
        assert!(commands[1].sealed.is_none() && commands[2].sealed.is_some());
        for (property, value) in
            [("/type", json!("VCD")), ("/isEnabled", json!(false)), ("/hashedPassword", json!("x")), ("/siteUid", json!(uid))]
        {
            let (status, body) = world.replace(&path, property, value).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{property}: {body}");
            assert!(error(&body).1.contains("read-only"), "{property}: {body}");
        }
        let (status, body) = world.replace(&path, "/isLeaseExpirationEnabled", json!(true)).await;
        assert_eq!((status, error(&body).0.as_str()), (StatusCode::BAD_REQUEST, "leaseExpirationDate"));
        assert!(world.sent(0).await.is_empty());
        world.stop().await;
    }

    fn a_tenant_is_disabled_and_enabled_and_not_twice(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        let call = async |verb: &str| {
            let path = format!("/api/v3{SITES}/tenants/{uid}/{verb}");
            keelson_tests::Client::send(world.admin.request(Method::POST, &path)).await
        };
        let (status, body) = call("enable").await;
        assert_eq!((status, &body["data"]["isEnabled"]), (StatusCode::OK, &json!(true)));
        for _ in 0..2 {
            let (status, body) = call("disable").await;
            assert_eq!((status, &body["data"]["isEnabled"]), (StatusCode::OK, &json!(false)));
        }
        let kinds: Vec<_> = world.done(0, None).await.into_iter().map(|command| command.kind).collect();
        assert_eq!(kinds, ["tenant-create", "tenant-disable"]);
        world.stop().await;
    }

    fn a_lease_that_ended_keeps_a_tenant_out(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        world.done(0, None).await;
        world.link(
            "UPDATE cloud_tenants SET enabled = FALSE, lease_enabled = TRUE, lease_expires_at = 1 WHERE uid = $1 OR uid = $2",
            uid.parse().unwrap(),
            uid.parse().unwrap(),
        ).await;
        let path = format!("/api/v3{SITES}/tenants/{uid}/enable");
        let (status, body) = keelson_tests::Client::send(world.admin.request(Method::POST, &path)).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(error(&body).1.contains("/leaseExpirationDate"), "{body}");
        world.stop().await;
    }

    fn a_deleted_tenant_is_gone_unless_its_server_keeps_it(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        world.done(0, None).await;
        let path = format!("{SITES}/tenants/{uid}");
        let delete = async |query: &str| {
            let path = format!("/api/v3{path}{query}");
            keelson_tests::Client::send(world.admin.request(Method::DELETE, &path)).await
        };
        assert_eq!(delete("").await.0, StatusCode::BAD_REQUEST, "what becomes of the backups must be said");
        assert_eq!(delete("?deleteBackups=true").await, (StatusCode::OK, json!({"data": {}, "errors": []})));
        assert_eq!(world.admin.get(&path).await.0, StatusCode::NOT_FOUND);
        let (status, body) = world.try_tenant(&world.admin, 0, json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(error(&body).1.contains("being deleted"), "{body}");
        let commands = world.done(0, Some("a job runs")).await;
        assert_eq!(payload(&commands[0])["deleteBackups"], json!(true));
        assert_eq!(world.admin.get(&path).await.0, StatusCode::OK, "it is still there");
        assert_eq!(delete("?deleteBackups=false").await.0, StatusCode::OK);
        world.done(0, None).await;
        world.tenant(&world.admin, 0, json!({})).await;
        world.stop().await;
    }

    fn a_tenant_that_its_server_did_not_make_can_only_be_deleted(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        world.done(0, Some("no licence")).await;
        let path = format!("{SITES}/tenants/{uid}");
        let (status, body) = world.replace(&path, "/description", json!("x")).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(error(&body).1.contains("no licence"), "{body}");
        assert_eq!(world.try_share(&world.admin, &uid, json!({})).await.0, StatusCode::CONFLICT);
        let request = world.admin.request(Method::DELETE, &format!("/api/v3{path}?deleteBackups=false"));
        assert_eq!(keelson_tests::Client::send(request).await.0, StatusCode::OK);
        assert!(world.sent(0).await.is_empty(), "there is nothing to do for the server");
        world.tenant(&world.admin, 0, json!({})).await;
        world.stop().await;
    }

    fn a_tenant_is_mapped_to_one_company_at_a_time(database) {
        let world = World::new(database).await;
        let uid = world.tenant(&world.admin, 0, json!({})).await;
        world.done(0, None).await;
        let [company, other, _] = world.companies;
        let path = format!("{SITES}/tenants/{uid}");
        let assign = async |query: String| {
            let path = format!("/api/v3{path}/assignForCompany{query}");
            keelson_tests::Client::send(world.admin.request(Method::POST, &path)).await
        };
        assert_eq!(assign(String::new()).await.0, StatusCode::BAD_REQUEST);
        for _ in 0..2 {
            let (status, body) = assign(format!("?companyUid={company}")).await;
            assert_eq!((status, &body["data"]["assignedForCompany"]), (StatusCode::OK, &json!(company)));
        }
        let (status, body) = assign(format!("?companyUid={other}")).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(error(&body).1.contains("/assignedForCompany"), "{body}");
        assert_eq!(assign(format!("?companyUid={uid}")).await.0, StatusCode::NOT_FOUND);
        let of_company = format!("/organizations/companies/{company}/siteResources");
        assert_eq!(world.admin.data(&of_company).await[0]["instanceUid"], json!(uid));
        let (status, _) = world.replace(&path, "/assignedForCompany", json!(other)).await;
        assert_eq!(status, StatusCode::CONFLICT, "nor by a patch");
        let (status, body) = world.replace(&path, "/assignedForCompany", Value::Null).await;
        assert_eq!((status, body["data"].get("assignedForCompany")), (StatusCode::OK, None), "{body}");
        assert_eq!(world.admin.data(&of_company).await, json!([]));
        assert_eq!(assign(format!("?companyUid={other}")).await.0, StatusCode::OK);
        assert!(world.sent(0).await.is_empty(), "whose it is does not matter to the server");
        world.stop().await;
    }

    fn an_account_with_the_name_of_a_login_is_warned_of(database) {
        let world = World::new(database).await;
        let company = world.companies[0];
        let name = "lina";
        world.host.command(&["user", "add", "--name", name, "--role", "CompanyOwner", "--company", "Direct"]);
        let uid = world.tenant(&world.admin, 0, json!({"credentials": {"userName": "LINA", "password": "x"}})).await;
        let path = format!("/api/v3{SITES}/tenants/{uid}/assignForCompany?companyUid={company}");
        let response = world.admin.request(Method::POST, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers()["warning"].to_str().unwrap().contains(name));
        world.stop().await;
    }

    fn a_sites_switches_go_to_its_server_and_come_back_if_it_does_not_turn_them(database) {
        let world = World::new(database).await;
        for (switch, parameter) in [
            ("maintenanceModeIsEnabled", "maintenanceMode"),
            ("tenantManagementInCloudConnectIsEnabled", "tenantManagementMode"),
        ] {
            let put = async |query: &str| {
                let path = format!("/api/v3{}/{switch}{query}", world.site(0));
                keelson_tests::Client::send(world.admin.request(Method::PUT, &path)).await
            };
            assert_eq!(put("").await.0, StatusCode::BAD_REQUEST);
            for _ in 0..2 {
                let (status, body) = put(&format!("?{parameter}=true")).await;
                assert_eq!((status, &body["data"][switch]), (StatusCode::OK, &json!(true)), "{body}");
            }
            let commands = world.done(0, Some("no")).await;
            assert_eq!(commands.len(), 1, "what is on is not switched on again");
            assert_eq!(world.admin.data(&world.site(0)).await[switch], json!(false));
        }
        world.stop().await;
    }

    fn a_site_is_renamed_and_keeps_what_is_its_servers(database) {
        let world = World::new(database).await;
        let (status, body) = world.replace(&world.site(0), "/siteName", json!("Frankfurt")).await;
        assert_eq!((status, &body["data"]["siteName"]), (StatusCode::OK, &json!("Frankfurt")), "{body}");
        let (status, _) = world.replace(&world.site(1), "/siteName", json!("FRANKFURT")).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let (status, body) = world.replace(&world.site(0), "/description", json!("main")).await;
        assert_eq!((status, &body["data"]["description"]), (StatusCode::OK, &json!("main")));
        let (status, _) = world.replace(&world.site(0), "/maintenanceModeIsEnabled", json!(true)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "a switch has its own operation");
        assert!(world.sent(0).await.is_empty());
        world.stop().await;
    }
}
