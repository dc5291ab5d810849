//! Runs the tasks of plugins when their time has come.
//!
//! **Rows.** `plugin_tasks` has one for each task of a plugin that runs. A run that is due is taken by a lease that only one host
//! gets; each part of it is one call, and what follows is written under that lease. A host that died loses its lease when the time
//! of the part is over, and another goes on from the last checkpoint. Turns that were missed while nobody ran are one turn.
//!
//! **Crash.** At least once: a part whose outcome was not written is done again.

pub(super) mod schedule;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::call::tasks::{Part, RunTask};
use super::error::{Blame, GuestFault, Refusal};
use super::manifest::{Overlap, Task};
use super::registry::Generation;
use super::{CallError, InstallError, Plugins};
use crate::clock::MINUTE;
use crate::id;
use crate::store::{PluginTask, TakeTask, TaskLease, TaskStep};

/// How often it is looked what is due.
const TICK: Duration = Duration::from_secs(1);
/// So much longer than a part may take, its lease lasts.
const GRACE: i64 = MINUTE / 2;
/// Tasks that are taken at once.
const AT_ONCE: usize = 16;
/// The wait before the second try; it doubles.
const FIRST_WAIT: i64 = MINUTE;
/// The longest wait before another try.
const LONGEST_WAIT: i64 = 60 * MINUTE;
/// So often a part is tried before its run is given up.
const TRIES: u32 = 8;

impl Plugins {
    /// Runs what is due until `stopping`. What is under way then is left where its last checkpoint is, for the next host.
    pub async fn work(self, stopping: CancellationToken) {
        let mut changed = self.changed();
        let (mut all, running) = (true, TaskTracker::new());
        loop {
            if all && let Err(error) = self.sync_tasks().await {
                tracing::warn!(%error, "plugins.work: cannot write down the tasks; trying again");
            } else {
                all = false;
            }
            match self.take_due().await {
                Ok(taken) => taken.into_iter().for_each(|turn| {
                    running.spawn(turn.run(self.clone(), stopping.clone()));
                }),
                Err(error) => tracing::warn!(%error, "plugins.work: cannot look what is due; trying again"),
            }
            tokio::select! {
                () = stopping.cancelled() => break,
                () = tokio::time::sleep(TICK) => {}
                news = changed.changed() => all |= news.is_ok(),
            }
        }
        running.close();
        running.wait().await;
    }

    /// Everything that is due now, to its end: for tests and for a machine without a clock.
    pub async fn work_off(&self) -> Result<usize, InstallError> {
        self.sync_tasks().await?;
        let mut parts = 0;
        loop {
            let taken = self.take_due().await?;
            if taken.is_empty() {
                return Ok(parts);
            }
            for turn in taken {
                parts += 1;
                turn.run(self.clone(), CancellationToken::new()).await;
            }
        }
    }

    /// All tasks of plugins, with how each is.
    pub async fn tasks(&self) -> Result<Vec<PluginTask>, InstallError> {
        Ok(self.services()?.store.read().await?.plugins().tasks().await?)
    }

    /// Has a task run as soon as somebody looks. `arguments` is a JSON object.
    pub async fn ask_for_task(&self, plugin: &str, task: &str, arguments: &str) -> Result<(), InstallError> {
        let known = self.task(plugin, task).is_some();
        if !known {
            return Err(InstallError::NotInstalled(format!(
                "no plugin {plugin} with a task {task} runs; `keelson plugin tasks` shows what there is"
            )));
        }
        self.sync_tasks().await?;
        let now = self.inner.sandbox.clock.now_ms();
        let mut tx = self.services()?.store.write().await?;
        let asked = tx.plugins().ask_for_task((plugin, task), now, arguments).await?;
        tx.commit().await?;
        if asked {
            Ok(())
        } else {
            Err(InstallError::Conflict(format!("{plugin}: {task} runs already; wait until it has ended")))
        }
    }

