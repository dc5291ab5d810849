//! What plugins do by the clock. A row is one task; whoever works on it holds a lease, and writes only while that is his: any
//! number of hosts share one database, and one that died is taken over from its last checkpoint.

use sqlx::FromRow;
use uuid::Uuid;

use super::PluginRows;
use crate::store::{StoreError, on, statements};

macro_rules! columns {
    () => {
        "plugin_id, task, cron_at, due_at, running, attempt, arguments, checkpoint, started_at, ended_at, outcome, summary"
    };
}

statements! {
    ALL = concat!("SELECT ", columns!(), " FROM plugin_tasks ORDER BY plugin_id, task");
    ADD = "INSERT INTO plugin_tasks (plugin_id, task, schedule, cron_at, due_at, running, attempt, arguments, summary) \
        VALUES ($1, $2, $3, $4, $4, FALSE, 0, '{}', '') ON CONFLICT (plugin_id, task) DO NOTHING";
    // Its turn was worked out from another schedule. One that has come, or that somebody asked for, stays.
    RESCHEDULE = "UPDATE plugin_tasks SET schedule = $3, cron_at = $4, due_at = $4 WHERE plugin_id = $1 AND task = $2 \
        AND schedule <> $3 AND NOT running AND cron_at > $5 AND due_at = cron_at";
    DROP = "DELETE FROM plugin_tasks WHERE plugin_id = $1 AND task = $2";
    DUE = concat!("SELECT ", columns!(), " FROM plugin_tasks WHERE due_at <= $1 AND (lease IS NULL OR lease_until <= $1) \
        ORDER BY due_at, plugin_id, task");
    TAKE = "UPDATE plugin_tasks SET lease = $3, lease_until = $4, running = TRUE, attempt = $5, started_at = $6, cron_at = $7, \
        checkpoint = CASE WHEN running THEN checkpoint ELSE NULL END \
        WHERE plugin_id = $1 AND task = $2 AND due_at <= $8 AND (lease IS NULL OR lease_until <= $8)";
    GO_ON = "UPDATE plugin_tasks SET checkpoint = $4, due_at = $5, attempt = $6, summary = $7, lease = NULL, lease_until = NULL \
        WHERE plugin_id = $1 AND task = $2 AND lease = $3";
    END = "UPDATE plugin_tasks SET running = FALSE, lease = NULL, lease_until = NULL, checkpoint = NULL, arguments = '{}', \
        attempt = 0, ended_at = $4, outcome = $5, summary = $6, cron_at = $7, due_at = $7 \
        WHERE plugin_id = $1 AND task = $2 AND lease = $3";
    ASK = "UPDATE plugin_tasks SET due_at = $3, arguments = $4 WHERE plugin_id = $1 AND task = $2 AND NOT running";
}

/// A task of a plugin, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PluginTask {
    /// Of this plugin.
    pub plugin_id: String,
    /// Its id there.
    pub task: String,
    /// When its turn comes by the clock.
    pub cron_at: i64,
    /// When it is to be looked at next.
    pub due_at: i64,
    /// Whether a run is under way.
    pub running: bool,
    /// How often this part of the run was tried.
    pub attempt: i64,
    /// JSON.
    pub arguments: String,
    /// Where it goes on.
    pub checkpoint: Option<Vec<u8>>,
    /// Of the run that is under way, or of the last one.
    pub started_at: Option<i64>,
    /// Of the last one.
    pub ended_at: Option<i64>,
    /// `Succeeded`, `Failed`.
    pub outcome: Option<String>,
    /// What it said last.
    pub summary: String,
}

/// The right to work on a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskLease<'t> {
    /// Of this plugin.
    pub plugin: &'t str,
    /// Its task.
    pub task: &'t str,
    /// Unlike any other.
    pub lease: Uuid,
}

