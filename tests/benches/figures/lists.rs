//! Pages of lists on a whole fleet, count included: through the list engine and through the whole of the REST API, each beside
//! the hand-written SQL of the same page through the same driver in the same process. And the host's memory while a client
//! reads the fleet from end to end.
//!
//! `KEELSON_FLEET_SQLITE` and `KEELSON_FLEET_POSTGRES` name databases with a fleet (`cargo xtask seed --scale full`); without
//! them one is planted, which takes a while. `KEELSON_FLEET_SCALE` (small, middle, full) says how large.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson::clock::{Clock as _, SystemClock};
use keelson::model::Scope;
use keelson::store::Store;
use keelson::store::list::Condition;
use keelson_tests::database::sql;
use keelson_tests::fleet::{Scale, Thing, plant};
use keelson_tests::{Client, HostProcess, TestDatabase, TestHost};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::figure::{Better, Figure, Goal};
use cases::Case;

mod cases;

const ROUNDS: usize = 60;
const WARM: usize = 5;
/// No case takes longer, once it has a few rounds.
const LONGEST: Duration = Duration::from_mins(1);
const FEW: usize = 9;
const PEER: &str = "the same page, hand-written";

pub(crate) async fn run() -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in ["sqlite", "postgres"] {
        let database = fleet(kind).await;
        let url = database.url.clone();
        let deep = count(&url, "SELECT count(*) FROM workloads WHERE kind = 'computer'").await / 2;
        let deep = u32::try_from(deep).expect("an offset");
        let host = TestHost::start_with(database, None, Arc::new(SystemClock)).await;
        let client = host.administrator();
        let company = Thing::Company.at(1);
        let locations = client.get(&format!("/organizations/companies/{company}/usage")).await.1;
        let locations = locations["data"].as_array().map_or(0, Vec::len);
        let usage = cases::usage(company, locations, kind == "sqlite");
        for case in [cases::companies(), cases::workloads(deep), cases::points(), usage] {
            let (mut engine, mut rest) = (Vec::new(), Vec::new());
            let begun = Instant::now();
            for round in 0..WARM + ROUNDS {
                if engine.len() >= FEW && begun.elapsed() > LONGEST {
                    break;
                }
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
    assert_eq!(page.items.len(), case.rows, "{}", case.name);
    time
}

async fn through_the_api(client: &Client, case: &Case) -> f64 {
    let begun = Instant::now();
    let (status, page) = client.get(&case.path).await;
    let time = milliseconds(begun);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(case.rows), "{} {status}: {page}", case.path);
    time
}

/// Connections are made once: a program that writes its SQL by hand keeps one too.
async fn by_hand(url: &str, case: &Case) -> f64 {
    use tokio::sync::Mutex;
    static SQLITE: Mutex<Option<(String, SqliteConnection)>> = Mutex::const_new(None);
    static POSTGRES: Mutex<Option<PgConnection>> = Mutex::const_new(None);
    macro_rules! read {
        ($connection:expr) => {{
            let connection = $connection;
            let (begun, mut rows) = (Instant::now(), 0);
            for (number, statement) in case.page.iter().enumerate() {
                let found = sqlx::query(sql(statement.clone())).fetch_all(&mut *connection).await;
                let found = found.expect("rows");
                rows += if number == 0 { found.len() } else { 0 };
            }
            if let Some(count) = case.count {
                let _: i64 = sqlx::query_scalar(count).fetch_one(&mut *connection).await.expect("a number");
            }
            let time = milliseconds(begun);
            assert_eq!(rows, case.rows, "{}", case.name);
            time
        }};
    }
    if url.starts_with("sqlite:") {
        let mut kept = SQLITE.lock().await;
        if kept.as_ref().is_none_or(|(of, _)| of != url) {
            *kept = Some((url.to_owned(), SqliteConnection::connect(url).await.expect("the database")));
        }
        read!(&mut kept.as_mut().expect("a connection").1)
    } else {
        let mut kept = POSTGRES.lock().await;
        if kept.is_none() {
            *kept = Some(PgConnection::connect(url).await.expect("the database"));
        }
        read!(kept.as_mut().expect("a connection"))
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
