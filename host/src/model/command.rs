//! What an agent is told to do, and what may become of it. Pure: time and rows are the store's.

use std::str::FromStr;

use uuid::Uuid;

use crate::id::{AgentUid, CommandUid, UserUid};

mod kind;

pub use kind::CommandKind;

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandState {
    /// Nobody has it yet.
    Pending,
    /// A session has it, until the lease runs out.
    Leased,
    /// It went out; the agent may have it.
    Sent,
    /// The agent works on it.
    Running,
    /// Done.
    Succeeded,
    /// The agent could not do it.
    Failed,
    /// Taken back before it went out.
    Canceled,
    /// Its time was over.
    Expired,
}

/// What can happen to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandEvent {
    /// A session takes it: it was pending, or its lease ran out.
    Lease,
    /// It is about to go out. Noted first, then sent: what is not noted has not been sent.
    Send,
    /// The agent says that it works on it.
    Progress,
    /// The agent says that it is done.
    Succeed,
    /// The agent says that it cannot be done.
    Fail,
    /// Somebody takes it back.
    Cancel,
    /// Its deadline passed.
    Expire,
}

impl CommandState {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Pending,
        Self::Leased,
        Self::Sent,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Expired,
    ];

    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Sent => "sent",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// The API's word for the state of a task.
    pub fn task_status(self) -> &'static str {
        match self {
            Self::Pending | Self::Leased => "Scheduled",
            Self::Sent | Self::Running => "Running",
            Self::Succeeded => "Success",
            Self::Canceled => "Canceled",
            Self::Failed | Self::Expired => "Failed",
        }
    }

    /// Whether nothing more is to be done about it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled | Self::Expired)
    }

    /// The state that `event` leads to; none if it cannot happen in this one.
    ///
    /// An expired command still takes a result: what the agent did is worth more than what was feared.
    pub fn after(self, event: CommandEvent) -> Option<Self> {
        use CommandEvent as E;
        match (self, event) {
            (Self::Pending | Self::Leased | Self::Sent | Self::Running, E::Lease) => Some(Self::Leased),
            (Self::Leased, E::Send) => Some(Self::Sent),
            (Self::Sent | Self::Running, E::Progress) => Some(Self::Running),
            (Self::Sent | Self::Running | Self::Expired, E::Succeed) => Some(Self::Succeeded),
            (Self::Sent | Self::Running | Self::Expired, E::Fail) => Some(Self::Failed),
            (Self::Pending | Self::Leased, E::Cancel) => Some(Self::Canceled),
            (Self::Pending | Self::Leased | Self::Sent | Self::Running, E::Expire) => Some(Self::Expired),
            _ => None,
        }
    }
}

impl FromStr for CommandState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|state| state.name() == text)
            .ok_or_else(|| format!("'{text}' is no state of a command that this version knows"))
    }
}

/// A command to be written.
#[derive(Clone)]
pub struct NewCommand {
    /// Its id: a secret is sealed for it.
    pub uid: CommandUid,
    /// Who is to do it.
    pub agent: AgentUid,
    /// What.
    pub kind: CommandKind,
    /// What it does to what, for people.
    pub description: String,
    /// What it is about: commands about the same thing are done one after the other.
    pub subject: Option<Uuid>,
    /// What the agent needs to know.
    pub payload: serde_json::Value,
    /// A secret that belongs to the payload, sealed for `command:<uid>`.
    pub sealed: Option<Vec<u8>>,
    /// The same key for the same agent is the same command. Absent: each is its own.
    pub key: Option<String>,
    /// Unix milliseconds; after that nobody starts on it.
    pub deadline: i64,
    /// Who asked for it. Absent: the host itself.
    pub user: Option<UserUid>,
    /// By which operation.
    pub operation: String,
}

impl NewCommand {
    /// What a command's secret is sealed for.
    pub fn purpose(uid: CommandUid) -> String {
        format!("command:{uid}")
    }
}