/// How a task is taken.
#[derive(Debug, Clone, Copy)]
pub struct TakeTask {
    /// Then somebody else may.
    pub until: i64,
    /// How often this part is tried, with this time.
    pub attempt: i64,
    /// When the run began.
    pub started_at: i64,
    /// When its turn comes again.
    pub cron_at: i64,
    /// The clock's.
    pub now: i64,
}

/// How a part of a run ended that is not the last.
#[derive(Debug, Clone, Copy)]
pub struct TaskStep<'t> {
    /// Where it goes on.
    pub checkpoint: Option<&'t [u8]>,
    /// When.
    pub due_at: i64,
    /// How often the next part was tried before.
    pub attempt: i64,
    /// For people.
    pub summary: &'t str,
}

impl PluginRows<'_> {
    /// All tasks.
    pub async fn tasks(&mut self) -> Result<Vec<PluginTask>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(ALL).fetch_all(db).await?))
    }

    /// A task whose turn, by its schedule, comes at `cron_at`. One that is there keeps its turn until its schedule is another.
    pub async fn put_task(
        &mut self,
        (plugin, task): (&str, &str),
        (schedule, cron_at): (&str, i64),
        now: i64,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ADD)
            .bind(plugin)
            .bind(task)
            .bind(schedule)
            .bind(cron_at)
            .execute(db)
            .await?
            .rows_affected());
        on!(self.0, db => sqlx::query(RESCHEDULE)
            .bind(plugin)
            .bind(task)
            .bind(schedule)
            .bind(cron_at)
            .bind(now)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A task that its plugin has no longer.
    pub async fn drop_task(&mut self, (plugin, task): (&str, &str)) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DROP).bind(plugin).bind(task).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Tasks whose time has come and on which nobody works.
    pub async fn due_tasks(&mut self, now: i64) -> Result<Vec<PluginTask>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(DUE).bind(now).fetch_all(db).await?))
    }

    /// Takes one; whether nobody else was first.
    pub async fn take_task(&mut self, lease: TaskLease<'_>, take: TakeTask) -> Result<bool, StoreError> {
        let taken = on!(self.0, db => sqlx::query(TAKE)
            .bind(lease.plugin)
            .bind(lease.task)
            .bind(lease.lease)
            .bind(take.until)
            .bind(take.attempt)
            .bind(take.started_at)
            .bind(take.cron_at)
            .bind(take.now)
            .execute(db)
            .await?
            .rows_affected());
        Ok(taken > 0)
    }

    /// A part is done and another follows; whether the lease still held.
    pub async fn go_on_with_task(
        &mut self,
        lease: TaskLease<'_>,
        step: TaskStep<'_>,
    ) -> Result<bool, StoreError> {
        let held = on!(self.0, db => sqlx::query(GO_ON)
            .bind(lease.plugin)
            .bind(lease.task)
            .bind(lease.lease)
            .bind(step.checkpoint)
            .bind(step.due_at)
            .bind(step.attempt)
            .bind(step.summary)
            .execute(db)
            .await?
            .rows_affected());
        Ok(held > 0)
    }

    /// The run is over; whether the lease still held.
    pub async fn end_task(
        &mut self,
        lease: TaskLease<'_>,
        (now, next): (i64, i64),
        (outcome, summary): (&str, &str),
    ) -> Result<bool, StoreError> {
        let held = on!(self.0, db => sqlx::query(END)
            .bind(lease.plugin)
            .bind(lease.task)
            .bind(lease.lease)
            .bind(now)
            .bind(outcome)
            .bind(summary)
            .bind(next)
            .execute(db)
            .await?
            .rows_affected());
        Ok(held > 0)
    }

    /// Has a task run now; not if it runs already, or is not there.
    pub async fn ask_for_task(
        &mut self,
        (plugin, task): (&str, &str),
        now: i64,
        arguments: &str,
    ) -> Result<bool, StoreError> {
        let asked = on!(self.0, db => sqlx::query(ASK)
            .bind(plugin)
            .bind(task)
            .bind(now)
            .bind(arguments)
            .execute(db)
            .await?
            .rows_affected());
        Ok(asked > 0)
    }
}
