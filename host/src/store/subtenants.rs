//! Which users have a part of a tenant's share.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::id::{CompanyUid, UserUid};
use crate::model::User;

statements! {
    OF_COMPANY = "SELECT u.uid, u.organization_uid, u.name, u.role, u.password_hash, u.enabled, u.created_at FROM users u \
        JOIN user_backup_resources b ON b.user_uid = u.uid WHERE u.organization_uid = $1 ORDER BY u.uid";
    COUNT = "SELECT count(*) FROM user_backup_resources WHERE resource_uid = $1";
    PART = "SELECT resource_uid, name, description, storage_quota, vcd_user_id FROM user_backup_resources WHERE user_uid = $1";
    DROP = "DELETE FROM user_backup_resources WHERE user_uid = $1";
}

/// A subtenant's part of a share.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SharePart {
    /// Of which.
    pub resource_uid: Uuid,
    /// Its name for the subtenant.
    pub name: String,
    /// In free words.
    pub description: Option<String>,
    /// Bytes; absent: as much as the company has.
    pub storage_quota: Option<i64>,
    /// The subtenant's account in `VMware` Cloud Director.
    pub vcd_user_id: Option<String>,
}

/// Subtenants, seen through a transaction.
#[derive(Debug)]
pub struct Subtenants<'t>(&'t mut Tx);

impl Tx {
    /// Which users have a part of a tenant's share.
    pub fn subtenants(&mut self) -> Subtenants<'_> {
        Subtenants(self)
    }
}

impl Subtenants<'_> {
    /// Those of a company.
    pub async fn of_company(&mut self, company: CompanyUid) -> Result<Vec<User>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(OF_COMPANY).bind(company).fetch_all(db).await?);
        Ok(rows)
    }

    /// How many have a part of a share.
    pub async fn count(&mut self, share: Uuid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(COUNT).bind(share).fetch_one(db).await?);
        Ok(count)
    }

    /// What a user has a part of.
    pub async fn part(&mut self, user: UserUid) -> Result<Option<SharePart>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(PART).bind(user).fetch_optional(db).await?);
        Ok(row)
    }

    /// A user has no part any more.
    pub async fn drop_part(&mut self, user: UserUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DROP).bind(user).execute(db).await?.rows_affected());
        Ok(())
    }
}
