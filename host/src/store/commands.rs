//! The outbox: what agents are to do.
//!
//! **Cast.** A change writes a command in its own transaction ([`Commands::put`]). Sessions take commands for the agents that they
//! speak with by lease and note that they go out ([`Commands::send_out`]), send them, and pass on what the agent
//! says ([`Commands::progress`], [`Commands::finish`]). Housekeeping ends what is overdue ([`Commands::expire`]). Each end of a command
//! changes, in the same transaction, the rows that it was about (`effects.rs`).
//!
//! **Crash.** A session that dies leaves its leases to run out; the next one takes the commands again under a new number, and what
//! still comes under the old number is refused. The agent remembers which commands it has finished, so nothing is done twice.

use super::bulk::{BulkStatement, Column, Type};
use super::list::Value;
use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{AgentUid, CommandUid};
use crate::model::{Command, CommandEvent, CommandState, NewCommand, Outcome};

mod effects;

macro_rules! columns {
    () => {
        "position, uid, agent_uid, kind, description, subject_uid, payload, sealed, state, attempts, lease_until, \
         created_at, deadline, sent_at, started_at, finished_at, progress, message, result, user_uid, operation"
    };
}

statements! {
    PUT = "INSERT INTO commands (uid, agent_uid, kind, task_type, description, subject_uid, payload, sealed, \
        idempotency_key, state, attempts, created_at, deadline, user_uid, operation) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 0, $10, $11, $12, $13) \
        ON CONFLICT (agent_uid, idempotency_key) DO NOTHING";
    BY_KEY = concat!("SELECT ", columns!(), " FROM commands WHERE agent_uid = $1 AND idempotency_key = $2");
    GET = concat!("SELECT ", columns!(), " FROM commands WHERE uid = $1");
    MOVE = concat!("UPDATE commands SET state = $4, sent_at = COALESCE(sent_at, $5), \
        started_at = COALESCE(started_at, $6), finished_at = $7, lease_until = COALESCE($8, lease_until), \
        progress = COALESCE($9, progress), message = COALESCE($10, message), result = COALESCE($11, result), \
        sealed = CASE WHEN CAST($7 AS BIGINT) IS NULL THEN sealed ELSE NULL END \
        WHERE uid = $1 AND state = $2 AND attempts = $3 RETURNING ", columns!());
    EXPIRE = concat!("UPDATE commands SET state = 'expired', finished_at = $1, sealed = NULL, message = CASE \
        WHEN sent_at IS NULL THEN 'it was not sent before its deadline: the agent was not connected' \
        ELSE 'the agent gave no result before the deadline; it may have been done all the same' END \
        WHERE finished_at IS NULL AND deadline <= $1 RETURNING ", columns!());
    OPEN_ABOUT = concat!("SELECT ", columns!(), " FROM commands \
        WHERE subject_uid = $1 AND finished_at IS NULL ORDER BY position");
    WAITING = "SELECT DISTINCT c.agent_uid FROM commands c JOIN agents a ON a.uid = c.agent_uid \
        WHERE c.finished_at IS NULL AND c.deadline > $1 AND (c.state = 'pending' OR c.lease_until <= $1) AND a.connected";
    PRUNE = "DELETE FROM commands WHERE finished_at IS NOT NULL AND finished_at < $1";
}

/// Takes what is pending, or whose lease ran out, in the order in which it was asked for; never a command about something that an
/// earlier one is still about, and none beyond the agent's window.
const LEASE: BulkStatement = BulkStatement {
    name: "store::commands::LEASE",
    fixed: &[("instant", Type::Int), ("until", Type::Int), ("most", Type::Int), ("window", Type::Int)],
    columns: &[("agent_uid", Type::Uuid)],
    text: concat!(
        "UPDATE commands SET state = 'leased', attempts = attempts + 1, lease_until = :until FROM (\
        SELECT x.position AS taken FROM commands x JOIN input i ON i.agent_uid = x.agent_uid \
        WHERE x.finished_at IS NULL AND x.deadline > :instant AND (x.state = 'pending' OR x.lease_until <= :instant) \
        AND NOT EXISTS (SELECT 1 FROM commands e WHERE e.agent_uid = x.agent_uid AND e.subject_uid = x.subject_uid \
        AND e.position < x.position AND e.finished_at IS NULL) \
        AND (SELECT count(*) FROM commands o WHERE o.agent_uid = x.agent_uid AND o.position < x.position \
        AND o.finished_at IS NULL) < :window \
        ORDER BY x.position LIMIT :most {skip locked x}) due WHERE commands.position = due.taken RETURNING ",
        columns!()
    ),
};

/// What is about to go out.
const SEND: BulkStatement = BulkStatement {
    name: "store::commands::SEND",
    fixed: &[("instant", Type::Int)],
    columns: &[("taken", Type::Int)],
    text: "UPDATE commands SET state = 'sent', sent_at = COALESCE(sent_at, :instant) FROM input \
        WHERE commands.position = input.taken AND commands.state = 'leased' RETURNING commands.position AS position",
};

