//! One pass: what is due goes to the rules in chunks, and each chunk's outcome is settled in one transaction.

use std::collections::HashSet;

use uuid::Uuid;

use super::decide::{Decisions, Opinion, decide};
use super::subject::{self, Cohort, Object};
use crate::clock::{Clock, MINUTE};
use crate::id::{AlarmTemplateUid, WorkloadUid};
use crate::model::AlarmTemplate;
use crate::plugins::{CHUNK_ROWS, FactTable, Plugins};
use crate::store::{GoneWorkload, Settled, Store, StoreError};

/// When to look again after a rule failed: soon, but not at once.
const AFTER_FAILURE: i64 = MINUTE / 2;

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects that were due.
    pub looked_at: usize,
    /// Alarms opened, or opened again.
    pub opened: usize,
    /// Alarms that ended.
    pub resolved: usize,
    /// Rules that could not look at a chunk.
    pub failed: usize,
}

impl Report {
    /// Whether anything happened that somebody may want to read.
    pub fn moved(self) -> bool {
        self.opened + self.resolved + self.failed > 0
    }
}

/// What the rules think of a cohort, and when each object is to be looked at again.
struct Outlook {
    opinions: Vec<(AlarmTemplateUid, Opinion)>,
    recheck: Vec<Option<i64>>,
    failed: usize,
}

/// What a pass works with.
struct Pass<'a> {
    store: &'a Store,
    plugins: &'a Plugins,
    clock: &'a dyn Clock,
    /// One instant for the whole pass.
    now: i64,
}

/// Everything that is due at the clock's now.
///
/// `awake_since` is when the host began to listen: an agent cannot be blamed for its silence while nobody listened.
pub(super) async fn run(
    store: &Store,
    plugins: &Plugins,
    clock: &dyn Clock,
    awake_since: i64,
) -> Result<Report, StoreError> {
    let now = clock.now_ms();
    let pass = Pass { store, plugins, clock, now };
    let limit = i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX);
    let mut report = Report::default();
    loop {
        let mut tx = store.read_long().await?;
        let workloads = tx.due().workloads(now, limit).await?;
        let agents = tx.due().agents(now, limit).await?;
        if workloads.is_empty() && agents.is_empty() {
            return Ok(report);
        }
        let templates = tx.templates().all().await?;
        drop(tx);
        let full = workloads.len() == CHUNK_ROWS || agents.len() == CHUNK_ROWS;
        let (computers, others): (Vec<_>, Vec<_>) =
            workloads.into_iter().partition(|row| row.kind == "computer");
        for cohort in
            [subject::computers(&computers), subject::unruled(&others), subject::agents(&agents, awake_since)]
        {
            settle(&pass, &templates, cohort, &mut report).await?;
        }
        // What changed while the rules looked is due again: the next pass takes it, or two writers that never rest
        // would keep this one from ending.
        if !full {
            return Ok(report);
        }
    }
}

async fn settle(
    pass: &Pass<'_>,
    templates: &[AlarmTemplate],
    cohort: Cohort,
    report: &mut Report,
) -> Result<(), StoreError> {
    let clock = pass.clock;
    if cohort.objects.is_empty() {
        return Ok(());
    }
    let outlook = look(pass, templates, &cohort).await;
    let objects = &cohort.objects;
    let rechecks = objects.iter().zip(&outlook.recheck);
    let settled: Vec<Settled> =
        rechecks.map(|(object, due_at)| (object.uid, object.revision, *due_at)).collect();

    let mut tx = pass.store.write().await?;
    let settled = match cohort.subject {
        "management-agent" => tx.due().settle_agents(&settled).await?,
        _ => tx.due().settle_workloads(&settled).await?,
    };
    let uids: Vec<Uuid> = settled.iter().copied().collect();
    let existing = tx.alarms().of_objects(uids).await?;
    let Decisions { raise, reword, resolve } = decide(clock, objects, &settled, &outlook.opinions, &existing);
    tx.alarms().raise(clock, &raise).await?;
    tx.alarms().reword(&reword).await?;
    for (why, alarms) in &resolve {
        tx.alarms().resolve(clock, why, alarms).await?;
    }
    let gone = objects.iter().filter(|object| object.gone && settled.contains(&object.uid));
    let gone: Vec<_> = gone
        .map(|one| GoneWorkload { agent: one.agent, uid: WorkloadUid(one.uid), revision: one.revision })
        .collect();
    tx.workloads().remove_gone(&gone).await?;
    tx.commit().await?;

    report.looked_at += objects.len();
    report.opened += raise.len();
    report.resolved += resolve.values().map(Vec::len).sum::<usize>();
    report.failed += outlook.failed;
    Ok(())
}

