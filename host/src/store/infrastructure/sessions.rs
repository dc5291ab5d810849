//! What jobs did, run by run. A session is an event: what a server no longer mentions was not undone, it is kept for
//! [`KEPT`] and goes with its server.

use super::super::bulk::{BulkStatement, Type, columns};
use super::super::{StoreError, Tx, on, statements};
use super::{Infrastructure, Of};

/// How long sessions are kept, in milliseconds: a month and a day.
pub const KEPT: i64 = 32 * 24 * 3_600_000;

statements! {
    PRUNE = "DELETE FROM job_sessions WHERE started_at < $1";
}

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::sessions::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("job_uid", Type::Uuid),
        ("job_name", Type::Text),
        ("job_type", Type::Text),
        ("status", Type::Text),
        ("started_at", Type::Int),
        ("ended_at", Type::Int),
        ("message", Type::Text),
        ("tasks", Type::Text),
    ],
    text: " INSERT INTO job_sessions (uid, server_uid, key, job_uid, job_name, job_type, status, started_at, ended_at, \
        message, tasks, agent_uid, company_uid, epoch) SELECT uid, server_uid, key, job_uid, job_name, job_type, \
        status, started_at, ended_at, message, tasks, input.agent_uid, input.company_uid, input.epoch FROM input WHERE 1 = 1 ON CONFLICT \
        (uid) DO UPDATE SET job_uid = excluded.job_uid, job_name = excluded.job_name, job_type = excluded.job_type, \
        status = excluded.status, started_at = excluded.started_at, ended_at = excluded.ended_at, message = \
        excluded.message, tasks = excluded.tasks, epoch = excluded.epoch",
};

pub(super) const BULK: &[BulkStatement] = &[PUT];

/// One run of a job, as reported. Instants are Unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFact {
    /// The server's key.
    pub server: String,
    /// The engine's own id.
    pub key: String,
    /// The key of the job, if the server still has it.
    pub job: Option<String>,
    /// The job's name.
    pub job_name: String,
    /// A word of the API's `BackupServerJobType`.
    pub kind: String,
    /// A word of the API's `BackupServerJobStatus`.
    pub status: String,
    /// When it began.
    pub started_at: i64,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// What went wrong.
    pub message: Option<String>,
    /// The API's `BackupServerJobSessionTask`s, as a JSON array.
    pub tasks: String,
}

/// Stores new or changed sessions.
pub(in crate::store) async fn put(tx: &mut Tx, facts: &[Of<'_, SessionFact>]) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.part(&fact.server, "session", &fact.key),
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        MaybeUuid fact.job.as_deref().map(|key| source.job(&fact.server, key)),
        Text fact.job_name.clone(),
        Text fact.kind.clone(),
        Text fact.status.clone(),
        Int fact.started_at,
        MaybeInt fact.ended_at,
        MaybeText fact.message.clone(),
        Text fact.tasks.clone(),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}

impl Infrastructure<'_> {
    /// Forgets sessions that began before an instant; how many.
    pub async fn prune_sessions(&mut self, before: i64) -> Result<u64, StoreError> {
        let gone = on!(self.0, db => sqlx::query(PRUNE).bind(before).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