pub(super) const BULK: &[BulkStatement] = &[LEASE, SEND];

/// So many commands an agent has at once, the oldest: one that never answers holds up nobody else, and one that comes back
/// after a long time is not buried.
const WINDOW: i64 = 16;

/// What became of a command that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in the outbox.
    New,
    /// The same command was put before, under this id.
    Known(CommandUid),
    /// Another command was put before under the same key.
    Clash(CommandUid),
}

/// Why something that was said about a command does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// This agent was never given it.
    Unknown,
    /// It is another agent's.
    Foreign,
    /// It was given out again since.
    OldLease,
    /// It cannot happen where the command stands.
    Stands(CommandState),
}

/// What became of something that was said about a command.
#[derive(Debug, Clone)]
pub enum Said {
    /// It is noted; so stands the command now.
    Noted(Box<Command>),
    /// It was said before.
    Again,
    /// It does not count.
    Refused(Refusal),
}

/// A lease: which command of which agent, under which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub agent: AgentUid,
    /// Which command.
    pub command: CommandUid,
    /// Its number: [`Command::attempts`] at the time.
    pub number: i64,
}

impl Lease {
    /// The lease that a command came with.
    pub fn of(command: &Command) -> Self {
        Self { agent: command.agent_uid, command: command.uid, number: command.attempts }
    }
}

/// What changes beside the state.
#[derive(Debug, Default)]
struct Notes<'a> {
    lease_until: Option<i64>,
    progress: Option<i64>,
    message: Option<&'a str>,
    result: Option<String>,
}

impl Tx {
    /// What agents are to do.
    pub fn commands(&mut self) -> Commands<'_> {
        Commands(self)
    }
}

/// The outbox, seen through a transaction.
#[derive(Debug)]
pub struct Commands<'t>(pub(super) &'t mut Tx);

