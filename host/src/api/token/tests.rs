//! The ways to tokens, through the real router on a real SQLite.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::totp::Factor;
use super::{password, secret};
use crate::api::{ApiOptions, ApiState, app};
use crate::clock::{HOUR, MINUTE, ManualClock, SharedClock};
use crate::config::Config;
use crate::id::{CompanyUid, UserUid};
use crate::model::{NewCompany, NewOrganization, NewTotpLogin, NewUser, Role};
use crate::plugins::{PluginOptions, Plugins};
use crate::seal::Seal;
use crate::store::Store;

const START: i64 = 1_780_000_000_000;
const PASSWORD: &str = "correct horse";

struct Host {
    state: ApiState,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Host {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keelson.db").display());
        let store = Store::open(&url).await.unwrap();
        let clock = ManualClock::at(START);
        let mut tx = store.write().await.unwrap();
        let installation = tx.installation().ensure(&*clock).await.unwrap();
        tx.commit().await.unwrap();
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let plugins = Plugins::start(PluginOptions::default(), Arc::clone(&shared)).await.unwrap();
        let seal = Seal::open(folder.path()).unwrap();
        let options = ApiOptions::new(&Config::default(), seal);
        let state = ApiState::new(store, plugins, shared, installation, options);
        Self { state, clock, _folder: folder }
    }

    async fn company(&self, name: &str) -> CompanyUid {
        let mut tx = self.state.store().write().await.unwrap();
        let new = NewCompany {
            organization: NewOrganization::named(name),
            alarm_detect_enabled: true,
            rest_access_enabled: true,
            owner_name: "owner".to_owned(),
            reseller_uid: None,
            subscription_plan_uid: None,
        };
        let company = tx.companies().create(&*self.clock, &new).await.unwrap();
        tx.commit().await.unwrap();
        company
    }

    async fn user(&self, name: &str, role: Role, company_uid: Option<CompanyUid>) -> UserUid {
        let mut tx = self.state.store().write().await.unwrap();
        let password_hash = password::hash(PASSWORD).unwrap();
        let organization_uid = company_uid.map_or(self.state.installation().uid, |company| company.0);
        let user = NewUser { organization_uid, name: name.to_owned(), role, password_hash };
        let user = tx.users().create(&*self.clock, &user).await.unwrap();
        tx.commit().await.unwrap();
        user.uid
    }

    async fn factor(&self, user_uid: UserUid) -> Factor {
        let factor = Factor::generate("ada").unwrap();
        let new = NewTotpLogin {
            user_uid,
            identifier: factor.label(),
            secret: factor.seal(self.state.seal(), user_uid).unwrap(),
            last_step: 0,
            description: "telephone".to_owned(),
            scopes: Vec::new(),
        };
        let mut tx = self.state.store().write().await.unwrap();
        tx.logins().add_totp(&*self.clock, &new).await.unwrap();
        tx.commit().await.unwrap();
        factor
    }

