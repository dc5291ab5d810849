//! The API as a client sees it: real router, real SQLite, no network.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::clock::{HOUR, ManualClock};
use crate::model::{LoginScope, NewApiKey, NewUser, Role};
use crate::plugins::PluginOptions;
use token::password;
use token::secret::{Secret, SecretKind};

mod actions;
mod onboarding;
mod traffic;

const START: i64 = 1_780_000_000_000;

struct Host {
    app: app::App,
    state: ApiState,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn error(&self) -> &Value {
        &self.body["errors"][0]
    }
}

impl Host {
    async fn start() -> Self {
        Self::start_as(routes(), |_| {}).await
    }

    /// With any operations and settings.
    async fn start_as(routes: Routes, set: impl FnOnce(&mut ApiOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keelson.db").display());
        let store = Store::open(&url).await.unwrap();
        let clock = ManualClock::at(START);
        let mut tx = store.write().await.unwrap();
        let installation = tx.installation().ensure(&*clock).await.unwrap();
        let password_hash = password::hash("correct horse").unwrap();
        let role = Role::PortalAdministrator;
        let user =
            NewUser { organization_uid: installation.uid, name: "Ada".to_owned(), role, password_hash };
        tx.users().create(&*clock, &user).await.unwrap();
        tx.commit().await.unwrap();
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let plugins = Plugins::start(PluginOptions::default(), Arc::clone(&shared)).await.unwrap();
        let mut options = ApiOptions::new(&Config::default(), Seal::open(folder.path()).unwrap());
        set(&mut options);
        let state = ApiState::new(store, plugins, shared, installation, options);
        Self { app: app::app_of(state.clone(), routes), state, clock, folder }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.app.clone().oneshot(request).await.unwrap()).await
    }

