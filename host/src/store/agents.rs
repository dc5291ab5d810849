//! Management agents: identity and presence. What they report is in `ingest.rs`.

use std::collections::HashSet;

use uuid::Uuid;

use super::bulk::{BulkStatement, Type, columns};
use super::list::Value;
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
    STANDING = "SELECT certificate = $2 OR coalesce(former_certificate = $2, false) FROM agents WHERE uid = $1";
    RENEW = "UPDATE agents SET former_certificate = $3, certificate = $2 WHERE uid = $1";
    FLAG_MISUSE = "UPDATE agents SET misuse_seen_at = $2, misuse_reason = $3, due_at = $2, revision = revision + 1 WHERE uid = $1";
    UNFLAG_MISUSE = "UPDATE agents SET misuse_seen_at = NULL, misuse_reason = NULL, due_at = $2, revision = revision + 1 \
        WHERE misuse_seen_at < $1";
    FLAG_CLONE = "UPDATE agents SET clone_seen_at = $2, clone_reason = $3 WHERE uid = $1";
    UNFLAG_CLONES = "UPDATE agents SET clone_seen_at = NULL, clone_reason = NULL WHERE clone_seen_at < $1";
    ALL_DISCONNECTED = "UPDATE agents SET connected = $1, due_at = $3, revision = revision + 1 WHERE connected = $2";
}

// Who comes with the current certificate ends the former one's time.
const ARRIVE: BulkStatement = BulkStatement {
    name: "store::agents::ARRIVE",
    fixed: &[("now", Type::Int), ("yes", Type::Flag)],
    columns: &[
        ("uid", Type::Uuid),
        ("certificate", Type::Bytes),
        ("version", Type::Text),
        ("version_status", Type::Text),
        ("driver", Type::Text),
        ("host_name", Type::Text),
        ("host_name_folded", Type::Text),
        ("platform", Type::Text),
        ("os_version", Type::Text),
        ("door", Type::Text),
        ("session", Type::Int),
    ],
    text: "UPDATE agents SET former_certificate = \
        CASE WHEN agents.certificate = input.certificate THEN NULL ELSE agents.former_certificate END, \
        connected = :yes, last_heartbeat = :now, version = input.version, version_status = input.version_status, \
        driver = input.driver, host_name = input.host_name, host_name_folded = input.host_name_folded, \
        platform = input.platform, os_version = input.os_version, door = input.door, session = input.session, \
        due_at = :now, revision = agents.revision + 1 FROM input WHERE agents.uid = input.uid \
        AND (agents.certificate = input.certificate OR agents.former_certificate = input.certificate) \
        RETURNING agents.uid, agents.company_uid, agents.machine_id, agents.epoch, agents.sequence",
};

const LEAVE: BulkStatement = BulkStatement {
    name: "store::agents::LEAVE",
    fixed: &[("now", Type::Int), ("no", Type::Flag)],
    columns: &[("uid", Type::Uuid), ("session", Type::Int)],
    text: "UPDATE agents SET connected = :no, due_at = :now, revision = agents.revision + 1 FROM input \
        WHERE agents.uid = input.uid AND agents.session = input.session",
};

const BEAT: BulkStatement = BulkStatement {
    name: "store::agents::BEAT",
    fixed: &[("now", Type::Int)],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE agents SET last_heartbeat = :now WHERE uid IN (SELECT uid FROM input) RETURNING uid",
};

pub(super) const BULK: &[BulkStatement] = &[ARRIVE, LEAVE, BEAT];

/// A session that is about to begin.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Whose, by the certificate.
    pub uid: AgentUid,
    /// The certificate's fingerprint.
    pub certificate: [u8; 32],
    /// The agent and its machine.
    pub agent: NewAgent,
    /// What it drives.
    pub driver: String,
    /// A word of the API's `versionStatus`.
    pub version_status: &'static str,
    /// Tells this session from the agent's others, before and after a restart of the host.
    pub session: i64,
}

