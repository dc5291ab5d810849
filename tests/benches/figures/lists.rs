//! Pages of lists on a whole fleet, count included: through the list engine and through the whole of the REST API, each beside
//! the hand-written SQL of the same page through the same driver in the same process. And the host's memory while a client
//! reads the fleet from end to end.
//!
//! `KEELSON_FLEET_SQLITE` and `KEELSON_FLEET_POSTGRES` name databases with a fleet (`cargo xtask seed --scale full`); without
//! them one is planted, which takes a while. `KEELSON_FLEET_SCALE` (small, middle, full) says how large.

use std::sync::Arc;
use std::time::Instant;

use keelson::clock::{Clock as _, SystemClock};
use keelson::model::Scope;
use keelson::store::list::{Collation, Comparison, Condition, ListQuery, Resource, Sort, Value};
use keelson::store::{COMPANIES, COMPUTERS, LATEST_VIRTUAL_MACHINE_POINTS, Store};
use keelson_tests::database::sql;
use keelson_tests::fleet::{Scale, plant};
use keelson_tests::{Client, HostProcess, TestDatabase, TestHost};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::figure::{Better, Figure, Goal};

const ROUNDS: usize = 60;
const WARM: usize = 5;
const PEER: &str = "the same page, hand-written";

/// A page, three times over.
struct Case {
    name: &'static str,
    /// For the engine.
    resource: &'static Resource,
    query: ListQuery,
    /// For the API.
    path: String,
    /// By hand: the page and the count.
    page: String,
    count: &'static str,
}

fn sort(resource: &Resource, name: &str, descending: bool) -> Vec<Sort> {
    let property = *resource.property(name).expect("a property");
    vec![Sort { property, descending, collation: Collation::Ordinal }]
}

/// The names of all companies, from the first.
fn companies() -> Case {
    Case {
        name: "companies",
        resource: &COMPANIES,
        query: ListQuery { sort: sort(&COMPANIES, "name", false), ..ListQuery::default() },
        path: r#"/organizations/companies?limit=100&sort=[{"property":"name","direction":"ascending"}]"#.to_owned(),
        page: "SELECT c.uid, o.name, c.status, c.reseller_uid, c.subscription_plan_uid, c.alarm_detect_enabled, \
            c.rest_access_enabled, coalesce((SELECT min(u.name) FROM users u WHERE u.organization_uid = c.uid AND \
            u.role = 'CompanyOwner'), c.owner_name), c.hosted_services, c.hosted_public_cloud, c.remote_services, \
            c.remote_backup_resources, c.remote_public_cloud, c.agents_managed, c.agents_hard_quota, c.server_agents_quota, \
            c.workstation_agents_quota, c.servers_managed, c.servers_quota, c.vb365_managed, c.vb365_quota \
            FROM companies c JOIN organizations o ON o.uid = c.uid ORDER BY o.name, c.uid LIMIT 100"
            .to_owned(),
        count: "SELECT count(*) FROM companies",
    }
}

/// Servers by the age of their newest restore point, far from the first.
fn workloads(deep: u32) -> Case {
    let property = *COMPUTERS.property("operationMode").expect("a property");
    let filter = Condition::Compare {
        property,
        comparison: Comparison::Equals,
        value: Value::Text("Server".to_owned()),
        collation: Collation::Ordinal,
    };
    let sort = sort(&COMPUTERS, "latestRestorePointDate", false);
    Case {
        name: "workloads.deep",
        resource: &COMPUTERS,
        query: ListQuery { filter, sort, limit: 100, offset: deep },
        path: format!(
            r#"/protectedWorkloads/computersManagedByConsole?limit=100&offset={deep}&filter=[{{"property":"operationMode","operation":"equals","value":"Server"}}]&sort=[{{"property":"latestRestorePointDate","direction":"ascending"}}]"#
        ),
        page: format!(
            "SELECT w.uid, w.company_uid, w.name, w.operation_mode, w.jobs, w.newest_restore_point FROM workloads w \
             WHERE w.kind = 'computer' AND w.gone_at IS NULL AND w.operation_mode = 'Server' \
             ORDER BY w.newest_restore_point NULLS FIRST, w.uid LIMIT 100 OFFSET {deep}"
        ),
        count: "SELECT count(*) FROM workloads w WHERE w.kind = 'computer' AND w.gone_at IS NULL AND w.operation_mode = 'Server'",
    }
}

/// The newest restore points of all machines, the newest first.
fn points() -> Case {
    Case {
        name: "points.latest",
        resource: &LATEST_VIRTUAL_MACHINE_POINTS,
        query: ListQuery {
            sort: sort(&LATEST_VIRTUAL_MACHINE_POINTS, "backupCreationTime", true),
            ..ListQuery::default()
        },
        path: r#"/protectedWorkloads/virtualMachines/backupRestorePoints/latest?limit=100&sort=[{"property":"backupCreationTime","direction":"descending"}]"#.to_owned(),
        page: "SELECT r.uid, r.workload_uid, r.server_uid, r.backup_uid, r.job_uid, r.repository_uid, r.file_path, r.size, \
            r.provisioned_size, r.used_size, r.increment_size, r.cpu_cores, r.memory, r.created_at, r.file_created_at, \
            r.immutable_till, r.consistent, r.gfs, r.tier, r.malware_state FROM restore_points r \
            WHERE r.kind = 'virtual_machine' AND r.latest ORDER BY r.created_at DESC NULLS LAST, r.uid LIMIT 100"
            .to_owned(),
        count: "SELECT count(*) FROM restore_points r WHERE r.kind = 'virtual_machine' AND r.latest",
    }
}

