//! Requests that are remembered, as their clients see them.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::*;
use crate::api::actions::upkeep_round;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::clock::MINUTE;
use crate::model::{NewCompany, NewOrganization};

const PATH: &str = "/api/v3/organizations/companies";

/// What the slow operation does.
struct Work {
    /// It makes its company when it gets a permit of this one …
    before: Semaphore,
    /// … and answers when it gets one of that.
    after: Semaphore,
    times: AtomicUsize,
}

static SECRETS: &str = r#"{"organizationInput":{"name":"Bakery"},"ownerCredentials":{"password":"geheim"}}"#;

/// What a busy machine takes for a little work.
const LONG: Duration = Duration::from_secs(30);

/// A host whose `CreateCompany` waits to be told, and makes a company that is named after how often it ran.
async fn host(patience: Duration) -> (Host, Arc<Work>) {
    let work =
        Arc::new(Work { before: Semaphore::new(0), after: Semaphore::new(0), times: AtomicUsize::new(0) });
    let inner = Arc::clone(&work);
    let create = move |State(state): State<ApiState>| {
        let work = Arc::clone(&inner);
        async move {
            let number = work.times.fetch_add(1, Ordering::SeqCst) + 1;
            work.before.acquire().await.unwrap().forget();
            let new = NewCompany {
                organization: NewOrganization::named(&format!("company {number}")),
                alarm_detect_enabled: true,
                rest_access_enabled: true,
                owner_name: String::new(),
                reseller_uid: None,
                subscription_plan_uid: None,
            };
            let mut tx = state.store().write().await?;
            tx.companies().create(state.clock(), &new).await?;
            tx.commit().await?;
            work.after.acquire().await.unwrap().forget();
            Ok::<_, ApiError>(envelope::empty())
        }
    };
    let routes = Routes::default().add("CreateCompany", create).merge(crate::api::actions::routes());
    let host = Host::start_as(routes, |options| options.patience = patience).await;
    (host, work)
}

impl Work {
    fn let_go(&self) {
        self.before.add_permits(1);
        self.after.add_permits(1);
    }

    fn ran(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }
}

