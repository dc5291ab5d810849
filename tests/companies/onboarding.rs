//! The way of a company to its licence.

use keelson::model::Door;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Desk, inventory};

async fn states(desk: &Desk, company: Uuid) -> Vec<(String, String)> {
    let found = desk.admin.data(&format!("/organizations/companies/{company}/onboarding")).await;
    let word = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    found["steps"].as_array().unwrap().iter().map(|step| (word(step, "step"), word(step, "state"))).collect()
}

fn of(states: &[&str]) -> Vec<(String, String)> {
    let steps = ["company", "cloudConnect", "backupServers", "licence"];
    steps.iter().zip(states).map(|(step, state)| ((*step).to_owned(), (*state).to_owned())).collect()
}

async fn managed(desk: &Desk) -> Uuid {
    let services = json!({"companyServices": {"remoteServices": {"backupServersManagement": {}}}});
    desk.company_by(&desk.admin, "Bakery", services).await
}

on_both! {
    fn the_steps_follow_what_is_there(database) {
        let desk = Desk::open(database).await;
        let company = managed(&desk).await;
        assert_eq!(states(&desk, company).await, of(&["Done", "Open", "Blocked", "Blocked"]));
        let (_, tenant) = desk.site().await;
        desk.run("UPDATE cloud_tenants SET company_uid = {} WHERE uid = {}", &[company, tenant]).await;
        assert_eq!(states(&desk, company).await, of(&["Done", "Done", "Open", "Blocked"]));
        for (sync, state) in [("Updating", "Done"), ("UpdateFailed", "Done"), ("CreationFailed", "Open"), ("Settled", "Done")] {
            desk.run(&format!("UPDATE cloud_tenants SET sync = '{sync}' WHERE uid = {{}}"), &[tenant]).await;
            assert_eq!(states(&desk, company).await[1].1, state, "{sync}");
        }
        let source = desk.agent(company, Door::Remote).await;
        assert_eq!(states(&desk, company).await, of(&["Done", "Done", "Open", "Blocked"]), "an agent alone is no server");
        desk.report(source, &inventory()).await;
        assert_eq!(states(&desk, company).await, of(&["Done", "Done", "Done", "Open"]));
        let found = desk.admin.data(&format!("/organizations/companies/{company}/onboarding")).await;
        assert_eq!(found["isReadyForLicence"], true);
        desk.close().await;
    }

    fn a_step_that_the_services_do_not_ask_for_counts_as_done(database) {
        let desk = Desk::open(database).await;
        let services = json!({"companyServices": {"remoteServices": {"isBackupResourcesEnabled": false}}});
        let company = desk.company_by(&desk.admin, "Bakery", services).await;
        assert_eq!(states(&desk, company).await, of(&["Done", "Done", "Done", "Open"]));
        desk.close().await;
    }

    fn a_step_is_let_pass_with_a_reason_and_leaves_a_trace(database) {
        let desk = Desk::open(database).await;
        let company = managed(&desk).await;
        let path = |step: &str| format!("/organizations/companies/{company}/onboarding/{step}/override");
        for (step, reason) in [("cloudConnect", ""), ("licence", "because"), ("company", "because"), ("nonsense", "because")] {
            let (status, body) = desk.admin.json(Method::POST, &path(step), &json!({"reason": reason})).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{step}: {body}");
        }
        let (status, body) = desk.admin.json(Method::POST, &path("cloudConnect"), &json!({"reason": "moves later"})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["data"]["steps"][1]["overridden"]["reason"], "moves later");
        assert_eq!(states(&desk, company).await, of(&["Done", "Overridden", "Open", "Blocked"]));
        let (status, body) = desk.admin.json(Method::POST, &path("cloudConnect"), &json!({"reason": "again"})).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let traced = desk.ask("SELECT object_uid FROM audit WHERE operation = 'OverrideCompanyOnboardingStep'").await;
        assert_eq!(traced, company);
        let member = desk.owner("Bakery");
        let (status, _) = member.json(Method::POST, &path("backupServers"), &json!({"reason": "me"})).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        desk.close().await;
    }
}
