//! How many calls run and wait at once. A full queue answers `busy`; it never hangs. The pool of instances is an error
//! when it is exhausted and not a wait, so this stands in front of it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Refusal;

/// The right to run; gone when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    _place: OwnedSemaphorePermit,
    _permit: OwnedSemaphorePermit,
}

/// So many run, so many more wait.
#[derive(Debug)]
pub(super) struct Gate {
    running: usize,
    waiting: usize,
    /// For those that run or wait.
    places: Arc<Semaphore>,
    /// For those that run.
    permits: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let places = Arc::new(Semaphore::new(running + waiting));
        Self { running, waiting, places, permits: Arc::new(Semaphore::new(running)) }
    }

    /// Waits for its turn, if there is a place to wait.
    pub(super) async fn enter(&self) -> Result<Pass, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| self.busy())?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Refusal::Stopping)?;
        Ok(Pass { _place: place, _permit: permit })
    }

    pub(super) fn busy(&self) -> Refusal {
        Refusal::Busy { running: self.running, waiting: self.waiting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_says_busy_and_a_place_comes_back() {
        let gate = Arc::new(Gate::new(1, 1));
        let first = gate.enter().await.unwrap();
        let waiting = Arc::clone(&gate);
        let second = tokio::spawn(async move { waiting.enter().await });
        while gate.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.enter().await.unwrap_err(), Refusal::Busy { running: 1, waiting: 1 });
        drop(first);
        drop(second.await.unwrap().unwrap());
        gate.enter().await.unwrap();
    }
}