/// Asks every rule of the cohort's subject.
async fn look(pass: &Pass<'_>, templates: &[AlarmTemplate], cohort: &Cohort) -> Outlook {
    let mut outlook = Outlook { opinions: Vec::new(), recheck: vec![None; cohort.objects.len()], failed: 0 };
    let rules = pass.plugins.rules();
    for template in templates.iter().filter(|template| template.subject == cohort.subject) {
        let plugin_runs = rules.iter().any(|rule| rule.plugin == template.plugin);
        let opinion = if !template.enabled {
            Opinion::Over("The alarm was switched off.")
        } else if let Some(loaded) = rules.get(&template.plugin, &template.rule) {
            let facts = cohort.facts.only(&loaded.rule.columns);
            ask(pass, template, facts, (&cohort.objects, &mut outlook)).await
        } else if plugin_runs {
            Opinion::Over("The plugin no longer has the rule.")
        } else if pass.plugins.is_meant_to_run(&template.plugin) {
            Opinion::None
        } else {
            Opinion::Over("The plugin is disabled, or was removed.")
        };
        outlook.opinions.push((template.uid, opinion));
    }
    outlook
}

async fn ask(
    pass: &Pass<'_>,
    template: &AlarmTemplate,
    facts: FactTable,
    (objects, outlook): (&[Object], &mut Outlook),
) -> Opinion {
    let now = pass.now;
    let AlarmTemplate { plugin, rule, parameters, .. } = template;
    match pass.plugins.evaluate(plugin, rule, parameters, now, facts).await {
        Ok(evaluation) => {
            // A recheck in the past would have every pass look at the object again.
            sooner(&mut outlook.recheck, |row| {
                evaluation.recheck.get(row).copied().flatten().map(|at| at.max(now + 1))
            });
            Opinion::Verdicts {
                verdicts: evaluation.verdicts,
                without: without(pass.plugins, plugin, objects),
            }
        }
        Err(error) => {
            tracing::warn!(%error, plugin, rule, "alarms.pass: the rule {rule} could not look; its alarms stay as they are");
            outlook.failed += 1;
            sooner(&mut outlook.recheck, |_| Some(now + AFTER_FAILURE));
            Opinion::None
        }
    }
}

/// The rows of companies that do not have the plugin.
fn without(plugins: &Plugins, plugin: &str, objects: &[Object]) -> HashSet<u32> {
    let rows = (0_u32..).zip(objects);
    rows.filter(|(_, object)| !plugins.serves(plugin, object.company)).map(|(row, _)| row).collect()
}

/// The earlier of what is noted and what is asked for now.
fn sooner(recheck: &mut [Option<i64>], asked: impl Fn(usize) -> Option<i64>) {
    for (row, due_at) in recheck.iter_mut().enumerate() {
        *due_at = match (*due_at, asked(row)) {
            (Some(noted), Some(asked)) => Some(noted.min(asked)),
            (noted, asked) => noted.or(asked),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_of_all_rules_decides_when_to_look_again() {
        let mut recheck = vec![None, Some(5), Some(5)];
        sooner(&mut recheck, |row| [None, Some(9), Some(2)][row]);
        assert_eq!(recheck, [None, Some(5), Some(2)]);
    }
}
