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
}