    /// One row for each task of a plugin that runs, and none for what is gone.
    async fn sync_tasks(&self) -> Result<(), InstallError> {
        let now = self.inner.sandbox.clock.now_ms();
        let snapshot = self.inner.snapshot.load_full();
        let mut tx = self.services()?.store.write().await?;
        let known = tx.plugins().tasks().await?;
        for generation in snapshot.generations() {
            let plugin = generation.manifest.id.as_str();
            for task in &generation.manifest.extends.tasks {
                let turn = schedule::next(task, plugin, now);
                tx.plugins().put_task((plugin, &task.id), (&task.cron, turn), now).await?;
            }
            let gone = known.iter().filter(|row| {
                row.plugin_id == plugin
                    && !generation.manifest.extends.tasks.iter().any(|task| task.id == row.task)
            });
            for row in gone {
                tx.plugins().drop_task((plugin, &row.task)).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Takes what is due of the plugins that run here.
    async fn take_due(&self) -> Result<Vec<Turn>, InstallError> {
        let now = self.inner.sandbox.clock.now_ms();
        let services = self.services()?;
        let due = services.store.read().await?.plugins().due_tasks(now).await?;
        let mut turns = Vec::new();
        for row in due {
            if turns.len() >= AT_ONCE {
                break;
            }
            let Some((generation, task)) = self.task(&row.plugin_id, &row.task) else { continue };
            let turn = Turn::new(row, task, generation, id::fresh(&*self.inner.sandbox.clock));
            let mut tx = services.store.write().await?;
            let taken = tx.plugins().take_task(turn.lease(), turn.take(now)).await?;
            tx.commit().await?;
            if taken {
                turns.push(turn);
            }
        }
        Ok(turns)
    }

    fn task(&self, plugin: &str, task: &str) -> Option<(Arc<Generation>, Task)> {
        let generation = self.inner.snapshot.load().get(plugin).cloned()?;
        let task = generation.manifest.extends.tasks.iter().find(|known| known.id == task).cloned()?;
        Some((generation, task))
    }
}

/// One part of a run, taken.
struct Turn {
    row: PluginTask,
    task: Task,
    generation: Arc<Generation>,
    lease: Uuid,
    attempt: u32,
}

/// What comes after a part.
enum Next {
    /// Another part, from a checkpoint.
    More { checkpoint: Option<Vec<u8>>, at: i64, attempt: u32, summary: String },
    /// Nothing: the run is over.
    Over { outcome: &'static str, summary: String },
}

impl Turn {
    fn new(row: PluginTask, task: Task, generation: Arc<Generation>, lease: Uuid) -> Self {
        let tried = if row.running { u32::try_from(row.attempt).unwrap_or(u32::MAX) } else { 0 };
        tracing::debug!(plugin = row.plugin_id, task = row.task, "plugins.work: a task is due");
        Self { row, task, generation, lease, attempt: tried.saturating_add(1) }
    }

    fn lease(&self) -> TaskLease<'_> {
        TaskLease { plugin: &self.row.plugin_id, task: &self.row.task, lease: self.lease }
    }

    fn take(&self, now: i64) -> TakeTask {
        let begun = self.row.started_at.filter(|_| self.row.running);
        let wall = i64::try_from(self.task.timeout.as_millis()).unwrap_or(i64::MAX);
        TakeTask {
            until: now.saturating_add(wall).saturating_add(GRACE),
            attempt: i64::from(self.attempt),
            started_at: begun.unwrap_or(now),
            // A run that goes on has its next turn already.
            cron_at: if self.row.running {
                self.row.cron_at
            } else {
                schedule::next(&self.task, &self.row.plugin_id, now)
            },
            now,
        }
    }

    /// Does the part and writes what came of it. A host that stops does not wait for it.
    async fn run(self, plugins: Plugins, stopping: CancellationToken) {
        let call = RunTask {
            task: self.row.task.clone(),
            arguments: self.row.arguments.clone(),
            checkpoint: self.row.checkpoint.clone().filter(|_| self.row.running),
            attempt: self.attempt,
            timeout: self.task.timeout,
        };
        let outcome = tokio::select! {
            outcome = plugins.guarded(&self.generation, call) => outcome,
            () = stopping.cancelled() => Err(Blame::Policy(Refusal::Stopping)),
        };
        let next = self.after(outcome, plugins.inner.sandbox.clock.now_ms());
        if let Err(error) = self.write(&plugins, next).await {
            tracing::warn!(%error, plugin = self.row.plugin_id, task = self.row.task, "plugins.work: cannot write how a task went; it is done again");
        }
    }

    fn after(&self, outcome: Result<Part, Blame>, now: i64) -> Next {
        let later = |wait: Duration| now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let blame = match outcome {
            Ok(Part { summary, more: None }) => return Next::Over { outcome: "Succeeded", summary },
            Ok(Part { summary, more: Some((checkpoint, wait)) }) => {
                return Next::More { checkpoint: Some(checkpoint), at: later(wait), attempt: 0, summary };
            }
            Err(blame) => blame,
        };
        let step = format!("the task {}", self.row.task);
        let error = CallError::new(&self.row.plugin_id, step, blame);
        let mut summary = error.to_string().replace('\0', "");
        super::text::cut(&mut summary, 512);
        let checkpoint = self.row.checkpoint.clone().filter(|_| self.row.running);
        let again = |attempt: u32, wait: i64| Next::More {
            checkpoint: checkpoint.clone(),
            at: now.saturating_add(wait),
            attempt,
            summary: summary.clone(),
        };
        match &error.blame {
            // Nobody tried: that is no try.
            Blame::Policy(Refusal::CircuitOpen(rest)) => again(
                self.attempt - 1,
                i64::try_from(rest.as_millis()).unwrap_or(LONGEST_WAIT).clamp(1_000, LONGEST_WAIT),
            ),
            Blame::Policy(Refusal::Stopping) => again(self.attempt - 1, 0),
            Blame::Policy(_) => again(self.attempt - 1, FIRST_WAIT),
            Blame::Guest(GuestFault::Answered { retryable: false, .. }) => {
                Next::Over { outcome: "Failed", summary }
            }
            _ if self.attempt >= TRIES => Next::Over { outcome: "Failed", summary },
            _ => again(self.attempt, back_off(self.attempt)),
        }
    }

    async fn write(&self, plugins: &Plugins, next: Next) -> Result<(), InstallError> {
        let now = plugins.inner.sandbox.clock.now_ms();
        let mut tx = plugins.services()?.store.write().await?;
        let held = match next {
            Next::More { checkpoint, at, attempt, summary } => {
                let step = TaskStep {
                    checkpoint: checkpoint.as_deref(),
                    due_at: at,
                    attempt: i64::from(attempt),
                    summary: &summary,
                };
                tx.plugins().go_on_with_task(self.lease(), step).await?
            }
            Next::Over { outcome, summary } => {
                let missed = self.take(now).cron_at <= now;
                let turn = match self.task.overlap {
                    Overlap::Queue if missed => now,
                    _ => schedule::next(&self.task, &self.row.plugin_id, now),
                };
                tracing::info!(
                    plugin = self.row.plugin_id,
                    task = self.row.task,
                    outcome,
                    summary,
                    "plugins.work: a task ended"
                );
                tx.plugins().end_task(self.lease(), (now, turn), (outcome, &summary)).await?
            }
        };
        tx.commit().await?;
        if !held {
            tracing::warn!(
                plugin = self.row.plugin_id,
                task = self.row.task,
                "plugins.work: another host has taken the task over"
            );
        }
        Ok(())
    }
}

/// One minute, two, four, up to an hour.
fn back_off(attempt: u32) -> i64 {
    let doubled = attempt.saturating_sub(1).min(10);
    FIRST_WAIT.saturating_mul(1 << doubled).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        assert_eq!([1, 2, 3, 7, 99].map(back_off), [1, 2, 4, 60, 60].map(|minutes| minutes * MINUTE));
    }
}
