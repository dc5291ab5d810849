//! A host's rows, straight from its tables.

use serde_json::Value;
use sqlx::{Connection, PgConnection, SqliteConnection};

use super::{CELL, Row};
use crate::TestDatabase;
use crate::database::sql;

/// What one kind of row is made of.
struct Kind {
    name: &'static str,
    /// Table and joins; the table itself is `t`.
    from: &'static str,
    /// SQL of its keys.
    keys: &'static [&'static str],
    /// A letter for the type of each cell, and its SQL.
    cells: &'static [(char, &'static str)],
}

const SERVER: &str = " JOIN backup_servers s ON s.uid = t.server_uid";
const WORKLOAD: &str = " JOIN workloads w ON w.uid = t.workload_uid AND w.gone_at IS NULL";

const JOB_KEY: (char, &str) = ('t', "(SELECT o.key FROM backup_jobs o WHERE o.uid = t.job_uid)");
const REPOSITORY_KEY: (char, &str) =
    ('t', "(SELECT o.key FROM backup_repositories o WHERE o.uid = t.repository_uid)");

const KINDS: &[Kind] = &[
    Kind {
        name: "server",
        from: "backup_servers t",
        keys: &["t.key"],
        cells: &[('t', "t.name"), ('t', "t.engine"), ('t', "t.version")],
    },
    Kind {
        name: "licence",
        from: "server_licenses t {server}",
        keys: &["s.key"],
        cells: &[
            ('t', "t.type"),
            ('t', "t.status"),
            ('t', "t.edition"),
            ('t', "t.company"),
            ('t', "t.cloud_connect"),
            ('b', "t.auto_update"),
            ('i', "t.expires_at"),
            ('i', "t.support_expires_at"),
            ('t', "t.unit_type"),
            ('r', "t.units"),
            ('r', "t.used_units"),
            ('r', "t.new_units"),
            ('r', "t.rental_units"),
        ],
    },
    Kind {
        name: "repository",
        from: "backup_repositories t {server}",
        keys: &["s.key", "t.key"],
        cells: &[
            ('t', "t.name"),
            ('t', "t.type"),
            ('t', "t.host_name"),
            ('t', "t.path"),
            ('i', "t.capacity"),
            ('i', "t.free_space"),
            ('i', "t.used_space"),
            ('i', "t.backup_size"),
        ],
    },
    Kind {
        name: "job",
        from: "backup_jobs t {server}",
        keys: &["s.key", "t.key"],
        cells: &[
            ('t', "t.name"),
            ('t', "t.type"),
            ('t', "t.status"),
            ('b', "t.enabled"),
            ('t', "t.description"),
            ('i', "t.last_run"),
            ('i', "t.last_end"),
            ('i', "t.last_duration"),
            ('i', "t.average_duration"),
            ('t', "t.bottleneck"),
            ('t', "t.destination"),
            ('t', "t.failure_message"),
            ('i', "t.retention_limit"),
            ('t', "t.retention_type"),
            ('t', "t.schedule_type"),
            ('t', "t.target_type"),
            ('t', "t.session_tasks"),
        ],
    },
    Kind {
        name: "session",
        from: "job_sessions t {server}",
        keys: &["s.key", "t.key"],
        cells: &[
            JOB_KEY,
            ('t', "t.job_name"),
            ('t', "t.job_type"),
            ('t', "t.status"),
            ('i', "t.started_at"),
            ('i', "t.ended_at"),
            ('t', "t.message"),
            ('t', "t.tasks"),
        ],
    },
    Kind {
        name: "workload",
        from: "workloads t {server}",
        keys: &["s.key", "t.key"],
        cells: &[
            ('t', "t.name"),
            ('t', "t.kind"),
            ('t', "t.operation_mode"),
            ('t', "t.backed_up_items"),
            JOB_KEY,
            ('t', "t.platform"),
            ('t', "t.guest_os"),
            ('t', "t.malware_state"),
            ('t', "t.ip_addresses"),
            ('i', "t.jobs"),
            ('i', "t.provisioned_size"),
            ('i', "t.used_size"),
            ('i', "t.restore_points"),
            ('i', "t.newest_restore_point"),
            ('i', "t.total_size"),
        ],
    },
    Kind {
        name: "point",
        from: "restore_points t {workload} {server}",
        keys: &["s.key", "w.key", "t.key"],
        cells: &[
            ('i', "t.created_at"),
            ('i', "t.size"),
            ('i', "t.source_size"),
            ('t', "t.destination"),
            ('t', "(SELECT o.key FROM workload_backups o WHERE o.uid = t.backup_uid)"),
            JOB_KEY,
            REPOSITORY_KEY,
            ('t', "t.target_type"),
            ('t', "t.file_path"),
            ('t', "t.malware_state"),
            ('i', "t.file_created_at"),
            ('b', "t.consistent"),
            ('i', "t.provisioned_size"),
            ('i', "t.used_size"),
            ('i', "t.increment_size"),
            ('b', "t.latest"),
        ],
    },
    Kind {
        name: "backup",
        from: "workload_backups t {workload} {server}",
        keys: &["s.key", "w.key", "t.key"],
        cells: &[
            JOB_KEY,
            ('t', "t.job_name"),
            ('t', "t.job_kind"),
            ('t', "t.backup_type"),
            REPOSITORY_KEY,
            ('t', "t.target_type"),
            ('t', "t.malware_state"),
            ('i', "t.provisioned_size"),
            ('i', "t.used_size"),
            ('i', "t.restore_points"),
            ('i', "t.newest_restore_point"),
            ('i', "t.total_size"),
        ],
    },
];

