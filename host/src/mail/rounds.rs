//! What is due goes out: organisations side by side, each one's mails in turn.

use std::collections::HashSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{MailError, Mailer};
use crate::clock::{DAY, HOUR, MINUTE};
use crate::error::chain;
use crate::id;
use crate::model::LeasedMail;
use crate::store::{MailLease, StoreError};

/// How often time is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Organisations whose mails go out at once.
const AT_ONCE: usize = 8;
/// Mails of one organisation before it is another's turn.
const IN_TURN: usize = 20;
/// How long a delivery may take in all; what takes longer is tried again.
const DELIVERY: Duration = Duration::from_mins(15);
/// For how long a mail belongs to whoever took it; longer than any delivery.
const LEASE: i64 = 20 * MINUTE;
/// The longest wait between two attempts.
const LONGEST_WAIT: i64 = 2 * HOUR;
/// For how long it is known what became of a mail.
const MEMORY: i64 = 30 * DAY;
/// How long a stop waits for mails that are on their way.
const FAREWELL: Duration = Duration::from_secs(10);

impl Mailer {
    /// Runs until `stopping`; what is on its way then gets a moment to arrive.
    pub async fn run(self, stopping: CancellationToken) {
        let mut busy: HashSet<Uuid> = HashSet::new();
        let mut rounds: JoinSet<Uuid> = JoinSet::new();
        let mut forget_at = 0;
        while !stopping.is_cancelled() {
            for organization in self.due().await {
                if rounds.len() < AT_ONCE && busy.insert(organization) {
                    let (mailer, stopping) = (self.clone(), stopping.clone());
                    rounds.spawn(async move {
                        mailer.round(organization, &stopping).await;
                        organization
                    });
                }
            }
            self.forget(&mut forget_at).await;
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(TICK) => {}
                Some(done) = rounds.join_next() => match done {
                    Ok(organization) => { busy.remove(&organization); }
                    // Which one it was is not known: nobody else is under way by that name for longer than its lease.
                    Err(error) => { tracing::error!(%error, "mail.rounds: a round broke off"); busy.clear(); }
                },
            }
        }
        let farewell = async { while rounds.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!(
                "mail.rounds: a mail is still on its way; it is tried again when its lease is over"
            );
        }
    }

    async fn due(&self) -> Vec<Uuid> {
        let found = async { self.0.store.read().await?.mails().due(self.0.clock.now_ms()).await };
        found.await.unwrap_or_else(|error: StoreError| {
            tracing::warn!(error = %chain(&error), "mail.rounds: cannot see what is due; trying again");
            Vec::new()
        })
    }

    async fn forget(&self, at: &mut i64) {
        let now = self.0.clock.now_ms();
        if now < *at {
            return;
        }
        *at = now.saturating_add(HOUR);
        let forgotten = async {
            let mut tx = self.0.store.write().await?;
            let gone = tx.mails().forget(now.saturating_sub(MEMORY)).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(gone)
        };
        match forgotten.await {
            Ok(gone) => tracing::debug!(gone, "mail.rounds: forgot old mails"),
            Err(error) => tracing::warn!(error = %chain(&error), "mail.rounds: cannot forget old mails"),
        }
    }

    /// One organisation's turn.
    async fn round(&self, organization: Uuid, stopping: &CancellationToken) {
        for _ in 0..IN_TURN {
            if stopping.is_cancelled() {
                return;
            }
            match self.one(organization).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "mail.rounds: the queue does not answer; trying again");
                    return;
                }
            }
        }
    }

    /// Sends the organisation's next mail; whether to go on.
    async fn one(&self, organization: Uuid) -> Result<bool, StoreError> {
        let mut tx = self.0.store.write().await?;
        let until = self.0.clock.now_ms().saturating_add(LEASE);
        let taken = tx.mails().take(&*self.0.clock, organization, until).await?;
        tx.commit().await?;
        let Some((mail, lease)) = taken else { return Ok(false) };
        let late = MailError::Silent { during: "the mail was delivered", seconds: DELIVERY.as_secs() };
        let outcome = if mail.attempts > mail.max_attempts {
            // Whoever had the last attempt did not live to say how it ended.
            Err(MailError::Message("the host stopped during the last attempt".to_owned()))
        } else {
            tokio::time::timeout(DELIVERY, self.deliver(&mail)).await.unwrap_or(Err(late))
        };
        self.settle(&mail, lease, outcome).await
    }

    async fn settle(
        &self,
        mail: &LeasedMail,
        lease: MailLease,
        outcome: Result<(), MailError>,
    ) -> Result<bool, StoreError> {
        let now = self.0.clock.now_ms();
        let mut tx = self.0.store.write().await?;
        let Err(error) = outcome else {
            tx.mails().sent(lease, now).await?;
            tx.commit().await?;
            return Ok(true);
        };
        let why = chain(&error);
        let dead = error.is_final() || mail.attempts >= mail.max_attempts;
        if dead {
            tracing::warn!(mail = %mail.uid, error = %why, "mail.rounds: given up");
            tx.mails().dead(lease, now, &why).await?;
        } else {
            let due_at = now.saturating_add(self.wait(mail.attempts));
            tracing::info!(mail = %mail.uid, attempts = mail.attempts, error = %why, "mail.rounds: trying again later");
            tx.mails().later(lease, due_at, &why).await?;
            tx.mails().postpone(mail.organization_uid, now, due_at).await?;
        }
        tx.commit().await?;
        Ok(error.is_final())
    }

    /// How long to wait after so many attempts: twice as long each time, a quarter more or less, so that mails which failed
    /// together do not come back together.
    fn wait(&self, attempts: i64) -> i64 {
        let first = i64::try_from(self.0.options.first_wait.as_millis()).unwrap_or(MINUTE).max(1);
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
        let wait = first.saturating_mul(1_i64 << doublings).min(LONGEST_WAIT);
        let [chance] = id::random::<1>();
        wait - wait / 4 + (wait / 2).saturating_mul(i64::from(chance)) / 255
    }
}
