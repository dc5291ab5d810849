//! A provider with a company of its own and a reseller with another, and somebody of each.

use keelson::clock::SystemClock;
use keelson::id::ResellerUid;
use keelson::model::{NewCompany, NewOrganization, NewReseller, NewUser, Role};
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) struct Town {
    pub(crate) host: TestHost,
    pub(crate) admin: Client,
    pub(crate) provider: Uuid,
    pub(crate) reseller: Uuid,
    /// Of the reseller.
    pub(crate) bakery: Uuid,
    /// Of the provider.
    pub(crate) butcher: Uuid,
}

impl Town {
    pub(crate) async fn open(database: TestDatabase) -> Self {
        let host = TestHost::start(database).await;
        let admin = host.administrator();
        let mut tx = host.store.write().await.unwrap();
        let provider = tx.installation().ensure(&SystemClock).await.unwrap().uid;
        let new = NewReseller {
            organization: NewOrganization::named("Market"),
            rest_access_enabled: true,
            owner_name: "market".to_owned(),
            pro_partner_id: None,
            description: None,
            claims: "[]".to_owned(),
        };
        let reseller = tx.resellers().create(&SystemClock, &new).await.unwrap();
        let bakery = tx.companies().create(&SystemClock, &company("Bakery", Some(reseller))).await.unwrap().0;
        let butcher = tx.companies().create(&SystemClock, &company("Butcher", None)).await.unwrap().0;
        tx.commit().await.unwrap();
        Self { host, admin, provider, reseller: reseller.0, bakery, butcher }
    }

    /// A client of a user of this role.
    pub(crate) async fn client(&self, role: Role, organization_uid: Uuid) -> Client {
        let name = format!("{}-{}", role.name(), keelson_tests::database::unique());
        let new = NewUser { organization_uid, name: name.clone(), role, password_hash: "none".to_owned() };
        let mut tx = self.host.store.write().await.unwrap();
        tx.users().create(&SystemClock, &new).await.unwrap();
        tx.commit().await.unwrap();
        self.host.client.with(&self.host.command(&["apikey", "add", "--user", &name]))
    }

    pub(crate) async fn reseller_admin(&self) -> Client {
        self.client(Role::ServiceProviderAdministrator, self.reseller).await
    }
}

fn company(name: &str, reseller_uid: Option<ResellerUid>) -> NewCompany {
    NewCompany {
        organization: NewOrganization::named(name),
        alarm_detect_enabled: true,
        rest_access_enabled: true,
        owner_name: format!("{}-owner", name.to_lowercase()),
        reseller_uid,
        subscription_plan_uid: None,
    }
}

pub(crate) fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!([{ "op": "replace", "path": path, "value": value.into() }])
}

/// A patch that must succeed; the data that comes back.
pub(crate) async fn patched(client: &Client, path: &str, steps: &Value) -> Value {
    let (status, mut body) = client.json(Method::PATCH, path, steps).await;
    assert_eq!(status, StatusCode::OK, "PATCH {path} {steps}: {body}");
    body["data"].take()
}

/// A request that must be refused so; the error.
pub(crate) async fn refused(
    client: &Client,
    method: Method,
    path: &str,
    body: &Value,
    status: StatusCode,
) -> Value {
    let (found, mut answer) = client.json(method.clone(), path, body).await;
    assert_eq!(found, status, "{method} {path} {body}: {answer}");
    answer["errors"][0].take()
}
