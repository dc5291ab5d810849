//! Which tenant is whose. A tenant is its company's, and its company's reseller's: whoever lost the company has lost its tenants, and
//! what is taken from a company falls back to the reseller that the company has. A company's sites are those where it has a tenant: `organization_sites` follows each change here.

use super::Cloud;
use crate::id::{CloudTenantUid, CompanyUid, SiteUid};
use crate::store::{StoreError, Tx, on, statements};

statements! {
    MAP = "UPDATE cloud_tenants SET company_uid = $2, owner_uid = $2, \
        reseller_uid = (SELECT c.reseller_uid FROM companies c WHERE c.uid = $2) WHERE uid = $1";
    UNMAP = "UPDATE cloud_tenants SET company_uid = NULL, owner_uid = reseller_uid WHERE uid = $1";
    FOLLOW = "UPDATE cloud_tenants SET reseller_uid = (SELECT c.reseller_uid FROM companies c WHERE c.uid = $1) \
        WHERE company_uid = $1";
    LINK = "INSERT INTO organization_sites (organization_uid, site_uid) \
        SELECT DISTINCT t.company_uid, t.site_uid FROM cloud_tenants t JOIN companies c ON c.uid = t.company_uid \
        WHERE t.site_uid = $1 AND t.deleted_at IS NULL ON CONFLICT DO NOTHING";
    UNLINK = "DELETE FROM organization_sites WHERE site_uid = $1 AND organization_uid IN (SELECT uid FROM companies) \
        AND NOT EXISTS (SELECT 1 FROM cloud_tenants t WHERE t.company_uid = organization_sites.organization_uid \
        AND t.site_uid = $1 AND t.deleted_at IS NULL)";
    COLLIDING_LOGIN = "SELECT u.name FROM users u JOIN organizations o ON o.uid = u.organization_uid \
        WHERE u.organization_uid = $1 AND (u.name_folded = $2 OR u.name_folded = lower(COALESCE(o.alias, o.name)) || '\\' || $2) \
        ORDER BY u.name_folded LIMIT 1";
}

/// Makes the links of the companies on a site what its tenants say.
pub(super) async fn relink(tx: &mut Tx, site: SiteUid) -> Result<(), StoreError> {
    for statement in [UNLINK, LINK] {
        on!(tx, db => sqlx::query(statement).bind(site).execute(db).await?.rows_affected());
    }
    Ok(())
}

impl Cloud<'_> {
    /// Gives a tenant to a company, or takes it back.
    pub async fn map_tenant(
        &mut self,
        uid: CloudTenantUid,
        site: SiteUid,
        company: Option<CompanyUid>,
    ) -> Result<(), StoreError> {
        match company {
            Some(company) => {
                on!(self.0, db => sqlx::query(MAP).bind(uid).bind(company).execute(db).await?.rows_affected());
            }
            None => {
                on!(self.0, db => sqlx::query(UNMAP).bind(uid).execute(db).await?.rows_affected());
            }
        }
        relink(self.0, site).await
    }

    /// After a company went to another reseller, or to the provider: its tenants go with it.
    pub async fn follow_company(&mut self, company: CompanyUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(FOLLOW).bind(company).execute(db).await?.rows_affected());
        Ok(())
    }

    /// After a tenant of the site was hidden or shown: its company may have lost or found its place there.
    pub async fn relink(&mut self, site: SiteUid) -> Result<(), StoreError> {
        relink(self.0, site).await
    }

    /// A user of the company whose login is the tenant's account name too.
    pub async fn colliding_login(
        &mut self,
        company: CompanyUid,
        user_name: &str,
    ) -> Result<Option<String>, StoreError> {
        let name = on!(self.0, db => sqlx::query_scalar(COLLIDING_LOGIN)
            .bind(company)
            .bind(user_name.to_lowercase())
            .fetch_optional(db)
            .await?);
        Ok(name)
    }
}
