//! The order of onboarding, as an operation of a later step keeps it: here one that issues a licence to the company of its path.

use uuid::Uuid;

use super::*;
use crate::api::change::{Change, Object};
use crate::api::companies::require;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::{CompanyUid, ResellerUid};
use crate::model::{NewCompany, NewOrganization, NewReseller, Step};

async fn issue(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("backupServerUid")?;
    let mut tx = change.begin().await?;
    require(&mut change, &mut tx, CompanyUid(uid), Step::Licence).await?;
    if change.ask.flag_parameter("fails")? == Some(true) {
        return Err(ApiError::conflict("the licence could not be issued"));
    }
    let object = Object { kind: "License", uid, name: "licence", organization: Some(uid) };
    change.note(&object, None, Some(&json!({"issued": true})));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

struct Desk {
    host: Host,
    company: Uuid,
}

impl Desk {
    async fn open() -> Self {
        let host = Host::start_as(Routes::default().add("UpdateBackupServerLicense", issue), |_| {}).await;
        let clock = host.state.clock();
        let mut tx = host.state.store().write().await.unwrap();
        let reseller = NewReseller {
            organization: NewOrganization::named("North"),
            rest_access_enabled: true,
            owner_name: "rita".to_owned(),
            pro_partner_id: None,
            description: None,
            claims: "[]".to_owned(),
        };
        let reseller: ResellerUid = tx.resellers().create(clock, &reseller).await.unwrap();
        let company = NewCompany {
            organization: NewOrganization::named("Bakery"),
            alarm_detect_enabled: true,
            rest_access_enabled: true,
            owner_name: String::new(),
            reseller_uid: Some(reseller),
            subscription_plan_uid: None,
        };
        let company = tx.companies().create(clock, &company).await.unwrap().0;
        let rita = NewUser {
            organization_uid: reseller.0,
            name: "rita".to_owned(),
            role: Role::ServiceProviderGlobalAdministrator,
            password_hash: String::new(),
        };
        tx.users().create(clock, &rita).await.unwrap();
        tx.commit().await.unwrap();
        Self { host, company }
    }

    async fn issue(&self, user: &str, query: &str) -> Answer {
        let key = self.host.key(user, false, None).await;
        let path = format!("/api/v3/licensing/backupServers/{}/update{query}", self.company);
        self.host.post(&key, &path, &json!({})).await
    }

    async fn overrides(&self) -> Vec<(String, String)> {
        let mut tx = self.host.state.store().read().await.unwrap();
        let all = tx.onboarding().overrides(CompanyUid(self.company)).await.unwrap();
        all.into_iter().map(|one| (one.step, one.reason)).collect()
    }
}

#[tokio::test]
async fn a_later_step_says_what_it_waits_for_and_what_to_do() {
    let desk = Desk::open().await;
    let answer = desk.issue("Ada", "").await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    let message = answer.error()["message"].as_str().unwrap();
    for part in [
        "cloudConnect comes before licence",
        "no confirmed Cloud Connect tenant",
        "assign the customer's",
        "overrideReason",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(desk.overrides().await.is_empty());
}

#[tokio::test]
async fn a_reason_of_the_providers_lets_the_step_pass_and_is_written_down() {
    let desk = Desk::open().await;
    let answer = desk.issue("Ada", "?overrideReason=moves%20later").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(desk.overrides().await, [("cloudConnect".to_owned(), "moves later".to_owned())]);
    let mut tx = desk.host.state.store().read().await.unwrap();
    let rows = tx.audit().after(0, 100).await.unwrap();
    let row = rows.iter().find(|row| row.object_type == "CompanyOnboarding").unwrap();
    assert!(row.after.as_deref().unwrap().contains("moves later"), "{row:?}");
    drop(tx);
    assert_eq!(desk.issue("Ada", "").await.status, 200, "it is let pass for good");
}

#[tokio::test]
async fn a_reseller_lets_no_step_pass_and_an_empty_reason_is_none() {
    let desk = Desk::open().await;
    assert_eq!(desk.issue("rita", "").await.status, 409);
    let answer = desk.issue("rita", "?overrideReason=because").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let long = format!("?overrideReason={}", "x".repeat(513));
    let answer = desk.issue("Ada", &long).await;
    assert_eq!((answer.status, &answer.error()["parameterName"]), (400, &json!("overrideReason")));
    assert!(desk.overrides().await.is_empty());
}

#[tokio::test]
async fn what_fails_after_all_lets_nothing_pass() {
    let desk = Desk::open().await;
    assert_eq!(desk.issue("Ada", "?overrideReason=because&fails=true").await.status, 409);
    assert!(desk.overrides().await.is_empty());
}
