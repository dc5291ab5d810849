//! The one row that says which installation this database belongs to.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id;
use crate::model::{Installation, NewOrganization, OrganizationKind};

statements! {
    INSERT = "INSERT INTO installation (singleton, uid, incarnation, installed_at) VALUES (1, $1, $2, $3) \
        ON CONFLICT (singleton) DO NOTHING";
    // Cloud Connect servers and hosted ones are the provider's own, and stand somewhere too.
    LOCATION = "INSERT INTO locations (uid, company_uid, name, name_folded, type, quota_gb) \
        SELECT $1, $2, 'Default', 'default', 'Default', 0 \
        WHERE NOT EXISTS (SELECT 1 FROM locations l WHERE l.company_uid = $2 AND l.type = 'Default')";
    BEGIN_ANOTHER_LIFE = "UPDATE installation SET incarnation = $1";
    GET = "SELECT uid, incarnation, installed_at FROM installation";
}

/// The installation, seen through a transaction.
#[derive(Debug)]
pub struct InstallationRow<'t>(pub(super) &'t mut Tx);

impl InstallationRow<'_> {
    /// Reads it; makes it, the provider with its id, and where the provider's own machines stand, if the database is new.
    pub async fn ensure(&mut self, clock: &dyn Clock) -> Result<Installation, StoreError> {
        on!(self.0, db => sqlx::query(INSERT)
            .bind(id::fresh(clock))
            .bind(id::fresh(clock))
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        let row: Installation = on!(self.0, db => sqlx::query_as(GET).fetch_one(db).await?);
        if self.0.organizations().kind(row.uid).await?.is_none() {
            let provider = NewOrganization::named("Provider");
            self.0.organizations().create(clock, row.uid, OrganizationKind::Provider, &provider).await?;
        }
        on!(self.0, db => sqlx::query(LOCATION)
            .bind(id::fresh(clock))
            .bind(row.uid)
            .execute(db)
            .await?
            .rows_affected());
        Ok(row)
    }

    /// The one that there is.
    pub async fn current(&mut self) -> Result<Option<Installation>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(GET).fetch_optional(db).await?))
    }

    /// From here on it is the same installation with another past; none in a database that has no installation.
    pub async fn begin_another_life(
        &mut self,
        clock: &dyn Clock,
    ) -> Result<Option<Installation>, StoreError> {
        on!(self.0, db => sqlx::query(BEGIN_ANOTHER_LIFE)
            .bind(id::fresh(clock))
            .execute(db)
            .await?
            .rows_affected());
        Ok(on!(self.0, db => sqlx::query_as(GET).fetch_optional(db).await?))
    }
}
