//! What callers prove themselves with: API keys, and the tokens that a sign-in gives. Only hashes are kept.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{TokenUid, UserUid};
use crate::model::{ApiKey, NewApiKey, Token, TokenKind, User};

statements! {
    INSERT_KEY = "INSERT INTO api_keys (user_uid, hash, description, read_only, enabled, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    KEY_BY_HASH = "SELECT id, user_uid, description, read_only, enabled, created_at, expires_at, last_used_at \
        FROM api_keys WHERE hash = $1";
    TOUCH_KEY = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND coalesce(last_used_at, 0) < $2";
    INSERT_TOKEN = "INSERT INTO tokens (uid, family, user_uid, kind, hash, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TOKEN_BY_HASH = "SELECT uid, family, user_uid, kind, hash, created_at, expires_at, used_at, revoked_at \
        FROM tokens WHERE hash = $1";
    USE_TOKEN = "UPDATE tokens SET used_at = $2 WHERE uid = $1 AND used_at IS NULL AND revoked_at IS NULL";
    REVOKE_FAMILY = "UPDATE tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL";
    DELETE_EXPIRED = "DELETE FROM tokens WHERE expires_at < $1";
    USER_OF_TOKEN = "SELECT u.uid, u.organization_uid, u.name, u.role, u.password_hash, u.enabled, u.created_at \
        FROM tokens t JOIN users u ON u.uid = t.user_uid \
        WHERE t.hash = $1 AND t.kind = $2 AND t.expires_at > $3 AND t.revoked_at IS NULL";
}

/// Credentials, seen through a transaction.
#[derive(Debug)]
pub struct Credentials<'t>(pub(super) &'t mut Tx);

impl Credentials<'_> {
    /// Keeps a new API key; its number.
    pub async fn add_key(&mut self, clock: &dyn Clock, new: &NewApiKey) -> Result<i64, StoreError> {
        let id = on!(self.0, db => sqlx::query_scalar(INSERT_KEY)
            .bind(new.user_uid)
            .bind(new.hash.as_slice())
            .bind(&new.description)
            .bind(new.read_only)
            .bind(true)
            .bind(clock.now_ms())
            .bind(new.expires_at)
            .fetch_one(db)
            .await?);
        Ok(id)
    }

    /// The key with this hash, whatever its state.
    pub async fn key_by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(KEY_BY_HASH).bind(hash.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Notes that a key was used.
    pub async fn touch_key(&mut self, clock: &dyn Clock, id: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(TOUCH_KEY).bind(id).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Keeps a token that is good for `lifetime` milliseconds.
    pub async fn add_token(
        &mut self,
        clock: &dyn Clock,
        user: UserUid,
        family: Uuid,
        kind: TokenKind,
        secret: (&[u8; 32], i64),
    ) -> Result<(), StoreError> {
        let (hash, lifetime) = secret;
        let now = clock.now_ms();
        on!(self.0, db => sqlx::query(INSERT_TOKEN)
            .bind(TokenUid::new(clock))
            .bind(family)
            .bind(user)
            .bind(kind.name())
            .bind(hash.as_slice())
            .bind(now)
            .bind(now.saturating_add(lifetime))
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The token with this hash, whatever its state.
    pub async fn token_by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(TOKEN_BY_HASH).bind(hash.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Whose token this is, if it is still good.
    pub async fn user_of_token(
        &mut self,
        clock: &dyn Clock,
        hash: &[u8; 32],
        kind: TokenKind,
    ) -> Result<Option<User>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(USER_OF_TOKEN)
            .bind(hash.as_slice())
            .bind(kind.name())
            .bind(clock.now_ms())
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// Spends a refresh token; false when it was spent before, which only a thief or a broken client does.
    pub async fn use_token(&mut self, clock: &dyn Clock, uid: TokenUid) -> Result<bool, StoreError> {
        let spent = on!(self.0, db => sqlx::query(USE_TOKEN).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(spent == 1)
    }

    /// Takes back all tokens of one sign-in.
    pub async fn revoke_family(&mut self, clock: &dyn Clock, family: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REVOKE_FAMILY).bind(family).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Forgets tokens that expired before `instant`.
    pub async fn delete_expired(&mut self, instant: i64) -> Result<u64, StoreError> {
        let gone =
            on!(self.0, db => sqlx::query(DELETE_EXPIRED).bind(instant).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
