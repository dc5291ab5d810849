//! From an agent's frame to a committed row: real agents' sessions over mutual TLS, acknowledged after commit; beside it, the
//! same rows inserted bare, in batches, into the same table; and beside Zabbix, where it is installed.

use std::net::Ipv4Addr;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use keelson::clock::{Clock as _, SystemClock};
use keelson_proto::v1::{BackupServer, Record, RestorePoint, Workload, record};
use keelson_tests::database::sql;
use keelson_tests::link::{Identity, Session};
use keelson_tests::process::packages;
use keelson_tests::{HostProcess, TestDatabase, eventually};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::Wanted;
use crate::figure::{Better, Figure, Goal, per_second};

mod zabbix;

const WORKLOADS: usize = 50;
const ROUNDS: usize = 5;
const BARE_BATCH: usize = 500;
const NOW: i64 = 1_795_000_000_000;
/// Of each restore point, as the host writes them too.
const COLUMNS: &str = "uid, workload_uid, key, created_at, size, source_size, destination, epoch, agent_uid, company_uid, \
    server_uid, kind";
/// Those of [`COLUMNS`] that say whose it is.
const OWNERS: [&str; 3] = ["agent_uid", "company_uid", "server_uid"];
/// The first of a thousand agents says nothing until the last is there.
const HEARTBEAT: u32 = 3_600;
/// Agents that enrol at once.
const AT_ONCE: usize = 32;

/// So many agents, with so many records a batch, say so much.
#[derive(Debug, Clone, Copy)]
struct Load {
    agents: usize,
    batch: usize,
    rows: usize,
    /// Until the shipped rules have looked at what is stored, too.
    judged: bool,
}

pub(crate) async fn run(wanted: &Wanted) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (database, bound) in [("sqlite", 0.25), ("postgres", 0.20)] {
        for batch in [500, 50] {
            let name = format!("ingest.{database}.{batch}");
            if !wanted.is(&name) && !wanted.is("agents") {
                continue;
            }
            let load = Load { agents: 8, batch, rows: 40_000, judged: false };
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let ours = through_the_host(fresh(database).await, load).await.fresh;
                rounds.push((ours, bare(fresh(database).await, load.rows).await));
            }
            let goal =
                Goal { unit: "rows/s", peer: "bare inserts of 500 rows", bound, better: Better::Higher };
            figures.push(Figure::new(&name, &rounds, goal));
        }
        if wanted.is(&format!("ingest.agents.{database}")) || wanted.is("agents") {
            figures.extend(many(database, bound).await);
        }
    }
    figures
}

/// A thousand agents with small batches, and then the same batches once more.
async fn many(database: &str, bound: f64) -> Vec<Figure> {
    let load = Load { agents: 1_000, batch: 50, rows: 200_000, judged: false };
    let (mut rounds, mut again, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let ours = through_the_host(fresh(database).await, load).await;
        let peer = match database {
            "sqlite" => bare(fresh(database).await, load.rows).await,
            _ => copied(fresh(database).await, load.rows).await,
        };
        rounds.push((ours.fresh, peer));
        again.push((ours.again, ours.fresh));
        if database == "postgres" && zabbix::is_here() {
            let judged = Load { judged: true, ..load };
            let ours = through_the_host(fresh(database).await, judged).await.fresh;
            beside.push((ours, zabbix::stored(load).await));
        }
    }
    let peer = if database == "sqlite" { "bare inserts of 500 rows" } else { "COPY binary" };
    let goal = Goal { unit: "rows/s", peer, bound, better: Better::Higher };
    let replay = Goal { unit: "rows/s", peer: "the same, fresh", bound: 1.2, better: Better::Higher };
    let mut figures = vec![
        Figure::new(&format!("ingest.agents.{database}"), &rounds, goal),
        Figure::new(&format!("ingest.replay.{database}"), &again, replay),
    ];
    if !beside.is_empty() {
        let goal =
            Goal { unit: "rows/s", peer: "Zabbix, stored and judged", bound: 1.0, better: Better::Higher };
        figures.push(Figure::new("ingest.agents.zabbix", &beside, goal));
    }
    figures
}

async fn fresh(database: &str) -> TestDatabase {
    match database {
        "sqlite" => TestDatabase::sqlite(),
        _ => TestDatabase::postgres().await,
    }
}

fn record(kind: record::Kind) -> Record {
    Record { kind: Some(kind) }
}

