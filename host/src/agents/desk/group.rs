//! One transaction for a group of sessions' work.

use super::StoreDesk;
use crate::agents::writer::{Answer, Batch, Outcome, Task, Written};
use crate::id::AgentUid;
use crate::store::{Admitted, Arrival, CloudSource, Move, Offset, Source, StoreError, Tx};

/// Writes all of it, or nothing.
pub(super) async fn write(desk: &StoreDesk, tasks: &[(AgentUid, &Task)]) -> Result<Written, StoreError> {
    let mut tx = desk.store.write().await?;
    let admitted = arrive(desk, &mut tx, tasks).await?;
    let stored = store(desk, &mut tx, tasks).await?;
    let mut answers = Vec::with_capacity(tasks.len());
    let mut gone = Vec::new();
    for (agent, task) in tasks {
        answers.push(match task {
            Task::Arrive(..) => Answer::Admitted(None),
            Task::Store(_) => Answer::Stored(outcome(&mut tx, *agent, stored.contains(agent)).await?),
            Task::Report(lease, news) => {
                Answer::Said(Box::new(news.note(&mut tx, &*desk.clock, *lease).await?))
            }
            Task::Leave(number) => {
                gone.push((*agent, *number));
                Answer::Left
            }
        });
    }
    tx.agents().leave(&*desk.clock, &gone).await?;
    tx.commit().await?;
    Ok(Written { admitted, answers })
}

async fn arrive(
    desk: &StoreDesk,
    tx: &mut Tx,
    tasks: &[(AgentUid, &Task)],
) -> Result<Vec<Admitted>, StoreError> {
    let arrivals = tasks.iter().filter_map(|(_, task)| match task {
        Task::Arrive(arrival, _) => Some(&**arrival),
        _ => None,
    });
    let arrivals: Vec<&Arrival> = arrivals.collect();
    tx.agents().arrive(&*desk.clock, &arrivals).await
}

/// Moves offsets and stores the facts of those that were the next; whose they were.
async fn store(
    desk: &StoreDesk,
    tx: &mut Tx,
    tasks: &[(AgentUid, &Task)],
) -> Result<std::collections::HashSet<AgentUid>, StoreError> {
    let batches = tasks.iter().filter_map(|(agent, task)| match task {
        Task::Store(batch) => Some((*agent, &**batch)),
        _ => None,
    });
    let batches: Vec<(AgentUid, &Batch)> = batches.collect();
    let steps: Vec<Move> = batches
        .iter()
        .map(|(agent, batch)| Move { agent: *agent, after: batch.after, to: batch.to })
        .collect();
    let moved = tx.ingest().advance(&steps).await?;
    let fresh: Vec<_> = batches.into_iter().filter(|(agent, _)| moved.contains(agent)).collect();
    let parts: Vec<_> =
        fresh.iter().map(|(agent, batch)| (source(*agent, batch), &batch.said.facts)).collect();
    tx.ingest().store(&*desk.clock, &parts).await?;
    for (agent, batch) in fresh {
        let Some((server, cloud)) = &batch.said.cloud else { continue };
        let collected_at = desk.clock.now_ms();
        let source = CloudSource { agent, server, epoch: batch.to.epoch, collected_at };
        let left_out = tx.cloud().store(&*desk.clock, source, cloud).await?;
        if left_out > 0 {
            tracing::warn!(agent.uid = %agent, left_out, "agents.batch: agent {agent} spoke of Cloud Connect things that it has no say in");
        }
    }
    Ok(moved)
}

fn source(agent: AgentUid, batch: &Batch) -> Source {
    Source { agent, company: batch.company, epoch: batch.to.epoch }
}

async fn outcome(tx: &mut Tx, agent: AgentUid, stored: bool) -> Result<Outcome, StoreError> {
    if stored {
        return Ok(Outcome::Stored);
    }
    let stands = tx.ingest().offset(agent).await?;
    Ok(Outcome::OutOfTurn(stands.unwrap_or(Offset { epoch: 0, sequence: 0 })))
}
