//! Join tokens: what an agent is enrolled with.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, JoinTokenUid, LocationUid};
use crate::model::{Door, JoinToken};

statements! {
    INSERT = "INSERT INTO join_tokens (uid, company_uid, location_uid, account_uid, hash, door, uses_left, created_at, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    BY_HASH = "SELECT uid, company_uid, location_uid, account_uid, door, uses_left, expires_at FROM join_tokens WHERE hash = $1";
    REVOKE = "UPDATE join_tokens SET uses_left = 0 WHERE company_uid = $1 AND uses_left > 0 AND expires_at > $2";
    FROZEN = "SELECT 1 FROM join_tokens WHERE uid = $1 AND frozen_at IS NOT NULL";
    FREEZE = "UPDATE join_tokens SET frozen_at = $2 WHERE uid = $1 AND frozen_at IS NULL";
    USE = "UPDATE join_tokens SET uses_left = uses_left - 1 WHERE uid = $1 AND uses_left > 0 AND expires_at > $2";
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewJoinToken {
    /// For whose agents.
    pub company_uid: CompanyUid,
    /// Where they stand.
    pub location_uid: LocationUid,
    /// The user or the cloud tenant in whose name they connect.
    pub account_uid: Option<uuid::Uuid>,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// Which door they come through.
    pub door: Door,
    /// How many of them.
    pub uses: u32,
    /// Unix milliseconds.
    pub expires_at: i64,
}

/// Join tokens, seen through a transaction.
#[derive(Debug)]
pub struct JoinTokens<'t>(pub(super) &'t mut Tx);

impl JoinTokens<'_> {
    /// Keeps a new token.
    pub async fn create(
        &mut self,
        clock: &dyn Clock,
        new: &NewJoinToken,
    ) -> Result<JoinTokenUid, StoreError> {
        let uid = JoinTokenUid::new(clock);
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(new.company_uid)
            .bind(new.location_uid)
            .bind(new.account_uid)
            .bind(new.hash.as_slice())
            .bind(new.door.name())
            .bind(i64::from(new.uses))
            .bind(clock.now_ms())
            .bind(new.expires_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// The token with this hash, whatever its state.
    pub async fn by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<JoinToken>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(BY_HASH).bind(hash.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// Takes all uses that a company's tokens have left; of how many tokens.
    pub async fn revoke(&mut self, clock: &dyn Clock, company: CompanyUid) -> Result<u64, StoreError> {
        let revoked = on!(self.0, db => sqlx::query(REVOKE).bind(company).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(revoked)
    }

    /// Whether nothing is noted of a token any more.
    pub async fn is_frozen(&mut self, uid: JoinTokenUid) -> Result<bool, StoreError> {
        let row: Option<(i32,)> =
            on!(self.0, db => sqlx::query_as(FROZEN).bind(uid).fetch_optional(db).await?);
        Ok(row.is_some())
    }

    /// Has nothing be noted any more of a token that is over and still tried; false when it was so before.
    pub async fn freeze(&mut self, clock: &dyn Clock, uid: JoinTokenUid) -> Result<bool, StoreError> {
        let frozen = on!(self.0, db => sqlx::query(FREEZE).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(frozen == 1)
    }

    /// Takes one use; false when none is left or its time is over.
    pub async fn take_use(&mut self, clock: &dyn Clock, uid: JoinTokenUid) -> Result<bool, StoreError> {
        let taken = on!(self.0, db => sqlx::query(USE).bind(uid).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(taken == 1)
    }
}
