//! The tokens that a sign-in gives, and what a mail or a first step of a sign-in hands out. Only hashes are kept.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{TokenUid, UserUid};
use crate::model::{NewToken, Session, Token, TokenKind, User};

statements! {
    INSERT = "INSERT INTO tokens (uid, family, user_uid, kind, hash, created_at, expires_at, login_id, actor_uid, read_only) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_HASH = "SELECT uid, family, user_uid, kind, hash, created_at, expires_at, used_at, revoked_at, login_id, \
        actor_uid, read_only FROM tokens WHERE hash = $1";
    USE = "UPDATE tokens SET used_at = $2 WHERE uid = $1 AND used_at IS NULL AND revoked_at IS NULL";
    TRY = "UPDATE tokens SET tries = tries + 1 \
        WHERE uid = $1 AND tries < $2 AND used_at IS NULL AND revoked_at IS NULL";
    REVOKE_FAMILY = "UPDATE tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL";
    REVOKE_USER = "UPDATE tokens SET revoked_at = $2 WHERE (user_uid = $1 OR actor_uid = $1) AND revoked_at IS NULL";
    // Of whoever acts for others the tokens are the others', and the login is their own.
    REVOKE_LOGIN = "UPDATE tokens SET revoked_at = $3 WHERE (user_uid = $1 OR actor_uid = $1) AND login_id = $2 \
        AND revoked_at IS NULL";
    REVOKE_KIND = "UPDATE tokens SET revoked_at = $3 WHERE user_uid = $1 AND kind = $2 AND revoked_at IS NULL";
    DELETE_USER = "DELETE FROM tokens WHERE user_uid = $1 OR actor_uid = $1";
    DELETE_EXPIRED = "DELETE FROM tokens WHERE expires_at < $1";
    SIGNED_IN = "SELECT u.uid, u.organization_uid, u.name, u.role, u.password_hash, u.enabled, u.created_at, \
        t.login_id, t.actor_uid, t.read_only \
        FROM tokens t JOIN users u ON u.uid = t.user_uid \
        WHERE t.hash = $1 AND t.kind = $2 AND t.expires_at > $3 AND t.revoked_at IS NULL";
}

/// Somebody with a token that is still good.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SignedIn {
    /// Whose it is.
    #[sqlx(flatten)]
    pub user: User,
    login_id: Option<i64>,
    actor_uid: Option<UserUid>,
    read_only: bool,
}

impl SignedIn {
    /// What holds for all tokens of the sign-in.
    pub fn session(&self) -> Session {
        Session { login_id: self.login_id, actor_uid: self.actor_uid, read_only: self.read_only }
    }
}

/// Tokens, seen through a transaction.
#[derive(Debug)]
pub struct Credentials<'t>(pub(super) &'t mut Tx);

impl Credentials<'_> {
    /// Keeps a token.
    pub async fn add_token(&mut self, clock: &dyn Clock, new: &NewToken) -> Result<(), StoreError> {
        let now = clock.now_ms();
        on!(self.0, db => sqlx::query(INSERT)
            .bind(TokenUid::new(clock))
            .bind(new.family)
            .bind(new.user_uid)
            .bind(new.kind.name())
            .bind(new.hash.as_slice())
            .bind(now)
            .bind(now.saturating_add(new.lifetime))
            .bind(new.session.login_id)
            .bind(new.session.actor_uid)
            .bind(new.session.read_only)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The token with this hash, whatever its state.
    pub async fn token_by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(BY_HASH).bind(hash.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Who has this token, if it is still good.
    pub async fn signed_in(
        &mut self,
        clock: &dyn Clock,
        hash: &[u8; 32],
        kind: TokenKind,
    ) -> Result<Option<SignedIn>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(SIGNED_IN)
            .bind(hash.as_slice())
            .bind(kind.name())
            .bind(clock.now_ms())
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// Spends a token that is good for once; false when it was spent before: of refresh tokens, only a thief or a broken
    /// client tries that.
    pub async fn use_token(&mut self, clock: &dyn Clock, uid: TokenUid) -> Result<bool, StoreError> {
        let spent = on!(self.0, db => sqlx::query(USE).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(spent == 1)
    }

    /// Spends one of `limit` tries; false when there is none left.
    pub async fn try_token(&mut self, uid: TokenUid, limit: i64) -> Result<bool, StoreError> {
        let left =
            on!(self.0, db => sqlx::query(TRY).bind(uid).bind(limit).execute(db).await?.rows_affected());
        Ok(left == 1)
    }

    /// Takes back all tokens of one sign-in.
    pub async fn revoke_family(&mut self, clock: &dyn Clock, family: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REVOKE_FAMILY).bind(family).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Takes back all tokens of a user, and those with which they act for others; how many.
    pub async fn revoke_user(&mut self, clock: &dyn Clock, user: UserUid) -> Result<u64, StoreError> {
        let gone = on!(self.0, db => sqlx::query(REVOKE_USER).bind(user).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(gone)
    }

    /// Takes back the tokens of a user that a login helped to get, and those with which they act for others; how many.
    pub async fn revoke_login(
        &mut self,
        clock: &dyn Clock,
        user: UserUid,
        login: i64,
    ) -> Result<u64, StoreError> {
        let gone = on!(self.0, db => sqlx::query(REVOKE_LOGIN)
            .bind(user)
            .bind(login)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(gone)
    }

    /// Takes back a user's tokens of one kind: the former mail, when there is a new one.
    pub async fn revoke_kind(
        &mut self,
        clock: &dyn Clock,
        user: UserUid,
        kind: TokenKind,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REVOKE_KIND)
            .bind(user)
            .bind(kind.name())
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets all tokens of a user who goes.
    pub async fn delete_user(&mut self, user: UserUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE_USER).bind(user).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Forgets tokens that expired before `instant`.
    pub async fn delete_expired(&mut self, instant: i64) -> Result<u64, StoreError> {
        let gone =
            on!(self.0, db => sqlx::query(DELETE_EXPIRED).bind(instant).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
