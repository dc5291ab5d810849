//! Tenants, as people manage them.

use uuid::Uuid;

use super::Cloud;
use crate::clock::Clock;
use crate::id::{CloudTenantUid, CompanyUid, ResellerUid, SiteUid};
use crate::model::Sync;
use crate::store::{StoreError, on, statements};

statements! {
    INSERT = "INSERT INTO cloud_tenants (uid, site_uid, reseller_uid, owner_uid, kind, vcd_organization_uid, name, name_folded, \
        user_name, user_name_folded, password_hash, description, enabled, lease_enabled, lease_expires_at, throttling_enabled, \
        throttling_value, throttling_unit, max_concurrent_tasks, protection_enabled, protection_days, gateway_selection, \
        gateway_pool_uids, gateway_failover, native_replication, vcd_replication, data_out_unlimited, data_out, data_in, sync, \
        created_at, changed_at, epoch) \
        VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
        $23, $10, 0, 0, 'Creating', $24, $24, 0)";
    GET = "SELECT t.uid, t.site_uid, s.agent_uid, t.key, t.company_uid, t.reseller_uid, t.owner_uid, t.kind, \
        t.vcd_organization_uid, t.name, t.user_name, t.description, t.enabled, t.lease_enabled, t.lease_expires_at, \
        t.throttling_enabled, t.throttling_value, t.throttling_unit, t.max_concurrent_tasks, t.protection_enabled, \
        t.protection_days, t.gateway_selection, t.gateway_pool_uids, t.gateway_failover, t.native_replication, \
        t.vcd_replication, t.sync, t.sync_message, t.deleted_at FROM cloud_tenants t JOIN sites s ON s.uid = t.site_uid \
        WHERE t.uid = $1";
    HOLD = "UPDATE cloud_tenants SET changed_at = changed_at WHERE uid = $1";
    NAMED = "SELECT uid, deleted_at FROM cloud_tenants WHERE site_uid = $1 AND user_name_folded = $2 AND uid <> $3 LIMIT 1";
    RENAME = "UPDATE cloud_tenants SET name = user_name, name_folded = user_name_folded WHERE uid = $1 AND kind = 'General'";
    SET_PASSWORD = "UPDATE cloud_tenants SET password_hash = $2 WHERE uid = $1";
    SET_ENABLED = "UPDATE cloud_tenants SET enabled = $2 WHERE uid = $1";
    // What is still to be made is changed before it is made.
    WANTED = "UPDATE cloud_tenants SET sync = CASE WHEN sync = 'Creating' THEN sync ELSE 'Updating' END, sync_message = NULL, \
        changed_at = $2 WHERE uid = $1";
    DELETING = "UPDATE cloud_tenants SET sync = 'Deleting', sync_message = NULL, deleted_at = $2, changed_at = $2 WHERE uid = $1";
    DELETE = "DELETE FROM cloud_tenants WHERE uid = $1";
    SET_TRAFFIC = "UPDATE cloud_tenants SET data_out_quota = $2, data_out_unlimited = $3 WHERE uid = $1";
}

/// A tenant to be made.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the switches that a Cloud Connect server has")]
pub struct NewCloudTenant {
    /// Its id.
    pub uid: CloudTenantUid,
    /// Where.
    pub site: SiteUid,
    /// Who makes it, if a reseller does.
    pub reseller: Option<ResellerUid>,
    /// A word of the API's `type`.
    pub kind: String,
    /// Its organisation in Cloud Director.
    pub vcd_organization: Option<Uuid>,
    /// The account's, and the tenant's.
    pub user_name: String,
    /// argon2id, in PHC form.
    pub password_hash: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether its lease ends.
    pub lease_enabled: bool,
    /// Unix milliseconds.
    pub lease_expires_at: Option<i64>,
    /// Whether it may only send so much.
    pub throttling_enabled: bool,
    /// How much.
    pub throttling_value: Option<i64>,
    /// A word of the API's `throttlingUnit`.
    pub throttling_unit: Option<String>,
    /// How many tasks at once.
    pub max_concurrent_tasks: i64,
    /// Whether its deleted backups are kept.
    pub protection_enabled: bool,
    /// For how many days.
    pub protection_days: Option<i64>,
    /// A word of the API's `gatewaySelectionType`.
    pub gateway_selection: String,
    /// Its gateway pools.
    pub gateway_pools: Vec<Uuid>,
    /// Whether other gateways serve it when those fail.
    pub gateway_failover: bool,
    /// Whether it has hosts of the provider's.
    pub native_replication: bool,
    /// Whether it has hosts of Cloud Director's.
    pub vcd_replication: bool,
}