impl Host {
    async fn create(&self, key: &str, id: Option<Uuid>, prefer: bool, body: &str) -> Answer {
        let mut request = Request::post(PATH).header("authorization", format!("Bearer {key}"));
        request = request.header("content-type", "application/json");
        if let Some(id) = id {
            request = request.header("x-request-id", id.to_string());
        }
        if prefer {
            request = request.header("prefer", "respond-async");
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn status(&self, key: &str, id: Uuid) -> Value {
        self.get(key, &format!("/api/v3/asyncActions/{id}")).await.body["data"]["status"].clone()
    }

    async fn until(&self, key: &str, id: Uuid, status: &str) {
        for _ in 0..1000 {
            if self.status(key, id).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{id} is {}, not {status}", self.status(key, id).await);
    }

    async fn companies(&self) -> usize {
        let mut tx = self.state.store().read().await.unwrap();
        let mut count = 0;
        while tx.companies().by_name(&format!("company {}", count + 1)).await.unwrap().is_some() {
            count += 1;
        }
        count
    }

    async fn cancel(&self, key: &str, id: Uuid) -> Answer {
        let request = Request::delete(format!("/api/v3/asyncActions/{id}"));
        let request = request.header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn second_user(&self) -> String {
        let mut tx = self.state.store().write().await.unwrap();
        let role = Role::PortalAdministrator;
        let organization_uid = self.state.installation().uid;
        let (name, password_hash) = ("Bob".to_owned(), String::new());
        let user = NewUser { organization_uid, name, role, password_hash };
        tx.users().create(&*self.clock, &user).await.unwrap();
        tx.commit().await.unwrap();
        self.key("bob", false, None).await
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[tokio::test]
async fn a_repeat_does_not_act_twice_and_gets_the_same_answer() {
    let (host, work) = host(LONG).await;
    let key = host.key("ada", false, None).await;
    work.let_go();
    let first = host.create(&key, Some(id(1)), false, SECRETS).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = host.create(&key, Some(id(1)), false, SECRETS).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["x-request-id"], id(1).to_string());
    assert_eq!((work.ran(), host.companies().await), (1, 1));

    host.clock.advance(5 * MINUTE + 1);
    work.let_go();
    assert_eq!(host.create(&key, Some(id(1)), false, SECRETS).await.status, 200);
    assert_eq!(work.ran(), 2, "after five minutes it is another request");
}

#[tokio::test]
async fn an_id_belongs_to_one_request_of_one_user() {
    let (host, work) = host(LONG).await;
    let (ada, bob) = (host.key("ada", false, None).await, host.second_user().await);
    work.let_go();
    assert_eq!(host.create(&ada, Some(id(1)), false, SECRETS).await.status, 200);
    let other = host.create(&ada, Some(id(1)), false, "{}").await;
    assert_eq!(other.status, 409, "{}", other.body);
    work.let_go();
    assert_eq!(host.create(&bob, Some(id(1)), false, "{}").await.status, 200, "his own");
    assert_eq!(work.ran(), 2);
    assert_eq!(host.get(&bob, "/api/v3/asyncActions").await.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(host.create(&ada, Some(id(2)), true, "{}").await.status, 202);
    for path in ["", "/result"] {
        let answer = host.get(&bob, &format!("/api/v3/asyncActions/{}{path}", id(2))).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
    }
    assert_eq!(host.cancel(&bob, id(2)).await.status, 404);
    assert_eq!(host.status(&ada, id(2)).await, "running");
}

#[tokio::test]
async fn what_takes_long_goes_on_after_a_202() {
    let (host, work) = host(Duration::from_millis(50)).await;
    let key = host.key("ada", false, None).await;
    for given in [Some(id(1)), None] {
        let accepted = host.create(&key, given, false, SECRETS).await;
        assert_eq!(accepted.status, 202, "{}", accepted.body);
        let location = accepted.headers["location"].to_str().unwrap().to_owned();
        let id = location.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(location, format!("/api/v3/asyncActions/{id}"));
        assert_eq!(host.status(&key, id).await, "running");
        assert_eq!(host.get(&key, &format!("{location}/result")).await.status, 409);
        work.let_go();
        host.until(&key, id, "succeed").await;
        let result = host.get(&key, &format!("{location}/result")).await;
        assert_eq!((result.status, &result.body), (200, &json!({"data": {}, "errors": []})));
    }
    assert_eq!((work.ran(), host.companies().await), (2, 2));
}

#[tokio::test]
async fn a_client_that_does_not_want_to_wait_does_not() {
    let (host, work) = host(LONG).await;
    let key = host.key("ada", false, None).await;
    for number in 1..=4 {
        assert_eq!(host.create(&key, Some(id(number)), true, "{}").await.status, 202);
    }
    let fifth = host.create(&key, Some(id(5)), true, "{}").await;
    assert_eq!((fifth.status, fifth.error()["retryAfter"].as_u64()), (429, Some(5)), "{}", fifth.body);
    let again = host.create(&key, Some(id(4)), true, "{}").await;
    assert_eq!(again.status, 202, "a repeat is no fifth");
    (0..4).for_each(|_| work.let_go());
    for number in 1..=4 {
        host.until(&key, id(number), "succeed").await;
    }
    assert_eq!(host.create(&key, Some(id(5)), true, "{}").await.status, 202);
    assert_eq!(work.ran(), 4 + 1);
}

#[tokio::test]
async fn cancelled_before_its_commit_nothing_happened_and_after_it_is_too_late() {
    let (host, work) = host(LONG).await;
    let key = host.key("ada", false, None).await;
    assert_eq!(host.create(&key, Some(id(1)), true, "{}").await.status, 202);
    let cancelled = host.cancel(&key, id(1)).await;
    assert_eq!((cancelled.status, &cancelled.body), (200, &json!({"data": {}, "errors": []})));
    assert_eq!(host.status(&key, id(1)).await, "canceled");
    assert_eq!(host.cancel(&key, id(1)).await.status, 409, "it has ended");
    assert_eq!(
        host.create(&key, Some(id(1)), true, "{}").await.status,
        409,
        "a repeat hears that it was cancelled"
    );

    assert_eq!(host.create(&key, Some(id(2)), true, "{}").await.status, 202);
    work.before.add_permits(1);
    while host.state.store().read().await.unwrap().companies().by_name("company 2").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let late = host.cancel(&key, id(2)).await;
    assert_eq!(late.status, 409, "{}", late.body);
    work.after.add_permits(1);
    host.until(&key, id(2), "succeed").await;
    assert_eq!(host.companies().await, 0, "company 1 was never made");
}

#[tokio::test]
async fn no_secret_is_shown_or_stored_in_clear() {
    let (host, work) = host(LONG).await;
    let key = host.key("ada", false, None).await;
    work.let_go();
    assert_eq!(host.create(&key, Some(id(1)), false, SECRETS).await.status, 200);
    let info = host.get(&key, &format!("/api/v3/asyncActions/{}", id(1))).await.body;
    assert_eq!(info["data"]["actionName"], "CreateCompany");
    assert_eq!(info["data"]["queryParameters"], json!({}));
    let shown = info["data"]["requestBody"].as_str().unwrap();
    assert!(shown.contains("Bakery") && !shown.contains("geheim"), "{shown}");
    let files = std::fs::read_dir(host.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("keelson.db")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"geheim"), "{}", file.display());
    }
}

#[tokio::test]
async fn what_a_dead_host_left_behind_has_failed_and_says_whether_it_took_effect() {
    let (host, work) = host(LONG).await;
    let key = host.key("ada", false, None).await;
    for number in [1, 2] {
        assert_eq!(host.create(&key, Some(id(number)), true, "{}").await.status, 202);
    }
    work.before.add_permits(1);
    while host.companies().await == 0
        && host.state.store().read().await.unwrap().companies().by_name("company 2").await.unwrap().is_none()
    {
        tokio::task::yield_now().await;
    }
    // As the next host finds it: the rows, and nobody who works on them.
    let plugins = Plugins::start(PluginOptions::default(), Arc::clone(&host.state.0.clock)).await.unwrap();
    let options = ApiOptions::new(&Config::default(), Seal::open(host.folder.path()).unwrap());
    let (store, clock) = (host.state.store().clone(), Arc::clone(&host.state.0.clock));
    let state = ApiState::new(store, plugins, clock, host.state.installation(), options);
    upkeep_round(&state).await.unwrap();
    assert_eq!(host.status(&key, id(1)).await, "running", "its host may still live");
    host.clock.advance(9_001);
    upkeep_round(&state).await.unwrap();
    let mut said = Vec::new();
    for number in [1, 2] {
        assert_eq!(host.status(&key, id(number)).await, "failed");
        let result = host.get(&key, &format!("/api/v3/asyncActions/{}/result", id(number))).await;
        assert_eq!(result.status, 409);
        said.push(result.error()["message"].as_str().unwrap().to_owned());
    }
    said.sort();
    assert!(said[0].contains("is in effect") && said[1].contains("nothing of it happened"), "{said:?}");
    host.clock.advance(HOUR + 1);
    upkeep_round(&state).await.unwrap();
    assert_eq!(host.get(&key, "/api/v3/asyncActions").await.body["data"], json!([]));
}
