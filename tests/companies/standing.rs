//! Whether a company is looked after: by its own status and its reseller's.

use keelson::clock::{Clock as _, SystemClock};
use keelson::model::Door;
use keelson_tests::{alarms, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, delete, input, inventory, replace, uid};

/// How many of a company's workloads the rules would look at now.
async fn due(desk: &Desk, company: Uuid) -> usize {
    let mut tx = desk.host.store.read().await.unwrap();
    let due = tx.due().workloads(SystemClock.now_ms() + 1_000, 1_000).await.unwrap();
    due.iter().filter(|row| row.company_uid.0 == company).count()
}

async fn alarm_status(desk: &Desk, alarm: Uuid) -> String {
    let all = desk.admin.data("/alarms/active").await;
    let found = all.as_array().unwrap().iter().find(|one| uid(&one["instanceUid"]) == alarm).unwrap();
    found["lastActivation"]["status"].as_str().unwrap().to_owned()
}

on_both! {
    fn a_company_taken_out_of_a_disabled_reseller_is_looked_after_again(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let source = desk.agent(company, Door::Remote).await;
        desk.report(source, &inventory()).await;
        assert!(due(&desk, company).await > 0);
        desk.patch(&format!("/organizations/resellers/{reseller}"), replace("/status", &json!("Disabled"))).await;
        assert_eq!(due(&desk, company).await, 0);
        let path = format!("/organizations/companies/{company}");
        let (status, body) = desk.patch(&path, replace("/resellerUid", &json!(null))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(due(&desk, company).await > 0, "everything of it is due");
        desk.close().await;
    }

    fn a_company_put_under_a_disabled_reseller_keeps_no_alarms(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        desk.patch(&format!("/organizations/resellers/{reseller}"), replace("/status", &json!("Disabled"))).await;
        let company = desk.company("Bakery").await;
        let source = desk.agent(company, Door::Remote).await;
        desk.report(source, &inventory()).await;
        let alarm = alarms::raise(&desk.host.store, &SystemClock, source.agent).await;
        let path = format!("/organizations/companies/{company}");
        let (status, body) = desk.patch(&path, replace("/resellerUid", &json!(reseller))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(alarm_status(&desk, alarm).await, "Resolved");
        // Its own status makes no difference while the reseller is disabled.
        for word in ["Disabled", "Active"] {
            assert_eq!(desk.patch(&path, replace("/status", &json!(word))).await.0, StatusCode::OK);
            assert_eq!(due(&desk, company).await, 0, "{word}");
        }
        desk.close().await;
    }

    fn nothing_begins_for_a_company_that_is_being_deleted(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        desk.agent(company, Door::Remote).await;
        let path = format!("/organizations/companies/{company}");
        let (status, body) = delete(&desk.admin, &format!("{path}?removeAllAgents=true")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let user = json!({
            "organizationUid": company, "role": "CompanyTenant", "profile": {"email": "eva@example.com"},
            "credentials": {"userName": "eva", "password": "correct horse battery"},
        });
        let location = json!({"organizationUid": company, "name": "Cellar", "quotaGb": 0});
        let pass = json!({"reason": "because"});
        for (path, body) in [
            ("/users".to_owned(), &user),
            ("/organizations/locations".to_owned(), &location),
            (format!("{path}/onboarding/cloudConnect/override"), &pass),
        ] {
            let (status, answer) = desk.admin.json(Method::POST, &path, body).await;
            assert_eq!(status, StatusCode::CONFLICT, "{path}: {answer}");
            assert!(answer.to_string().contains("is being deleted"), "{path}: {answer}");
        }
        let package = format!("/infrastructure/managementAgents/packages/linux?organizationUid={company}");
        assert_eq!(desk.admin.get(&package).await.0, StatusCode::CONFLICT);
        desk.close().await;
    }

    fn what_a_new_company_says_of_itself_is_held_to_what_a_patch_may_say(database) {
        let desk = Desk::open(database).await;
        for path in ["/organizations/companies", "/organizations/resellers"] {
            let body = input("Bakery", json!({"organizationInput": {"name": "Bakery", "country": 9_999}}));
            let (status, answer) = desk.admin.json(Method::POST, path, &body).await;
            let property = &answer["errors"][0]["propertyName"];
            assert_eq!((status, property), (StatusCode::BAD_REQUEST, &json!("organizationInput.country")), "{answer}");
        }
        let body = input("Bakery", json!({"subscriptionPlanUid": Uuid::max()}));
        let (status, answer) = desk.admin.json(Method::POST, "/organizations/companies", &body).await;
        let property = &answer["errors"][0]["propertyName"];
        assert_eq!((status, property), (StatusCode::BAD_REQUEST, &json!("subscriptionPlanUid")), "{answer}");
        let company = desk.company("Bakery").await;
        let path = format!("/organizations/companies/{company}");
        let (status, answer) = desk.patch(&path, replace("/subscriptionPlanUid", &json!(Uuid::max()))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        desk.close().await;
    }

    fn a_second_factor_that_the_organisation_wants_is_switched_off_only_there(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let policy = format!("/organizations/{company}/configuration/policy");
        let (status, body) = desk.patch(&policy, replace("/mfaPolicyStatus", &json!("Enabled"))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let users = desk.admin.data(&format!("/organizations/{company}/users")).await;
        assert_eq!(users[0]["mfaPolicyStatus"], "EnabledByInheritance");
        let path = format!("/users/{}", uid(&users[0]["instanceUid"]));
        let (status, body) = desk.patch(&path, replace("/mfaPolicyStatus", &json!("Disabled"))).await;
        assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::BAD_REQUEST, &json!(1101)), "{body}");
        desk.close().await;
    }

    fn a_reseller_has_no_package_of_its_own_but_its_companies_have(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let member = desk.member("ServiceProviderAdministrator", "--reseller", reseller);
        let path = "/infrastructure/managementAgents/packages/linux";
        let (status, body) = member.get(path).await;
        assert_eq!((status, &body["errors"][0]["parameterName"]), (StatusCode::BAD_REQUEST, &json!("organizationUid")), "{body}");
        let request = member.request(Method::GET, &format!("/api/v3{path}?organizationUid={company}"));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        desk.close().await;
    }

    fn a_patch_that_changes_nothing_leaves_no_trace(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let path = format!("/organizations/companies/{company}");
        let rows = async || desk.admin.data("/eventLogs/activityLogs?limit=500").await.as_array().unwrap().len();
        let before = rows().await;
        for steps in [json!([]), replace("/status", &json!("Active"))] {
            let (status, body) = desk.patch(&path, steps).await;
            assert_eq!((status, &body["data"]["status"]), (StatusCode::OK, &json!("Active")), "{body}");
        }
        assert_eq!(rows().await, before);
        desk.close().await;
    }

    fn the_activity_log_calls_each_change_by_its_own_word(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let path = format!("/organizations/companies/{company}");
        let policy = format!("/organizations/{company}/configuration/policy");
        for (path, property, value) in [
            (&path, "/status", json!("Disabled")),
            (&path, "/status", json!("Active")),
            (&path, "/isRestAccessEnabled", json!(false)),
            (&path, "/isAlarmDetectEnabled", json!(true)),
            (&policy, "/mfaPolicyStatus", json!("Enabled")),
        ] {
            let (status, body) = desk.patch(path, replace(property, &value)).await;
            assert_eq!(status, StatusCode::OK, "{property}: {body}");
        }
        let logs = format!("/eventLogs/activityLogs?limit=500&organizationUid={company}");
        let rows = desk.admin.data(&logs).await;
        let mut words: Vec<_> =
            rows.as_array().unwrap().iter().map(|row| row["activityLogType"].as_str().unwrap()).collect();
        words.sort_unstable();
        assert_eq!(words, [
            "CompanyCreated", "CompanyMFAPolicyModified", "CompanyModified", "CompanyRESTAPIAccessModified",
            "CompanyStatusUpdated", "CompanyStatusUpdated",
        ]);
        desk.close().await;
    }
}