/// A tenant.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "the switches that a Cloud Connect server has")]
pub struct CloudTenant {
    /// Its id.
    pub uid: CloudTenantUid,
    /// Where.
    pub site_uid: SiteUid,
    /// The agent on the site's server.
    pub agent_uid: crate::id::AgentUid,
    /// The server's own id; absent until the server told it.
    pub key: Option<String>,
    /// The company it is mapped to.
    pub company_uid: Option<CompanyUid>,
    /// The reseller whose it is.
    pub reseller_uid: Option<ResellerUid>,
    /// Of both the one whose users see it.
    pub owner_uid: Option<Uuid>,
    /// A word of the API's `type`.
    pub kind: String,
    /// Its organisation in Cloud Director.
    pub vcd_organization_uid: Option<Uuid>,
    /// For people.
    pub name: String,
    /// The account's.
    pub user_name: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it is let in.
    pub enabled: bool,
    /// Whether its lease ends.
    pub lease_enabled: bool,
    /// Unix milliseconds.
    pub lease_expires_at: Option<i64>,
    /// Whether it may only send so much.
    pub throttling_enabled: bool,
    /// How much.
    pub throttling_value: Option<i64>,
    /// A word of the API's `throttlingUnit`.
    pub throttling_unit: Option<String>,
    /// How many tasks at once.
    pub max_concurrent_tasks: i64,
    /// Whether its deleted backups are kept.
    pub protection_enabled: bool,
    /// For how many days.
    pub protection_days: Option<i64>,
    /// A word of the API's `gatewaySelectionType`.
    pub gateway_selection: String,
    /// A JSON array of ids.
    pub gateway_pool_uids: String,
    /// Whether other gateways serve it when those fail.
    pub gateway_failover: bool,
    /// Whether it has hosts of the provider's.
    pub native_replication: bool,
    /// Whether it has hosts of Cloud Director's.
    pub vcd_replication: bool,
    /// A [`Sync`], as stored.
    pub sync: String,
    /// Why the server does not have what is wanted.
    pub sync_message: Option<String>,
    /// Its deletion was asked for.
    pub deleted_at: Option<i64>,
}

impl CloudTenant {
    /// Whether the server has it, or will have.
    pub fn is_on_server(&self) -> bool {
        self.sync != Sync::CreationFailed.name()
    }

    /// Its gateway pools.
    pub fn gateway_pools(&self) -> Vec<Uuid> {
        serde_json::from_str(&self.gateway_pool_uids).unwrap_or_default()
    }
}

impl Cloud<'_> {
    /// Makes a tenant that its server is still to make.
    pub async fn create_tenant(&mut self, clock: &dyn Clock, new: &NewCloudTenant) -> Result<(), StoreError> {
        let pools: Vec<_> = new.gateway_pools.iter().map(ToString::to_string).collect();
        on!(self.0, db => sqlx::query(INSERT)
            .bind(new.uid)
            .bind(new.site)
            .bind(new.reseller)
            .bind(&new.kind)
            .bind(new.vcd_organization)
            .bind(&new.user_name)
            .bind(new.user_name.to_lowercase())
            .bind(&new.password_hash)
            .bind(&new.description)
            .bind(true)
            .bind(new.lease_enabled)
            .bind(new.lease_expires_at)
            .bind(new.throttling_enabled)
            .bind(new.throttling_value)
            .bind(&new.throttling_unit)
            .bind(new.max_concurrent_tasks)
            .bind(new.protection_enabled)
            .bind(new.protection_days)
            .bind(&new.gateway_selection)
            .bind(serde_json::Value::from(pools).to_string())
            .bind(new.gateway_failover)
            .bind(new.native_replication)
            .bind(new.vcd_replication)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A tenant, in whatever state.
    pub async fn tenant(&mut self, uid: CloudTenantUid) -> Result<Option<CloudTenant>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// The same, kept from others who would change it until this transaction ends.
    pub async fn hold_tenant(&mut self, uid: CloudTenantUid) -> Result<Option<CloudTenant>, StoreError> {
        on!(self.0, db => sqlx::query(HOLD).bind(uid).execute(db).await?.rows_affected());
        self.tenant(uid).await
    }

    /// Another tenant of this user name on the site, and whether it is being deleted.
    pub async fn tenant_named(
        &mut self,
        site: SiteUid,
        user_name: &str,
        other_than: CloudTenantUid,
    ) -> Result<Option<(Uuid, Option<i64>)>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(NAMED)
            .bind(site)
            .bind(user_name.to_lowercase())
            .bind(other_than)
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// After its user name changed: a tenant is called as its account is, one of Cloud Director's as its organisation.
    pub async fn tenant_renamed(&mut self, uid: CloudTenantUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(RENAME).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }

    /// A new password's hash.
    pub async fn set_tenant_password(&mut self, uid: CloudTenantUid, hash: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_PASSWORD).bind(uid).bind(hash).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Lets it in, or keeps it out.
    pub async fn set_tenant_enabled(&mut self, uid: CloudTenantUid, on: bool) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_ENABLED).bind(uid).bind(on).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Something else is wanted of it than the server has.
    pub async fn tenant_wanted(&mut self, clock: &dyn Clock, uid: CloudTenantUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(WANTED).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// It is to be removed: nobody sees it any more, unless the server keeps it.
    pub async fn tenant_deleting(
        &mut self,
        clock: &dyn Clock,
        uid: CloudTenantUid,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETING).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Forgets a tenant that its server never made.
    pub async fn forget_tenant(&mut self, uid: CloudTenantUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }

    /// How much it may download in a month, in GB; none: as much as it likes. The server does not know of it.
    pub async fn set_traffic_quota(
        &mut self,
        uid: CloudTenantUid,
        quota: Option<i64>,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_TRAFFIC)
            .bind(uid)
            .bind(quota)
            .bind(quota.is_none())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}
