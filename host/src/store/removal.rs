//! Taking companies and resellers out. What is about a company goes in one transaction, children first; the activity log
//! stays. A company whose agents still have to hear that they are to leave is `Deleting` until none is waited for.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{AgentUid, CompanyUid, ResellerUid};

/// In this order; `$1` is the company.
const OF_COMPANY: &[&str] = &[
    LEAVE_TENANTS,
    LEAVE_JOBS,
    LEAVE_WORKLOADS,
    LEAVE_POINTS,
    LEAVE_BACKUPS,
    LEAVE_VB365,
    ALARMS,
    RESTORE_POINTS,
    WORKLOADS,
    VB365_OBJECTS,
    BACKUP_SERVERS,
    AGENTS,
    UNVERIFIED_AGENTS,
    JOIN_TOKENS,
    TOKENS,
    USERS,
    LOCATIONS,
    HOSTED_BACKUP_RESOURCES,
    HOSTED_RESOURCES,
    ONBOARDING,
    PLUGIN_REQUESTS,
    COMPANY,
    ORGANIZATION,
];

/// In this order; `$1` is the reseller.
const OF_RESELLER: &[&str] =
    &[LEAVE_RESELLER, UNVERIFIED_AGENTS, JOIN_TOKENS, TOKENS, USERS, LOCATIONS, RESELLER, ORGANIZATION];

statements! {
    AGENTS_OF = "SELECT uid FROM agents WHERE company_uid = $1 ORDER BY uid";
    COMPANIES_OF = "SELECT count(*) FROM companies WHERE reseller_uid = $1";
    // Neither sent nor out of time: an agent that never comes back does not keep a company for ever.
    RELEASED = "SELECT c.uid FROM companies c WHERE c.status = 'Deleting' AND NOT EXISTS (SELECT 1 FROM agents a \
        JOIN commands m ON m.agent_uid = a.uid WHERE a.company_uid = c.uid AND m.kind = 'agent-revoke' \
        AND m.finished_at IS NULL AND m.deadline > $1) ORDER BY c.uid LIMIT 100";
    // A cloud tenant stays on its server; it only has no company any more.
    LEAVE_TENANTS = "UPDATE cloud_tenants SET company_uid = NULL, owner_uid = reseller_uid WHERE company_uid = $1";
    // What hosted servers did for the company is the provider's again.
    LEAVE_JOBS = "UPDATE backup_jobs SET mapped_company_uid = NULL, holder_uid = company_uid WHERE mapped_company_uid = $1";
    LEAVE_WORKLOADS = "UPDATE workloads SET company_uid = (SELECT a.company_uid FROM agents a WHERE a.uid = workloads.agent_uid) \
        WHERE company_uid = $1";
    LEAVE_POINTS = "UPDATE restore_points SET company_uid = (SELECT a.company_uid FROM agents a WHERE a.uid = restore_points.agent_uid) \
        WHERE company_uid = $1";
    LEAVE_BACKUPS = "UPDATE workload_backups SET company_uid = \
        (SELECT a.company_uid FROM agents a WHERE a.uid = workload_backups.agent_uid) WHERE company_uid = $1";
    LEAVE_VB365 = "UPDATE vb365_objects SET company_uid = \
        (SELECT a.company_uid FROM agents a WHERE a.uid = vb365_objects.agent_uid) WHERE company_uid = $1";
    LEAVE_RESELLER = "UPDATE cloud_tenants SET reseller_uid = NULL, \
        owner_uid = CASE WHEN owner_uid = $1 THEN NULL ELSE owner_uid END WHERE reseller_uid = $1";
    PLUGIN_REQUESTS = "DELETE FROM plugin_requests WHERE company_uid = $1";
    ALARMS = "DELETE FROM alarms WHERE company_uid = $1";
    RESTORE_POINTS = "DELETE FROM restore_points WHERE workload_uid IN (SELECT uid FROM workloads WHERE company_uid = $1)";
    WORKLOADS = "DELETE FROM workloads WHERE company_uid = $1";
    BACKUP_SERVERS = "DELETE FROM backup_servers WHERE company_uid = $1";
    VB365_OBJECTS = "DELETE FROM vb365_objects WHERE company_uid = $1 \
        OR agent_uid IN (SELECT uid FROM agents WHERE company_uid = $1)";
    UNVERIFIED_AGENTS = "DELETE FROM unverified_agents WHERE company_uid = $1 \
        OR location_uid IN (SELECT uid FROM locations WHERE company_uid = $1)";
    AGENTS = "DELETE FROM agents WHERE company_uid = $1";
    JOIN_TOKENS = "DELETE FROM join_tokens WHERE company_uid = $1";
    TOKENS = "DELETE FROM tokens WHERE user_uid IN (SELECT uid FROM users WHERE organization_uid = $1) \
        OR actor_uid IN (SELECT uid FROM users WHERE organization_uid = $1)";
    // Logins and everything else that is a user's own go with the user.
    USERS = "DELETE FROM users WHERE organization_uid = $1";
    LOCATIONS = "DELETE FROM locations WHERE company_uid = $1";
    HOSTED_BACKUP_RESOURCES = "DELETE FROM hosted_backup_resources WHERE company_uid = $1";
    HOSTED_RESOURCES = "DELETE FROM hosted_resources WHERE company_uid = $1";
    ONBOARDING = "DELETE FROM onboarding_overrides WHERE company_uid = $1";
    COMPANY = "DELETE FROM companies WHERE uid = $1";
    RESELLER = "DELETE FROM resellers WHERE uid = $1";
    ORGANIZATION = "DELETE FROM organizations WHERE uid = $1";
}

impl Tx {
    /// Taking companies and resellers out.
    pub fn removal(&mut self) -> Removal<'_> {
        Removal(self)
    }
}

/// Taking organisations out, seen through a transaction.
#[derive(Debug)]
pub struct Removal<'t>(&'t mut Tx);

impl Removal<'_> {
    /// The agents of a company.
    pub async fn agents_of(&mut self, company: CompanyUid) -> Result<Vec<AgentUid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(AGENTS_OF).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// How many companies a reseller has.
    pub async fn companies_of(&mut self, reseller: ResellerUid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(COMPANIES_OF).bind(reseller).fetch_one(db).await?);
        Ok(count)
    }

    /// Companies that are to go, and whose agents nobody waits for any more.
    pub async fn released(&mut self, clock: &dyn Clock) -> Result<Vec<CompanyUid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(RELEASED).bind(clock.now_ms()).fetch_all(db).await?);
        Ok(rows)
    }

    /// A company goes, with all that is about it.
    pub async fn company(&mut self, company: CompanyUid) -> Result<(), StoreError> {
        for statement in OF_COMPANY {
            on!(self.0, db => sqlx::query(*statement).bind(company).execute(db).await?.rows_affected());
        }
        Ok(())
    }

    /// A reseller without companies goes, with its users.
    pub async fn reseller(&mut self, reseller: ResellerUid) -> Result<(), StoreError> {
        for statement in OF_RESELLER {
            on!(self.0, db => sqlx::query(*statement).bind(reseller).execute(db).await?.rows_affected());
        }
        Ok(())
    }
}
