//! Jobs of backup servers, as reported. What they were mapped to by people stays over whatever their server says.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::Of;
use super::typed_jobs::{self, JobDetails};

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::jobs::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("site_uid", Type::Uuid),
        ("key", Type::Text),
        ("unique_uid", Type::Uuid),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("type", Type::Text),
        ("status", Type::Text),
        ("enabled", Type::Flag),
        ("description", Type::Text),
        ("created_by", Type::Text),
        ("creation_time", Type::Int),
        ("last_run", Type::Int),
        ("last_end", Type::Int),
        ("last_duration", Type::Int),
        ("average_duration", Type::Int),
        ("processing_rate", Type::Real),
        ("transferred_data", Type::Int),
        ("backup_chain_size", Type::Int),
        ("bottleneck", Type::Text),
        ("gfs", Type::Flag),
        ("destination", Type::Text),
        ("failure_message", Type::Text),
        ("retention_limit", Type::Int),
        ("retention_type", Type::Text),
        ("schedule", Type::Text),
        ("schedule_type", Type::Text),
        ("session_tasks", Type::Text),
        ("target_type", Type::Text),
    ],
    text: "INSERT INTO backup_jobs (uid, server_uid, agent_uid, company_uid, holder_uid, site_uid, key, unique_uid, name, \
        name_folded, type, status, enabled, description, created_by, creation_time, last_run, last_end, last_duration, \
        average_duration, processing_rate, transferred_data, backup_chain_size, bottleneck, gfs, destination, \
        failure_message, retention_limit, retention_type, schedule, schedule_type, session_tasks, target_type, epoch) \
        SELECT uid, server_uid, input.agent_uid, input.company_uid, input.company_uid, site_uid, key, unique_uid, name, name_folded, type, status, \
        enabled, description, created_by, creation_time, last_run, last_end, last_duration, average_duration, \
        processing_rate, transferred_data, backup_chain_size, bottleneck, gfs, destination, failure_message, \
        retention_limit, retention_type, schedule, schedule_type, session_tasks, target_type, input.epoch \
        FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET site_uid = excluded.site_uid, unique_uid = excluded.unique_uid, \
        name = excluded.name, name_folded = excluded.name_folded, type = excluded.type, status = excluded.status, \
        enabled = excluded.enabled, description = excluded.description, created_by = excluded.created_by, \
        creation_time = excluded.creation_time, last_run = excluded.last_run, last_end = excluded.last_end, \
        last_duration = excluded.last_duration, average_duration = excluded.average_duration, \
        processing_rate = excluded.processing_rate, transferred_data = excluded.transferred_data, \
        backup_chain_size = excluded.backup_chain_size, bottleneck = excluded.bottleneck, gfs = excluded.gfs, \
        destination = excluded.destination, failure_message = excluded.failure_message, \
        retention_limit = excluded.retention_limit, retention_type = excluded.retention_type, \
        schedule = excluded.schedule, schedule_type = excluded.schedule_type, session_tasks = excluded.session_tasks, \
        target_type = excluded.target_type, epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::jobs::DROP",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM backup_jobs WHERE uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP];

/// A job, as reported. Instants are Unix milliseconds, durations seconds, sizes bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobFact {
    /// The server's key.
    pub server: String,
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// A word of the API's `BackupServerJobType`.
    pub kind: String,
    /// A word of the API's `BackupServerJobStatus`.
    pub status: String,
    /// Whether it runs by its schedule.
    pub enabled: bool,
    /// The Cloud Connect site that it writes to.
    pub site: Option<Uuid>,
    /// For people.
    pub description: Option<String>,
    /// An account of the server.
    pub created_by: Option<String>,
    /// When it was made.
    pub creation_time: Option<i64>,
    /// When it ran last.
    pub last_run: Option<i64>,
    /// When that run was over.
    pub last_end: Option<i64>,
    /// How long it took.
    pub last_duration: Option<i64>,
    /// How long runs take.
    pub average_duration: Option<i64>,
    /// Megabytes a second.
    pub processing_rate: Option<f64>,
    /// By the last run.
    pub transferred_data: Option<i64>,
    /// All of its backups together.
    pub backup_chain_size: Option<i64>,
    /// A word of the API's `BackupServerJobBottleneckType`.
    pub bottleneck: Option<String>,
    /// Whether it keeps some backups for long.
    pub gfs: bool,
    /// Where to.
    pub destination: Option<String>,
    /// Why the last run failed.
    pub failure_message: Option<String>,
    /// How much it keeps.
    pub retention_limit: Option<i64>,
    /// A word of the API's `RetentionLimitType`.
    pub retention_type: Option<String>,
    /// The API's `BackupServerJobSchedule`, as JSON.
    pub schedule: Option<String>,
    /// A word of the API's `BackupServerJobScheduleType`.
    pub schedule_type: Option<String>,
    /// The API's `BackupServerJobSessionTask`s of the last run, as a JSON array; empty: none.
    pub session_tasks: String,
    /// A word of the API's `BackupServerJobTargetType`.
    pub target_type: Option<String>,
    /// What only jobs of its kind have.
    pub details: JobDetails,
}

/// Stores new or changed jobs.
#[expect(clippy::cognitive_complexity, reason = "a line a column, and no decision")]
pub(in crate::store) async fn put(tx: &mut Tx, facts: &[Of<'_, JobFact>]) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.job(&fact.server, &fact.key),
        Uuid source.server(&fact.server),
        MaybeUuid fact.site,
        Text fact.key.clone(),
        // The engine's own id where it is one.
        Uuid fact.key.parse().unwrap_or_else(|_| source.job(&fact.server, &fact.key)),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.kind.clone(),
        Text fact.status.clone(),
        Flag fact.enabled,
        MaybeText fact.description.clone(),
        MaybeText fact.created_by.clone(),
        MaybeInt fact.creation_time,
        MaybeInt fact.last_run,
        MaybeInt fact.last_end,
        MaybeInt fact.last_duration,
        MaybeInt fact.average_duration,
        MaybeReal fact.processing_rate,
        MaybeInt fact.transferred_data,
        MaybeInt fact.backup_chain_size,
        MaybeText fact.bottleneck.clone(),
        Flag fact.gfs,
        MaybeText fact.destination.clone(),
        MaybeText fact.failure_message.clone(),
        MaybeInt fact.retention_limit,
        MaybeText fact.retention_type.clone(),
        MaybeText fact.schedule.clone(),
        MaybeText fact.schedule_type.clone(),
        Text if fact.session_tasks.is_empty() { "[]".to_owned() } else { fact.session_tasks.clone() },
        MaybeText fact.target_type.clone(),
    });
    PUT.execute(tx, &[], &columns).await?;
    typed_jobs::put(tx, facts).await
}

/// Forgets jobs: (server, key).
pub(in crate::store) async fn forget(
    tx: &mut Tx,
    gone: &[Of<'_, (String, String)>],
) -> Result<(), StoreError> {
    let uids = gone.iter().map(|Of { source, fact: (server, key) }| source.job(server, key)).collect();
    DROP.execute(tx, &[], &[Column::Uuid(uids)]).await?;
    Ok(())
}
