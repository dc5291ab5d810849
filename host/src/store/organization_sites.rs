//! Where organisations have something: the sites that a reseller may use, and those at which a site administrator sees a company.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::id::{ResellerUid, SiteUid, UserUid};

statements! {
    OF = "SELECT site_uid FROM organization_sites WHERE organization_uid = $1 ORDER BY site_uid";
    CLEAR = "DELETE FROM organization_sites WHERE organization_uid = $1";
    ADD = "INSERT INTO organization_sites (organization_uid, site_uid) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    ADD_THOSE_OF_USER = "INSERT INTO organization_sites (organization_uid, site_uid) \
        SELECT $1, site_uid FROM user_sites WHERE user_uid = $2 ON CONFLICT DO NOTHING";
    TENANTS_OF = "SELECT count(*) FROM cloud_tenants WHERE reseller_uid = $1 AND site_uid = $2 AND deleted_at IS NULL";
    IS_THERE = "SELECT count(*) FROM sites WHERE uid = $1";
}

impl Tx {
    /// Where organisations have something.
    pub fn organization_sites(&mut self) -> OrganizationSites<'_> {
        OrganizationSites(self)
    }
}

/// Sites of organisations, seen through a transaction.
#[derive(Debug)]
pub struct OrganizationSites<'t>(&'t mut Tx);

impl OrganizationSites<'_> {
    /// The sites of an organisation.
    pub async fn of(&mut self, organization: Uuid) -> Result<Vec<SiteUid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(OF).bind(organization).fetch_all(db).await?);
        Ok(rows)
    }

    /// These and no others.
    pub async fn set(&mut self, organization: Uuid, sites: &[SiteUid]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CLEAR).bind(organization).execute(db).await?.rows_affected());
        for site in sites {
            on!(self.0, db => sqlx::query(ADD).bind(organization).bind(site).execute(db).await?.rows_affected());
        }
        Ok(())
    }

    /// Those of a site administrator too; how many that are.
    pub async fn add_those_of(&mut self, organization: Uuid, user: UserUid) -> Result<u64, StoreError> {
        let added = on!(self.0, db => sqlx::query(ADD_THOSE_OF_USER)
            .bind(organization)
            .bind(user)
            .execute(db)
            .await?
            .rows_affected());
        Ok(added)
    }

    /// How many tenants a reseller and its companies have on a site.
    pub async fn tenants_of(&mut self, reseller: ResellerUid, site: SiteUid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(TENANTS_OF)
            .bind(reseller)
            .bind(site)
            .fetch_one(db)
            .await?);
        Ok(count)
    }

    /// Whether there is such a site.
    pub async fn is_site(&mut self, site: SiteUid) -> Result<bool, StoreError> {
        let count: i64 = on!(self.0, db => sqlx::query_scalar(IS_THERE).bind(site).fetch_one(db).await?);
        Ok(count > 0)
    }
}
