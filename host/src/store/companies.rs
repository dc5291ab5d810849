//! Companies and their default location.

use super::list::{Kind, ListQuery, Page, Property, Resource, compile};
use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, LocationUid};
use crate::model::{Company, NewCompany, Scope};

statements! {
    INSERT = "INSERT INTO companies (uid, name, name_folded, status, alarm_detect_enabled, rest_access_enabled, \
        owner_name, details, created_at) VALUES ($1, $2, $3, 'Active', $4, $5, $6, $7, $8)";
    INSERT_LOCATION = "INSERT INTO locations (uid, company_uid, name) VALUES ($1, $2, $3)";
    BY_NAME = "SELECT uid, name, status, alarm_detect_enabled, rest_access_enabled, owner_name, details, created_at \
        FROM companies WHERE name_folded = $1";
    DEFAULT_LOCATION = "SELECT uid FROM locations WHERE company_uid = $1 ORDER BY uid LIMIT 1";
}

/// The statuses that a company's `status` may take.
const STATUSES: &[&str] = &["Unknown", "Active", "Disabled", "Expired", "Creating", "Deleting", "Deleted"];

/// The list of companies.
pub static COMPANIES: Resource = Resource {
    name: "Company",
    properties: &[
        Property::of("instanceUid", Kind::Uuid, "uid"),
        Property::text("name", "name", Some("name_folded")),
        Property::of("status", Kind::Code(STATUSES), "status"),
        Property::of("isAlarmDetectEnabled", Kind::Flag, "alarm_detect_enabled"),
        Property::of("isRestAccessEnabled", Kind::Flag, "rest_access_enabled"),
        Property::text("ownerCredentials.userName", "owner_name", None),
        Property::of("_embedded.organization.instanceUid", Kind::Uuid, "uid"),
        Property::text("_embedded.organization.name", "name", Some("name_folded")),
    ],
    columns: "uid, name, status, alarm_detect_enabled, rest_access_enabled, owner_name, details, created_at",
    from: "companies WHERE 1 = 1",
    company: Some("uid"),
    id: "uid",
};

/// Companies, seen through a transaction.
#[derive(Debug)]
pub struct Companies<'t>(pub(super) &'t mut Tx);

impl Companies<'_> {
    /// Makes a company and its first location.
    pub async fn create(&mut self, clock: &dyn Clock, new: &NewCompany) -> Result<Company, StoreError> {
        let company = Company {
            uid: CompanyUid::new(clock),
            name: new.name.clone(),
            status: "Active".to_owned(),
            alarm_detect_enabled: new.alarm_detect_enabled,
            rest_access_enabled: new.rest_access_enabled,
            owner_name: new.owner_name.clone(),
            details: new.details.clone(),
            created_at: clock.now_ms(),
        };
        on!(self.0, db => sqlx::query(INSERT)
            .bind(company.uid)
            .bind(&company.name)
            .bind(company.name.to_lowercase())
            .bind(company.alarm_detect_enabled)
            .bind(company.rest_access_enabled)
            .bind(&company.owner_name)
            .bind(&company.details)
            .bind(company.created_at)
            .execute(db)
            .await?
            .rows_affected());
        on!(self.0, db => sqlx::query(INSERT_LOCATION)
            .bind(LocationUid::new(clock))
            .bind(company.uid)
            .bind("Default location")
            .execute(db)
            .await?
            .rows_affected());
        Ok(company)
    }

    /// One company.
    pub async fn get(&mut self, scope: &Scope, uid: CompanyUid) -> Result<Option<Company>, StoreError> {
        compile::get(self.0, &COMPANIES, scope, uid.0).await
    }

    /// One company by its name, without regard to case. For the command line, which acts for the provider.
    pub async fn by_name(&mut self, name: &str) -> Result<Option<Company>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(BY_NAME).bind(name.to_lowercase()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Where a company's agents stand unless somebody says otherwise.
    pub async fn default_location(&mut self, company: CompanyUid) -> Result<Option<LocationUid>, StoreError> {
        let uid =
            on!(self.0, db => sqlx::query_scalar(DEFAULT_LOCATION).bind(company).fetch_optional(db).await?);
        Ok(uid)
    }

    /// A page of companies.
    pub async fn list(&mut self, scope: &Scope, query: &ListQuery) -> Result<Page<Company>, StoreError> {
        compile::run(self.0, &COMPANIES, scope, query).await
    }
}
