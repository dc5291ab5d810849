//! What an agent says about commands. It may be hostile: it is heard only about what it was given, under the attempt that it
//! was given, and what it says is bounded.

use std::net::IpAddr;

use keelson_proto::limits::{RESULT_BYTES, TEXT_BYTES};
use keelson_proto::v1::{CommandHeard, CommandReport, command_report};
use serde_json::Value;
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
        Some(command_report::What::Result(result)) => (News::Result(outcome(result)), true),
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

/// A result that cannot be kept ends the command all the same: it would come again with each session, and end that.
fn outcome(result: keelson_proto::v1::CommandResult) -> Outcome {
    match value(&result.result) {
        Ok(value) => Outcome { done: result.done, message: text(result.message), result: value },
        Err(why) => {
            let deed =
                if result.done { "the agent did it, but its answer" } else { "the answer of the agent" };
            Outcome { done: false, message: text(format!("{deed} {why}. {}", result.message)), result: None }
        }
    }
}

fn value(json: &str) -> Result<Option<Value>, String> {
    if json.len() > RESULT_BYTES {
        return Err(format!("has {} bytes, and {RESULT_BYTES} are kept; ask for less at once", json.len()));
    }
    if json.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_str(json).map_err(|error| format!("is not JSON: {error}"))?;
    if holds_nul(&value) { Err("holds a NUL character".to_owned()) } else { Ok(Some(value)) }
}

/// The depth is bounded: the parser takes no more than 128 levels.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// PostgreSQL keeps no NUL in a text.
fn text(mut text: String) -> Option<String> {
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
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
    fn a_result_is_kept_and_a_message_is_cut() {
        let outcome = super::outcome(result(r#"{"a":"x\\u0000y"}"#));
        assert_eq!(outcome.message.unwrap().len(), TEXT_BYTES);
        assert_eq!(outcome.result, Some(serde_json::json!({"a": "x\\u0000y"})), "a backslash is no NUL");
        assert_eq!(super::outcome(result("")).result, None);
    }

    #[test]
    fn a_result_that_cannot_be_kept_ends_the_command_with_the_reason() {
        for (bad, why) in [
            ("{", "is not JSON"),
            (r#"["\u0000"]"#, "holds a NUL"),
            (r#"{"\u0000":1}"#, "holds a NUL"),
            (&format!("\"{}\"", "x".repeat(RESULT_BYTES)), "262144 are kept"),
        ] {
            let outcome = super::outcome(result(bad));
            let message = outcome.message.unwrap();
            assert!(!outcome.done && outcome.result.is_none() && message.contains(why), "{message}");
        }
    }
}
