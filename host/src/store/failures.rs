//! Failures that make guessing slow. A row counts for one subject (a name from an address, an address, a user's second
//! factor) and outlives a restart. What the subjects are and how long they wait is decided in `api/token/lockout.rs`.

use super::{StoreError, Tx, on, statements};

statements! {
    GET = "SELECT count, last_at FROM sign_in_failures WHERE subject = $1";
    // `$3`: older failures are forgotten, and so are those of a future that a clock was set back from.
    CHARGE = "INSERT INTO sign_in_failures (subject, count, last_at) VALUES ($1, 1, $2) \
        ON CONFLICT (subject) DO UPDATE SET last_at = excluded.last_at, \
        count = CASE WHEN sign_in_failures.last_at < $3 OR sign_in_failures.last_at > $2 THEN 1 \
        ELSE sign_in_failures.count + 1 END \
        RETURNING count";
    FORGIVE = "DELETE FROM sign_in_failures WHERE subject = $1";
    // The instant goes back too, unless somebody else failed after it.
    DISCHARGE = "UPDATE sign_in_failures SET count = count - 1, last_at = CASE WHEN last_at = $2 THEN $3 ELSE last_at END \
        WHERE subject = $1 AND count > 0";
    SWEEP = "DELETE FROM sign_in_failures WHERE last_at < $1";
}

/// What is known of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct FailureCount {
    /// Failures in a row.
    pub count: i64,
    /// Unix milliseconds of the last one.
    pub last_at: i64,
}

/// Failures, seen through a transaction.
#[derive(Debug)]
pub struct Failures<'t>(&'t mut Tx);

impl Tx {
    /// Failed sign-ins.
    pub fn failures(&mut self) -> Failures<'_> {
        Failures(self)
    }
}

impl Failures<'_> {
    /// How often `subject` failed.
    pub async fn get(&mut self, subject: &[u8; 32]) -> Result<Option<FailureCount>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(subject.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// One more at `now`, those before `since` forgotten; how many there are now.
    pub async fn charge(&mut self, subject: &[u8; 32], now: i64, since: i64) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(CHARGE)
            .bind(subject.as_slice())
            .bind(now)
            .bind(since)
            .fetch_one(db)
            .await?);
        Ok(count)
    }

    /// None any more.
    pub async fn forgive(&mut self, subject: &[u8; 32]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(FORGIVE).bind(subject.as_slice()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// One less: it was charged at `at`, and then was none. The one before it was at `before`, and any wait counts from
    /// there.
    pub async fn discharge(&mut self, subject: &[u8; 32], at: i64, before: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DISCHARGE)
            .bind(subject.as_slice())
            .bind(at)
            .bind(before)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets all subjects that did not fail since `instant`.
    pub async fn sweep(&mut self, instant: i64) -> Result<u64, StoreError> {
        let gone = on!(self.0, db => sqlx::query(SWEEP).bind(instant).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
