//! A company is changed, disabled, enabled and deleted.

use keelson::clock::SystemClock;
use keelson::model::Door;
use keelson_tests::{eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Desk, PASSWORD, delete, inventory, replace, signs_in, uids};

on_both! {
    fn a_disabled_companys_users_stay_out_until_it_is_enabled_again(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/companies/{}", desk.company("Bakery").await);
        assert!(signs_in(&desk, "Bakery-owner", PASSWORD).await);
        let (status, body) = desk.patch(&path, replace("/status", &json!("Disabled"))).await;
        assert_eq!((status, &body["data"]["status"]), (StatusCode::OK, &json!("Disabled")), "{body}");
        assert!(!signs_in(&desk, "Bakery-owner", PASSWORD).await);
        let (status, _) = desk.patch(&path, replace("/status", &json!("Active"))).await;
        assert_eq!(status, StatusCode::OK);
        assert!(signs_in(&desk, "Bakery-owner", PASSWORD).await);
        desk.close().await;
    }

    fn a_disabled_companys_alarms_are_resolved_and_nothing_of_it_is_judged(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let source = desk.agent(company, Door::Remote).await;
        desk.report(source, &inventory()).await;
        desk.run(
            "INSERT INTO alarm_templates (uid, plugin, rule, subject, internal_id, name, name_folded, category, enabled, \
             predefined, parameters, summary, cause, resolution) VALUES ({}, 'p', 'r', 's', 1, 'n', 'n', 'Unknown', TRUE, TRUE, \
             '[]', '', '', '')",
            &[company],
        )
        .await;
        desk.run(
            "INSERT INTO alarms (uid, template_uid, company_uid, object_type, object_uid, object_name, object_name_folded, \
             computer_name, activation_uid, status, message, remark, changed_at, repeat_count) \
             VALUES ({}, {}, {}, 'Agent', {}, 'o', 'o', '', {}, 'Error', 'broken', '', 0, 1)",
            &[company, company, company, company, company],
        )
        .await;
        let path = format!("/organizations/companies/{company}");
        let (status, body) = desk.patch(&path, replace("/status", &json!("Disabled"))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let alarms = desk.admin.data("/alarms/active").await;
        assert_eq!(alarms[0]["lastActivation"]["status"], "Resolved");
        assert_eq!(alarms[0]["lastActivation"]["remark"], "The company was disabled.");
        desk.report(source, &inventory()).await;
        let due = async || {
            let mut tx = desk.host.store.read().await.unwrap();
            let workloads = tx.due().workloads(i64::MAX, 10).await.unwrap().len();
            workloads + tx.due().agents(i64::MAX, 10).await.unwrap().len()
        };
        assert_eq!(due().await, 0, "what it reports meanwhile waits");
        desk.close().await;
    }

    fn the_owner_follows_the_companys_credentials(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/companies/{}", desk.company("Bakery").await);
        let (status, body) = desk
            .patch(&path, json!([
                {"op": "replace", "path": "/ownerCredentials/userName", "value": "baker"},
                {"op": "add", "path": "/ownerCredentials/password", "value": "a new password"},
            ]))
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["data"]["ownerCredentials"], json!({"userName": "baker"}));
        assert!(signs_in(&desk, "baker", "a new password").await);
        assert!(!signs_in(&desk, "Bakery-owner", PASSWORD).await);
        desk.company("Butcher").await;
        let (status, body) = desk.patch(&path, replace("/ownerCredentials/userName", &json!("BUTCHER-owner"))).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let (status, body) = desk.patch(&path, json!([{"op": "add", "path": "/ownerCredentials/password", "value": "short"}])).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("ownerCredentials.password")));
        desk.close().await;
    }

    fn a_patch_that_adds_what_no_company_has_is_refused_by_name(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/companies/{}", desk.company("Bakery").await);
        let remote = "/companyServices/remoteServices";
        for (op, pointer, value, named) in [
            ("add", format!("{remote}/isBackupResourceEnabled"), json!(true), "isBackupResourceEnabled"),
            ("add", "/companyServices/zz".to_owned(), json!({"password": "secret"}), "zz"),
            ("copy", "/companyServices/copied".to_owned(), json!(null), "copied"),
        ] {
            let step = json!([{"op": op, "path": pointer, "value": value, "from": remote}]);
            let (status, body) = desk.patch(&path, step).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{pointer}: {body}");
            assert!(body["errors"][0].to_string().contains(named), "{pointer}: {body}");
        }
        desk.close().await;
    }

    fn what_is_read_only_in_a_company_is_refused_by_name(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/companies/{}", desk.company("Bakery").await);
        for (pointer, value) in [
            ("/name", json!("Other")),
            ("/instanceUid", json!("00000000-0000-0000-0000-000000000000")),
            ("/loginUrl", json!("https://x.example")),
            ("/status", json!("Deleted")),
            ("/status", json!("Nonsense")),
        ] {
            let (status, body) = desk.patch(&path, replace(pointer, &value)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{pointer}: {body}");
            assert!(body["errors"][0].to_string().contains(pointer.trim_start_matches('/')), "{pointer}: {body}");
        }
        desk.close().await;
    }

    fn a_company_without_agents_goes_with_all_that_is_about_it(database) {
        let desk = Desk::open(database).await;
        let (company, other) = (desk.company("Bakery").await, desk.company("Butcher").await);
        let path = format!("/organizations/companies/{company}");
        let (status, body) = delete(&desk.admin, &path).await;
        assert_eq!((status, &body["errors"][0]["parameterName"]), (StatusCode::BAD_REQUEST, &json!("removeAllAgents")));
        let (status, body) = delete(&desk.admin, &format!("{path}?removeAllAgents=false")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.admin.get(&path).await.0, StatusCode::NOT_FOUND);
        assert!(!signs_in(&desk, "Bakery-owner", PASSWORD).await);
        assert_eq!(uids(&desk.admin, "/organizations/companies", "instanceUid").await, [other]);
        assert_eq!(delete(&desk.admin, &format!("{path}?removeAllAgents=false")).await.0, StatusCode::NOT_FOUND);
        desk.company("Bakery").await;
        desk.close().await;
    }

    fn a_company_with_agents_goes_when_they_have_left(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let source = desk.agent(company, Door::Remote).await;
        desk.report(source, &inventory()).await;
        let pass = format!("/organizations/companies/{company}/onboarding/cloudConnect/override");
        desk.admin.json(Method::POST, &pass, &json!({"reason": "later"})).await;
        let (_, tenant) = desk.site().await;
        desk.run("UPDATE cloud_tenants SET company_uid = {}, owner_uid = {} WHERE uid = {}", &[company, company, tenant]).await;
        assert!(desk.traces_of(company).await.len() > 6);
        let (path, gone) = (format!("/organizations/companies/{company}"), "UPDATE commands SET finished_at = 1, state = 'succeeded'");
        let (status, body) = delete(&desk.admin, &format!("{path}?removeAllAgents=false")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("1 management agents"), "{body}");
        let (status, body) = delete(&desk.admin, &format!("{path}?removeAllAgents=true")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.admin.data(&path).await["status"], "Deleting");
        assert!(!signs_in(&desk, "Bakery-owner", PASSWORD).await);
        let mut tx = desk.host.store.write().await.unwrap();
        let told = tx.commands().send_out(&SystemClock, &[source.agent], 1000, 10).await.unwrap();
        drop(tx);
        assert_eq!(told.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["agent-revoke"]);
        let (status, body) = delete(&desk.admin, &format!("{path}?removeAllAgents=true")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let (status, body) = desk.patch(&path, replace("/status", &json!("Active"))).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        desk.run(gone, &[]).await;
        eventually("the company to go", || async {
            (desk.admin.get(&path).await.0 == StatusCode::NOT_FOUND).then_some(())
        })
        .await;
        let audited = desk.ask("SELECT object_uid FROM audit WHERE user_name = 'Keelson'").await;
        assert_eq!(audited, company, "the activity log keeps what happened");
        assert_eq!(desk.traces_of(company).await, Vec::<String>::new());
        assert_eq!(desk.ask("SELECT uid FROM cloud_tenants").await, tenant, "a tenant stays on its server");
        desk.close().await;
    }
}
