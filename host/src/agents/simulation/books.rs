//! What the host has written down, in memory and on disk. They are the same but for the bug that makes them differ; a host that
//! starts has what is on disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::rows::Rows;
use super::scene::{START, uid};
use crate::agents::report::News;
use crate::clock::DAY;
use crate::id::{AgentUid, CommandUid};
use crate::model::{Command, CommandEvent, CommandKind, CommandState};
use crate::store::{Lease, Offset, Refusal, Said};

/// How long an agent has to say something of a command, in milliseconds: less than the shipped minute, so that commands go out
/// again within a simulation's time; more than the slowest desk takes to hear of all that an agent may have at once.
pub(super) const LEASE: i64 = 10_000;
/// Commands that an agent has at once.
const WINDOW: usize = 16;

/// What the host has written down.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) memory: State,
    pub(super) disk: State,
}

/// All of it at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) agents: BTreeMap<AgentUid, Account>,
    commands: Arc<BTreeMap<CommandUid, Command>>,
}

/// What it has of one agent.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) stands: Offset,
    pub(super) session: i64,
    pub(super) connected: bool,
    pub(super) rows: Arc<Rows>,
}

impl Books {
    /// Of agents that are enrolled and have said nothing.
    pub(super) fn of(agents: usize) -> Self {
        let stands = Offset { epoch: 0, sequence: 0 };
        let account = Account { stands, session: 0, connected: false, rows: Arc::default() };
        let agents = (0..agents).map(|agent| (uid(agent), account.clone())).collect();
        let state = State { agents, commands: Arc::default() };
        Self { memory: state.clone(), disk: state }
    }

    /// How far an agent's stream is on disk.
    pub(super) fn on_disk(&self, agent: AgentUid) -> Offset {
        self.disk.agents[&agent].stands
    }

    /// What is on disk of an agent.
    pub(super) fn rows(&self, agent: AgentUid) -> Arc<Rows> {
        Arc::clone(&self.disk.agents[&agent].rows)
    }

    /// The commands, in the order in which they were asked for.
    pub(super) fn commands(&self) -> Arc<BTreeMap<CommandUid, Command>> {
        Arc::clone(&self.disk.commands)
    }

    /// Somebody wants something done.
    pub(super) fn order(&mut self, agent: usize, kind: CommandKind, payload: &serde_json::Value) {
        let position = self.memory.commands.len();
        let command = Command {
            position: i64::try_from(position).unwrap(),
            uid: CommandUid(Uuid::from_u128(position as u128)),
            agent_uid: uid(agent),
            kind: kind.name().to_owned(),
            description: String::new(),
            subject_uid: (kind == CommandKind::Collect).then_some(uid(agent).0),
            payload: payload.to_string(),
            sealed: None,
            state: CommandState::Pending.name().to_owned(),
            attempts: 0,
            lease_until: None,
            created_at: START,
            deadline: START + 10 * DAY,
            sent_at: None,
            started_at: None,
            finished_at: None,
            progress: None,
            message: None,
            result: None,
            user_uid: None,
            operation: String::new(),
        };
        Arc::make_mut(&mut self.memory.commands).insert(command.uid, command.clone());
        Arc::make_mut(&mut self.disk.commands).insert(command.uid, command);
    }

    /// A host starts: it has what was committed, and nobody is connected.
    pub(super) fn open(&mut self) {
        self.disk.agents.values_mut().for_each(|account| account.connected = false);
        self.memory = self.disk.clone();
    }
}

impl State {
    pub(super) fn command(&mut self, uid: CommandUid) -> Option<&mut Command> {
        Arc::make_mut(&mut self.commands).get_mut(&uid)
    }

    /// What an agent is to have now: never two about the same thing.
    pub(super) fn due(&self, agent: AgentUid, now: i64) -> Vec<CommandUid> {
        let is_open = |one: &&Command| one.agent_uid == agent && one.finished_at.is_none();
        let open: Vec<&Command> = self.commands.values().filter(is_open).take(WINDOW).collect();
        let may_go = |one: &Command| {
            one.state == CommandState::Pending.name() || one.lease_until.is_some_and(|until| until <= now)
        };
        let is_first = |at: usize, one: &Command| {
            one.subject_uid.is_none() || open[..at].iter().all(|other| other.subject_uid != one.subject_uid)
        };
        let due = open.iter().enumerate().filter(|(at, one)| may_go(one) && is_first(*at, one));
        due.map(|(_, one)| one.uid).collect()
    }

    /// What an agent says of a command.
    pub(super) fn note(&mut self, lease: Lease, news: &News, now: i64) -> Said {
        let command =
            self.command(lease.command).filter(|one| one.agent_uid == lease.agent && one.attempts > 0);
        let Some(command) = command else { return Said::Refused(Refusal::Unknown) };
        if command.attempts != lease.number {
            return Said::Refused(Refusal::OldLease);
        }
        let event = match news {
            News::Progress { .. } => CommandEvent::Progress,
            News::Result(outcome) => outcome.event(),
        };
        let before: CommandState = command.state.parse().unwrap();
        let Some(after) = before.after(event) else {
            let again = before.is_over() && CommandState::Sent.after(event) == Some(before);
            return if again { Said::Again } else { Said::Refused(Refusal::Stands(before)) };
        };
        after.name().clone_into(&mut command.state);
        match news {
            News::Progress { .. } => command.lease_until = Some(now + LEASE),
            News::Result(outcome) => {
                command.finished_at = Some(now);
                command.message.clone_from(&outcome.message);
            }
        }
        Said::Noted(Box::new(command.clone()))
    }
}
