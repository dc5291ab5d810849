//! A host, somebody who may do everything on it, and the people and machines that tests ask for.

use keelson::clock::SystemClock;
use keelson::id::{AgentUid, CompanyUid, SiteUid, UserUid};
use keelson::model::Door;
use keelson::store::{
    BackupRepositoryFact, CloudFacts, CloudSource, Facts, NewAgent, RestorePointFact, ServerFact, SiteFact,
    Source, TenantFact, TenantSettingsFact, Vb365Fact, WorkloadFact,
};
use keelson_tests::database::{sql, unique};
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct Desk {
    pub(super) host: TestHost,
    pub(super) admin: Client,
    pub(super) provider: Uuid,
}

impl Desk {
    pub(super) async fn open(database: TestDatabase) -> Self {
        let host = TestHost::start_with(database, None, std::sync::Arc::new(SystemClock)).await;
        let admin = host.administrator();
        let provider = uid(&admin.data("/users/me").await["organizationUid"]);
        Self { host, admin, provider }
    }

    pub(super) async fn company(&self, name: &str) -> Uuid {
        self.company_by(&self.admin, name, json!({})).await
    }

    pub(super) async fn company_by(&self, client: &Client, name: &str, more: Value) -> Uuid {
        let (status, made) = client.json(Method::POST, "/organizations/companies", &input(name, more)).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        uid(&made["data"]["instanceUid"])
    }

    pub(super) async fn reseller(&self, name: &str) -> Uuid {
        let input = input(name, json!({}));
        let (status, made) = self.admin.json(Method::POST, "/organizations/resellers", &input).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        uid(&made["data"]["instanceUid"])
    }

    /// A client of a role of the organisation that `flag` names: `--company`, `--reseller`, or none.
    pub(super) fn member(&self, role: &str, flag: &str, organization: Uuid) -> Client {
        let (name, uid) = (format!("{role}-{}", unique()), organization.to_string());
        let mut arguments = vec!["user", "add", "--name", &name, "--role", role];
        if !flag.is_empty() {
            arguments.extend([flag, &uid]);
        }
        self.host.command(&arguments);
        let key = self.host.command(&["apikey", "add", "--user", &name]);
        self.host.client.with(&key)
    }

    /// The owner that a company or a reseller was made with.
    pub(super) fn owner(&self, organization: &str) -> Client {
        let key = self.host.command(&["apikey", "add", "--user", &format!("{organization}-owner")]);
        self.host.client.with(&key)
    }

    pub(super) async fn site_administrator(&self, sites: &[Uuid]) -> Client {
        let client = self.member("SiteAdministrator", "", Uuid::nil());
        let user = uid(&client.data("/users/me").await["instanceUid"]);
        let sites: Vec<_> = sites.iter().copied().map(SiteUid).collect();
        let mut tx = self.host.store.write().await.unwrap();
        tx.accounts().set_sites(UserUid(user), &sites).await.unwrap();
        tx.commit().await.unwrap();
        client
    }

    pub(super) async fn agent(&self, organization: Uuid, door: Door) -> Source {
        let mut tx = self.host.store.write().await.unwrap();
        let company = CompanyUid(organization);
        let location = tx.companies().default_location(company).await.unwrap().unwrap();
        let agent = AgentUid::new(&SystemClock);
        let new = NewAgent {
            host_name: "backup-01".to_owned(),
            machine_id: agent.to_string(),
            platform: "Linux".to_owned(),
            os_version: "12".to_owned(),
            version: "0.1.0".to_owned(),
            door,
        };
        tx.agents().create(&SystemClock, agent, (company, location), None, &new, &[7; 32]).await.unwrap();
        tx.commit().await.unwrap();
        Source { agent, company, epoch: 1 }
    }

