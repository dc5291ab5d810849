//! What users sign in with beside their password: API keys (hashed) and second factors (sealed).

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{LoginUid, UserUid};
use crate::model::{ApiKey, LoginKind, LoginScope, NewApiKey, NewTotpLogin, TotpLogin};

statements! {
    INSERT = "INSERT INTO user_logins (user_uid, provider, identifier, hash, secret, last_step, description, \
        description_folded, scopes, read_only, enabled, created_at, expires_at, uid) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    KEY_BY_HASH = "SELECT id, user_uid, description, scopes, read_only, enabled, created_at, expires_at, last_used_at \
        FROM user_logins WHERE hash = $1 AND provider = 'AK'";
    TOUCH = "UPDATE user_logins SET last_used_at = $2 WHERE id = $1 AND coalesce(last_used_at, 0) < $2";
    TOTPS = "SELECT id, user_uid, secret, last_step FROM user_logins \
        WHERE user_uid = $1 AND provider = 'TOTP' AND enabled = $2 ORDER BY id";
    ACCEPT_STEP = "UPDATE user_logins SET last_step = $2, last_used_at = $3 \
        WHERE id = $1 AND coalesce(last_step, -1) < $2";
    COUNT = "SELECT count(*) FROM user_logins WHERE user_uid = $1";
    UID = "SELECT uid FROM user_logins WHERE id = $1 AND user_uid = $2";
    ENABLE = "UPDATE user_logins SET enabled = $2 WHERE uid = $1";
    DELETE = "DELETE FROM user_logins WHERE uid = $1";
}

/// Logins, seen through a transaction.
#[derive(Debug)]
pub struct Logins<'t>(&'t mut Tx);

impl Tx {
    /// API keys and second factors.
    pub fn logins(&mut self) -> Logins<'_> {
        Logins(self)
    }
}

/// One row, of either kind.
struct Row<'a> {
    user: UserUid,
    kind: LoginKind,
    identifier: &'a str,
    hash: Option<&'a [u8]>,
    secret: Option<&'a [u8]>,
    last_step: Option<i64>,
    description: &'a str,
    scopes: &'a [LoginScope],
    read_only: bool,
    expires_at: Option<i64>,
}

impl Logins<'_> {
    /// Keeps a new API key.
    pub async fn add_key(&mut self, clock: &dyn Clock, new: &NewApiKey) -> Result<LoginUid, StoreError> {
        let row = Row {
            user: new.user_uid,
            kind: LoginKind::ApiKey,
            identifier: &new.identifier,
            hash: Some(new.hash.as_slice()),
            secret: None,
            last_step: None,
            description: &new.description,
            scopes: &new.scopes,
            read_only: new.read_only,
            expires_at: new.expires_at,
        };
        self.insert(clock, row).await
    }

    /// Keeps a new second factor.
    pub async fn add_totp(&mut self, clock: &dyn Clock, new: &NewTotpLogin) -> Result<LoginUid, StoreError> {
        let row = Row {
            user: new.user_uid,
            kind: LoginKind::Totp,
            identifier: &new.identifier,
            hash: None,
            secret: Some(&new.secret),
            last_step: Some(new.last_step),
            description: &new.description,
            scopes: &new.scopes,
            read_only: false,
            expires_at: None,
        };
        self.insert(clock, row).await
    }

    async fn insert(&mut self, clock: &dyn Clock, row: Row<'_>) -> Result<LoginUid, StoreError> {
        let words: Vec<_> = row.scopes.iter().map(|scope| scope.name()).collect();
        let uid = LoginUid::new(clock);
        on!(self.0, db => sqlx::query(INSERT)
            .bind(row.user)
            .bind(row.kind.provider())
            .bind(row.identifier)
            .bind(row.hash)
            .bind(row.secret)
            .bind(row.last_step)
            .bind(row.description)
            .bind(row.description.to_lowercase())
            .bind(serde_json::json!(words).to_string())
            .bind(row.read_only)
            .bind(true)
            .bind(clock.now_ms())
            .bind(row.expires_at)
            .bind(uid)
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// The key with this hash, whatever its state.
    pub async fn key_by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(KEY_BY_HASH).bind(hash.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Notes that a login was used.
    pub async fn touch(&mut self, clock: &dyn Clock, id: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(TOUCH).bind(id).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// The second factors of a user that count.
    pub async fn totps(&mut self, user: UserUid) -> Result<Vec<TotpLogin>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(TOTPS).bind(user).bind(true).fetch_all(db).await?);
        Ok(rows)
    }

    /// Spends a time step of a second factor; false when it or a later one was spent before.
    pub async fn accept_step(&mut self, clock: &dyn Clock, id: i64, step: i64) -> Result<bool, StoreError> {
        let spent = on!(self.0, db => sqlx::query(ACCEPT_STEP)
            .bind(id)
            .bind(step)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(spent == 1)
    }

    /// How many a user has.
    pub async fn count(&mut self, user: UserUid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(COUNT).bind(user).fetch_one(db).await?);
        Ok(count)
    }

    /// The id of a user's login by the API's number.
    pub async fn uid(&mut self, user: UserUid, id: i64) -> Result<Option<LoginUid>, StoreError> {
        let uid = on!(self.0, db => sqlx::query_scalar(UID).bind(id).bind(user).fetch_optional(db).await?);
        Ok(uid)
    }

    /// Whether it may be used.
    pub async fn enable(&mut self, uid: LoginUid, enabled: bool) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ENABLE).bind(uid).bind(enabled).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Takes it away.
    pub async fn delete(&mut self, uid: LoginUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
