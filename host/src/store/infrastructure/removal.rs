//! The end of an agent: what it reported goes with it, the alarms of its objects are over, and its certificate opens no door.

use super::super::{StoreError, on, statements};
use super::Infrastructure;
use crate::clock::Clock;
use crate::id::AgentUid;
use crate::store::OpenAlarm;

statements! {
    SITE = "SELECT name FROM sites WHERE agent_uid = $1";
    SERVERS = "SELECT count(*) FROM backup_servers WHERE agent_uid = $1";
    WORKLOADS_LEFT = "SELECT count(*) FROM workloads WHERE agent_uid = $1 AND gone_at IS NULL";
    ALARMS = "SELECT uid, template_uid, object_uid, status, message FROM alarms \
        WHERE agent_uid = $1 AND status <> 'Resolved'";
    // Backups and restore points go with their workloads, repositories and jobs with their servers, commands with the agent.
    REMOVE_WORKLOADS = "DELETE FROM workloads WHERE agent_uid = $1";
    REMOVE_VB365 = "DELETE FROM vb365_objects WHERE agent_uid = $1";
    REMOVE_SERVERS = "DELETE FROM backup_servers WHERE agent_uid = $1";
    REMOVE = "DELETE FROM agents WHERE uid = $1";
}

/// What went with an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovedAgent {
    /// Backup servers.
    pub servers: i64,
    /// Workloads.
    pub workloads: i64,
}

impl Infrastructure<'_> {
    /// The Cloud Connect site that an agent serves.
    pub async fn site_of(&mut self, agent: AgentUid) -> Result<Option<String>, StoreError> {
        let name = on!(self.0, db => sqlx::query_scalar(SITE).bind(agent).fetch_optional(db).await?);
        Ok(name)
    }

    /// Removes an agent with everything that it reported. Whoever holds its session must end it after the commit.
    pub async fn remove_agent(
        &mut self,
        clock: &dyn Clock,
        agent: AgentUid,
    ) -> Result<RemovedAgent, StoreError> {
        let servers: i64 = on!(self.0, db => sqlx::query_scalar(SERVERS).bind(agent).fetch_one(db).await?);
        let workloads: i64 =
            on!(self.0, db => sqlx::query_scalar(WORKLOADS_LEFT).bind(agent).fetch_one(db).await?);
        let alarms: Vec<OpenAlarm> =
            on!(self.0, db => sqlx::query_as(ALARMS).bind(agent).fetch_all(db).await?);
        let alarms: Vec<&OpenAlarm> = alarms.iter().collect();
        self.0.alarms().resolve(clock, "its management agent was removed", &alarms).await?;
        for statement in [REMOVE_WORKLOADS, REMOVE_VB365, REMOVE_SERVERS, REMOVE] {
            on!(self.0, db => sqlx::query(statement).bind(agent).execute(db).await?.rows_affected());
        }
        Ok(RemovedAgent { servers, workloads })
    }
}
