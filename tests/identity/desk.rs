//! A provider with two companies and a reseller, and short ways to its users.

use keelson::api::token::password::hash;
use keelson::clock::{ManualClock, SharedClock};
use keelson::model::{NewOrganization, NewReseller, NewUser, Role};
use keelson_tests::client::escape;
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use totp_rs::Totp;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Desk {
    pub(crate) host: TestHost,
    pub(crate) admin: Client,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: String,
    pub(crate) reseller: String,
    pub(crate) bakery: String,
    pub(crate) butcher: String,
}

impl Desk {
    pub(crate) async fn open(database: TestDatabase) -> Self {
        let clock = ManualClock::at(1_780_000_000_000);
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let host = TestHost::start_with(database, None, shared).await;
        let admin = host.administrator();
        let provider = admin.data("/users/me").await["organizationUid"].as_str().unwrap().to_owned();
        let mut desk = Self {
            host,
            admin,
            clock,
            provider,
            reseller: String::new(),
            bakery: String::new(),
            butcher: String::new(),
        };
        desk.bakery = desk.company("Bakery", "baker").await;
        desk.butcher = desk.company("Butcher", "butcher").await;
        desk.reseller = desk.reseller().await;
        desk
    }

    pub(crate) async fn company(&self, name: &str, owner: &str) -> String {
        let body = json!({
            "organizationInput": {"name": name},
            "ownerCredentials": {"userName": owner, "password": PASSWORD},
            "isRestAccessEnabled": true,
        });
        let (status, body) = self.admin.json(Method::POST, "/organizations/companies", &body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        text(&body["data"]["instanceUid"])
    }

    async fn reseller(&self) -> String {
        let new = NewReseller {
            organization: NewOrganization::named("Market"),
            rest_access_enabled: true,
            owner_name: "market".to_owned(),
            pro_partner_id: None,
            description: None,
            claims: "[]".to_owned(),
        };
        let mut tx = self.host.store.write().await.unwrap();
        let uid = tx.resellers().create(&*self.clock, &new).await.unwrap();
        let password_hash = hash(PASSWORD).unwrap();
        let role = Role::ServiceProviderGlobalAdministrator;
        let owner = NewUser { organization_uid: uid.0, name: "market".to_owned(), role, password_hash };
        tx.users().create(&*self.clock, &owner).await.unwrap();
        tx.commit().await.unwrap();
        uid.to_string()
    }

    /// A user's id by name.
    pub(crate) async fn uid(&self, name: &str) -> String {
        let filter = format!(r#"[{{"property":"userName","operation":"equals","value":"{name}"}}]"#);
        let found = self.admin.data(&format!("/users?filter={}", escape(&filter))).await;
        text(&found[0]["instanceUid"])
    }

    pub(crate) async fn try_user(
        &self,
        client: &Client,
        role: &str,
        organization: &str,
        name: &str,
    ) -> (StatusCode, Value) {
        client.json(Method::POST, "/users", &user(role, organization, name)).await
    }

    /// Makes a user; their id and a client of theirs.
    pub(crate) async fn user(&self, role: &str, organization: &str, name: &str) -> (String, Client) {
        let (status, body) = self.try_user(&self.admin, role, organization, name).await;
        assert_eq!(status, StatusCode::OK, "{role} {body}");
        (text(&body["data"]["instanceUid"]), self.signed_in(name).await)
    }

    pub(crate) async fn token(&self, name: &str, password: &str) -> (StatusCode, Value) {
        let form = [("grant_type", "password"), ("username", name), ("password", password)];
        self.host.client.form("/token", &form).await
    }

    pub(crate) async fn signed_in(&self, name: &str) -> Client {
        let (status, pair) = self.token(name, PASSWORD).await;
        assert_eq!(status, StatusCode::OK, "{name}: {pair}");
        self.host.client.with(pair["access_token"].as_str().unwrap())
    }

    /// Makes a key through the API; its login and the key.
    pub(crate) async fn key(&self, client: &Client, user: &str, query: &str) -> (Value, String) {
        let (status, body) = post(client, &format!("/users/{user}/logins/apikey?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let login = body["data"].clone();
        let key = text(&login["parameters"]);
        (login, key)
    }

    /// Sets up a second factor; the authenticator.
    pub(crate) async fn factor(&self, client: &Client, user: &str) -> (Value, Authenticator) {
        let secret = client.data("/authentication/keys/totp-secret").await;
        let authenticator = Authenticator::of(secret["secretUrl"].as_str().unwrap());
        let query = format!(
            "secretUrl={}&code={}&description=telephone&scopes=rest&scopes=ui",
            escape(secret["secretUrl"].as_str().unwrap()),
            authenticator.code(&self.clock)
        );
        let (status, body) = post(client, &format!("/users/{user}/logins/totp?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        (body["data"].clone(), authenticator)
    }
}

pub(crate) struct Authenticator(Totp);

impl Authenticator {
    pub(crate) fn of(url: &str) -> Self {
        Self(Totp::from_url(url).unwrap())
    }

    pub(crate) fn code(&self, clock: &ManualClock) -> String {
        use keelson::clock::Clock as _;
        self.0.generate(u64::try_from(clock.now_ms() / 1000).unwrap()).to_string()
    }
}

pub(crate) fn user(role: &str, organization: &str, name: &str) -> Value {
    json!({
        "organizationUid": organization,
        "role": role,
        "profile": {"firstName": name, "email": format!("{name}@example.com")},
        "credentials": {"userName": name, "password": PASSWORD},
    })
}

pub(crate) async fn post(client: &Client, path: &str) -> (StatusCode, Value) {
    Client::send(client.request(Method::POST, &format!("/api/v3{path}"))).await
}

pub(crate) async fn delete(client: &Client, path: &str) -> (StatusCode, Value) {
    Client::send(client.request(Method::DELETE, &format!("/api/v3{path}"))).await
}

pub(crate) async fn patch(client: &Client, path: &str, at: &str, value: Value) -> (StatusCode, Value) {
    let steps = json!([{"op": "replace", "path": at, "value": value}]);
    client.json(Method::PATCH, path, &steps).await
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn property(body: &Value) -> &str {
    body["errors"][0]["propertyName"].as_str().unwrap_or_default()
}
