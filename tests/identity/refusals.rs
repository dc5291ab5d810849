//! What users may not do to each other.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Desk, delete, patch, property, user};

on_both! {
    fn nobody_makes_users_whom_their_role_does_not_manage(database) {
        let desk = Desk::open(database).await;
        let (_, operator) = desk.user("PortalOperator", &desk.provider, "operator").await;
        let (_, seller) = desk.user("ResellerAdministrator", &desk.reseller, "seller").await;
        let (_, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let (_, tenant) = desk.user("CompanyTenant", &desk.bakery, "tenant").await;
        let (_, local) = desk.user("CompanyLocationAdministrator", &desk.bakery, "local").await;
        let baker = desk.signed_in("baker").await;
        for (client, role, organization) in [
            (&operator, "PortalAdministrator", &desk.provider),
            (&operator, "PortalOperator", &desk.provider),
            (&seller, "PortalReadonlyOperator", &desk.provider),
            (&seller, "ResellerOwner", &desk.reseller),
            (&baker, "PortalAdministrator", &desk.provider),
            (&baker, "ResellerUser", &desk.reseller),
            (&anna, "CompanyOwner", &desk.bakery),
            (&tenant, "CompanyAdministrator", &desk.bakery),
            (&local, "CompanyLocationAdministrator", &desk.bakery),
            (&local, "CompanyAdministrator", &desk.bakery),
        ] {
            let (status, body) = desk.try_user(client, role, organization, "new").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{role} {body}");
        }
        for (client, role) in [(&local, "CompanyLocationUser"), (&tenant, "CompanySubtenant"), (&anna, "CompanyTenant")] {
            let (status, body) = desk.try_user(client, role, &desk.bakery, role).await;
            assert_eq!(status, StatusCode::OK, "{role} {body}");
        }
        desk.host.stop().await;
    }

    fn a_foreign_organisation_and_a_foreign_user_do_not_exist(database) {
        let desk = Desk::open(database).await;
        let (_, seller) = desk.user("ResellerAdministrator", &desk.reseller, "seller").await;
        let (_, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let butcher = desk.uid("butcher").await;
        let nobody = "00000000-0000-7000-8000-000000000000";
        for client in [&seller, &anna] {
            let (status, body) = desk.try_user(client, "CompanyTenant", &desk.butcher, "new").await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
            for uid in [butcher.as_str(), nobody] {
                let path = format!("/users/{uid}");
                assert_eq!(client.get(&path).await.0, StatusCode::NOT_FOUND);
                assert_eq!(patch(client, &path, "/status", json!("Disabled")).await.0, StatusCode::NOT_FOUND);
                assert_eq!(delete(client, &path).await.0, StatusCode::NOT_FOUND);
                for below in ["/logins", "/logins/1", "/assignments"] {
                    assert_eq!(client.get(&format!("{path}{below}")).await.0, StatusCode::NOT_FOUND, "{below}");
                }
                assert_eq!(delete(client, &format!("{path}/tokens")).await.0, StatusCode::NOT_FOUND);
            }
        }
        desk.host.stop().await;
    }

    fn nobody_changes_peers_above_or_what_only_others_may_change_of_them(database) {
        let desk = Desk::open(database).await;
        let (own, anna) = desk.user("CompanyAdministrator", &desk.bakery, "anna").await;
        let baker = format!("/users/{}", desk.uid("baker").await);
        assert_eq!(patch(&anna, &baker, "/profile/phone", json!("1")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(delete(&anna, &baker).await.0, StatusCode::FORBIDDEN);
        let own = format!("/users/{own}");
        for (at, value) in [("/role", "CompanyTenant"), ("/status", "Disabled")] {
            assert_eq!(patch(&anna, &own, at, json!(value)).await.0, StatusCode::FORBIDDEN, "{at}");
        }
        assert_eq!(delete(&anna, &own).await.0, StatusCode::FORBIDDEN);
        assert_eq!(patch(&anna, &own, "/mfaPolicyStatus", json!("Enabled")).await.0, StatusCode::OK);
        assert_eq!(patch(&anna, &own, "/mfaPolicyStatus", json!("Disabled")).await.0, StatusCode::FORBIDDEN);
        let inherited = patch(&desk.admin, &own, "/mfaPolicyStatus", json!("EnabledByInheritance")).await;
        assert_eq!((inherited.0, property(&inherited.1)), (StatusCode::BAD_REQUEST, "mfaPolicyStatus"));
        desk.host.stop().await;
    }

    fn an_organisation_has_one_owner_who_stays(database) {
        let desk = Desk::open(database).await;
        for (role, organization) in [("CompanyOwner", &desk.bakery), ("ResellerOwner", &desk.reseller)] {
            let (status, body) = desk.try_user(&desk.admin, role, organization, "second").await;
            assert_eq!(status, StatusCode::CONFLICT, "{body}");
        }
        for owner in ["baker", "market"] {
            let path = format!("/users/{}", desk.uid(owner).await);
            let (status, body) = delete(&desk.admin, &path).await;
            assert_eq!(status, StatusCode::CONFLICT, "{body}");
        }
        desk.host.stop().await;
    }

    fn the_last_portal_administrator_stays(database) {
        let desk = Desk::open(database).await;
        let (_, second) = desk.user("PortalAdministrator", &desk.provider, "second").await;
        let first = format!("/users/{}", desk.admin.data("/users/me").await["instanceUid"].as_str().unwrap());
        let second_path = format!("/users/{}", desk.uid("second").await);
        assert_eq!(patch(&desk.admin, &second_path, "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(patch(&desk.admin, &second_path, "/status", json!("Enabled")).await.0, StatusCode::OK);
        let second = { drop(second); desk.signed_in("second").await };
        assert_eq!(patch(&second, &first, "/status", json!("Disabled")).await.0, StatusCode::OK);
        // Nobody takes themselves away, and there is nobody else: a portal operator may not either.
        assert_eq!(delete(&second, &second_path).await.0, StatusCode::FORBIDDEN);
        let (third, ()) = desk_user(&desk, &second, "third").await;
        let third = format!("/users/{third}");
        assert_eq!(patch(&second, &third, "/status", json!("Disabled")).await.0, StatusCode::OK);
        assert_eq!(delete(&second, &third).await.0, StatusCode::OK, "whoever is disabled already is not the last");
        desk.host.stop().await;
    }

    fn a_role_must_fit_the_organisation_and_a_name_must_be_possible_and_free(database) {
        let desk = Desk::open(database).await;
        for (role, organization) in [
            ("CompanyAdministrator", &desk.provider),
            ("PortalOperator", &desk.bakery),
            ("ResellerUser", &desk.bakery),
            ("Unknown", &desk.bakery),
        ] {
            let (status, body) = desk.try_user(&desk.admin, role, organization, "new").await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "role"), "{role} {body}");
        }
        for name in ["a@b", "a/b", "dot.", "a\\b", "", "a:b"] {
            let (status, body) = desk.try_user(&desk.admin, "CompanyTenant", &desk.bakery, name).await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "credentials.userName"), "{name} {body}");
        }
        let (status, body) = desk.try_user(&desk.admin, "CompanyTenant", &desk.bakery, "BAKER").await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let mut input = user("CompanyTenant", &desk.bakery, "new");
        input["credentials"]["password"] = json!("short");
        let (status, body) = desk.admin.json(Method::POST, "/users", &input).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "credentials.password"));
        input["credentials"]["password"] = json!("long enough");
        input["backupResource"] = json!({"tenantBackupResourceUid": desk.bakery, "resourceFriendlyName": "disk"});
        let (status, body) = desk.admin.json(Method::POST, "/users", &input).await;
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "backupResource"), "{body}");
        input["role"] = json!("CompanySubtenant");
        let (status, body) = desk.admin.json(Method::POST, "/users", &input).await;
        let nowhere = "backupResource.tenantBackupResourceUid";
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, nowhere), "{body}");
        input["backupResource"]["isStorageQuotaUnlimited"] = json!(false);
        let (status, body) = desk.admin.json(Method::POST, "/users", &input).await;
        let quota = "backupResource.storageQuota";
        assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, quota), "{body}");
        desk.host.stop().await;
    }
}

async fn desk_user(desk: &Desk, client: &keelson_tests::Client, name: &str) -> (String, ()) {
    let (status, body) = desk.try_user(client, "PortalAdministrator", &desk.provider, name).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    (super::desk::text(&body["data"]["instanceUid"]), ())
}