    pub(super) async fn report(&self, source: Source, facts: &Facts) {
        let mut tx = self.host.store.write().await.unwrap();
        tx.ingest().store(&SystemClock, &[(source, facts)]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A Cloud Connect site with one tenant that the server confirmed: (site, tenant).
    pub(super) async fn site(&self) -> (SiteUid, Uuid) {
        let source = self.agent(self.provider, Door::Hosted).await;
        let facts = CloudFacts {
            site: Some(SiteFact {
                name: "Site".to_owned(),
                port: 6180,
                maintenance_mode: false,
                tenant_management: false,
                enterprise: false,
            }),
            tenants: vec![tenant()],
            complete: true,
            ..CloudFacts::default()
        };
        self.report(source, &Facts { servers: vec![server()], ..Facts::default() }).await;
        let from = CloudSource { agent: source.agent, server: "vbr", epoch: 1, collected_at: i64::MAX };
        let mut tx = self.host.store.write().await.unwrap();
        tx.cloud().store(&SystemClock, from, &facts).await.unwrap();
        tx.commit().await.unwrap();
        let site = self.ask("SELECT uid FROM sites").await;
        (SiteUid(site), self.ask("SELECT uid FROM cloud_tenants").await)
    }

    /// The one id that a query of the test's own finds.
    pub(super) async fn ask(&self, text: &str) -> Uuid {
        let (url, text) = (self.host.database_url(), sql(text.to_owned()));
        if url.starts_with("sqlite") {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
        }
    }

    /// A statement of the test's own; `{}` stands for ids.
    pub(super) async fn run(&self, text: &str, uids: &[Uuid]) {
        let url = self.host.database_url();
        let text = uids.iter().fold(text.to_owned(), |text, uid| {
            let literal =
                if url.starts_with("sqlite") { format!("X'{}'", uid.simple()) } else { format!("'{uid}'") };
            text.replacen("{}", &literal, 1)
        });
        if url.starts_with("sqlite") {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            connection.execute(sql(text)).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            connection.execute(sql(text)).await.unwrap();
        }
    }

    /// The tables that still name an organisation, beside the activity log.
    pub(super) async fn traces_of(&self, organization: Uuid) -> Vec<String> {
        let url = self.host.database_url();
        let names = "('company_uid', 'organization_uid', 'mapped_company_uid', 'holder_uid', 'owner_uid', 'reseller_uid')";
        let mut traces = Vec::new();
        if url.starts_with("sqlite") {
            let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let text = format!(
                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name IN {names}"
            );
            let columns: Vec<(String, String)> = sqlx::query_as(sql(text)).fetch_all(&mut db).await.unwrap();
            for (table, column) in columns.into_iter().filter(|(table, _)| table != "audit") {
                let text = sql(format!("SELECT count(*) FROM {table} WHERE {column} = $1"));
                let rows: i64 = sqlx::query_scalar(text).bind(organization).fetch_one(&mut db).await.unwrap();
                traces.extend((rows > 0).then_some(table));
            }
        } else {
            let mut db = sqlx::PgConnection::connect(&url).await.unwrap();
            let text = format!(
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND column_name IN {names}"
            );
            let columns: Vec<(String, String)> = sqlx::query_as(sql(text)).fetch_all(&mut db).await.unwrap();
            for (table, column) in columns.into_iter().filter(|(table, _)| table != "audit") {
                let text = sql(format!("SELECT count(*) FROM {table} WHERE {column} = $1"));
                let rows: i64 = sqlx::query_scalar(text).bind(organization).fetch_one(&mut db).await.unwrap();
                traces.extend((rows > 0).then_some(table));
            }
        }
        traces
    }

    pub(super) async fn patch(&self, path: &str, steps: Value) -> (StatusCode, Value) {
        self.admin.json(Method::PATCH, path, &steps).await
    }

    pub(super) async fn close(self) {
        self.host.stop().await;
    }
}

/// The input of a company or a reseller.
#[expect(clippy::needless_pass_by_value, reason = "so that each call reads as one line")]
pub(super) fn input(name: &str, more: Value) -> Value {
    let mut input = json!({
        "organizationInput": {"name": name},
        "ownerCredentials": {"userName": format!("{name}-owner"), "password": PASSWORD},
        "isRestAccessEnabled": true,
    });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

pub(super) fn replace(path: &str, value: &Value) -> Value {
    json!([{"op": "replace", "path": path, "value": value}])
}

pub(super) fn uid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no id"))
}

/// The ids of a list.
pub(super) async fn uids(client: &Client, path: &str, name: &str) -> Vec<Uuid> {
    client.data(path).await.as_array().unwrap().iter().map(|one| uid(&one[name])).collect()
}

/// What DELETE answers.
pub(super) async fn delete(client: &Client, path: &str) -> (StatusCode, Value) {
    Client::send(client.request(Method::DELETE, &format!("/api/v3{path}"))).await
}

/// Whether somebody can sign in.
pub(super) async fn signs_in(desk: &Desk, name: &str, password: &str) -> bool {
    let fields = [("grant_type", "password"), ("username", name), ("password", password)];
    let (status, _) = desk.host.client.form("/token", &fields).await;
    status == StatusCode::OK
}

fn server() -> ServerFact {
    ServerFact {
        key: "vbr".to_owned(),
        name: "Backup server".to_owned(),
        engine: "vbr".to_owned(),
        version: "13.0.1".to_owned(),
        ..ServerFact::default()
    }
}

fn workload(kind: &str, key: &str, mode: &str) -> WorkloadFact {
    WorkloadFact {
        server: "vbr".to_owned(),
        key: key.to_owned(),
        name: key.to_owned(),
        kind: kind.to_owned(),
        operation_mode: mode.to_owned(),
        backed_up_items: "all".to_owned(),
        details: None,
    }
}

fn point(workload: &str, key: i64) -> RestorePointFact {
    RestorePointFact {
        server: "vbr".to_owned(),
        workload: workload.to_owned(),
        key: key.to_string(),
        created_at: key,
        size: Some(100),
        source_size: Some(50),
        destination: "Main".to_owned(),
        details: None,
    }
}

/// Two machines of which one was backed up twice, a server and a laptop, a file share and a mailbox.
pub(super) fn inventory() -> Facts {
    Facts {
        servers: vec![server()],
        repositories: vec![BackupRepositoryFact {
            server: "vbr".to_owned(),
            key: "main".to_owned(),
            name: "Main".to_owned(),
            kind: "LinuxLocal".to_owned(),
            status: "Healthy".to_owned(),
            ..BackupRepositoryFact::default()
        }],
        workloads: vec![
            workload("virtual_machine", "vm1", "Unknown"),
            workload("virtual_machine", "vm2", "Unknown"),
            workload("managed_computer", "server", "Server"),
            workload("computer", "laptop", "Workstation"),
            workload("file_share", "share", "Unknown"),
        ],
        restore_points: vec![point("vm1", 1), point("vm1", 2), point("share", 1)],
        vb365_objects: vec![Vb365Fact {
            key: "ada".to_owned(),
            id: "ada:1".to_owned(),
            name: "Ada".to_owned(),
            kind: "User".to_owned(),
            server: "m365".to_owned(),
            server_name: "M365".to_owned(),
            repository: "r".to_owned(),
            repository_name: "Default".to_owned(),
            restore_points: 1,
            ..Vb365Fact::default()
        }],
        ..Facts::default()
    }
}

fn tenant() -> TenantFact {
    TenantFact {
        key: "t1".to_owned(),
        vcd_organization: None,
        settings: TenantSettingsFact {
            name: "Tenant".to_owned(),
            user_name: "tenant".to_owned(),
            description: None,
            enabled: true,
            lease_expires_at: None,
            throttling: None,
            max_concurrent_tasks: 1,
            protection_days: None,
            gateway_pools: Vec::new(),
            gateway_failover: false,
            native_replication: false,
            vcd_replication: false,
        },
        last_active: None,
        data_out: 5,
        data_in: 6,
    }
}
