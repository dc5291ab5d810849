//! Resellers.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::ResellerUid;
use crate::model::{NewReseller, OrganizationKind, Reseller};

statements! {
    INSERT = "INSERT INTO resellers (uid, status, rest_access_enabled, owner_name, pro_partner_id, description) \
        VALUES ($1, 'Active', $2, $3, $4, $5)";
    GRANT = "UPDATE organizations SET claims = $2 WHERE uid = $1";
    GET = "SELECT r.uid, o.name, r.status, r.rest_access_enabled FROM resellers r \
        JOIN organizations o ON o.uid = r.uid WHERE r.uid = $1";
    LIMITS = "SELECT o.name, r.cloud_connect, r.cloud_quota, r.insider_protection_quota, r.wan_acceleration, \
        r.max_concurrent_task, r.throttling_unit, r.throttling_value, r.hosted_backup_resources, r.hosted_public_cloud, \
        r.remote_backup_servers, r.remote_vb365, r.remote_public_cloud \
        FROM resellers r JOIN organizations o ON o.uid = r.uid WHERE r.uid = $1";
}

/// What a reseller was given, and how much of it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own switches")]
pub struct ResellerLimits {
    /// The reseller's.
    pub name: String,
    /// Whether it has tenants at all.
    pub cloud_connect: bool,
    /// Whether its tenants are limited; without it nothing below counts.
    pub cloud_quota: bool,
    /// For how many days deleted backups are kept at least.
    pub insider_protection_quota: Option<i64>,
    /// Whether WAN accelerators serve its tenants.
    pub wan_acceleration: Option<bool>,
    /// How many tasks a tenant may run at once.
    pub max_concurrent_task: Option<i64>,
    /// A word of the API's `throttlingUnit`.
    pub throttling_unit: Option<String>,
    /// How much a tenant may send.
    pub throttling_value: Option<i64>,
    /// Whether its companies get shares of hosted servers.
    pub hosted_backup_resources: bool,
    /// Whether its companies have hosted public-cloud appliances.
    pub hosted_public_cloud: bool,
    /// Whether its companies' own backup servers are managed.
    pub remote_backup_servers: bool,
    /// Whether their own Microsoft 365 servers are.
    pub remote_vb365: bool,
    /// Whether their own public-cloud appliances are.
    pub remote_public_cloud: bool,
}

impl ResellerLimits {
    /// How much a tenant may send, if that is limited.
    pub fn throttling(&self) -> Option<(i64, &str)> {
        self.throttling_value.map(|value| (value, self.throttling_unit.as_deref().unwrap_or("MbytePerSec")))
    }

    /// For how many days deleted backups are kept at least, if they must be.
    pub fn protection(&self) -> Option<i64> {
        self.insider_protection_quota.filter(|days| *days > 0)
    }

    /// Whether no WAN accelerator may serve its tenants.
    pub fn has_no_acceleration(&self) -> bool {
        self.cloud_quota && self.wan_acceleration != Some(true)
    }
}

impl Tx {
    /// Resellers.
    pub fn resellers(&mut self) -> Resellers<'_> {
        Resellers(self)
    }
}

/// Resellers, seen through a transaction.
#[derive(Debug)]
pub struct Resellers<'t>(&'t mut Tx);

impl Resellers<'_> {
    /// Makes one.
    pub async fn create(&mut self, clock: &dyn Clock, new: &NewReseller) -> Result<ResellerUid, StoreError> {
        let uid = ResellerUid::new(clock);
        let organization = &new.organization;
        self.0.organizations().create(clock, uid.0, OrganizationKind::Reseller, organization).await?;
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(new.rest_access_enabled)
            .bind(&new.owner_name)
            .bind(&new.pro_partner_id)
            .bind(&new.description)
            .execute(db)
            .await?
            .rows_affected());
        on!(self.0, db => sqlx::query(GRANT).bind(uid).bind(&new.claims).execute(db).await?.rows_affected());
        Ok(uid)
    }

    /// One reseller, for the host itself; what callers see goes through `RESELLERS`.
    pub async fn get(&mut self, uid: ResellerUid) -> Result<Option<Reseller>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// What a reseller was given.
    pub async fn limits(&mut self, uid: ResellerUid) -> Result<Option<ResellerLimits>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(LIMITS).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }
}
