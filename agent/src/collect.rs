//! The collector: asks the driver, spools the difference.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::clock::SharedClock;
use crate::driver::{Driver, DriverError};
use crate::error::chain;
use crate::inventory::{Inventory, addition};
use crate::session::{Collected, Shared};
use crate::spool::{Appended, SpoolError};

#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: SharedClock,
    pub(crate) interval: Duration,
    pub(crate) stop: CancellationToken,
}

/// Why this round brought nothing. What is known stays as it is: nothing is gone because the engine failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// The engine.
    #[error("the backup engine could not be read, nothing is reported this time")]
    Driver(#[source] DriverError),
    /// The spool.
    #[error("what was found cannot be spooled, it is found again next time")]
    Spool(#[from] SpoolError),
}

impl Collector {
    /// Collects at every interval, and at once when an epoch has begun. Ends with an error when the spool is damaged.
    pub(crate) async fn keep(&self) -> Result<(), SpoolError> {
        let mut spooled = false;
        // An epoch that a run of before began, and filled with nothing.
        if self.shared.spool.position().await.is_ok_and(|position| position.last == 0) {
            self.shared.has_begun.store(true, Ordering::SeqCst);
        }
        while !self.stop.is_cancelled() {
            if spooled {
                self.tell_delivered().await?;
            }
            let round = tokio::select! {
                biased;
                round = self.round() => round,
                () = self.stop.cancelled() => break,
            };
            spooled = round.is_ok();
            match round {
                Ok(_) => {}
                Err(CollectError::Spool(error)) if error.is_corrupt() => return Err(error),
                Err(error) => self.log(&error),
            }
            tokio::select! {
                biased;
                () = self.shared.collect.notified() => {}
                () = tokio::time::sleep(self.interval) => {}
                () = self.stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Tells the driver if the host has acknowledged all that the last round spooled.
    async fn tell_delivered(&self) -> Result<(), SpoolError> {
        match self.shared.spool.position().await {
            // An epoch that has just begun has no batch yet, and nothing of it was delivered.
            Ok(position) if position.last > 0 && position.acknowledged == position.last => {
                self.driver.delivered();
            }
            Err(error) if error.is_corrupt() => return Err(error),
            _ => {}
        }
        Ok(())
    }

    fn log(&self, error: &CollectError) {
        warn!(driver = self.driver.kind(), "{}", chain(error));
    }

    /// One collection: the number of records that were spooled.
    pub(crate) async fn round(&self) -> Result<usize, CollectError> {
        let records = match self.collect().await {
            Ok(records) => records,
            Err(error) => {
                let failure = Some(chain(&error));
                self.shared.collected.send_modify(|collected| collected.failure = failure);
                return Err(error);
            }
        };
        let epoch = self.shared.spool.position().await?.epoch;
        self.shared.collected.send_replace(Collected { epoch, failure: None });
        debug!(records, "collected");
        if records > 0 {
            self.shared.grown.notify_one();
        }
        Ok(records)
    }

    async fn collect(&self) -> Result<usize, CollectError> {
        if self.shared.has_begun.swap(false, Ordering::SeqCst) {
            self.driver.lost();
        }
        let inventory = self.driver.collect().await.map_err(CollectError::Driver)?;
        Ok(self.spool(&inventory).await?)
    }

    async fn spool(&self, inventory: &Inventory) -> Result<usize, SpoolError> {
        let spool = &self.shared.spool;
        loop {
            let known = spool.known().await?;
            let reason = match addition(&known, inventory) {
                Some(addition) if addition.batches.is_empty() => return Ok(0),
                Some(addition) => match spool.append(known.epoch, &addition).await? {
                    Appended::Stored => return Ok(addition.records()),
                    Appended::Superseded => continue,
                    Appended::Full => "the spool is full, it is compacted to the latest state",
                },
                None => {
                    "another backup server stands where the known one stood, or most of its workloads are gone"
                }
            };
            let epoch = self.shared.begin_epoch(known.epoch, None, self.clock.as_ref()).await?;
            info!(epoch, "a new epoch with the full inventory begins: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use keelson_proto::v1::record::Kind;

    use super::*;
    use crate::clock::SystemClock;
    use crate::spool;
    use crate::testing::{Scripted, inventory, limits};

    fn collector(driver: &Arc<Scripted>, limit: u64) -> Collector {
        let clock: SharedClock = Arc::new(SystemClock);
        Collector {
            driver: Arc::<Scripted>::clone(driver),
            shared: Arc::new(Shared::new(spool::memory(limits(limit), clock.as_ref()))),
            clock,
            interval: Duration::from_mins(1),
            stop: CancellationToken::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_driver_hears_that_its_findings_are_delivered_when_all_of_them_are_acknowledged() {
        let driver = Arc::new(Scripted::new(Some(inventory("s", &[("a", 3)]))));
        let collector = collector(&driver, 1 << 20);
        let (shared, stop) = (Arc::clone(&collector.shared), collector.stop.clone());
        let mut collected = shared.collected.subscribe();
        let keeping = tokio::spawn(async move { collector.keep().await });
        let mut round = async || {
            shared.collect.notify_one();
            collected.changed().await.unwrap();
        };
        round().await;
        round().await;
        assert_eq!(driver.delivered_count(), 0, "it waits for the host");
        let epoch = shared.spool.position().await.unwrap().epoch;
        shared.spool.acknowledge(epoch, 1, &SystemClock).await.unwrap();
        round().await;
        assert_eq!(driver.delivered_count(), 1);
        shared.spool.begin_epoch(epoch, None, &SystemClock).await.unwrap();
        round().await;
        round().await;
        assert_eq!(driver.delivered_count(), 1, "nothing of the new epoch was acknowledged");
        stop.cancel();
        keeping.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_full_spool_is_compacted_to_the_latest_state_in_a_new_epoch() {
        let driver = Arc::new(Scripted::new(None));
        let collector = collector(&driver, 10_000);
        let spool = &collector.shared.spool;
        let first = spool.position().await.unwrap().epoch;
        let mut points = 0;
        while spool.position().await.unwrap().epoch == first {
            points += 10;
            assert!(points < 10_000, "the spool grows without bound");
            driver.set(Some(inventory("s", &[("a", points)])));
            collector.round().await.unwrap();
        }
        let position = spool.position().await.unwrap();
        assert_eq!((position.acknowledged, position.last), (0, 1), "one batch holds it all");
        let records = spool.read(position.epoch, 0, 9).await.unwrap().remove(0).records;
        assert_eq!(records.len(), usize::try_from(points).unwrap() + 3);
        assert!(matches!(records.last().unwrap().kind, Some(Kind::InventoryComplete(_))));
        assert_eq!(collector.round().await.unwrap(), 0, "nothing has changed since");
    }
}