/// A server and its workloads: the first batch.
fn inventory() -> Vec<Record> {
    let server = BackupServer {
        key: "s".into(),
        name: "s".into(),
        engine: "test".into(),
        version: "1".into(),
        ..BackupServer::default()
    };
    let workload = |number: usize| Workload {
        server_key: "s".into(),
        key: format!("w{number}"),
        name: format!("workload {number}"),
        kind: "computer".into(),
        ..Workload::default()
    };
    let workloads = (0..WORKLOADS).map(|number| record(record::Kind::Workload(workload(number))));
    std::iter::once(record(record::Kind::Server(server))).chain(workloads).collect()
}

fn points(sequence: usize, batch: usize) -> Vec<Record> {
    let point = |row: usize| RestorePoint {
        server_key: "s".into(),
        workload_key: format!("w{}", row % WORKLOADS),
        key: format!("{sequence:020}-{row:019}"),
        created_at: SystemClock.now_ms(),
        size: Some(row as i64),
        source_size: None,
        destination: "/srv/backup/repository".into(),
        details: None,
    };
    (0..batch).map(|row| record(record::Kind::RestorePoint(point(row)))).collect()
}

/// Rows a second.
struct Speed {
    fresh: f64,
    /// Of batches that the host has already.
    again: f64,
}

async fn through_the_host(database: TestDatabase, load: Load) -> Speed {
    let rules = load.judged.then(packages);
    let host = HostProcess::start_with_heartbeat(database, rules, HEARTBEAT).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let uses = load.agents.to_string();
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", &uses]);
    let addresses = host.addresses();
    let (port, ca) = (addresses.agents_remote.port(), addresses.ca_file.clone());
    let fleet = stream::iter(0..load.agents).map(|number| {
        let mut stranger = Identity::stranger(port, &ca);
        let [high, low] = u16::try_from(number / 100).unwrap_or_default().to_be_bytes();
        stranger.source = Ipv4Addr::new(127, 2, high, low + 1);
        let token = token.clone();
        async move {
            let identity = stranger.enrolled(&token).await.expect("an enrolled agent");
            let mut session = identity.session().await.expect("a session");
            session.batch(1, 1, inventory()).await;
            session.acknowledged().await;
            (identity, session)
        }
    });
    let fleet: Vec<(Identity, Session)> = fleet.buffer_unordered(AT_ONCE).collect().await;
    let (identities, sessions): (Vec<_>, Vec<_>) = fleet.into_iter().unzip();
    let begun = Instant::now();
    all(sessions, load).await;
    if load.judged {
        eventually("the rules have looked at all", || async { (due(&host).await == 0).then_some(()) }).await;
    }
    let fresh = per_second(begun.elapsed(), load.rows);
    let mut sessions = Vec::new();
    for identity in &identities {
        sessions.push(identity.session().await.expect("a session"));
    }
    let begun = Instant::now();
    all(sessions, load).await;
    let again = per_second(begun.elapsed(), load.rows);
    drop(host);
    Speed { fresh, again }
}

/// Every agent says all of its batches.
/// Workloads that changed and that no rule has looked at since.
async fn due(host: &HostProcess) -> i64 {
    let mut connection = PgConnection::connect(&host.database.url).await.expect("the database");
    let query = sqlx::query_scalar("SELECT count(*) FROM workload_marks WHERE due_at <= $1");
    query.bind(SystemClock.now_ms()).fetch_one(&mut connection).await.expect("a number")
}

async fn all(sessions: Vec<Session>, load: Load) {
    let batches = load.rows / load.agents / load.batch;
    let senders = sessions.into_iter().map(|session| tokio::spawn(send(session, batches, load.batch)));
    for sender in senders.collect::<Vec<_>>() {
        sender.await.expect("an agent that got through");
    }
}

/// As an agent does: never more under way than the host's credit.
async fn send(mut session: Session, batches: usize, batch: usize) {
    let credit = session.welcome.credit as usize;
    let mut acknowledged = 0;
    for number in 0..batches {
        while number - acknowledged >= credit {
            session.acknowledged().await;
            acknowledged += 1;
        }
        session.batch(1, number as u64 + 2, points(number, batch)).await;
    }
    while acknowledged < batches {
        session.acknowledged().await;
        acknowledged += 1;
    }
}

