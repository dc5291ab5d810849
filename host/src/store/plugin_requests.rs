//! What plugins asked of other servers: every request, for 30 days.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{self, CompanyUid};

statements! {
    // Whatever happens next, the request is known; `cut` is what it was if nothing else is written.
    BEGIN = "INSERT INTO plugin_requests (uid, plugin_id, call_id, destination, company_uid, method, path, outcome, bytes_out, \
        bytes_in, milliseconds, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, $9)";
    END = "UPDATE plugin_requests SET status = $2, outcome = $3, bytes_out = $4, bytes_in = $5, milliseconds = $6 WHERE uid = $1";
    LATEST = "SELECT call_id, destination, company_uid, method, path, status, outcome, bytes_out, bytes_in, milliseconds, at \
        FROM plugin_requests WHERE plugin_id = $1 ORDER BY at DESC, uid DESC LIMIT $2";
    // Denied is what the host did not let out; the others left, whatever became of them.
    USES = "SELECT destination, count(*) AS calls, sum(CASE WHEN outcome IN \
        ('ok', 'cut', 'unreachable', 'timeout', 'bad-response', 'no-token') THEN 0 ELSE 1 END) AS denied, max(at) AS last_used \
        FROM plugin_requests WHERE plugin_id = $1 AND at >= $2 GROUP BY destination ORDER BY destination";
    FORGET = "DELETE FROM plugin_requests WHERE at < $1";
    PLUGINS = "SELECT DISTINCT plugin_id FROM plugin_requests";
    // The instant of the newest row that is one too many.
    SURPLUS = "SELECT at FROM plugin_requests WHERE plugin_id = $1 ORDER BY at DESC, uid DESC LIMIT 1 OFFSET $2";
    TRIM = "DELETE FROM plugin_requests WHERE plugin_id = $1 AND at <= $2";
}

/// Requests that are kept of one plugin, about.
pub const REQUESTS_KEPT: i64 = 50_000;

/// What is known of a request before it leaves.
#[derive(Debug, Clone)]
pub struct NewPluginRequest {
    /// Who asks.
    pub plugin: String,
    /// For which call.
    pub call: String,
    /// As the plugin named it.
    pub destination: String,
    /// On whose behalf.
    pub company: Option<CompanyUid>,
    /// As the plugin gave it.
    pub method: String,
    /// Without the query.
    pub path: String,
}

/// What became of it.
#[derive(Debug, Clone, Default)]
pub struct RequestEnd {
    /// The server's answer, if there was one.
    pub status: Option<u16>,
    /// `ok`, or the error's code.
    pub outcome: String,
    /// Of the request's body.
    pub bytes_out: usize,
    /// Of the answer's body.
    pub bytes_in: usize,
    /// How long it took.
    pub milliseconds: i64,
}

/// A request as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "as in NewPluginRequest and RequestEnd")]
pub struct PluginRequest {
    pub call_id: String,
    pub destination: String,
    pub company_uid: Option<CompanyUid>,
    pub method: String,
    pub path: String,
    pub status: Option<i64>,
    pub outcome: String,
    pub bytes_out: i64,
    pub bytes_in: i64,
    pub milliseconds: i64,
    pub at: i64,
}

/// How much a plugin used a destination.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DestinationUse {
    /// As the plugin named it.
    pub destination: String,
    /// Requests.
    pub calls: i64,
    /// Those of them that the host did not let out.
    pub denied: i64,
    /// The newest.
    pub last_used: i64,
}

impl Tx {
    /// What plugins asked of other servers.
    pub fn plugin_requests(&mut self) -> PluginRequests<'_> {
        PluginRequests(self)
    }
}

/// Requests of plugins, seen through a transaction.
#[derive(Debug)]
pub struct PluginRequests<'t>(&'t mut Tx);

impl PluginRequests<'_> {
    /// Notes one that is about to leave, or that was refused with `outcome`.
    pub async fn begin(
        &mut self,
        clock: &dyn Clock,
        new: &NewPluginRequest,
        outcome: &str,
    ) -> Result<Uuid, StoreError> {
        let uid = id::fresh(clock);
        on!(self.0, db => sqlx::query(BEGIN)
            .bind(uid)
            .bind(&new.plugin)
            .bind(&new.call)
            .bind(&new.destination)
            .bind(new.company)
            .bind(&new.method)
            .bind(&new.path)
            .bind(outcome)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// Notes what became of it.
    pub async fn end(&mut self, uid: Uuid, end: &RequestEnd) -> Result<(), StoreError> {
        let count = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        on!(self.0, db => sqlx::query(END)
            .bind(uid)
            .bind(end.status.map(i64::from))
            .bind(&end.outcome)
            .bind(count(end.bytes_out))
            .bind(count(end.bytes_in))
            .bind(end.milliseconds)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The newest of a plugin, newest first.
    pub async fn latest(&mut self, plugin: &str, limit: i64) -> Result<Vec<PluginRequest>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(LATEST).bind(plugin).bind(limit).fetch_all(db).await?);
        Ok(rows)
    }

    /// How much a plugin used each destination since then.
    pub async fn uses(&mut self, plugin: &str, since: i64) -> Result<Vec<DestinationUse>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(USES).bind(plugin).bind(since).fetch_all(db).await?);
        Ok(rows)
    }

    /// Forgets what is older, and of each plugin all but about the newest `keep`.
    pub async fn forget(&mut self, before: i64, keep: i64) -> Result<u64, StoreError> {
        let mut gone = on!(self.0, db => sqlx::query(FORGET).bind(before).execute(db).await?.rows_affected());
        let plugins: Vec<String> = on!(self.0, db => sqlx::query_scalar(PLUGINS).fetch_all(db).await?);
        for plugin in plugins {
            let surplus: Option<i64> = on!(self.0, db => sqlx::query_scalar(SURPLUS).bind(&plugin).bind(keep).fetch_optional(db).await?);
            if let Some(at) = surplus {
                gone += on!(self.0, db => sqlx::query(TRIM).bind(&plugin).bind(at).execute(db).await?.rows_affected());
            }
        }
        Ok(gone)
    }
}