    fn code(&self, factor: &Factor) -> String {
        factor.code_at(self.state.clock().now_ms())
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response = app::app(self.state.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn token(&self, form: &str) -> (u16, Value) {
        let request = Request::post("/api/v3/token");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn password(&self, name: &str) -> Value {
        let (status, body) =
            self.token(&format!("grant_type=password&username={name}&password=correct+horse")).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn refused(&self, form: &str) -> String {
        let (status, body) = self.token(form).await;
        assert_eq!(status, 400, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }

    async fn get(&self, bearer: &Value, path: &str) -> (u16, Value) {
        let request = Request::get(format!("/api/v3{path}"));
        let request =
            request.header("authorization", format!("Bearer {}", bearer["access_token"].as_str().unwrap()));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn disable(&self, user: &str) {
        let mut tx = self.state.store().write().await.unwrap();
        let uid = tx.users().by_name(user).await.unwrap().unwrap().uid;
        tx.accounts().enable(uid, false).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn mfa(first: &Value, code: &str) -> String {
    format!("grant_type=mfa&mfa_token={}&mfa_code={code}", text(first, "mfa_token"))
}

fn acting(refresh: &Value, user: UserUid, more: &str) -> String {
    format!("grant_type=as&refresh_token={}&userUid={user}{more}", text(refresh, "refresh_token"))
}

#[tokio::test]
async fn with_a_second_factor_the_password_gives_nothing_but_the_way_to_the_code() {
    let host = Host::start().await;
    let ada = host.user("ada", Role::PortalAdministrator, None).await;
    let factor = host.factor(ada).await;
    let first = host.password("ada").await;
    assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), ["mfa_token"]);
    let (status, pair) = host.token(&mfa(&first, &host.code(&factor))).await;
    assert_eq!((status, text(&pair, "token_type")), (200, "bearer"));
    assert_eq!(host.get(&pair, "/users/me").await.0, 200);
    assert_eq!(host.refused(&mfa(&first, &host.code(&factor))).await, "invalid_grant", "it works once");
}

#[tokio::test]
async fn a_code_that_was_used_is_never_accepted_again_and_neither_is_an_older_one() {
    let host = Host::start().await;
    let ada = host.user("ada", Role::PortalAdministrator, None).await;
    let factor = host.factor(ada).await;
    let (before, now) = (factor.code_at(START - 30_000), factor.code_at(START));
    let first = host.password("ada").await;
    assert_eq!(host.token(&mfa(&first, &now)).await.0, 200);
    let second = host.password("ada").await;
    for spent in [&now, &before] {
        assert_eq!(host.refused(&mfa(&second, spent)).await, "invalid_grant");
    }
    host.clock.advance(30_000);
    assert_eq!(host.token(&mfa(&second, &host.code(&factor))).await.0, 200);
}

#[tokio::test]
async fn codes_cannot_be_guessed_and_the_way_to_the_code_ends_after_five_minutes() {
    let host = Host::start().await;
    let ada = host.user("ada", Role::PortalAdministrator, None).await;
    let factor = host.factor(ada).await;
    let first = host.password("ada").await;
    for _ in 0..5 {
        assert_eq!(host.refused(&mfa(&first, "000000")).await, "invalid_grant");
    }
    let (status, _) = host.token(&mfa(&first, &host.code(&factor))).await;
    assert_eq!(status, 429, "five wrong codes cost a wait, wherever they come from");
    host.clock.advance(2_000);
    assert_eq!(
        host.refused(&mfa(&first, &host.code(&factor))).await,
        "invalid_grant",
        "the token is used up"
    );
    let late = host.password("ada").await;
    host.clock.advance(5 * MINUTE);
    assert_eq!(host.refused(&mfa(&late, &host.code(&factor))).await, "invalid_grant");
    let fresh = host.password("ada").await;
    assert_eq!(host.token(&mfa(&fresh, &host.code(&factor))).await.0, 200);
}

#[tokio::test]
async fn the_page_asks_for_the_code_too() {
    let host = Host::start().await;
    let ada = host.user("ada", Role::PortalAdministrator, None).await;
    let factor = host.factor(ada).await;
    let begin = async |body: Value| {
        let request =
            Request::post("/ui/session").header("x-keelson", "1").header("content-type", "application/json");
        host.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (status, first) = begin(serde_json::json!({"username": "ada", "password": PASSWORD})).await;
    assert_eq!(status, 200);
    assert!(first["data"]["user"].is_null(), "{first}");
    let token = &first["data"]["mfaToken"];
    let (status, _) = begin(serde_json::json!({"mfaToken": token, "mfaCode": "000000"})).await;
    assert_eq!(status, 401);
    let code = host.code(&factor);
    let (status, second) = begin(serde_json::json!({"mfaToken": token, "mfaCode": code})).await;
    assert_eq!((status, &second["data"]["user"]["name"]), (200, &Value::from("ada")));
    assert_eq!(begin(serde_json::json!({"username": "ada"})).await.0, 400);
}

#[tokio::test]
async fn support_acts_in_a_customers_place_and_the_tokens_say_so() {
    let host = Host::start().await;
    host.user("ada", Role::PortalOperator, None).await;
    let bakery = host.company("Bakery").await;
    let baker = host.user("baker", Role::CompanyOwner, Some(bakery)).await;
    let support = host.password("ada").await;
    let (status, pair) = host.token(&acting(&support, baker, "")).await;
    assert_eq!(status, 200, "{pair}");
    let (_, me) = host.get(&pair, "/users/me").await;
    assert_eq!(me["data"]["userName"], "baker");
    let hash = secret::Secret::parse(text(&pair, "access_token")).unwrap().1.hash();
    let mut tx = host.state.store().read().await.unwrap();
    let token = tx.credentials().token_by_hash(&hash).await.unwrap().unwrap();
    let ada = tx.users().by_name("ada").await.unwrap().unwrap();
    assert_eq!((token.user_uid, token.actor_uid, token.read_only), (baker, Some(ada.uid), false));
    drop(tx);
    let (status, next) =
        host.token(&format!("grant_type=refresh_token&refresh_token={}", text(&pair, "refresh_token"))).await;
    assert_eq!(status, 200);
    assert_eq!(host.refused(&acting(&next, baker, "")).await, "unauthorized_client", "no third person");
    assert_eq!(host.token(&acting(&support, baker, "&readOnly=maybe")).await.0, 400);
    assert_eq!(
        host.token(&format!("grant_type=refresh_token&refresh_token={}", text(&support, "refresh_token")))
            .await
            .0,
        200,
        "whoever acts stays signed in"
    );
}

#[tokio::test]
async fn acting_to_look_only_changes_nothing() {
    let host = Host::start().await;
    host.user("ada", Role::PortalAdministrator, None).await;
    let bakery = host.company("Bakery").await;
    let baker = host.user("baker", Role::CompanyOwner, Some(bakery)).await;
    let support = host.password("ada").await;
    let (_, pair) = host.token(&acting(&support, baker, "&readOnly=true")).await;
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&pair, "refresh_token"));
    let (_, next) = host.token(&refresh).await;
    for pair in [&pair, &next] {
        let hash = secret::Secret::parse(text(pair, "access_token")).unwrap().1.hash();
        let mut tx = host.state.store().read().await.unwrap();
        assert!(tx.credentials().token_by_hash(&hash).await.unwrap().unwrap().read_only);
    }
}

#[tokio::test]
async fn nobody_acts_for_peers_for_those_above_or_for_strangers() {
    let host = Host::start().await;
    let ada = host.user("ada", Role::PortalAdministrator, None).await;
    let reader = host.user("reader", Role::ReadOnlyUser, None).await;
    let bakery = host.company("Bakery").await;
    let baker = host.user("baker", Role::CompanyOwner, Some(bakery)).await;
    let tenant = host.user("tenant", Role::CompanyTenant, Some(bakery)).await;
    let nobody = UserUid(uuid::Uuid::from_u128(7));
    for (who, whom) in
        [("ada", ada), ("ada", reader), ("ada", nobody), ("reader", baker), ("baker", ada), ("baker", tenant)]
    {
        let pair = host.password(who).await;
        assert_eq!(host.refused(&acting(&pair, whom, "")).await, "unauthorized_client", "{who}");
    }
}

#[tokio::test]
async fn acting_ends_with_the_right_to_it() {
    let host = Host::start().await;
    host.user("ada", Role::PortalAdministrator, None).await;
    let bakery = host.company("Bakery").await;
    let baker = host.user("baker", Role::CompanyOwner, Some(bakery)).await;
    let support = host.password("ada").await;
    let (_, pair) = host.token(&acting(&support, baker, "")).await;
    assert_eq!(host.get(&pair, "/users/me").await.0, 200);
    host.disable("ada").await;
    assert_eq!(host.get(&pair, "/users/me").await.0, 403);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&pair, "refresh_token"));
    assert_eq!(host.refused(&refresh).await, "unauthorized_client");
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_acting_too() {
    let host = Host::start().await;
    host.user("ada", Role::PortalAdministrator, None).await;
    let bakery = host.company("Bakery").await;
    let baker = host.user("baker", Role::CompanyOwner, Some(bakery)).await;
    let support = host.password("ada").await;
    let (_, pair) = host.token(&acting(&support, baker, "")).await;
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&support, "refresh_token"));
    assert_eq!(host.token(&refresh).await.0, 200);
    assert_eq!(host.refused(&acting(&support, baker, "")).await, "invalid_grant", "it was spent");
    assert_eq!(host.get(&pair, "/users/me").await.0, 401);
}

#[tokio::test]
async fn other_ways_to_tokens_are_named_as_unsupported() {
    let host = Host::start().await;
    for grant in ["public_key", "authorization_code", "client_credentials"] {
        assert_eq!(host.refused(&format!("grant_type={grant}")).await, "unsupported_grant_type", "{grant}");
    }
    for incomplete in [
        "",
        "grant_type=mfa&mfa_token=x",
        "grant_type=as&refresh_token=x",
        "grant_type=as&refresh_token=x&userUid=y",
    ] {
        assert_eq!(host.refused(incomplete).await, "invalid_request", "{incomplete}");
    }
    let mfa = secret::Secret::generate(secret::SecretKind::Refresh);
    assert_eq!(
        host.refused(&format!("grant_type=mfa&mfa_token={}&mfa_code=1", mfa.reveal())).await,
        "invalid_grant"
    );
}

#[tokio::test]
async fn one_password_tried_on_many_names_gets_slow() {
    let host = Host::start().await;
    let mut last = 0;
    for number in 0..21 {
        let form = format!("grant_type=password&username=user{number}&password=Summer2026");
        last = host.token(&form).await.0;
    }
    assert_eq!(last, 429);
    host.clock.advance(HOUR);
    assert_eq!(
        host.refused("grant_type=password&username=user20&password=Summer2026").await,
        "invalid_grant"
    );
}
