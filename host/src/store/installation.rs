//! The one row that says which installation this database belongs to.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id;
use crate::model::{Installation, NewOrganization, OrganizationKind};

statements! {
    INSERT = "INSERT INTO installation (singleton, uid, incarnation, installed_at) VALUES (1, $1, $2, $3) \
        ON CONFLICT (singleton) DO NOTHING";
    GET = "SELECT uid, incarnation, installed_at FROM installation";
}

/// The installation, seen through a transaction.
#[derive(Debug)]
pub struct InstallationRow<'t>(pub(super) &'t mut Tx);

impl InstallationRow<'_> {
    /// Reads it; makes it, and the provider with its id, if the database is new.
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
        Ok(row)
    }
}
