//! Where sessions' work is written down. Each call is one transaction: it has happened as a whole, or not at all.
//!
//! The store is the one that counts. Sessions, writers, dispatch and presence know it by this trait alone, so that a simulation
//! can put a twin in its place that fails when it is told to (`simulation`).

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::Notify;

use super::dispatch::{self, Outgoing};
use super::door::Identity;
use super::incidents::{self, Due};
use super::writer::{Task, Written};
use crate::clock::SharedClock;
use crate::id::AgentUid;
use crate::seal::Seal;
use crate::store::{Dialect, Store, StoreError};

mod group;

/// Writes down what happens in sessions, and tells what is to be sent down them.
#[tonic::async_trait]
pub(super) trait Desk: Debug + Send + Sync {
    /// How many groups it can have under way at once.
    fn writers(&self) -> usize;

    /// Poked when an agent has something to do.
    fn outbox(&self) -> Arc<Notify>;

    /// A group of sessions' work, each agent once.
    async fn write(&self, tasks: &[(AgentUid, &Task)]) -> Result<Written, StoreError>;

    /// Two machines seem to use this agent's certificate.
    async fn suspect(&self, agent: AgentUid, reason: &str) -> Result<(), StoreError>;

    /// Whether an agent may use this certificate; none: there is no such agent.
    async fn standing(&self, identity: Identity) -> Result<Option<bool>, StoreError>;

    /// What agents did that none should.
    async fn note_incidents(&self, due: &[Due]) -> Result<(), StoreError>;

    /// These agents were heard of; those that there still are.
    async fn beat(&self, agents: &[AgentUid]) -> Result<HashSet<AgentUid>, StoreError>;

    /// Connected agents that have something to do.
    async fn waiting(&self) -> Result<Vec<AgentUid>, StoreError>;

    /// What these agents are to do now; from then on it counts as sent.
    async fn send_out(&self, agents: &[AgentUid]) -> Result<Outgoing, StoreError>;
}

/// The store.
#[derive(Debug)]
pub(super) struct StoreDesk {
    store: Store,
    clock: SharedClock,
    /// For the secrets of commands.
    seal: Seal,
}

impl StoreDesk {
    pub(super) fn new(store: Store, clock: SharedClock, seal: Seal) -> Self {
        Self { store, clock, seal }
    }
}

#[tonic::async_trait]
impl Desk for StoreDesk {
    fn writers(&self) -> usize {
        // SQLite has one writer at a time; on PostgreSQL one group's commit is waited for while the next is written.
        match self.store.dialect() {
            Dialect::Sqlite => 1,
            Dialect::Postgres => 2,
        }
    }

    fn outbox(&self) -> Arc<Notify> {
        self.store.outbox()
    }

    async fn write(&self, tasks: &[(AgentUid, &Task)]) -> Result<Written, StoreError> {
        group::write(self, tasks).await
    }

    async fn suspect(&self, agent: AgentUid, reason: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.agents().flag_clone(&*self.clock, agent, reason).await?;
        tx.commit().await
    }

    async fn standing(&self, identity: Identity) -> Result<Option<bool>, StoreError> {
        self.store.read().await?.agents().standing(identity.agent, &identity.fingerprint).await
    }

    async fn note_incidents(&self, due: &[Due]) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        incidents::note(&mut tx, &*self.clock, due).await?;
        tx.commit().await
    }

    async fn beat(&self, agents: &[AgentUid]) -> Result<HashSet<AgentUid>, StoreError> {
        let mut tx = self.store.write().await?;
        let known = tx.agents().beat(&*self.clock, agents).await?;
        tx.commit().await?;
        Ok(known)
    }

    async fn waiting(&self) -> Result<Vec<AgentUid>, StoreError> {
        self.store.read_long().await?.commands().waiting(&*self.clock).await
    }

    async fn send_out(&self, agents: &[AgentUid]) -> Result<Outgoing, StoreError> {
        let mut tx = self.store.write().await?;
        let outgoing = dispatch::take(&mut tx, &*self.clock, &self.seal, agents).await?;
        tx.commit().await?;
        Ok(outgoing)
    }
}
