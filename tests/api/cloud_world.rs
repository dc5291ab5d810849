//! A host with two sites, two resellers and their companies, from which the tests of Cloud Connect start.

use keelson::clock::SystemClock;
use keelson::id::{AgentUid, CompanyUid, ResellerUid, SiteUid, UserUid};
use keelson::model::{Command, Door, NewCompany, NewOrganization, NewReseller, NewUser, Role};
use keelson::store::{CloudFacts, CloudSource, Lease, NewAgent, SiteIds, Store};
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::cloud::whole;

/// Below `/api/v3`.
pub(super) const SITES: &str = "/infrastructure/sites";

pub(super) struct World {
    pub(super) host: TestHost,
    pub(super) admin: Client,
    /// Those of the agents of the two sites.
    pub(super) agents: [AgentUid; 2],
    pub(super) sites: [SiteIds; 2],
    /// A reseller that may use the first site, and one that may use none.
    pub(super) resellers: [ResellerUid; 2],
    /// A company of the provider, one of the first reseller, one of the second.
    pub(super) companies: [CompanyUid; 3],
}

/// What stands on a site before anybody has anything there.
fn bare() -> CloudFacts {
    CloudFacts {
        tenants: vec![],
        backup_resources: vec![],
        replications: vec![],
        replication_usages: vec![],
        backups: vec![],
        ..whole()
    }
}

impl World {
    pub(super) async fn new(database: TestDatabase) -> Self {
        let host = TestHost::start_with(database, None, std::sync::Arc::new(SystemClock)).await;
        let admin = host.administrator();
        let resellers = [reseller(&host.store, "R1").await, reseller(&host.store, "R2").await];
        let companies = [
            company(&host.store, "Direct", None).await,
            company(&host.store, "Of R1", Some(resellers[0])).await,
            company(&host.store, "Of R2", Some(resellers[1])).await,
        ];
        let agents = [agent(&host.store).await, agent(&host.store).await];
        let world = Self {
            sites: agents.map(|agent| SiteIds::of(agent, "vbr")),
            host,
            admin,
            agents,
            resellers,
            companies,
        };
        for agent in agents {
            world.report(agent, &bare()).await;
        }
        let [first, second] = world.resellers;
        world
            .link("UPDATE resellers SET cloud_connect = TRUE WHERE uid = $1 OR uid = $2", first.0, second.0)
            .await;
        let (reseller, site) = (first.0, world.sites[0].site.0);
        world
            .link(
                "INSERT INTO organization_sites (organization_uid, site_uid) VALUES ($1, $2)",
                reseller,
                site,
            )
            .await;
        world
    }