/// The same rows by COPY in its binary format, in one go.
async fn copied(database: TestDatabase, rows: usize) -> f64 {
    database.store().await.close().await;
    let mut data = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    let field = |data: &mut Vec<u8>, value: &[u8]| {
        data.extend(i32::try_from(value.len()).expect("a short field").to_be_bytes());
        data.extend(value);
    };
    for row in 0..rows {
        data.extend(12_i16.to_be_bytes());
        field(&mut data, keelson::id::fresh(&SystemClock).as_bytes());
        field(&mut data, workload(row).as_bytes());
        field(&mut data, format!("{row:040}").as_bytes());
        field(&mut data, &NOW.to_be_bytes());
        field(&mut data, &(row as i64).to_be_bytes());
        data.extend((-1_i32).to_be_bytes());
        field(&mut data, b"/srv/backup/repository");
        field(&mut data, &1_i64.to_be_bytes());
        for _ in OWNERS {
            field(&mut data, owner(row).as_bytes());
        }
        field(&mut data, b"computer");
    }
    data.extend((-1_i16).to_be_bytes());
    let mut connection = PgConnection::connect(&database.url).await.expect("the database");
    connection.execute("SET session_replication_role = replica").await.expect("no foreign keys");
    let begun = Instant::now();
    let mut copy = connection
        .copy_in_raw(&format!("COPY restore_points ({COLUMNS}) FROM STDIN (FORMAT binary)"))
        .await
        .expect("a copy");
    for piece in data.chunks(64 * 1024) {
        copy.send(piece).await.expect("rows");
    }
    copy.finish().await.expect("all rows");
    per_second(begun.elapsed(), rows)
}

/// One connection, one statement and one transaction for each 500 rows.
async fn bare(database: TestDatabase, count: usize) -> f64 {
    database.store().await.close().await;
    let rows: Vec<String> = (0..count).map(|row| format!("{row:040}")).collect();
    let insert = format!("INSERT INTO restore_points ({COLUMNS})");
    let begun;
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("the database");
        connection.execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL").await.expect("pragmas");
        begun = Instant::now();
        for batch in rows.chunks(BARE_BATCH) {
            let mut transaction = connection.begin().await.expect("a transaction");
            for piece in batch.chunks(100) {
                let places: Vec<_> = (0..piece.len())
                    .map(|row| {
                        let values: Vec<_> = (1..=8).map(|value| format!("${}", row * 8 + value)).collect();
                        let (facts, owners) = values.split_at(5);
                        format!(
                            "({},NULL,'/srv/backup/repository',1,{},'computer')",
                            facts.join(","),
                            owners.join(",")
                        )
                    })
                    .collect();
                let mut query = sqlx::query(sql(format!("{insert} VALUES {}", places.join(","))));
                for (row, key) in piece.iter().enumerate() {
                    let uid = keelson::id::fresh(&SystemClock);
                    query = query.bind(uid).bind(workload(row)).bind(key).bind(NOW).bind(row as i64);
                    for _ in OWNERS {
                        query = query.bind(owner(row));
                    }
                }
                query.execute(&mut *transaction).await.expect("rows");
            }
            transaction.commit().await.expect("a commit");
        }
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("the database");
        connection.execute("SET session_replication_role = replica").await.expect("no foreign keys");
        begun = Instant::now();
        for batch in rows.chunks(BARE_BATCH) {
            let text = format!(
                "{insert} SELECT uid, workload, key, at, size, NULL, '/srv/backup/repository', 1, owner, owner, owner, \
                 'computer' FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[]) \
                 AS t(uid, workload, key, at, size, owner)"
            );
            sqlx::query(sql(text))
                .bind(batch.iter().map(|_| keelson::id::fresh(&SystemClock)).collect::<Vec<_>>())
                .bind((0..batch.len()).map(workload).collect::<Vec<_>>())
                .bind(batch.to_vec())
                .bind(vec![NOW; batch.len()])
                .bind((0..batch.len() as i64).collect::<Vec<_>>())
                .bind((0..batch.len()).map(owner).collect::<Vec<_>>())
                .execute(&mut connection)
                .await
                .expect("rows");
        }
    }
    per_second(begun.elapsed(), count)
}

/// As many agents, companies and servers as there are agents in the larger load.
fn owner(row: usize) -> Uuid {
    Uuid::from_u128((row % 1_000) as u128)
}

fn workload(row: usize) -> Uuid {
    Uuid::from_u128((row % WORKLOADS) as u128)
}
