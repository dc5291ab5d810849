//! Users.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::UserUid;
use crate::model::{NewUser, User};

statements! {
    INSERT = "INSERT INTO users (uid, company_uid, organization_uid, name, name_folded, role, password_hash, enabled, \
        created_at) VALUES ($1, (SELECT uid FROM companies WHERE uid = $2), $2, $3, $4, $5, $6, $7, $8)";
    GET = "SELECT uid, organization_uid, name, role, password_hash, enabled, created_at FROM users WHERE uid = $1";
    BY_NAME = "SELECT uid, organization_uid, name, role, password_hash, enabled, created_at FROM users WHERE name_folded = $1";
}

/// Users, seen through a transaction.
#[derive(Debug)]
pub struct Users<'t>(pub(super) &'t mut Tx);

impl Users<'_> {
    /// Makes a user.
    pub async fn create(&mut self, clock: &dyn Clock, new: &NewUser) -> Result<User, StoreError> {
        let user = User {
            uid: UserUid::new(clock),
            organization_uid: new.organization_uid,
            name: new.name.clone(),
            role: new.role.name().to_owned(),
            password_hash: new.password_hash.clone(),
            enabled: true,
            created_at: clock.now_ms(),
        };
        on!(self.0, db => sqlx::query(INSERT)
            .bind(user.uid)
            .bind(user.organization_uid)
            .bind(&user.name)
            .bind(user.name.to_lowercase())
            .bind(&user.role)
            .bind(&user.password_hash)
            .bind(user.enabled)
            .bind(user.created_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(user)
    }

    /// One user. Only for finding out who a credential belongs to: the answer goes to nobody else.
    pub async fn get(&mut self, uid: UserUid) -> Result<Option<User>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// The user of this name, without regard to case. For signing in.
    pub async fn by_name(&mut self, name: &str) -> Result<Option<User>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(BY_NAME).bind(name.to_lowercase()).fetch_optional(db).await?);
        Ok(row)
    }
}
