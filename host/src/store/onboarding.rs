//! How far a company has come: facts that are counted when somebody asks, and what an administrator let pass.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, UserUid};
use crate::model::{OnboardingFacts, Override};

statements! {
    FACTS = "SELECT CAST(CASE WHEN c.remote_services AND c.remote_backup_resources THEN 1 ELSE 0 END AS BIGINT) AS cloud, \
        CAST(CASE WHEN c.remote_services AND c.servers_managed THEN 1 ELSE 0 END AS BIGINT) AS servers_wanted, \
        (SELECT count(*) FROM cloud_tenants t WHERE t.company_uid = c.uid AND t.deleted_at IS NULL) AS tenants, \
        (SELECT count(*) FROM cloud_tenants t WHERE t.company_uid = c.uid AND t.deleted_at IS NULL \
            AND t.key IS NOT NULL AND t.sync NOT IN ('Creating', 'CreationFailed', 'Deleting')) AS verified, \
        (SELECT count(*) FROM agents a WHERE a.company_uid = c.uid) AS agents, \
        (SELECT count(*) FROM backup_servers s WHERE s.company_uid = c.uid) \
            + (SELECT count(*) FROM hosted_resources h WHERE h.company_uid = c.uid) AS servers \
        FROM companies c WHERE c.uid = $1";
    OVERRIDES = "SELECT step, reason, user_name, created_at FROM onboarding_overrides WHERE company_uid = $1 ORDER BY step";
    PASS = "INSERT INTO onboarding_overrides (company_uid, step, reason, user_uid, user_name, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
}

impl Tx {
    /// How far companies have come.
    pub fn onboarding(&mut self) -> Onboardings<'_> {
        Onboardings(self)
    }
}

/// Onboarding, seen through a transaction.
#[derive(Debug)]
pub struct Onboardings<'t>(&'t mut Tx);

impl Onboardings<'_> {
    /// What the steps are worked out from.
    pub async fn facts(&mut self, company: CompanyUid) -> Result<Option<OnboardingFacts>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(FACTS).bind(company).fetch_optional(db).await?);
        Ok(row)
    }

    /// The steps that somebody let pass.
    pub async fn overrides(&mut self, company: CompanyUid) -> Result<Vec<Override>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(OVERRIDES).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// Lets a step pass.
    pub async fn pass(
        &mut self,
        clock: &dyn Clock,
        company: CompanyUid,
        step: &str,
        reason: &str,
        user: (UserUid, &str),
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(PASS)
            .bind(company)
            .bind(step)
            .bind(reason)
            .bind(user.0)
            .bind(user.1)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}