impl Commands<'_> {
    /// Puts a command into the outbox; the same one, under the same key, only once.
    pub async fn put(&mut self, clock: &dyn Clock, new: &NewCommand) -> Result<Put, StoreError> {
        let key = new.key.clone().unwrap_or_else(|| new.uid.to_string());
        let payload = new.payload.to_string();
        let rows = on!(self.0, db => sqlx::query(PUT)
            .bind(new.uid)
            .bind(new.agent)
            .bind(new.kind.name())
            .bind(new.kind.task_type())
            .bind(&new.description)
            .bind(new.subject)
            .bind(&payload)
            .bind(new.sealed.as_deref())
            .bind(&key)
            .bind(clock.now_ms())
            .bind(new.deadline)
            .bind(new.user)
            .bind(&new.operation)
            .execute(db)
            .await?
            .rows_affected());
        if rows == 1 {
            self.0.orders = true;
            return Ok(Put::New);
        }
        let known: Command =
            on!(self.0, db => sqlx::query_as(BY_KEY).bind(new.agent).bind(&key).fetch_one(db).await?);
        let same = known.kind == new.kind.name() && known.payload == payload;
        Ok(if same { Put::Known(known.uid) } else { Put::Clash(known.uid) })
    }

    /// One command.
    pub async fn get(&mut self, uid: CommandUid) -> Result<Option<Command>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// What is still to be done about something, the first first.
    pub async fn open_about(&mut self, subject: uuid::Uuid) -> Result<Vec<Command>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(OPEN_ABOUT).bind(subject).fetch_all(db).await?);
        Ok(rows)
    }

    /// Connected agents that have something to do.
    pub async fn waiting(&mut self, clock: &dyn Clock) -> Result<Vec<AgentUid>, StoreError> {
        let rows: Vec<(AgentUid,)> =
            on!(self.0, db => sqlx::query_as(WAITING).bind(clock.now_ms()).fetch_all(db).await?);
        Ok(rows.into_iter().map(|(agent,)| agent).collect())
    }

    /// Takes up to `most` commands for these agents, for `time` milliseconds, and notes of all of them that they go out: once that
    /// is committed, they may be sent. No two sessions get the same command at once.
    pub async fn send_out(
        &mut self,
        clock: &dyn Clock,
        agents: &[AgentUid],
        time: i64,
        most: i64,
    ) -> Result<Vec<Command>, StoreError> {
        let now = clock.now_ms();
        let fixed =
            [Value::Integer(now), Value::Integer(now + time), Value::Integer(most), Value::Integer(WINDOW)];
        let agents = Column::Uuid(agents.iter().map(|agent| agent.0).collect());
        let mut taken: Vec<Command> = LEASE.fetch(self.0, &fixed, &[agents]).await?;
        taken.sort_unstable_by_key(|command| command.position);
        let positions = Column::Int(taken.iter().map(|command| command.position).collect());
        let sent: Vec<(i64,)> = SEND.fetch(self.0, &[Value::Integer(now)], &[positions]).await?;
        let sent: std::collections::HashSet<i64> = sent.into_iter().map(|(position,)| position).collect();
        Ok(taken.into_iter().filter(|command| sent.contains(&command.position)).collect())
    }

    /// The agent works on it: it stays its own for another `time` milliseconds.
    pub async fn progress(
        &mut self,
        clock: &dyn Clock,
        lease: Lease,
        time: i64,
        per_cent: Option<i64>,
        message: Option<&str>,
    ) -> Result<Said, StoreError> {
        let notes = Notes {
            lease_until: Some(clock.now_ms() + time),
            progress: per_cent.map(|part| part.clamp(0, 100)),
            message,
            result: None,
        };
        self.note(clock, lease, CommandEvent::Progress, &notes).await
    }

    /// The command is over; the rows it was about follow.
    pub async fn finish(
        &mut self,
        clock: &dyn Clock,
        lease: Lease,
        outcome: &Outcome,
    ) -> Result<Said, StoreError> {
        let notes = Notes {
            progress: outcome.done.then_some(100),
            message: outcome.message.as_deref(),
            result: outcome.result.as_ref().map(ToString::to_string),
            lease_until: None,
        };
        let said = self.note(clock, lease, outcome.event(), &notes).await?;
        if let Said::Noted(command) = &said {
            // What waited for it may go now.
            self.0.orders = true;
            effects::apply(self.0, clock, command).await?;
        }
        Ok(said)
    }

    /// Takes a command back that has not gone out; false when it is too late.
    pub async fn cancel(&mut self, clock: &dyn Clock, uid: CommandUid) -> Result<bool, StoreError> {
        let Some(command) = self.get(uid).await? else { return Ok(false) };
        if command.sent_at.is_some() {
            return Ok(false);
        }
        let said = self.step(clock, &command, CommandEvent::Cancel, &Notes::default()).await?;
        if let Said::Noted(command) = &said {
            effects::apply(self.0, clock, command).await?;
        }
        Ok(matches!(said, Said::Noted(_)))
    }

    /// Ends what is past its deadline; those it ended.
    pub async fn expire(&mut self, clock: &dyn Clock) -> Result<Vec<Command>, StoreError> {
        let over: Vec<Command> =
            on!(self.0, db => sqlx::query_as(EXPIRE).bind(clock.now_ms()).fetch_all(db).await?);
        for command in &over {
            effects::apply(self.0, clock, command).await?;
        }
        Ok(over)
    }

    /// Forgets commands that were over before `instant`; how many.
    pub async fn prune(&mut self, instant: i64) -> Result<u64, StoreError> {
        let rows = on!(self.0, db => sqlx::query(PRUNE).bind(instant).execute(db).await?.rows_affected());
        Ok(rows)
    }

    /// Something that the holder of a lease says.
    async fn note(
        &mut self,
        clock: &dyn Clock,
        lease: Lease,
        event: CommandEvent,
        notes: &Notes<'_>,
    ) -> Result<Said, StoreError> {
        let Some(command) = self.get(lease.command).await? else {
            return Ok(Said::Refused(Refusal::Unknown));
        };
        if command.agent_uid != lease.agent {
            return Ok(Said::Refused(Refusal::Foreign));
        }
        if command.attempts == 0 {
            return Ok(Said::Refused(Refusal::Unknown));
        }
        if command.attempts != lease.number {
            return Ok(Said::Refused(Refusal::OldLease));
        }
        self.step(clock, &command, event, notes).await
    }

    async fn step(
        &mut self,
        clock: &dyn Clock,
        command: &Command,
        event: CommandEvent,
        notes: &Notes<'_>,
    ) -> Result<Said, StoreError> {
        let Ok(before) = command.state.parse::<CommandState>() else {
            return Ok(Said::Refused(Refusal::Unknown));
        };
        let Some(after) = before.after(event) else {
            // What an agent says about an end it says until it hears that it was heard.
            let repeated = CommandState::Sent.after(event) == Some(before) && before.is_over();
            return Ok(if repeated { Said::Again } else { Said::Refused(Refusal::Stands(before)) });
        };
        let now = clock.now_ms();
        let row: Option<Command> = on!(self.0, db => sqlx::query_as(MOVE)
            .bind(command.uid)
            .bind(before.name())
            .bind(command.attempts)
            .bind(after.name())
            .bind((after == CommandState::Sent).then_some(now))
            .bind((after == CommandState::Running).then_some(now))
            .bind(after.is_over().then_some(now))
            .bind(notes.lease_until)
            .bind(notes.progress)
            .bind(notes.message)
            .bind(notes.result.as_deref())
            .fetch_optional(db)
            .await?);
        // Somebody else was faster: a lease, a deadline, another session of the same agent.
        Ok(row.map_or(Said::Refused(Refusal::OldLease), |command| Said::Noted(Box::new(command))))
    }
}
