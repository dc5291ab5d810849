//! What happens to a company's alarms when it is disabled and enabled again. While it, or its reseller, is disabled, what its
//! agents report is kept and not judged (`due.rs`).

use super::{OpenAlarm, StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, ResellerUid};

statements! {
    ACTIVE_OF = "SELECT uid FROM companies WHERE reseller_uid = $1 AND status = 'Active' ORDER BY uid";
    OPEN_ALARMS = "SELECT uid, template_uid, object_uid, status, message FROM alarms \
        WHERE company_uid = $1 AND status <> 'Resolved' ORDER BY uid";
    REST_WORKLOADS = "UPDATE workload_marks SET due_at = NULL WHERE due_at IS NOT NULL \
        AND uid IN (SELECT w.uid FROM workloads w WHERE w.company_uid = $1)";
    REST_AGENTS = "UPDATE agents SET due_at = NULL WHERE company_uid = $1 AND due_at IS NOT NULL";
    WAKE_WORKLOADS = "UPDATE workload_marks SET due_at = $2, revision = revision + 1 \
        WHERE uid IN (SELECT w.uid FROM workloads w WHERE w.company_uid = $1)";
    WAKE_AGENTS = "UPDATE agents SET due_at = $2, revision = revision + 1 WHERE company_uid = $1";
    UNDER_WAY = "SELECT uid FROM backup_jobs WHERE holder_uid = $1 \
        AND status IN ('Running', 'Starting', 'WaitingTape', 'WaitingRepository') ORDER BY uid";
    SET_STATUS = "UPDATE companies SET status = $2 WHERE uid = $1";
}

impl Tx {
    /// Whether companies are looked after.
    pub fn standing(&mut self) -> Standing<'_> {
        Standing(self)
    }
}

/// Whether companies are looked after, seen through a transaction.
#[derive(Debug)]
pub struct Standing<'t>(&'t mut Tx);

impl Standing<'_> {
    /// A company's status, in the words of the API.
    pub async fn set(&mut self, company: CompanyUid, status: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_STATUS).bind(company).bind(status).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Nobody looks after a company any more: its alarms are resolved, and nothing of it is due.
    pub async fn stop(
        &mut self,
        clock: &dyn Clock,
        company: CompanyUid,
        why: &str,
    ) -> Result<(), StoreError> {
        for statement in [REST_WORKLOADS, REST_AGENTS] {
            on!(self.0, db => sqlx::query(statement).bind(company).execute(db).await?.rows_affected());
        }
        let open: Vec<OpenAlarm> =
            on!(self.0, db => sqlx::query_as(OPEN_ALARMS).bind(company).fetch_all(db).await?);
        if open.is_empty() {
            return Ok(());
        }
        let open: Vec<_> = open.iter().collect();
        self.0.alarms().resolve(clock, why, &open).await
    }

    /// A company is looked after again: everything of it is due.
    pub async fn resume(&mut self, clock: &dyn Clock, company: CompanyUid) -> Result<(), StoreError> {
        for statement in [WAKE_WORKLOADS, WAKE_AGENTS] {
            on!(self.0, db => sqlx::query(statement)
                .bind(company)
                .bind(clock.now_ms())
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }

    /// The jobs of a company that its backup servers run right now.
    pub async fn jobs_under_way(&mut self, company: CompanyUid) -> Result<Vec<uuid::Uuid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(UNDER_WAY).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// The companies of a reseller that stand well themselves.
    pub async fn active_of(&mut self, reseller: ResellerUid) -> Result<Vec<CompanyUid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(ACTIVE_OF).bind(reseller).fetch_all(db).await?);
        Ok(rows)
    }
}
