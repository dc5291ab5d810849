//! Agents that came with a genuine join token whose time or uses were over. They wait here until an operator lets them in, and are
//! forgotten after a week. A machine that comes again with the same token and the same key is the same one. What it says of itself
//! is no proof: names and machine ids can be copied, and some systems have no machine id. Rows of before keys were noted have none,
//! and nobody is found by them.

use uuid::Uuid;

use super::{Dialect, NewAgent, StoreError, Tx, on, statements};
use crate::clock::{Clock, DAY};
use crate::id::{self, CompanyUid, JoinTokenUid, LocationUid};
use crate::model::JoinToken;

/// How long one waits.
const PATIENCE: i64 = 7 * DAY;
/// How many wait for one organisation: whoever has an old token must not fill the list.
const MOST_OF_ONE: i64 = 100;
/// How many wait in all.
const MOST: i64 = 1_000;

statements! {
    FIND = "SELECT uid, company_uid, location_uid, account_uid, host_name, status FROM unverified_agents \
        WHERE token_uid = $1 AND key_hash = $2";
    GET = "SELECT uid, company_uid, location_uid, account_uid, host_name, status FROM unverified_agents WHERE uid = $1";
    FORGET_OLD = "DELETE FROM unverified_agents WHERE registered_at < $1";
    COUNT = "SELECT count(*), count(CASE WHEN company_uid = $1 THEN 1 END) FROM unverified_agents";
    COUNT_OF_TOKEN = "SELECT count(*) FROM unverified_agents WHERE token_uid = $1";
    INSERT = "INSERT INTO unverified_agents (uid, company_uid, location_uid, account_uid, token_uid, machine_id, host_name, \
        host_name_folded, platform, door, status, status_message, registered_at, seen_at, key_hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'Pending', $11, $12, $12, $13)";
    SEEN = "UPDATE unverified_agents SET host_name = $2, host_name_folded = $3, seen_at = $4 WHERE uid = $1";
    ACCEPT = "UPDATE unverified_agents SET status = 'Accepted', status_message = $5, reject_reason = NULL, company_uid = $2, location_uid = $3, \
        account_uid = $4 WHERE uid = $1";
    REJECT = "UPDATE unverified_agents SET status = 'Rejected', reject_reason = $2, status_message = NULL WHERE uid = $1";
    REMOVE = "DELETE FROM unverified_agents WHERE uid = $1";
}

/// An agent that waits.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UnverifiedAgent {
    /// Its id while it waits; once it is in, it has another.
    pub uid: Uuid,
    /// Whose it will be.
    pub company_uid: Option<CompanyUid>,
    /// Where it will stand.
    pub location_uid: Option<LocationUid>,
    /// In whose name it connects.
    pub account_uid: Option<Uuid>,
    /// For people.
    pub host_name: String,
    /// `Pending`, `Accepted`, `Rejected`.
    pub status: String,
}

impl UnverifiedAgent {
    /// Whether an operator has let it in.
    pub fn is_accepted(&self) -> bool {
        self.status == "Accepted"
    }
}

/// Agents that wait, seen through a transaction.
#[derive(Debug)]
pub struct UnverifiedAgents<'t>(pub(super) &'t mut Tx);

impl Tx {
    /// Agents that wait to be let in.
    pub fn unverified_agents(&mut self) -> UnverifiedAgents<'_> {
        UnverifiedAgents(self)
    }
}

impl UnverifiedAgents<'_> {
    /// Whether as many machines wait with this one token as may of a company: no honest token has so many.
    pub async fn is_leaked(&mut self, token: JoinTokenUid) -> Result<bool, StoreError> {
        let waiting: i64 =
            on!(self.0, db => sqlx::query_scalar(COUNT_OF_TOKEN).bind(token).fetch_one(db).await?);
        Ok(waiting >= MOST_OF_ONE)
    }

    /// The machine that came with this token before: whoever has this key, by its SHA-256.
    pub async fn find(
        &mut self,
        token: JoinTokenUid,
        key: &[u8; 32],
    ) -> Result<Option<UnverifiedAgent>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(FIND).bind(token).bind(key.as_slice()).fetch_optional(db).await?);
        Ok(row)
    }

    /// One of them.
    pub async fn get(&mut self, uid: Uuid) -> Result<Option<UnverifiedAgent>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Notes that a machine came with a token that is over, and with which key. When too many wait already, it is not noted: false.
    pub async fn note(
        &mut self,
        clock: &dyn Clock,
        token: &JoinToken,
        (agent, key): (&NewAgent, &[u8; 32]),
    ) -> Result<bool, StoreError> {
        let now = clock.now_ms();
        if self.0.dialect() == Dialect::Postgres {
            // SQLite has one writer. Here two that come at once would both find the last place free.
            let lock = "LOCK TABLE unverified_agents IN SHARE ROW EXCLUSIVE MODE";
            on!(self.0, db => sqlx::query(lock).execute(db).await?.rows_affected());
        }
        on!(self.0, db => sqlx::query(FORGET_OLD).bind(now - PATIENCE).execute(db).await?.rows_affected());
        if let Some(known) = self.find(token.uid, key).await? {
            on!(self.0, db => sqlx::query(SEEN)
                .bind(known.uid)
                .bind(&agent.host_name)
                .bind(agent.host_name.to_lowercase())
                .bind(now)
                .execute(db)
                .await?
                .rows_affected());
            return Ok(true);
        }
        let (all, own): (i64, i64) =
            on!(self.0, db => sqlx::query_as(COUNT).bind(token.company_uid).fetch_one(db).await?);
        if all >= MOST || own >= MOST_OF_ONE {
            return Ok(false);
        }
        self.insert(clock, token, (agent, key)).await?;
        Ok(true)
    }

    async fn insert(
        &mut self,
        clock: &dyn Clock,
        token: &JoinToken,
        (agent, key): (&NewAgent, &[u8; 32]),
    ) -> Result<(), StoreError> {
        let reason =
            if token.uses_left > 0 { "its join token has expired" } else { "its join token is used up" };
        on!(self.0, db => sqlx::query(INSERT)
            .bind(id::fresh(clock))
            .bind(token.company_uid)
            .bind(token.location_uid)
            .bind(token.account_uid)
            .bind(token.uid)
            .bind(&agent.machine_id)
            .bind(&agent.host_name)
            .bind(agent.host_name.to_lowercase())
            .bind(&agent.platform)
            .bind(agent.door.name())
            .bind(reason)
            .bind(clock.now_ms())
            .bind(key.as_slice())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Lets one in: it is enrolled when it comes next.
    pub async fn accept(
        &mut self,
        uid: Uuid,
        place: (CompanyUid, LocationUid),
        account: Option<Uuid>,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ACCEPT)
            .bind(uid)
            .bind(place.0)
            .bind(place.1)
            .bind(account)
            .bind("it is let in when it comes next")
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Keeps one out.
    pub async fn reject(&mut self, uid: Uuid, reason: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REJECT).bind(uid).bind(reason).execute(db).await?.rows_affected());
        Ok(())
    }

    /// It waits no more.
    pub async fn remove(&mut self, uid: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(REMOVE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