impl std::fmt::Debug for NewCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCommand").field("uid", &self.uid).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A command as it stands.
#[derive(Clone, sqlx::FromRow)]
pub struct Command {
    /// The order in which commands were asked for.
    pub position: i64,
    /// Its id.
    pub uid: CommandUid,
    /// Who is to do it.
    pub agent_uid: AgentUid,
    /// A [`CommandKind`], as stored.
    pub kind: String,
    /// What it does to what, for people.
    pub description: String,
    /// What it is about.
    pub subject_uid: Option<Uuid>,
    /// JSON.
    pub payload: String,
    /// A secret that belongs to the payload; gone when the command is over.
    pub sealed: Option<Vec<u8>>,
    /// A [`CommandState`], as stored.
    pub state: String,
    /// The number of the current lease; 0 before the first.
    pub attempts: i64,
    /// Unix milliseconds.
    pub lease_until: Option<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub deadline: i64,
    /// When it went out first.
    pub sent_at: Option<i64>,
    /// When the agent began.
    pub started_at: Option<i64>,
    /// When it was over.
    pub finished_at: Option<i64>,
    /// Per cent.
    pub progress: Option<i64>,
    /// What the agent said last.
    pub message: Option<String>,
    /// JSON, as the agent gave it.
    pub result: Option<String>,
    /// Who asked for it.
    pub user_uid: Option<UserUid>,
    /// By which operation.
    pub operation: String,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("uid", &self.uid)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// How a command ended, in the agent's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was done.
    pub done: bool,
    /// Why not, or what there is to say.
    pub message: Option<String>,
    /// What came of it.
    pub result: Option<serde_json::Value>,
}

impl Outcome {
    /// Done, with nothing to say.
    pub fn done() -> Self {
        Self { done: true, message: None, result: None }
    }

    /// Not done, and why.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { done: false, message: Some(message.into()), result: None }
    }

    /// What it is to the command.
    pub fn event(&self) -> CommandEvent {
        if self.done { CommandEvent::Succeed } else { CommandEvent::Fail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [CommandEvent; 7] = [
        CommandEvent::Lease,
        CommandEvent::Send,
        CommandEvent::Progress,
        CommandEvent::Succeed,
        CommandEvent::Fail,
        CommandEvent::Cancel,
        CommandEvent::Expire,
    ];

    #[test]
    fn a_command_goes_its_way_to_the_end() {
        let mut state = CommandState::Pending;
        for event in [CommandEvent::Lease, CommandEvent::Send, CommandEvent::Progress, CommandEvent::Succeed]
        {
            state = state.after(event).unwrap();
        }
        assert_eq!(state, CommandState::Succeeded);
    }

    #[test]
    fn what_is_over_stays_over_except_that_an_expired_one_takes_a_result() {
        for state in CommandState::ALL.iter().filter(|state| state.is_over()) {
            for event in EVENTS {
                let late_result = *state == CommandState::Expired
                    && matches!(event, CommandEvent::Succeed | CommandEvent::Fail);
                assert_eq!(state.after(event).is_some(), late_result, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn nothing_has_a_result_that_was_not_sent() {
        for state in [CommandState::Pending, CommandState::Leased] {
            for event in [CommandEvent::Progress, CommandEvent::Succeed, CommandEvent::Fail] {
                assert_eq!(state.after(event), None);
            }
        }
    }

    #[test]
    fn what_was_sent_cannot_be_taken_back() {
        for state in [CommandState::Sent, CommandState::Running] {
            assert_eq!(state.after(CommandEvent::Cancel), None);
        }
    }

    #[test]
    fn every_way_ends_and_every_open_state_can_expire() {
        for state in CommandState::ALL.iter().filter(|state| !state.is_over()) {
            assert_eq!(state.after(CommandEvent::Expire), Some(CommandState::Expired));
        }
    }

    #[test]
    fn names_are_read_back() {
        for state in CommandState::ALL {
            assert_eq!(state.name().parse(), Ok(*state));
        }
    }

    #[test]
    fn every_task_type_and_status_is_a_word_of_the_contract() {
        let contract: serde_json::Value = serde_json::from_str(include_str!("../api/contract.json")).unwrap();
        let words =
            |schema: &str| contract["components"]["schemas"][schema]["enum"].as_array().unwrap().clone();
        let (types, statuses) = (words("ManagementAgentTaskType"), words("ManagementAgentTaskStatus"));
        for kind in CommandKind::ALL {
            assert!(types.contains(&kind.task_type().into()), "{kind:?}");
        }
        for state in CommandState::ALL {
            assert!(statuses.contains(&state.task_status().into()), "{state:?}");
        }
    }
}
