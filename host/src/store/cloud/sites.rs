//! Sites, as people manage them, and what of a site a tenant can be given.

use uuid::Uuid;

use super::Cloud;
use crate::id::{AgentUid, CompanyUid, SiteUid};
use crate::store::{StoreError, on, statements};

statements! {
    GET = "SELECT uid, agent_uid, backup_server_uid, name, maintenance_mode, tenant_management, enterprise \
        FROM sites WHERE uid = $1";
    // Whoever holds the row decides alone which names are free on the site.
    HOLD = "UPDATE sites SET created_at = created_at WHERE uid = $1";
    NAME_TAKEN = "SELECT uid FROM sites WHERE name_folded = $1 AND uid <> $2";
    SET_MAINTENANCE = "UPDATE sites SET maintenance_mode = $2 WHERE uid = $1";
    SET_TENANT_MANAGEMENT = "UPDATE sites SET tenant_management = $2 WHERE uid = $1";
    IS_AT = "SELECT uid FROM cloud_tenants WHERE company_uid = $1 AND site_uid = $2 AND deleted_at IS NULL LIMIT 1";
    POOL_KEY = "SELECT key FROM cloud_gateway_pools WHERE uid = $1 AND site_uid = $2";
    REPOSITORY = "SELECT key, name, object_storage FROM cloud_repositories WHERE uid = $1 AND site_uid = $2";
    ACCELERATOR_KEY = "SELECT key FROM cloud_wan_accelerators WHERE uid = $1 AND site_uid = $2";
    OF_AGENT = "SELECT uid, agent_uid, backup_server_uid, name, maintenance_mode, tenant_management, enterprise \
        FROM sites WHERE agent_uid = $1";
}

/// A site.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Site {
    /// Its id.
    pub uid: SiteUid,
    /// The agent on its server.
    pub agent_uid: AgentUid,
    /// Its server.
    pub backup_server_uid: Uuid,
    /// For people.
    pub name: String,
    /// Whether tenants are held off.
    pub maintenance_mode: bool,
    /// Whether tenants may be managed in the server's own console too.
    pub tenant_management: bool,
    /// Whether it is a Cloud Connect for the Enterprise, which may run jobs of its own.
    pub enterprise: bool,
}

/// A repository that tenants can be given a share of.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CloudRepository {
    /// The server's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// No accelerators there.
    pub object_storage: bool,
}

impl Cloud<'_> {
    /// A site.
    pub async fn site(&mut self, uid: SiteUid) -> Result<Option<Site>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// The site on whose server this agent stands: for what such a server may not be told to do.
    pub async fn site_of_agent(&mut self, agent: AgentUid) -> Result<Option<Site>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(OF_AGENT).bind(agent).fetch_optional(db).await?);
        Ok(row)
    }

    /// Keeps others from making tenants on the site until this transaction ends.
    pub async fn hold_site(&mut self, uid: SiteUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(HOLD).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Whether another site has this name, without regard to case.
    pub async fn site_name_taken(&mut self, name: &str, by_other_than: SiteUid) -> Result<bool, StoreError> {
        let found: Option<Uuid> = on!(self.0, db => sqlx::query_scalar(NAME_TAKEN)
            .bind(name.to_lowercase())
            .bind(by_other_than)
            .fetch_optional(db)
            .await?);
        Ok(found.is_some())
    }

    /// Turns the maintenance mode on or off.
    pub async fn set_maintenance(&mut self, uid: SiteUid, on: bool) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_MAINTENANCE).bind(uid).bind(on).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Opens or locks tenants in the server's own console.
    pub async fn set_tenant_management(&mut self, uid: SiteUid, on: bool) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_TENANT_MANAGEMENT).bind(uid).bind(on).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Whether a company has a tenant on the site.
    pub async fn is_at(&mut self, company: CompanyUid, site: SiteUid) -> Result<bool, StoreError> {
        let found: Option<Uuid> =
            on!(self.0, db => sqlx::query_scalar(IS_AT).bind(company).bind(site).fetch_optional(db).await?);
        Ok(found.is_some())
    }

    /// What the site's server calls this gateway pool.
    pub async fn pool_key(&mut self, uid: Uuid, site: SiteUid) -> Result<Option<String>, StoreError> {
        let key =
            on!(self.0, db => sqlx::query_scalar(POOL_KEY).bind(uid).bind(site).fetch_optional(db).await?);
        Ok(key)
    }

    /// A repository of the site.
    pub async fn repository(
        &mut self,
        uid: Uuid,
        site: SiteUid,
    ) -> Result<Option<CloudRepository>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(REPOSITORY).bind(uid).bind(site).fetch_optional(db).await?);
        Ok(row)
    }

    /// What the site's server calls this WAN accelerator.
    pub async fn accelerator_key(&mut self, uid: Uuid, site: SiteUid) -> Result<Option<String>, StoreError> {
        let key = on!(self.0, db => sqlx::query_scalar(ACCELERATOR_KEY).bind(uid).bind(site).fetch_optional(db).await?);
        Ok(key)
    }
}