/// An agent that may come in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Admitted {
    /// Which one.
    pub uid: AgentUid,
    /// Whose it is.
    pub company_uid: CompanyUid,
    /// The machine that it was enrolled on.
    pub machine_id: String,
    /// Where its stream stands.
    pub epoch: i64,
    /// Where its stream stands.
    pub sequence: i64,
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

    /// Whether this certificate is one the agent may use, without a trace of the question; absent: there is no such agent.
    pub async fn standing(
        &mut self,
        uid: AgentUid,
        certificate: &[u8; 32],
    ) -> Result<Option<bool>, StoreError> {
        let row: Option<(bool,)> = on!(self.0, db => sqlx::query_as(STANDING).bind(uid).bind(certificate.as_slice()).fetch_optional(db).await?);
        Ok(row.map(|(good,)| good))
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

    /// Sessions begin, of those whose certificate is one they may use; those. Each agent is named once.
    pub async fn arrive(
        &mut self,
        clock: &dyn Clock,
        arrivals: &[&Arrival],
    ) -> Result<Vec<Admitted>, StoreError> {
        let columns = columns!(arrivals, one => {
            Uuid one.uid.0,
            Bytes one.certificate.to_vec(),
            Text one.agent.version.clone(),
            Text one.version_status.to_owned(),
            Text one.driver.clone(),
            Text one.agent.host_name.clone(),
            Text one.agent.host_name.to_lowercase(),
            Text one.agent.platform.clone(),
            Text one.agent.os_version.clone(),
            Text one.agent.door.name().to_owned(),
            Int one.session,
        });
        ARRIVE.fetch(self.0, &[Value::Integer(clock.now_ms()), Value::Flag(true)], &columns).await
    }

    /// Sessions ended. If another one of the same agent has begun since, it speaks for the agent, and nothing changes.
    pub async fn leave(&mut self, clock: &dyn Clock, gone: &[(AgentUid, i64)]) -> Result<(), StoreError> {
        let columns = columns!(gone, (agent, session) => { Uuid agent.0, Int *session });
        LEAVE.execute(self.0, &[Value::Integer(clock.now_ms()), Value::Flag(false)], &columns).await?;
        Ok(())
    }

    /// Agents were heard of; those that there still are. The clock may have been set back since: the last word counts, not the
    /// latest.
    pub async fn beat(
        &mut self,
        clock: &dyn Clock,
        heard: &[AgentUid],
    ) -> Result<HashSet<AgentUid>, StoreError> {
        let columns = columns!(heard, agent => { Uuid agent.0 });
        let known: Vec<(AgentUid,)> = BEAT.fetch(self.0, &[Value::Integer(clock.now_ms())], &columns).await?;
        Ok(known.into_iter().map(|(agent,)| agent).collect())
    }

    async fn flag(
        &mut self,
        statement: &'static str,
        at: i64,
        uid: AgentUid,
        reason: &str,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(statement)
            .bind(uid)
            .bind(at)
            .bind(reason)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Notes that two machines seem to use an agent's certificate.
    pub async fn flag_clone(
        &mut self,
        clock: &dyn Clock,
        uid: AgentUid,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.flag(FLAG_CLONE, clock.now_ms(), uid, reason).await
    }

    /// Notes that an agent did what only somebody who means ill does.
    pub async fn flag_misuse(
        &mut self,
        clock: &dyn Clock,
        uid: AgentUid,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.flag(FLAG_MISUSE, clock.now_ms(), uid, reason).await
    }

    /// Forgets misuse that was not seen again since an instant.
    pub async fn unflag_misuse(&mut self, clock: &dyn Clock, before: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(UNFLAG_MISUSE).bind(before).bind(clock.now_ms()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Forgets suspicions that nothing has confirmed since an instant.
    pub async fn unflag_clones(&mut self, before: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(UNFLAG_CLONES).bind(before).execute(db).await?.rows_affected());
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
