//! What a provider might run instead: Zabbix over PostgreSQL, as Debian ships it, with the values of as many hosts in batches of
//! the same size, from the first sent until the last is stored. It answers before it has stored anything, so its answers say
//! nothing; and its trappers speak plain TCP, where our agents speak mutual TLS.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use futures_util::{StreamExt as _, stream};
use keelson::clock::{Clock as _, SystemClock};
use keelson_tests::TestDatabase;
use keelson_tests::database::sql;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Load;
use crate::figure::per_second;

const PROGRAM: &str = "/usr/sbin/zabbix_server";
/// Where Debian's package has what its database begins with.
const SCHEMA: &str = "/usr/share/zabbix-server-pgsql";
/// What a host reports.
const ITEMS: usize = 50;
/// Beyond any that the shipped templates have.
const FIRST_ID: usize = 1_000_000;
/// Connections at once; it has as many trappers.
const TRAPPERS: usize = 32;
const PATIENCE: Duration = Duration::from_mins(2);

/// Whether it is installed; `cargo xtask bench` sees to that where it may.
pub(super) fn is_here() -> bool {
    Path::new(PROGRAM).exists()
}

/// Values a second, stored.
pub(super) async fn stored(load: Load) -> f64 {
    let database = TestDatabase::postgres().await;
    let options: PgConnectOptions = database.url.parse().expect("an address");
    // Its data is one statement of 30 MB, which a slow machine would have in its log.
    let options = options.disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.expect("the database");
    for part in ["schema", "images", "data"] {
        let packed = std::fs::File::open(format!("{SCHEMA}/{part}.sql.gz")).expect("Zabbix' own schema");
        let mut text = String::new();
        GzDecoder::new(packed).read_to_string(&mut text).expect("SQL");
        sqlx::raw_sql(sql(text)).execute(&mut connection).await.expect("Zabbix' own database");
    }
    sqlx::raw_sql(sql(hosts(load.agents))).execute(&mut connection).await.expect("hosts");
    let server = Server::start(&options);
    server.ready().await;
    let before = count(&mut connection).await;

    let begun = Instant::now();
    let batches = load.rows / load.batch;
    stream::iter(0..batches)
        .for_each_concurrent(TRAPPERS, |number| async move {
            let (host, round) = (number % load.agents, number / load.agents);
            let taken = server_says(server.port, &values(host, round + 1, load.batch)).await;
            let taken = taken.expect("an answer");
            assert!(taken.contains(&format!("processed: {}; failed: 0", load.batch)), "{taken}");
        })
        .await;
    while count(&mut connection).await - before < i64::try_from(load.rows).expect("a number") {
        assert!(begun.elapsed() < PATIENCE, "Zabbix stores what it took");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    per_second(begun.elapsed(), load.rows)
}

async fn count(connection: &mut PgConnection) -> i64 {
    let query = sqlx::query_scalar("SELECT count(*) FROM history_uint").fetch_one(connection);
    query.await.expect("Zabbix' history")
}

/// Hosts that are monitored, each with items that wait for values, each of them with a trigger: here, too, a rule looks at all that
/// comes in.
fn hosts(number: usize) -> String {
    format!(
        "INSERT INTO hosts (hostid, host, name, status) \
         SELECT {FIRST_ID} + h, 'host' || h, 'host' || h, 0 FROM generate_series(0, {number} - 1) AS h; \
         INSERT INTO items (itemid, hostid, type, name, key_, value_type) \
         SELECT {FIRST_ID} + h * {ITEMS} + i, {FIRST_ID} + h, 2, 'item' || i, 'item' || i, 3 \
         FROM generate_series(0, {number} - 1) AS h, generate_series(0, {ITEMS} - 1) AS i; \
         INSERT INTO item_rtdata (itemid) SELECT itemid FROM items WHERE itemid >= {FIRST_ID}; \
         INSERT INTO triggers (triggerid, expression, description, priority) \
         SELECT itemid, '{{' || itemid || '}}<0', 'too low', 2 FROM items WHERE itemid >= {FIRST_ID}; \
         INSERT INTO functions (functionid, itemid, triggerid, name, parameter) \
         SELECT itemid, itemid, itemid, 'last', '$' FROM items WHERE itemid >= {FIRST_ID}; \
         ANALYZE"
    )
}

fn values(host: usize, round: usize, batch: usize) -> Vec<u8> {
    let now = SystemClock.now_ms() / 1_000;
    let value = |row: usize| {
        json!({
            "host": format!("host{host}"),
            "key": format!("item{}", row % ITEMS),
            "value": (round * batch + row).to_string(),
            "clock": now,
            "ns": round * batch + row,
        })
    };
    let data: Vec<_> = (0..batch).map(value).collect();
    json!({ "request": "sender data", "data": data }).to_string().into_bytes()
}

/// A request as `zabbix_sender` makes it; the answer as it comes.
async fn server_says(port: u16, request: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut frame = b"ZBXD\x01".to_vec();
    frame.extend((request.len() as u64).to_le_bytes());
    frame.extend(request);
    stream.write_all(&frame).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    fn start(options: &PgConnectOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // It takes none above 32767, where a system's own choice begins.
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (20_000..32_767).find(is_free).expect("a port");
        let here = folder.path().display();
        let settings = format!(
            "DBHost=127.0.0.1\nDBPort={}\nDBName={}\nDBUser={}\nListenIP=127.0.0.1\nListenPort={port}\nAllowRoot=1\n\
             LogFile={here}/log\nPidFile={here}/pid\nSocketDir={here}\nStartTrappers={TRAPPERS}\nCacheSize=256M\n\
             HistoryCacheSize=256M\nHistoryIndexCacheSize=64M\nTrendCacheSize=64M\nValueCacheSize=256M\n",
            options.get_port(),
            options.get_database().expect("a name"),
            options.get_username(),
        );
        let file = folder.path().join("zabbix_server.conf");
        std::fs::write(&file, settings).expect("a file");
        let child = Command::new(PROGRAM)
            .args(["--foreground", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("Zabbix starts");
        Self { child, port, _folder: folder }
    }

    /// It listens before it knows its hosts.
    async fn ready(&self) {
        let begun = Instant::now();
        loop {
            let answer = server_says(self.port, &values(0, 0, 1)).await.unwrap_or_default();
            if answer.contains("processed: 1;") {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "Zabbix knows its hosts: {answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has children of its own, which only it ends.
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}
