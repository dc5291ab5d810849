//! What an agent says about commands. It may be hostile: it is heard only about what it was given, under the attempt that it
//! was given, and what it says is bounded.

use std::net::IpAddr;

use keelson_proto::v1::{CommandHeard, CommandReport, command_report};
use tonic::Status;
use uuid::Uuid;

use super::Shared;
use super::dispatch::LEASE;
use super::enroll::storing;
use super::incidents::Incident;
use crate::clock::Clock;
use crate::id::{AgentUid, CommandUid};
use crate::model::Outcome;
use crate::store::{self, Refusal, Said, StoreError, Tx};

/// Bytes of a text for people; longer ones are cut.
const LONGEST_TEXT: usize = 4_096;
/// Bytes of a result.
const LARGEST_RESULT: usize = 256 * 1024;

/// What an agent says of a command.
#[derive(Debug)]
pub(super) enum News {
    /// It works on it.
    Progress { per_cent: i64, message: Option<String> },
    /// It is over.
    Result(Outcome),
}

impl News {
    /// Writes it down.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        clock: &dyn Clock,
        lease: store::Lease,
    ) -> Result<Said, StoreError> {
        match self {
            Self::Progress { per_cent, message } => {
                tx.commands().progress(clock, lease, LEASE, Some(*per_cent), message.as_deref()).await
            }
            Self::Result(outcome) => tx.commands().finish(clock, lease, outcome).await,
        }
    }
}

/// Notes what was said; the answer, if there is one to give.
pub(super) async fn take(
    shared: &Shared,
    (agent, address): (AgentUid, IpAddr),
    report: CommandReport,
) -> Result<Option<CommandHeard>, Status> {
    let uid = Uuid::from_slice(&report.uid)
        .map_err(|_| Status::invalid_argument("the id of a command has 16 bytes"))?;
    let lease = store::Lease { agent, command: CommandUid(uid), number: i64::from(report.attempt) };
    let heard = CommandHeard { uid: report.uid };
    let (news, is_end) = match report.what {
        Some(command_report::What::Progress(progress)) => {
            let (per_cent, message) = (i64::from(progress.per_cent), text(progress.message));
            (News::Progress { per_cent, message }, false)
        }
        Some(command_report::What::Result(result)) => (News::Result(outcome(result)?), true),
        // A newer agent's kind of report.
        None => return Ok(None),
    };
    let said = shared.writer.report(lease, news).await.map_err(|error| storing(&error))?;
    let incident = match said {
        Said::Refused(Refusal::Foreign) => Some(Incident::ForeignCommand),
        Said::Refused(Refusal::Unknown) => Some(Incident::UnknownCommand),
        _ => None,
    };
    if let Some(incident) = incident {
        shared.incidents.note(&*shared.clock, agent, incident, address);
    }
    // Only an end is acknowledged.
    Ok((judge(lease, &said) && is_end).then_some(heard))
}

/// Whether the agent need not say it again. Under an old attempt it must: the command is on its way to it once more, and its
/// answer to that is the one that counts.
fn judge(lease: store::Lease, said: &Said) -> bool {
    let (agent, command, attempt) = (lease.agent, lease.command, lease.number);
    match said {
        Said::Noted(row) => {
            tracing::info!(agent.uid = %agent, command.uid = %command, command.kind = row.kind, state = row.state, message = row.message, "agents.command.reported");
            true
        }
        Said::Again => true,
        Said::Refused(Refusal::OldLease) => {
            tracing::debug!(agent.uid = %agent, command.uid = %command, attempt, "agents.command: said under an old attempt");
            false
        }
        Said::Refused(Refusal::Unknown | Refusal::Foreign) => {
            tracing::warn!(agent.uid = %agent, command.uid = %command, "agents.command: agent {agent} reports on a command that it was never given");
            true
        }
        Said::Refused(Refusal::Stands(state)) => {
            tracing::debug!(agent.uid = %agent, command.uid = %command, state = state.name(), "agents.command: said too late");
            true
        }
    }
}

fn outcome(result: keelson_proto::v1::CommandResult) -> Result<Outcome, Status> {
    if result.result.len() > LARGEST_RESULT {
        let size = result.result.len();
        return Err(Status::invalid_argument(format!(
            "the result of a command has {size} bytes; it may have {LARGEST_RESULT}"
        )));
    }
    let value = match result.result.as_str() {
        "" => None,
        json => Some(serde_json::from_str(json).map_err(|error| {
            Status::invalid_argument(format!("the result of a command is not JSON: {error}"))
        })?),
    };
    if result.result.contains("\\u0000") {
        return Err(Status::invalid_argument("the result of a command holds a NUL character"));
    }
    Ok(Outcome { done: result.done, message: text(result.message), result: value })
}

/// PostgreSQL keeps no NUL in a text.
fn text(mut text: String) -> Option<String> {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    let text = text.replace('\0', "");
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use keelson_proto::v1::CommandResult;

    use super::*;

    fn result(json: &str) -> CommandResult {
        CommandResult { done: true, message: "m".repeat(9_000), result: json.to_owned() }
    }

    #[test]
    fn a_result_is_bounded_json_and_a_message_is_cut() {
        let outcome = super::outcome(result(r#"{"a":1}"#)).unwrap();
        assert_eq!(outcome.message.unwrap().len(), LONGEST_TEXT);
        assert_eq!(outcome.result, Some(serde_json::json!({"a": 1})));
        assert_eq!(super::outcome(result("")).unwrap().result, None);
        for bad in ["{", "\"\\u0000\"", &format!("\"{}\"", "x".repeat(LARGEST_RESULT))] {
            assert!(super::outcome(result(bad)).is_err());
        }
    }
}
