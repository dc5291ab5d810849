//! The point of no return: until the first commit, what a request does can be undone by dropping it; after it, not.
//!
//! Whoever runs a request that others may cancel puts a [`CommitPoint`] around it. [`Tx::commit`](super::Tx::commit) passes
//! it, and notes in the same transaction that the change is in effect: whoever finds the row after a crash knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::{StoreError, Tx};
use crate::model::ActionKey;

const OPEN: u8 = 0;
const PASSED: u8 = 1;
const CLOSED: u8 = 2;

tokio::task_local! {
    static POINT: Arc<CommitPoint>;
}

/// Where one request stands: not committed, committed, or never to be committed.
#[derive(Debug)]
pub struct CommitPoint {
    key: ActionKey,
    /// Whether the request has a row.
    remembered: AtomicBool,
    state: AtomicU8,
    /// Whether a commit came too late.
    refused: AtomicBool,
}

impl CommitPoint {
    /// In front of the first commit of this request; `remembered`: it has a row.
    pub fn new(key: ActionKey, remembered: bool) -> Arc<Self> {
        let (remembered, refused) = (AtomicBool::new(remembered), AtomicBool::new(false));
        Arc::new(Self { key, remembered, state: AtomicU8::new(OPEN), refused })
    }

    /// Runs `work` so that its commits pass here.
    pub async fn around<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        POINT.scope(self, work).await
    }

    /// From now on the request has a row.
    pub fn remember(&self) {
        self.remembered.store(true, Ordering::SeqCst);
    }

    /// Forbids the commit; false when it is too late for that.
    pub fn close(&self) -> bool {
        let closed = self.state.compare_exchange(OPEN, CLOSED, Ordering::SeqCst, Ordering::SeqCst);
        closed.is_ok() || closed == Err(CLOSED)
    }

    /// Whether something was committed.
    pub fn is_passed(&self) -> bool {
        self.state.load(Ordering::SeqCst) == PASSED
    }

    /// Whether a commit came after it had been forbidden.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::SeqCst)
    }

    fn pass(&self) -> Result<(), StoreError> {
        match self.state.compare_exchange(OPEN, PASSED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) | Err(PASSED) => Ok(()),
            Err(_) => {
                self.refused.store(true, Ordering::SeqCst);
                Err(StoreError::Canceled)
            }
        }
    }
}

/// Passes the point of the request that this task works on, if there is one.
pub(super) async fn pass(tx: &mut Tx) -> Result<(), StoreError> {
    let Ok(point) = POINT.try_with(Arc::clone) else { return Ok(()) };
    point.pass()?;
    if point.remembered.load(Ordering::SeqCst) {
        tx.actions().take_effect(point.key).await?;
    }
    Ok(())
}