/// All of it.
pub async fn of_host(database: &TestDatabase) -> Vec<Row> {
    let mut rows = Vec::new();
    if database.is_sqlite() {
        let mut connection = SqliteConnection::connect(&database.url).await.expect("the database opens");
        for kind in KINDS {
            let found = sqlx::query_as(sql(statement(kind, "lower(hex(t.agent_uid))")));
            let found: Vec<(String, String, String)> =
                found.fetch_all(&mut connection).await.expect("a host's rows");
            rows.extend(found.into_iter().map(|cells| row(kind, cells)));
        }
        connection.close().await.expect("the database closes");
    } else {
        let mut connection = PgConnection::connect(&database.url).await.expect("the database opens");
        for kind in KINDS {
            let found = sqlx::query_as(sql(statement(kind, "replace(CAST(t.agent_uid AS TEXT), '-', '')")));
            let found: Vec<(String, String, String)> =
                found.fetch_all(&mut connection).await.expect("a host's rows");
            rows.extend(found.into_iter().map(|cells| row(kind, cells)));
        }
        connection.close().await.expect("the database closes");
    }
    rows
}

fn statement(kind: &Kind, agent: &str) -> String {
    let cells = kind.cells.iter().map(|(letter, sql)| match letter {
        'i' => format!("coalesce(CAST({sql} AS TEXT), '')"),
        'r' => format!("coalesce(CAST(CAST(round({sql} * 1000) AS BIGINT) AS TEXT), '')"),
        'b' => format!("CASE WHEN {sql} THEN 'yes' WHEN NOT {sql} THEN 'no' ELSE '' END"),
        _ => format!("coalesce({sql}, '')"),
    });
    // Whoever owns the agent owns the row.
    let own = "CASE WHEN t.company_uid = a.company_uid THEN 'own' ELSE 'of another company' END".to_owned();
    let content = [own].into_iter().chain(cells).collect::<Vec<_>>().join(&format!(" || '{CELL}' || "));
    let keys = kind.keys.join(" || '/' || ");
    let from = kind.from.replace("{server}", SERVER).replace("{workload}", WORKLOAD);
    let still = if kind.name == "workload" { " WHERE t.gone_at IS NULL" } else { "" };
    format!("SELECT {agent}, {keys}, {content} FROM {from} JOIN agents a ON a.uid = t.agent_uid{still}")
}

fn row(kind: &Kind, (agent, key, content): (String, String, String)) -> Row {
    let cells = content.split(CELL).map(tasks).collect::<Vec<_>>();
    Row { kind: kind.name.to_owned(), agent, key, content: cells.join(CELL) }
}

/// A list of tasks as the account has it; any other cell stays.
fn tasks(cell: &str) -> String {
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(cell) else { return cell.to_owned() };
    if items.is_empty() {
        return String::new();
    }
    if items.iter().any(|item| !item.is_object()) {
        return cell.to_owned();
    }
    let word = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let shown = items.iter().map(|item| format!("{}={}", word(item, "objectName"), word(item, "status")));
    shown.collect::<Vec<_>>().join(",")
}
