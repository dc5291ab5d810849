//! Management agents: identity and presence. What they report is in `ingest.rs`.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{self, AgentUid, CompanyUid, LocationUid};
use crate::model::{Agent, Door};

statements! {
    GET = "SELECT uid, company_uid, location_uid, host_name, machine_id, platform, os_version, version, version_status, \
        driver, door, enrolled_at, connected, last_heartbeat, epoch, sequence, revision FROM agents WHERE uid = $1";
    INSERT = "INSERT INTO agents (uid, company_uid, location_uid, account_uid, computer_uid, host_name, host_name_folded, \
        machine_id, platform, \
        os_version, version, version_status, driver, door, certificate, enrolled_at, connected, last_heartbeat, session, \
        epoch, sequence, due_at, revision) \
        VALUES ($1, $2, $3, $14, $15, $4, $5, $6, $7, $8, $9, 'Unknown', '', $10, $11, $12, $13, $12, 0, 0, 0, $12, 0)";
    ADMIT = "UPDATE agents SET former_certificate = CASE WHEN certificate = $2 THEN NULL ELSE former_certificate END \
        WHERE uid = $1 AND (certificate = $2 OR former_certificate = $2)";
    RENEW = "UPDATE agents SET former_certificate = $3, certificate = $2 WHERE uid = $1";
    CONNECTED = "UPDATE agents SET connected = $2, last_heartbeat = $3, version = $4, version_status = $5, driver = $6, \
        host_name = $7, host_name_folded = $8, platform = $9, os_version = $10, door = $11, \
        session = $12, due_at = $3, revision = revision + 1 WHERE uid = $1";
    HEARTBEAT = "UPDATE agents SET last_heartbeat = $2 WHERE uid = $1";
    DISCONNECTED = "UPDATE agents SET connected = $3, due_at = $4, revision = revision + 1 WHERE uid = $1 AND session = $2";
    ALL_DISCONNECTED = "UPDATE agents SET connected = $1, due_at = $3, revision = revision + 1 WHERE connected = $2";
}

/// What is known of an agent at its enrolment or at the start of a session.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// The machine's name.
    pub host_name: String,
    /// What tells machines apart.
    pub machine_id: String,
    /// `Linux`, `Windows`, `Mac`.
    pub platform: String,
    /// In the system's words.
    pub os_version: String,
    /// The agent's.
    pub version: String,
    /// Which door it comes through.
    pub door: Door,
}

/// What is known at the start of a session.
#[derive(Debug, Clone, Copy)]
pub struct Hello<'a> {
    /// The agent and its machine.
    pub agent: &'a NewAgent,
    /// What it drives.
    pub driver: &'a str,
    /// A word of the API's `versionStatus`.
    pub version_status: &'a str,
    /// Tells this session from the agent's others, before and after a restart of the host.
    pub session: i64,
}

/// Agents, seen through a transaction.
#[derive(Debug)]
pub struct Agents<'t>(pub(super) &'t mut Tx);

impl Agents<'_> {
    /// Makes an agent that may use this certificate.
    #[expect(clippy::too_many_arguments, reason = "each is a fact of its own, and there are two callers")]
    pub async fn create(
        &mut self,
        clock: &dyn Clock,
        uid: AgentUid,
        place: (CompanyUid, LocationUid),
        account: Option<Uuid>,
        new: &NewAgent,
        certificate: &[u8; 32],
    ) -> Result<(), StoreError> {
        // The same machine of the same organisation, whatever agent is on it.
        let computer = id::derived(place.0.0, &format!("\0computer\0{}", new.machine_id));
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(place.0)
            .bind(place.1)
            .bind(&new.host_name)
            .bind(new.host_name.to_lowercase())
            .bind(&new.machine_id)
            .bind(&new.platform)
            .bind(&new.os_version)
            .bind(&new.version)
            .bind(new.door.name())
            .bind(certificate.as_slice())
            .bind(clock.now_ms())
            .bind(false)
            .bind(account)
            .bind(computer)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// One agent.
    pub async fn get(&mut self, uid: AgentUid) -> Result<Option<Agent>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Whether this certificate is one the agent may use. Seeing the current one ends the former one's time.
    pub async fn admit(&mut self, uid: AgentUid, certificate: &[u8; 32]) -> Result<bool, StoreError> {
        let known = on!(self.0, db => sqlx::query(ADMIT).bind(uid).bind(certificate.as_slice()).execute(db).await?.rows_affected());
        Ok(known == 1)
    }

    /// Gives the agent a new certificate; the one it came with stays good until the new one is seen, so that no answer that
    /// is lost, however often, locks it out.
    pub async fn renew(
        &mut self,
        uid: AgentUid,
        certificate: &[u8; 32],
        presented: &[u8; 32],
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(RENEW)
            .bind(uid)
            .bind(certificate.as_slice())
            .bind(presented.as_slice())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A session began.
    pub async fn connected(
        &mut self,
        clock: &dyn Clock,
        uid: AgentUid,
        hello: &Hello<'_>,
    ) -> Result<(), StoreError> {
        let now = hello.agent;
        on!(self.0, db => sqlx::query(CONNECTED)
            .bind(uid)
            .bind(true)
            .bind(clock.now_ms())
            .bind(&now.version)
            .bind(hello.version_status)
            .bind(hello.driver)
            .bind(&now.host_name)
            .bind(now.host_name.to_lowercase())
            .bind(&now.platform)
            .bind(&now.os_version)
            .bind(now.door.name())
            .bind(hello.session)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// An agent was heard of. The clock may have been set back since: the last word counts, not the latest.
    /// False: there is no such agent any more.
    pub async fn heartbeat(&mut self, uid: AgentUid, at: i64) -> Result<bool, StoreError> {
        let known =
            on!(self.0, db => sqlx::query(HEARTBEAT).bind(uid).bind(at).execute(db).await?.rows_affected());
        Ok(known == 1)
    }

    /// A session ended. If another has begun since, it speaks for the agent, and nothing changes.
    pub async fn disconnected(
        &mut self,
        clock: &dyn Clock,
        uid: AgentUid,
        session: i64,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DISCONNECTED)
            .bind(uid)
            .bind(session)
            .bind(false)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// No session survives its host: at start, nobody is connected.
    pub async fn all_disconnected(&mut self, clock: &dyn Clock) -> Result<u64, StoreError> {
        let rows = on!(self.0, db => sqlx::query(ALL_DISCONNECTED)
            .bind(false)
            .bind(true)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(rows)
    }
}
