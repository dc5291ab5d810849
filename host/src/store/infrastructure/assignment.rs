//! Whose what agents report is, where people decide it: the location of an agent, and the company that a job works for. A job of a hosted server is the provider's until it is mapped; then the company sees it, and with
//! it the workloads that it protects, their backups, restore points and alarms.

use uuid::Uuid;

use super::super::{StoreError, on, statements};
use super::Infrastructure;
use crate::id::{AgentUid, CompanyUid, LocationUid};

statements! {
    READ = "SELECT j.uid, j.agent_uid, j.server_uid, j.company_uid, j.mapped_company_uid, j.holder_uid, j.name, j.key, \
        j.enabled, s.name AS server_name, s.key AS server_key, j.type AS kind, \
        CASE WHEN EXISTS (SELECT 1 FROM backup_copy_jobs t WHERE t.job_uid = j.uid AND t.public_cloud) \
        THEN TRUE ELSE FALSE END AS public_cloud \
        FROM backup_jobs j JOIN backup_servers s ON s.uid = j.server_uid WHERE j.uid = $1";
    ROLE = "SELECT a.cloud_connect, CASE WHEN EXISTS (SELECT 1 FROM sites st WHERE st.agent_uid = a.uid AND st.enterprise) \
        THEN TRUE ELSE FALSE END AS enterprise FROM agents a WHERE a.uid = $1";
    REPOSITORIES = "SELECT r.uid FROM backup_repositories r WHERE r.server_uid = $1 AND (r.company_uid = $2 \
        OR r.uid IN (SELECT h.repository_uid FROM hosted_backup_resources h WHERE h.company_uid = $2) \
        OR r.uid IN (SELECT b.repository_uid FROM workload_backups b WHERE b.company_uid = $2) \
        OR r.uid IN (SELECT t.repository_uid FROM backup_vm_jobs t JOIN backup_jobs j ON j.uid = t.job_uid \
        WHERE j.holder_uid = $2) \
        OR r.uid IN (SELECT t.repository_uid FROM backup_copy_jobs t JOIN backup_jobs j ON j.uid = t.job_uid \
        WHERE j.holder_uid = $2) \
        OR r.uid IN (SELECT t.repository_uid FROM backup_file_share_jobs t JOIN backup_jobs j ON j.uid = t.job_uid \
        WHERE j.holder_uid = $2))";
    OF_TENANT = "SELECT company_uid FROM cloud_tenants WHERE uid = $1 AND deleted_at IS NULL";
    MAPPED = "SELECT uid FROM backup_jobs WHERE server_uid = $1 AND mapped_company_uid = $2 ORDER BY uid";
    MAP = "UPDATE backup_jobs SET mapped_company_uid = $2, holder_uid = $2 WHERE uid = $1";
    UNMAP = "UPDATE backup_jobs SET mapped_company_uid = NULL, holder_uid = company_uid WHERE uid = $1";
    WORKLOADS = "UPDATE workloads SET company_uid = $2 WHERE job_uid = $1";
    BACKUPS = "UPDATE workload_backups SET company_uid = $2 \
        WHERE workload_uid IN (SELECT w.uid FROM workloads w WHERE w.job_uid = $1)";
    POINTS = "UPDATE restore_points SET company_uid = $2 \
        WHERE workload_uid IN (SELECT w.uid FROM workloads w WHERE w.job_uid = $1)";
    ALARMS = "UPDATE alarms SET company_uid = $2 \
        WHERE object_uid IN (SELECT w.uid FROM workloads w WHERE w.job_uid = $1)";
    // All else that an agent reports is where the agent is; only an alarm keeps the place of its own.
    MOVE_ALARMS = "UPDATE alarms SET location_uid = $2 WHERE agent_uid = $1";
    // What a rule finds out meanwhile about a place that it has left does not count.
    MOVED_AGENT = "UPDATE agents SET revision = revision + 1 WHERE uid = $1";
    MOVED_WORKLOADS = "UPDATE workload_marks SET revision = revision + 1 \
        WHERE uid IN (SELECT w.uid FROM workloads w WHERE w.agent_uid = $1)";
    MOVED_WITH_JOB = "UPDATE workload_marks SET revision = revision + 1 \
        WHERE uid IN (SELECT w.uid FROM workloads w WHERE w.job_uid = $1)";
}

