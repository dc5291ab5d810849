//! The first user of a company or a reseller: the one its credentials belong to.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::id::UserUid;
use crate::model::{Role, User};

statements! {
    OF = "SELECT uid, organization_uid, name, role, password_hash, enabled, created_at FROM users \
        WHERE organization_uid = $1 AND role = $2 ORDER BY uid LIMIT 1";
    RENAME = "UPDATE users SET name = $2, name_folded = $3 WHERE uid = $1";
    NOTE_COMPANY = "UPDATE companies SET owner_name = $2 WHERE uid = $1";
    NOTE_RESELLER = "UPDATE resellers SET owner_name = $2 WHERE uid = $1";
}

impl Tx {
    /// Owners of companies and resellers.
    pub fn owners(&mut self) -> Owners<'_> {
        Owners(self)
    }
}

/// Owners, seen through a transaction.
#[derive(Debug)]
pub struct Owners<'t>(&'t mut Tx);

impl Owners<'_> {
    /// The user of this role in an organisation that was there first.
    pub async fn of(&mut self, organization: Uuid, role: Role) -> Result<Option<User>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(OF)
            .bind(organization)
            .bind(role.name())
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// Another name to sign in with.
    pub async fn rename(&mut self, user: UserUid, name: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(RENAME)
            .bind(user)
            .bind(name)
            .bind(name.to_lowercase())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Notes the owner's name with the organisation, which may have no owner yet.
    pub async fn note(&mut self, organization: Uuid, name: &str) -> Result<(), StoreError> {
        for statement in [NOTE_COMPANY, NOTE_RESELLER] {
            on!(self.0, db => sqlx::query(statement)
                .bind(organization)
                .bind(name)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }
}