    pub(super) async fn report(&self, agent: AgentUid, facts: &CloudFacts) {
        let source = CloudSource { agent, server: "vbr", epoch: 1, collected_at: i64::MAX };
        let mut tx = self.host.store.write().await.unwrap();
        tx.cloud().store(&SystemClock, source, facts).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A statement of the test's own about two ids.
    pub(super) async fn link(&self, statement: &'static str, one: Uuid, other: Uuid) {
        use sqlx::Connection;
        let url = self.host.database_url();
        if url.starts_with("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(statement).bind(one).bind(other).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            sqlx::query(statement).bind(one).bind(other).execute(&mut connection).await.unwrap();
        }
    }

    /// A client of a role in an organisation.
    pub(super) async fn user(&self, role: Role, organization: Uuid) -> (UserUid, Client) {
        let name = format!("{}-{}", role.name(), Uuid::from_u128(rand(role, organization)));
        let new = NewUser {
            organization_uid: organization,
            name: name.clone(),
            role,
            password_hash: String::new(),
        };
        let mut tx = self.host.store.write().await.unwrap();
        let user = tx.users().create(&SystemClock, &new).await.unwrap();
        tx.commit().await.unwrap();
        let key = self.host.command(&["apikey", "add", "--user", &name]);
        (user.uid, self.host.client.with(&key))
    }

    pub(super) async fn provider(&self) -> Uuid {
        let all = self.admin.data("/users/me").await;
        all["organizationUid"].as_str().unwrap().parse().unwrap()
    }

    /// A site administrator of one site.
    pub(super) async fn site_administrator(&self, site: SiteUid) -> Client {
        let (user, client) = self.user(Role::SiteAdministrator, self.provider().await).await;
        self.link("INSERT INTO user_sites (user_uid, site_uid) VALUES ($1, $2)", user.0, site.0).await;
        client
    }

    pub(super) fn site(&self, index: usize) -> String {
        format!("{SITES}/{}", self.sites[index].site)
    }

    /// Makes a tenant; its id.
    pub(super) async fn tenant(&self, client: &Client, site: usize, more: Value) -> String {
        let (status, made) = self.try_tenant(client, site, more).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        made["data"]["instanceUid"].as_str().unwrap().to_owned()
    }

    pub(super) async fn try_tenant(&self, client: &Client, site: usize, more: Value) -> (StatusCode, Value) {
        let mut body = json!({"credentials": {"userName": "alpha", "password": "correct horse"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.json(Method::POST, &format!("{}/tenants", self.site(site)), &body).await
    }

    /// Makes a share of the first repository; its id.
    pub(super) async fn share(&self, tenant: &str, more: Value) -> String {
        let (status, made) = self.try_share(&self.admin, tenant, more).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        made["data"]["instanceUid"].as_str().unwrap().to_owned()
    }

    pub(super) async fn try_share(&self, client: &Client, tenant: &str, more: Value) -> (StatusCode, Value) {
        let mut body = json!({
            "repositoryUid": self.sites[0].part("repository", "r1"),
            "cloudRepositoryName": "Cloud",
            "storageQuota": 1_i64 << 30,
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.json(Method::POST, &format!("{SITES}/tenants/{tenant}/backupResources"), &body).await
    }

    /// What the agent of a site is to do next: one command about each thing. They go out.
    pub(super) async fn sent(&self, index: usize) -> Vec<Command> {
        let mut tx = self.host.store.write().await.unwrap();
        let commands =
            tx.commands().send_out(&SystemClock, &[self.agents[index]], 60_000, 100).await.unwrap();
        tx.commit().await.unwrap();
        commands
    }

    /// The agent did what it was to do, or failed with a message, until nothing is left.
    pub(super) async fn done(&self, index: usize, failure: Option<&str>) -> Vec<Command> {
        use keelson::model::Outcome;
        let mut all = Vec::new();
        loop {
            let commands = self.sent(index).await;
            if commands.is_empty() {
                return all;
            }
            for command in commands {
                let outcome = failure.map_or_else(Outcome::done, Outcome::failed);
                let mut tx = self.host.store.write().await.unwrap();
                tx.commands().finish(&SystemClock, Lease::of(&command), &outcome).await.unwrap();
                tx.commit().await.unwrap();
                all.push(command);
            }
        }
    }

    /// Sends a patch of one property.
    pub(super) async fn replace(&self, path: &str, property: &str, value: Value) -> (StatusCode, Value) {
        let steps = json!([{"op": "replace", "path": property, "value": value}]);
        self.admin.json(Method::PATCH, path, &steps).await
    }

    pub(super) async fn stop(self) {
        self.host.stop().await;
    }
}

/// A number that is another for each user of a test.
fn rand(role: Role, organization: Uuid) -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) + organization.as_u128() + role.name().len() as u128
}

async fn reseller(store: &Store, name: &str) -> ResellerUid {
    let new = NewReseller {
        organization: NewOrganization::named(name),
        rest_access_enabled: true,
        owner_name: String::new(),
        pro_partner_id: None,
        description: None,
        claims: "[]".to_owned(),
    };
    let mut tx = store.write().await.unwrap();
    let uid = tx.resellers().create(&SystemClock, &new).await.unwrap();
    tx.commit().await.unwrap();
    uid
}

async fn company(store: &Store, name: &str, reseller_uid: Option<ResellerUid>) -> CompanyUid {
    let new = NewCompany {
        organization: NewOrganization::named(name),
        alarm_detect_enabled: true,
        rest_access_enabled: true,
        owner_name: name.to_owned(),
        reseller_uid,
        subscription_plan_uid: None,
    };
    let mut tx = store.write().await.unwrap();
    let uid = tx.companies().create(&SystemClock, &new).await.unwrap();
    tx.commit().await.unwrap();
    uid
}

/// One of the provider's own.
async fn agent(store: &Store) -> AgentUid {
    let uid = AgentUid::new(&SystemClock);
    let new = NewAgent {
        host_name: "cc".to_owned(),
        machine_id: uid.to_string(),
        platform: "Windows".to_owned(),
        os_version: "2022".to_owned(),
        version: "0.1.0".to_owned(),
        door: Door::Hosted,
    };
    let mut tx = store.write().await.unwrap();
    let provider = CompanyUid(tx.installation().ensure(&SystemClock).await.unwrap().uid);
    let location = tx.companies().default_location(provider).await.unwrap().unwrap();
    tx.agents().create(&SystemClock, uid, (provider, location), None, &new, &[7; 32]).await.unwrap();
    tx.commit().await.unwrap();
    uid
}