/// A job with what decides over it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ServerJob {
    /// Its id.
    pub uid: Uuid,
    /// Who reports it, and does what it is told.
    pub agent_uid: AgentUid,
    /// Where it runs.
    pub server_uid: Uuid,
    /// Whose server that is.
    pub company_uid: CompanyUid,
    /// The company that it is mapped to.
    pub mapped_company_uid: Option<CompanyUid>,
    /// Of the two, the one that sees it.
    pub holder_uid: CompanyUid,
    /// For people.
    pub name: String,
    /// The engine's own id.
    pub key: String,
    /// Whether it runs by its schedule.
    pub enabled: bool,
    /// For people.
    pub server_name: String,
    /// The engine's own id.
    pub server_key: String,
    /// A word of the API's `BackupServerJobType`.
    pub kind: String,
    /// It copies what public-cloud appliances made.
    pub public_cloud: bool,
}

/// What the server beside an agent is.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct ServerRole {
    /// A provider's Cloud Connect server.
    pub cloud_connect: bool,
    /// Cloud Connect for the Enterprise.
    pub enterprise: bool,
}

impl Infrastructure<'_> {
    /// A job, whoever may see it.
    pub async fn job(&mut self, uid: Uuid) -> Result<Option<ServerJob>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(READ).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// What the server beside an agent is.
    pub async fn role(&mut self, agent: AgentUid) -> Result<Option<ServerRole>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(ROLE).bind(agent).fetch_optional(db).await?);
        Ok(row)
    }

    /// The repositories of a server that hold, or are to hold, something of a company.
    pub async fn repositories_of(&mut self, server: Uuid, company: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(REPOSITORIES).bind(server).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// The company that a cloud tenant is mapped to.
    pub async fn company_of_tenant(&mut self, tenant: Uuid) -> Result<Option<Uuid>, StoreError> {
        let row: Option<Option<Uuid>> =
            on!(self.0, db => sqlx::query_scalar(OF_TENANT).bind(tenant).fetch_optional(db).await?);
        Ok(row.flatten())
    }

    /// After an agent was put at another location: its alarms, and those of what it reports, are there too.
    pub async fn move_alarms(&mut self, agent: AgentUid, to: LocationUid) -> Result<(), StoreError> {
        for statement in [MOVED_AGENT, MOVED_WORKLOADS] {
            on!(self.0, db => sqlx::query(statement).bind(agent).execute(db).await?.rows_affected());
        }
        on!(self.0, db => sqlx::query(MOVE_ALARMS).bind(agent).bind(to).execute(db).await?.rows_affected());
        Ok(())
    }

    /// The jobs of a server that are mapped to a company.
    pub async fn jobs_mapped_to(
        &mut self,
        server: Uuid,
        company: CompanyUid,
    ) -> Result<Vec<Uuid>, StoreError> {
        let rows =
            on!(self.0, db => sqlx::query_scalar(MAPPED).bind(server).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// Maps a job to a company; with none, back to the owner of its server.
    pub async fn assign_job(&mut self, job: &ServerJob, to: Option<CompanyUid>) -> Result<(), StoreError> {
        match to {
            Some(company) => {
                on!(self.0, db => sqlx::query(MAP).bind(job.uid).bind(company).execute(db).await?.rows_affected());
            }
            None => {
                on!(self.0, db => sqlx::query(UNMAP).bind(job.uid).execute(db).await?.rows_affected());
            }
        }
        let holder = to.unwrap_or(job.company_uid);
        for statement in [BACKUPS, POINTS, ALARMS, WORKLOADS] {
            on!(self.0, db => sqlx::query(statement).bind(job.uid).bind(holder).execute(db).await?.rows_affected());
        }
        on!(self.0, db => sqlx::query(MOVED_WITH_JOB).bind(job.uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
