//! Organisations: what the provider, its resellers and their companies have in common.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::model::{NewOrganization, OrganizationKind};

statements! {
    INSERT = "INSERT INTO organizations (uid, type, name, name_folded, alias, city, company_id, country, country_name, domain, \
        email, legal_name, location_admin0_code, location_admin1_code, location_admin2_code, notes, phone, region_name, state, \
        street, tax_id, veeam_tenant_id, website, zip_code, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";
    NAMED = "SELECT uid FROM organizations WHERE type = $1 AND name_folded = $2";
    NAME = "SELECT name FROM organizations WHERE uid = $1";
    KIND = "SELECT type FROM organizations WHERE uid = $1";
    RENAME_COMPANY = "UPDATE companies SET name = $2, name_folded = $3 WHERE uid = $1";
    DELETE = "DELETE FROM organizations WHERE uid = $1";
}

impl Tx {
    /// Organisations.
    pub fn organizations(&mut self) -> Organizations<'_> {
        Organizations(self)
    }
}

/// Organisations, seen through a transaction.
#[derive(Debug)]
pub struct Organizations<'t>(&'t mut Tx);

impl Organizations<'_> {
    /// Makes one; its company or reseller row is the caller's.
    pub async fn create(
        &mut self,
        clock: &dyn Clock,
        uid: Uuid,
        kind: OrganizationKind,
        new: &NewOrganization,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(kind.name())
            .bind(&new.name)
            .bind(new.name.to_lowercase())
            .bind(&new.alias)
            .bind(&new.city)
            .bind(&new.company_id)
            .bind(new.country)
            .bind(&new.country_name)
            .bind(&new.domain)
            .bind(&new.email)
            .bind(&new.legal_name)
            .bind(&new.location_admin0_code)
            .bind(&new.location_admin1_code)
            .bind(&new.location_admin2_code)
            .bind(&new.notes)
            .bind(&new.phone)
            .bind(&new.region_name)
            .bind(new.state)
            .bind(&new.street)
            .bind(&new.tax_id)
            .bind(&new.veeam_tenant_id)
            .bind(&new.website)
            .bind(&new.zip_code)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The organisation of this kind and name, without regard to case.
    pub async fn named(&mut self, kind: OrganizationKind, name: &str) -> Result<Option<Uuid>, StoreError> {
        let found = on!(self.0, db => sqlx::query_scalar(NAMED)
            .bind(kind.name())
            .bind(name.to_lowercase())
            .fetch_optional(db)
            .await?);
        Ok(found)
    }

    /// The name of an organisation.
    pub async fn name(&mut self, uid: Uuid) -> Result<Option<String>, StoreError> {
        let name = on!(self.0, db => sqlx::query_scalar(NAME).bind(uid).fetch_optional(db).await?);
        Ok(name)
    }

    /// What kind of organisation this is.
    pub async fn kind(&mut self, uid: Uuid) -> Result<Option<OrganizationKind>, StoreError> {
        let found: Option<String> =
            on!(self.0, db => sqlx::query_scalar(KIND).bind(uid).fetch_optional(db).await?);
        Ok(found.and_then(|name| OrganizationKind::named(&name)))
    }

    /// After a company's organisation got a new name: keeps the column that hosts of the version before read.
    pub async fn renamed(&mut self, uid: Uuid, name: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(RENAME_COMPANY)
            .bind(uid)
            .bind(name)
            .bind(name.to_lowercase())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Removes one whose company or reseller row is gone.
    pub async fn delete(&mut self, uid: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
