//! Mails that go out: a queue with leases.

use serde::Deserialize;
use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{self, MailUid};
use crate::model::{LeasedMail, MailState, NewMail};
use crate::seal::{Seal, SealError};

statements! {
    QUEUE = "INSERT INTO mails (uid, organization_uid, kind, recipients, sender, sender_name, subject, words, status, attempts, \
        max_attempts, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'Queued', 0, $9, $10, $10)";
    DUE = "SELECT organization_uid FROM mails WHERE due_at <= $1 GROUP BY organization_uid ORDER BY min(due_at) LIMIT 64";
    // The outer condition on `due_at` is for two hosts that pick the same mail at once: the second finds it moved.
    TAKE = "UPDATE mails SET lease = $1, due_at = $2, attempts = attempts + 1 WHERE due_at <= $4 AND uid = \
        (SELECT uid FROM mails WHERE organization_uid = $3 AND due_at <= $4 ORDER BY due_at, uid LIMIT 1) \
        RETURNING uid, organization_uid, kind, recipients, sender, sender_name, subject, words, attempts, max_attempts, created_at";
    SENT = "UPDATE mails SET status = 'Sent', words = NULL, due_at = NULL, lease = NULL, last_error = NULL, finished_at = $3 \
        WHERE uid = $1 AND lease = $2";
    LATER = "UPDATE mails SET due_at = $3, lease = NULL, last_error = $4 WHERE uid = $1 AND lease = $2";
    DEAD = "UPDATE mails SET status = 'Dead', words = NULL, due_at = NULL, lease = NULL, last_error = $4, finished_at = $3 \
        WHERE uid = $1 AND lease = $2";
    STATE = "SELECT status, attempts, last_error FROM mails WHERE uid = $1";
    // What is due of this organisation and in nobody's hands waits too.
    POSTPONE = "UPDATE mails SET due_at = $3 WHERE organization_uid = $1 AND due_at <= $2 AND lease IS NULL";
    FORGET = "DELETE FROM mails WHERE finished_at < $1";
}

/// What is sealed of a mail.
#[derive(Deserialize)]
struct Words {
    text: String,
    html: String,
}

/// A lease of a mail.
#[derive(Debug, Clone, Copy)]
pub struct MailLease {
    /// Of this one.
    pub mail: MailUid,
    /// Whoever takes it later has another.
    pub lease: Uuid,
}

impl Tx {
    /// Mails that go out.
    pub fn mails(&mut self) -> Mails<'_> {
        Mails(self)
    }
}

/// Mails, seen through a transaction.
#[derive(Debug)]
pub struct Mails<'t>(&'t mut Tx);

fn purpose(uid: MailUid) -> String {
    format!("mail:{uid}")
}

/// The words of a mail, plain text and HTML, opened.
pub fn open_words(seal: &Seal, mail: &LeasedMail) -> Result<(String, String), SealError> {
    let purpose = purpose(mail.uid);
    let plain = seal.unseal(&purpose, mail.words.as_deref().unwrap_or_default())?;
    let words: Words = serde_json::from_slice(&plain).map_err(|_not_ours| SealError::Foreign { purpose })?;
    Ok((words.text, words.html))
}

impl Mails<'_> {
    /// Queues a mail; it goes out after the commit. Its words are sealed: they may hold a password or a link that is as good
    /// as one.
    pub async fn queue(
        &mut self,
        clock: &dyn Clock,
        seal: &Seal,
        new: &NewMail,
    ) -> Result<MailUid, StoreError> {
        let uid = MailUid::new(clock);
        let words = serde_json::json!({ "text": new.text, "html": new.html }).to_string();
        let sealed = seal.seal(&purpose(uid), words.as_bytes())?;
        on!(self.0, db => sqlx::query(QUEUE)
            .bind(uid)
            .bind(new.organization_uid)
            .bind(new.kind.name())
            .bind(&new.to)
            .bind(&new.from)
            .bind(&new.sender_name)
            .bind(&new.subject)
            .bind(&sealed)
            .bind(i64::from(new.max_attempts.unwrap_or(NewMail::ATTEMPTS)))
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// The organisations that have mails due, the longest due first.
    pub async fn due(&mut self, now: i64) -> Result<Vec<Uuid>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_scalar(DUE).bind(now).fetch_all(db).await?);
        Ok(rows)
    }

    /// Takes the organisation's next mail that is due, until `until`.
    pub async fn take(
        &mut self,
        clock: &dyn Clock,
        organization: Uuid,
        until: i64,
    ) -> Result<Option<(LeasedMail, MailLease)>, StoreError> {
        let lease = id::fresh(clock);
        let row: Option<LeasedMail> = on!(self.0, db => sqlx::query_as(TAKE)
            .bind(lease)
            .bind(until)
            .bind(organization)
            .bind(clock.now_ms())
            .fetch_optional(db)
            .await?);
        Ok(row.map(|mail| {
            let lease = MailLease { mail: mail.uid, lease };
            (mail, lease)
        }))
    }

    /// It is out.
    pub async fn sent(&mut self, lease: MailLease, now: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SENT).bind(lease.mail).bind(lease.lease).bind(now).execute(db).await?.rows_affected());
        Ok(())
    }

    /// It is not out; to be tried again at `due_at`.
    pub async fn later(&mut self, lease: MailLease, due_at: i64, why: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(LATER).bind(lease.mail).bind(lease.lease).bind(due_at).bind(why)
            .execute(db).await?.rows_affected());
        Ok(())
    }

    /// Has the organisation's other mails that are due wait as well: their server does not take any.
    pub async fn postpone(&mut self, organization: Uuid, now: i64, due_at: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(POSTPONE).bind(organization).bind(now).bind(due_at)
            .execute(db).await?.rows_affected());
        Ok(())
    }

    /// It is not out and will not be.
    pub async fn dead(&mut self, lease: MailLease, now: i64, why: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DEAD).bind(lease.mail).bind(lease.lease).bind(now).bind(why)
            .execute(db).await?.rows_affected());
        Ok(())
    }

    /// How one stands.
    pub async fn state(&mut self, uid: MailUid) -> Result<Option<MailState>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(STATE).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Forgets those that were done with before.
    pub async fn forget(&mut self, before: i64) -> Result<u64, StoreError> {
        let gone = on!(self.0, db => sqlx::query(FORGET).bind(before).execute(db).await?.rows_affected());
        Ok(gone)
    }
}
