//! How long a read may take: a filter on what no index covers must not hold a connection for minutes. The database itself
//! ends the statement, so that nothing goes on behind an answer that nobody waits for.
//!
//! PostgreSQL is told with the `BEGIN` that is sent anyway. SQLite asks a handler while it works; the handler counts from
//! its own first call in a transaction, and begins anew after the rollback with which every read ends. Neither costs a
//! read anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

/// What PostgreSQL and SQLite call it when a statement was ended.
pub(super) const CODES: [&str; 2] = ["57014", "9"];
/// Of SQLite's machine, between two questions: a fraction of a millisecond.
const STEPS: i32 = 20_000;
/// Unless it is set otherwise.
const DEFAULT: Duration = Duration::from_secs(10);

/// The longest that a read may take; all connections of a store share it.
#[derive(Debug, Clone)]
pub(super) struct ReadLimit(Arc<AtomicU64>);

impl Default for ReadLimit {
    fn default() -> Self {
        let limit = Self(Arc::default());
        limit.set(DEFAULT);
        limit
    }
}

impl ReadLimit {
    /// Changes it, from the next statement on.
    pub(super) fn set(&self, limit: Duration) {
        self.0.store(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// For PostgreSQL: begins a transaction whose statements keep to it.
    pub(super) fn begin(&self) -> String {
        format!("BEGIN; SET LOCAL statement_timeout = {}", self.milliseconds())
    }

    /// For SQLite: has a new connection keep to it.
    pub(super) async fn watch(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let (limit, begun) = (self.clone(), Arc::new(Mutex::new(None::<Instant>)));
        let ended = Arc::clone(&begun);
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, move || {
            let begun = *locked(&begun).get_or_insert_with(Instant::now);
            begun.elapsed() < Duration::from_millis(limit.milliseconds())
        });
        handle.set_rollback_hook(move || *locked(&ended) = None);
        Ok(())
    }
}

fn locked(begun: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use crate::store::{Connection, Store, StoreError, Tx};

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    const LONG: &str =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50000) SELECT count(*) FROM n";

    async fn count(tx: &mut Tx, text: &'static str) -> Result<i64, StoreError> {
        let Connection::Sqlite(transaction) = &mut tx.connection else { panic!("SQLite") };
        Ok(sqlx::query_scalar(text).fetch_one(&mut **transaction).await?)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_that_takes_too_long_is_ended_and_the_next_has_all_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keelson.db").display());
        let store = Store::open(&url).await.unwrap();
        store.limit_reads(Duration::from_millis(300));
        for round in 0..8 {
            let mut tx = store.read().await.unwrap();
            let begun = Instant::now();
            assert!(matches!(count(&mut tx, ENDLESS).await, Err(StoreError::Slow { .. })), "{round}");
            assert!(begun.elapsed() >= Duration::from_millis(290), "{round}: {:?}", begun.elapsed());
            drop(tx);
        }
        // Between them, reads that are long enough to be asked after, on the same connections.
        for _ in 0..40 {
            let mut tx = store.read().await.unwrap();
            assert_eq!(count(&mut tx, LONG).await.unwrap(), 50_000);
            tokio::time::sleep(Duration::from_millis(20)).await;
            tx.commit().await.unwrap();
        }
    }
}
