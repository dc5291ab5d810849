//! Requests that are remembered: for their repeats, and for clients that ask how they are.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::UserUid;
use crate::model::{Action, ActionKey, ActionStatus, NewAction};

statements! {
    FORGET_EXPIRED = "DELETE FROM async_actions WHERE user_uid = $1 AND id = $2 AND expires_at <= $3";
    INSERT = "INSERT INTO async_actions (user_uid, id, operation, query, body, fingerprint, status, committed, created_at, \
        lease_until) VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9) ON CONFLICT (user_uid, id) DO NOTHING";
    GET = "SELECT user_uid, id, operation, query, body, fingerprint, status, committed, answer FROM async_actions \
        WHERE user_uid = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)";
    LIST = "SELECT user_uid, id, operation, query, body, fingerprint, status, committed, answer FROM async_actions \
        WHERE user_uid = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id LIMIT 500";
    COMMIT = "UPDATE async_actions SET committed = $3 WHERE user_uid = $1 AND id = $2";
    END = "UPDATE async_actions SET status = $3, answer = $4, expires_at = $5 \
        WHERE user_uid = $1 AND id = $2 AND expires_at IS NULL";
    FORGET = "DELETE FROM async_actions WHERE user_uid = $1 AND id = $2";
    RENEW = "UPDATE async_actions SET lease_until = $3 WHERE user_uid = $1 AND id = $2 AND expires_at IS NULL";
    LOST = "SELECT user_uid, id, operation, query, body, fingerprint, status, committed, answer FROM async_actions \
        WHERE expires_at IS NULL AND lease_until < $1 LIMIT 1000";
    HAS_EXPIRED = "SELECT EXISTS (SELECT 1 FROM async_actions WHERE expires_at <= $1)";
    PRUNE = "DELETE FROM async_actions WHERE expires_at <= $1";
}

/// Remembered requests, seen through a transaction.
#[derive(Debug)]
pub struct Actions<'t>(&'t mut Tx);

impl Tx {
    /// Requests that are remembered.
    pub fn actions(&mut self) -> Actions<'_> {
        Actions(self)
    }
}

impl Actions<'_> {
    /// Remembers a request that begins; false when one is remembered under its id already.
    pub async fn begin(
        &mut self,
        clock: &dyn Clock,
        new: &NewAction,
        lease: i64,
    ) -> Result<bool, StoreError> {
        let (key, now) = (new.key, clock.now_ms());
        on!(self.0, db => sqlx::query(FORGET_EXPIRED).bind(key.user).bind(key.id).bind(now).execute(db).await?.rows_affected());
        let inserted = on!(self.0, db => sqlx::query(INSERT)
            .bind(key.user)
            .bind(key.id)
            .bind(new.operation)
            .bind(&new.query)
            .bind(new.body.as_deref())
            .bind(new.fingerprint.as_slice())
            .bind(false)
            .bind(now)
            .bind(now.saturating_add(lease))
            .execute(db)
            .await?
            .rows_affected());
        Ok(inserted == 1)
    }

    /// One request.
    pub async fn get(&mut self, clock: &dyn Clock, key: ActionKey) -> Result<Option<Action>, StoreError> {
        let now = clock.now_ms();
        let row = on!(self.0, db => sqlx::query_as(GET).bind(key.user).bind(key.id).bind(now).fetch_optional(db).await?);
        Ok(row)
    }

    /// All requests of one user, the latest first.
    pub async fn of_user(&mut self, clock: &dyn Clock, user: UserUid) -> Result<Vec<Action>, StoreError> {
        let rows =
            on!(self.0, db => sqlx::query_as(LIST).bind(user).bind(clock.now_ms()).fetch_all(db).await?);
        Ok(rows)
    }

    /// The change of this request takes effect with this transaction.
    pub async fn take_effect(&mut self, key: ActionKey) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(COMMIT).bind(key.user).bind(key.id).bind(true).execute(db).await?.rows_affected());
        Ok(())
    }

    /// The request has ended; it is forgotten at `expires_at`.
    pub async fn end(
        &mut self,
        key: ActionKey,
        status: ActionStatus,
        answer: Option<&[u8]>,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(END)
            .bind(key.user)
            .bind(key.id)
            .bind(status.name())
            .bind(answer)
            .bind(expires_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// As if it had never been asked.
    pub async fn forget(&mut self, key: ActionKey) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(FORGET).bind(key.user).bind(key.id).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Somebody still works on it.
    pub async fn renew(&mut self, key: ActionKey, lease_until: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(RENEW).bind(key.user).bind(key.id).bind(lease_until).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Those that run, it says, and that nobody works on.
    pub async fn lost(&mut self, clock: &dyn Clock) -> Result<Vec<Action>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(LOST).bind(clock.now_ms()).fetch_all(db).await?);
        Ok(rows)
    }

    /// Whether some are to be forgotten.
    pub async fn has_expired(&mut self, clock: &dyn Clock) -> Result<bool, StoreError> {
        let some: bool =
            on!(self.0, db => sqlx::query_scalar(HAS_EXPIRED).bind(clock.now_ms()).fetch_one(db).await?);
        Ok(some)
    }

    /// Forgets those whose time is over.
    pub async fn prune(&mut self, clock: &dyn Clock) -> Result<u64, StoreError> {
        let gone =
            on!(self.0, db => sqlx::query(PRUNE).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
