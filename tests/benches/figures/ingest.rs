//! From an agent's frame to a committed row: real agents' sessions over mutual TLS, acknowledged after commit; beside it, the
//! same rows inserted bare, in batches, into the same table.

use std::time::Instant;

use keelson::clock::SystemClock;
use keelson_proto::v1::{BackupServer, Record, RestorePoint, Workload, record};
use keelson_tests::database::sql;
use keelson_tests::link::{Identity, Session};
use keelson_tests::{TestDatabase, TestHost};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::figure::{Better, Figure, Goal, per_second};

const AGENTS: usize = 8;
const WORKLOADS: usize = 50;
const ROWS: usize = 40_000;
const ROUNDS: usize = 5;
const BARE_BATCH: usize = 500;
const NOW: i64 = 1_795_000_000_000;

pub(crate) async fn run() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (database, goal) in [("sqlite", 0.25), ("postgres", 0.20)] {
        for batch in [500, 50] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let ours = through_the_host(fresh(database).await, batch).await;
                rounds.push((ours, bare(fresh(database).await).await));
            }
            let goal = Goal {
                unit: "rows/s",
                peer: "bare inserts of 500 rows",
                bound: goal,
                better: Better::Higher,
            };
            figures.push(Figure::new(&format!("ingest.{database}.{batch}"), &rounds, goal));
        }
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
        created_at: NOW + row as i64,
        size: Some(row as i64),
        source_size: None,
        destination: "/srv/backup/repository".into(),
        details: None,
    };
    (0..batch).map(|row| record(record::Kind::RestorePoint(point(row)))).collect()
}

async fn through_the_host(database: TestDatabase, batch: usize) -> f64 {
    let host = TestHost::start_with(database, None, std::sync::Arc::new(SystemClock)).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "100"]);
    let addresses = host.addresses();
    let mut sessions = Vec::new();
    for _ in 0..AGENTS {
        let port = addresses.agents_remote.port();
        let identity = Identity::enroll(port, &addresses.ca_file, &token).await.expect("an enrolled agent");
        let mut session = identity.session().await.expect("a session");
        session.batch(1, 1, inventory()).await;
        session.acknowledged().await;
        sessions.push(session);
    }
    let batches = ROWS / AGENTS / batch;
    let begun = Instant::now();
    let senders = sessions.into_iter().map(|session| tokio::spawn(send(session, batches, batch)));
    for sender in senders.collect::<Vec<_>>() {
        sender.await.expect("an agent that got through");
    }
    let time = begun.elapsed();
    host.stop().await;
    per_second(time, batches * AGENTS * batch)
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

/// One connection, one statement and one transaction for each 500 rows.
async fn bare(database: TestDatabase) -> f64 {
    database.store().await.close().await;
    let rows: Vec<String> = (0..ROWS).map(|row| format!("{row:040}")).collect();
    let insert = "INSERT INTO restore_points (uid, workload_uid, key, created_at, size, source_size, destination, epoch)";
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
                        let place = row * 5;
                        format!(
                            "(${},${},${},${},${},NULL,'/srv/backup/repository',1)",
                            place + 1,
                            place + 2,
                            place + 3,
                            place + 4,
                            place + 5
                        )
                    })
                    .collect();
                let mut query = sqlx::query(sql(format!("{insert} VALUES {}", places.join(","))));
                for (row, key) in piece.iter().enumerate() {
                    let uid = keelson::id::fresh(&SystemClock);
                    query = query.bind(uid).bind(workload(row)).bind(key).bind(NOW).bind(row as i64);
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
                "{insert} SELECT uid, workload, key, at, size, NULL, '/srv/backup/repository', 1 FROM UNNEST($1::uuid[], \
                 $2::uuid[], $3::text[], $4::bigint[], $5::bigint[]) AS t(uid, workload, key, at, size)"
            );
            sqlx::query(sql(text))
                .bind(batch.iter().map(|_| keelson::id::fresh(&SystemClock)).collect::<Vec<_>>())
                .bind((0..batch.len()).map(workload).collect::<Vec<_>>())
                .bind(batch.to_vec())
                .bind(vec![NOW; batch.len()])
                .bind((0..batch.len() as i64).collect::<Vec<_>>())
                .execute(&mut connection)
                .await
                .expect("rows");
        }
    }
    per_second(begun.elapsed(), ROWS)
}

fn workload(row: usize) -> Uuid {
    Uuid::from_u128((row % WORKLOADS) as u128)
}