    async fn get(&self, bearer: &str, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {bearer}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, bearer: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {bearer}"));
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn token(&self, form: &str) -> Answer {
        let request =
            Request::post("/api/v3/token").header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn sign_in(&self) -> (String, String) {
        let answer = self.token("grant_type=password&username=ADA&password=correct+horse").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    async fn key(&self, user: &str, read_only: bool, expires_at: Option<i64>) -> String {
        let secret = Secret::generate(SecretKind::ApiKey);
        let mut tx = self.state.store().write().await.unwrap();
        let user_uid = tx.users().by_name(user).await.unwrap().unwrap().uid;
        let key = NewApiKey {
            user_uid,
            hash: secret.hash(),
            identifier: secret.identifier(),
            description: String::new(),
            scopes: vec![LoginScope::Rest],
            read_only,
            expires_at,
        };
        tx.logins().add_key(&*self.clock, &key).await.unwrap();
        tx.commit().await.unwrap();
        secret.reveal().to_owned()
    }

    async fn company(&self, bearer: &str, name: &str, rest: bool) -> String {
        let body = json!({
            "organizationInput": {"name": name, "taxId": "7"},
            "ownerCredentials": {"userName": format!("{name} owner"), "password": "correct horse"},
            "isRestAccessEnabled": rest,
        });
        let answer = self.post(bearer, "/api/v3/organizations/companies", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["data"]["instanceUid"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_a_refresh_token_gives_the_next() {
    let host = Host::start().await;
    let (access, refresh) = host.sign_in().await;
    assert_eq!(host.get(&access, "/api/v3/users/me").await.body["data"]["userName"], "Ada");
    host.clock.advance(HOUR);
    assert_eq!(host.get(&access, "/api/v3/users/me").await.status, 401);
    let next = host.token(&format!("grant_type=refresh_token&refresh_token={refresh}")).await;
    assert_eq!((next.status, &next.body["expires_in"]), (200, &json!(3600)));
    let next = next.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(host.get(&next, "/api/v3/about/").await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_revokes_its_whole_sign_in() {
    let host = Host::start().await;
    let (_, refresh) = host.sign_in().await;
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let next = host.token(&form).await.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(host.get(&next, "/api/v3/about").await.status, 200);
    let again = host.token(&form).await;
    assert_eq!((again.status, &again.body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(host.get(&next, "/api/v3/about").await.status, 401);
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_it_refuses_in_oauths_own_words() {
    let host = Host::start().await;
    for (form, error) in [
        ("", "invalid_request"),
        ("grant_type=password&username=ada", "invalid_request"),
        ("grant_type=password&username=%ff&password=x", "invalid_request"),
        ("grant_type=public_key&public_key=x", "unsupported_grant_type"),
        ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
        ("grant_type=password&username=nobody&password=x", "invalid_grant"),
    ] {
        let answer = host.token(form).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some(error)), "{form}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_waiting_helps() {
    let host = Host::start().await;
    for _ in 0..5 {
        assert_eq!(host.token("grant_type=password&username=ada&password=x").await.status, 400);
    }
    let right = "grant_type=password&username=ada&password=correct+horse";
    let locked = host.token(right).await;
    assert_eq!((locked.status, &locked.error()["retryAfter"]), (429, &json!(1)));
    assert_eq!(locked.headers["retry-after"], "1");
    host.clock.advance(1_000);
    assert_eq!(host.token(right).await.status, 200);
}

#[tokio::test]
async fn api_keys_expire_only_read_if_so_made_and_a_typing_error_is_told_from_a_wrong_one() {
    let host = Host::start().await;
    let key = host.key("ada", true, Some(START + HOUR)).await;
    assert_eq!(host.get(&key, "/api/v3/organizations/companies").await.status, 200);
    let refused = host.post(&key, "/api/v3/organizations/companies", &json!({})).await;
    assert_eq!(refused.status, 403);
    assert!(refused.error()["message"].as_str().unwrap().contains("CreateCompany"));
    let mistyped = format!("{}{}", &key[..key.len() - 1], if key.ends_with('A') { 'B' } else { 'A' });
    let message = host.get(&mistyped, "/api/v3/about").await.error()["message"].to_string();
    assert!(message.contains("mistyped"), "{message}");
    host.clock.advance(HOUR);
    assert_eq!(host.get(&key, "/api/v3/about").await.status, 401);
}

#[tokio::test]
async fn companies_are_made_listed_selected_and_expanded() {
    let host = Host::start().await;
    let (bearer, _) = host.sign_in().await;
    let uid = host.company(&bearer, "Acme", true).await;
    host.company(&bearer, "Zoo", true).await;
    let twice = json!({"organizationInput": {"name": "ACME"}, "ownerCredentials": {"userName": "x"}});
    assert_eq!(host.post(&bearer, "/api/v3/organizations/companies", &twice).await.status, 409);

    let filter = "filter=[{'property':'name','operation':'contains','collation':'ignorecase','value':'AC','items':null}]";
    let list =
        host.get(&bearer, &format!("/api/v3/organizations/companies/?{}", filter.replace('\'', "%27"))).await;
    assert_eq!(
        list.body["meta"]["pagingInfo"],
        json!({"total": 1, "count": 1, "offset": 0}),
        "{}",
        list.body
    );
    assert_eq!(list.body["data"][0]["instanceUid"], json!(uid));
    assert!(list.body.get("errors").is_none());

    let path = format!("/api/v3/organizations/companies/{uid}?expand=Organization");
    let one = host.get(&bearer, &path).await.body;
    assert_eq!(one["data"]["_embedded"]["organization"]["taxId"], "7");
    assert_eq!(one["data"]["_embedded"]["organization"]["type"], "Company");
    assert!(!one.to_string().contains("null"), "{one}");

    let select = "/api/v3/organizations/companies?limit=1&offset=1&sort=%7B%22property%22:%22name%22%7D\
                  &select=%5B%7B%22propertyPath%22:%22name%22%7D%5D";
    let cut = host.get(&bearer, select).await.body;
    assert_eq!(cut["data"], json!([{"name": "Zoo"}]));
    assert_eq!(cut["meta"]["pagingInfo"], json!({"total": 2, "count": 1, "offset": 1}));
}

#[tokio::test]
async fn a_companys_user_sees_that_company_only_and_may_only_what_its_role_may() {
    let host = Host::start().await;
    let (bearer, _) = host.sign_in().await;
    let own = host.company(&bearer, "Acme", true).await;
    let other = host.company(&bearer, "Zoo", false).await;
    let owner = host.token("grant_type=password&username=acme+owner&password=correct+horse").await;
    let owner = owner.body["access_token"].as_str().unwrap().to_owned();
    let list = host.get(&owner, "/api/v3/organizations/companies").await;
    assert_eq!(list.body["meta"]["pagingInfo"]["total"], 1);
    assert_eq!(host.get(&owner, &format!("/api/v3/organizations/companies/{own}")).await.status, 200);
    assert_eq!(host.get(&owner, &format!("/api/v3/organizations/companies/{other}")).await.status, 404);
    let refused = host.get(&owner, "/api/v3/about").await;
    assert_eq!((refused.status, &refused.error()["type"]), (403, &json!("security")));
    let message = refused.error()["message"].as_str().unwrap();
    assert!(message.contains("CompanyOwner") && message.contains("GetAboutInformation"), "{message}");

    let switched_off = host.token("grant_type=password&username=zoo+owner&password=correct+horse").await;
    assert_eq!(switched_off.body["error"], "unauthorized_client");
    let key = host.key("zoo owner", false, None).await;
    assert_eq!(host.get(&key, "/api/v3/organizations/companies").await.status, 403);
}

#[tokio::test]
async fn the_page_signs_in_by_cookie_and_needs_its_token_to_change_anything() {
    let host = Host::start().await;
    let credentials = json!({"username": "ada", "password": "correct horse"}).to_string();
    let sign_in = |mark: &str| {
        let request =
            Request::post("/ui/session").header("content-type", "application/json").header("x-keelson", mark);
        request.body(Body::from(credentials.clone())).unwrap()
    };
    assert_eq!(host.send(sign_in("0")).await.status, 403);
    let answer = host.send(sign_in("1")).await;
    assert_eq!((answer.status, &answer.body["data"]["user"]["role"]), (200, &json!("PortalAdministrator")));
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = answer.body["data"]["csrfToken"].as_str().unwrap().to_owned();

    let with_cookie =
        |method: &str, path: &str| Request::builder().method(method).uri(path).header("cookie", &cookie);
    let send = async |request: http::request::Builder| host.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(send(with_cookie("GET", "/api/v3/about")).await.status, 200);
    assert_eq!(send(with_cookie("GET", "/ui/session")).await.body["data"]["csrfToken"], json!(csrf));
    let post =
        || with_cookie("POST", "/api/v3/organizations/companies").header("content-type", "application/json");
    assert_eq!(send(post()).await.status, 403);
    assert_eq!(send(post().header("x-csrf-token", &csrf)).await.status, 400);
    let bearer_too = with_cookie("GET", "/api/v3/about").header("authorization", "Bearer kat_x");
    assert_eq!(send(bearer_too).await.status, 401);

    assert_eq!(send(with_cookie("DELETE", "/ui/session")).await.status, 403);
    assert_eq!(send(with_cookie("DELETE", "/ui/session").header("x-csrf-token", &csrf)).await.status, 200);
    assert_eq!(send(with_cookie("GET", "/api/v3/about")).await.status, 401);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_said_in_the_envelope() {
    let host = Host::start().await;
    let (bearer, _) = host.sign_in().await;
    let bad = [
        ("GET", "/api/v3/nothing", "", 404),
        ("GET", "/api/v3/", "", 404),
        ("DELETE", "/api/v3/about", "", 405),
        ("GET", "/api/v3/organizations/companies/not-a-uuid", "", 400),
        ("GET", "/api/v3/organizations/companies?filter=%7B", "", 400),
        ("GET", "/api/v3/organizations/companies?filter=%ff", "", 400),
        ("GET", "/api/v3/organizations/companies?limit=0", "", 400),
        ("POST", "/api/v3/organizations/companies", "application/xml", 415),
        ("POST", "/api/v3/organizations/companies", "application/json", 400),
    ];
    for (method, path, kind, status) in bad {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {bearer}"));
        let answer = host.send(request.header("content-type", kind).body(Body::from("{")).unwrap()).await;
        assert_eq!((answer.status, &answer.error()["code"]), (status, &json!(status)), "{method} {path}");
        assert!(
            answer.headers.contains_key("x-request-id")
                && answer.headers.contains_key("content-security-policy")
        );
    }
    let allow = host.send(Request::delete("/api/v3/about").body(Body::empty()).unwrap()).await;
    assert!(allow.headers["allow"].to_str().unwrap().contains("GET"));
    let large = json!({"a": "x".repeat(1024 * 1024)});
    assert_eq!(host.post(&bearer, "/api/v3/organizations/companies", &large).await.status, 413);
    for (name, value, status) in [
        ("accept", "text/html", 406),
        ("x-client-version", "3.3", 400),
        ("x-client-version", "3.6.1", 200),
        ("x-request-id", "not a uuid", 400),
    ] {
        let request = Request::get("/api/v3/about").header("authorization", format!("Bearer {bearer}"));
        let answer = host.send(request.header(name, value).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_request_id_is_echoed() {
    let host = Host::start().await;
    let id = "0190c5a8-0000-7000-8000-000000000000";
    let request = Request::get("/api/v3/about").header("x-request-id", id).body(Body::empty()).unwrap();
    let answer = host.send(request).await;
    assert_eq!((answer.status, answer.headers["x-request-id"].to_str().unwrap()), (401, id));
}

#[tokio::test]
async fn a_database_that_is_gone_is_a_520_that_invites_another_try() {
    let host = Host::start().await;
    let (bearer, _) = host.sign_in().await;
    host.state.store().close().await;
    let answer = host.get(&bearer, "/api/v3/about").await;
    assert_eq!((answer.status, &answer.error()["code"]), (520, &json!(503)), "{}", answer.body);
    assert_eq!(answer.error()["type"], "retryableLogical");
    assert!(answer.error()["message"].as_str().unwrap().contains("try again"));
}

#[tokio::test]
async fn all_lists_answer_and_all_documentation_is_there() {
    let host = Host::start().await;
    let (bearer, _) = host.sign_in().await;
    for path in [
        "infrastructure/managementAgents",
        "infrastructure/backupServers",
        "protectedWorkloads/computersManagedByConsole",
        "protectedWorkloads/computersManagedByConsole/restorePoints",
        "alarms/active",
        "alarms/templates",
        "plugins/",
    ] {
        let answer = host.get(&bearer, &format!("/api/v3/{path}")).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &json!([])), "{path}: {}", answer.body);
    }
    for path in
        ["/api/v3/openapi.json", "/api/docs", "/api/docs/", "/api/docs/docs.js", "/api/docs/docs.css", "/"]
    {
        let answer = host.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK.as_u16(), "{path}");
    }
}
