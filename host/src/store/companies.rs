//! Companies and their locations.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, LocationUid};
use crate::model::{Company, NewCompany, OrganizationKind};

statements! {
    INSERT = "INSERT INTO companies (uid, name, name_folded, status, alarm_detect_enabled, rest_access_enabled, \
        owner_name, details, created_at, reseller_uid, subscription_plan_uid) \
        VALUES ($1, $2, $3, 'Active', $4, $5, $6, '{}', $7, $8, $9)";
    INSERT_LOCATION = "INSERT INTO locations (uid, company_uid, name, name_folded, type, quota_gb) \
        VALUES ($1, $2, $3, $4, $5, 0)";
    GET = "SELECT c.uid, o.name, c.status, c.alarm_detect_enabled, c.rest_access_enabled, c.owner_name, c.reseller_uid, \
        c.created_at FROM companies c JOIN organizations o ON o.uid = c.uid WHERE c.uid = $1";
    DEFAULT_LOCATION = "SELECT uid FROM locations WHERE company_uid = $1 AND type = 'Default' ORDER BY uid LIMIT 1";
}

/// Companies, seen through a transaction.
#[derive(Debug)]
pub struct Companies<'t>(pub(super) &'t mut Tx);

impl Companies<'_> {
    /// Makes a company with its locations: "Remote" for what stands at the company, "Hosted" for what stands with the provider.
    pub async fn create(&mut self, clock: &dyn Clock, new: &NewCompany) -> Result<CompanyUid, StoreError> {
        let uid = CompanyUid::new(clock);
        let name = &new.organization.name;
        let organization = &new.organization;
        self.0.organizations().create(clock, uid.0, OrganizationKind::Company, organization).await?;
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(name)
            .bind(name.to_lowercase())
            .bind(new.alarm_detect_enabled)
            .bind(new.rest_access_enabled)
            .bind(&new.owner_name)
            .bind(clock.now_ms())
            .bind(new.reseller_uid)
            .bind(new.subscription_plan_uid)
            .execute(db)
            .await?
            .rows_affected());
        for (name, kind) in [("Remote", "Default"), ("Hosted", "Hosted")] {
            on!(self.0, db => sqlx::query(INSERT_LOCATION)
                .bind(LocationUid::new(clock))
                .bind(uid)
                .bind(name)
                .bind(name.to_lowercase())
                .bind(kind)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(uid)
    }

    /// One company, for the host itself; what callers see goes through `COMPANIES`.
    pub async fn get(&mut self, uid: CompanyUid) -> Result<Option<Company>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// One company by its name, without regard to case. For the command line, which acts for the provider.
    pub async fn by_name(&mut self, name: &str) -> Result<Option<Company>, StoreError> {
        match self.0.organizations().named(OrganizationKind::Company, name).await? {
            Some(uid) => self.get(CompanyUid(uid)).await,
            None => Ok(None),
        }
    }

    /// Where a company's agents stand unless somebody says otherwise.
    pub async fn default_location(&mut self, company: CompanyUid) -> Result<Option<LocationUid>, StoreError> {
        let uid =
            on!(self.0, db => sqlx::query_scalar(DEFAULT_LOCATION).bind(company).fetch_optional(db).await?);
        Ok(uid)
    }
}