pub(crate) async fn run() -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in ["sqlite", "postgres"] {
        let database = fleet(kind).await;
        let url = database.url.clone();
        let deep = count(&url, "SELECT count(*) FROM workloads WHERE kind = 'computer'").await / 2;
        let deep = u32::try_from(deep).expect("an offset");
        let host = TestHost::start_with(database, None, Arc::new(SystemClock)).await;
        let client = host.administrator();
        for case in [companies(), workloads(deep), points()] {
            let (mut engine, mut rest) = (Vec::new(), Vec::new());
            for round in 0..WARM + ROUNDS {
                let ours = through_the_engine(&host.store, &case).await;
                let peer = by_hand(&url, &case).await;
                let whole = through_the_api(&client, &case).await;
                if round >= WARM {
                    engine.push((ours, peer));
                    rest.push((whole, peer));
                }
            }
            let goal = Goal { unit: "ms", peer: PEER, bound: 1.5, better: Better::Lower };
            figures
                .push(Figure::new(&format!("lists.{}.{kind}", case.name), &engine, goal).with_p99(&engine));
            figures
                .push(Figure::new(&format!("lists.{}.{kind}.rest", case.name), &rest, goal).with_p99(&rest));
        }
        host.stop().await;
        figures.push(memory(kind, TestDatabase::at(&url)).await);
    }
    figures
}

/// A database with a fleet.
async fn fleet(kind: &str) -> TestDatabase {
    let given = if kind == "sqlite" { "KEELSON_FLEET_SQLITE" } else { "KEELSON_FLEET_POSTGRES" };
    if let Ok(url) = std::env::var(given) {
        return TestDatabase::at(&url);
    }
    let database = if kind == "sqlite" { TestDatabase::sqlite() } else { TestDatabase::postgres().await };
    let scale = match std::env::var("KEELSON_FLEET_SCALE").as_deref() {
        Ok("small") => Scale::SMALL,
        Ok("middle") => Scale::MIDDLE,
        _ => Scale::FULL,
    };
    plant(&database.url, scale, SystemClock.now_ms()).await.expect("a fleet");
    database
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

async fn through_the_engine(store: &Store, case: &Case) -> f64 {
    let (all, shown) = (Condition::All(Vec::new()), case.resource.shown());
    let begun = Instant::now();
    let mut tx = store.read().await.expect("a transaction");
    let page = tx.list(case.resource, &Scope::Provider, &all, &case.query, &shown).await.expect("a page");
    let time = milliseconds(begun);
    assert_eq!(page.items.len(), 100, "{}", case.name);
    time
}

async fn through_the_api(client: &Client, case: &Case) -> f64 {
    let begun = Instant::now();
    let (status, page) = client.get(&case.path).await;
    let time = milliseconds(begun);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(100), "{} {status}: {page}", case.path);
    time
}

/// Connections are made once: a program that writes its SQL by hand keeps one too.
async fn by_hand(url: &str, case: &Case) -> f64 {
    use tokio::sync::Mutex;
    static SQLITE: Mutex<Option<(String, SqliteConnection)>> = Mutex::const_new(None);
    static POSTGRES: Mutex<Option<PgConnection>> = Mutex::const_new(None);
    if url.starts_with("sqlite:") {
        let mut kept = SQLITE.lock().await;
        if kept.as_ref().is_none_or(|(of, _)| of != url) {
            *kept = Some((url.to_owned(), SqliteConnection::connect(url).await.expect("the database")));
        }
        let connection = &mut kept.as_mut().expect("a connection").1;
        let begun = Instant::now();
        let rows = sqlx::query(sql(case.page.clone())).fetch_all(&mut *connection).await.expect("a page");
        let _: i64 = sqlx::query_scalar(case.count).fetch_one(connection).await.expect("a number");
        let time = milliseconds(begun);
        assert_eq!(rows.len(), 100);
        time
    } else {
        let mut kept = POSTGRES.lock().await;
        if kept.is_none() {
            *kept = Some(PgConnection::connect(url).await.expect("the database"));
        }
        let connection = kept.as_mut().expect("a connection");
        let begun = Instant::now();
        let rows = sqlx::query(sql(case.page.clone())).fetch_all(&mut *connection).await.expect("a page");
        let _: i64 = sqlx::query_scalar(case.count).fetch_one(connection).await.expect("a number");
        let time = milliseconds(begun);
        assert_eq!(rows.len(), 100);
        time
    }
}

async fn count(url: &str, text: &'static str) -> i64 {
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.expect("the database");
        sqlx::query_scalar(text).fetch_one(&mut connection).await.expect("a number")
    } else {
        let mut connection = PgConnection::connect(url).await.expect("the database");
        sqlx::query_scalar(text).fetch_one(&mut connection).await.expect("a number")
    }
}

/// A host as a process of its own: its memory after the last page of the fleet, beside that after the twentieth.
async fn memory(kind: &str, database: TestDatabase) -> Figure {
    let host = HostProcess::start(database, None).await;
    let client = host.administrator();
    let (mut offset, mut early) = (0, 0.0);
    loop {
        let path = format!("/protectedWorkloads/computersManagedByConsole?limit=500&offset={offset}");
        let (status, page) = client.get(&path).await;
        assert!(status.is_success(), "{status}: {page}");
        let rows = page["data"].as_array().map_or(0, Vec::len);
        offset += rows;
        if offset <= 10_000 {
            early = host.memory("VmRSS:");
        }
        if rows < 500 {
            break;
        }
    }
    let late = host.memory("VmHWM:");
    let goal = Goal { unit: "MiB", peer: "after the first 20 pages", bound: 1.2, better: Better::Lower };
    Figure::new(&format!("lists.memory.{kind}"), &[(late, early)], goal)
}
