//! A management agent that is not connected and has been silent for too long.

use keelson_sdk::{ABSENT, Error, Facts, NEVER, Rule, Severity, Verdicts, instant};
use serde::Deserialize;
use serde_json::json;

/// The rule's id.
pub const ID: &str = "management-agent-connection-lost";

const MINUTE: i64 = 60_000;
/// The flag's "true".
const CONNECTED: u8 = 1;
/// Position in the rule's messages.
const SILENT: usize = 0;
const NEVER_CONNECTED: usize = 1;

#[derive(Deserialize)]
struct Parameters {
    minutes: i64,
}

pub(crate) fn describe() -> Rule {
    Rule {
        id: ID,
        name: "Management agent connection lost",
        subject: "management-agent",
        columns: &["connected", "last-heartbeat", "enrolled-at"],
        parameters: json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "minutes": {
                    "type": "integer",
                    "title": "Silence, minutes",
                    "description": "How long the agent may be out of reach",
                    "minimum": 1,
                    "maximum": 10080,
                    "default": 5,
                },
            },
        }),
        internal_id: 0,
        summary: "The management agent has no connection to the console, so nothing is known of its server.",
        cause: "The server is switched off, the agent's service is stopped, or a firewall, proxy or network in between \
                does not let its outbound connection through.",
        resolution: "Check that the server runs, that the keelson-agent service runs on it, and that it reaches the \
                     console's agent port. The agent's own log names what it cannot reach.",
        messages: &[
            "No connection for {0} min or longer: last heard of at {1}",
            "No connection since it was enrolled at {1}, {0} min ago or longer",
        ],
    }
}

pub(crate) fn evaluate(now: i64, parameters: &str, facts: &Facts) -> Result<Verdicts, Error> {
    let Parameters { minutes } = keelson_sdk::parameters(parameters)?;
    let (heartbeat, enrolled) = (facts.ints("last-heartbeat")?, facts.ints("enrolled-at")?);
    Ok(judge(now, minutes, facts.flags("connected")?, heartbeat, enrolled))
}

/// The rule itself, over columns of one length. An agent that was never heard of counts from its enrolment.
pub fn judge(now: i64, minutes: i64, connected: &[u8], heartbeat: &[i64], enrolled: &[i64]) -> Verdicts {
    let patience = minutes.saturating_mul(MINUTE);
    let latest = now.saturating_sub(patience);
    let mut lost = Vec::new();
    let mut recheck = Vec::with_capacity(connected.len());
    let rows = connected.iter().zip(heartbeat.iter().zip(enrolled)).enumerate();
    recheck.extend(rows.map(|(row, (connected, (heartbeat, enrolled)))| {
        let since = if *heartbeat == ABSENT { *enrolled } else { *heartbeat };
        // A lost connection is a new fact, so nothing is to be looked at again before that.
        if *connected == CONNECTED || since == ABSENT {
            return NEVER;
        }
        if since > latest {
            return since.saturating_add(patience);
        }
        lost.push((row, since));
        NEVER
    }));
    let mut verdicts = Verdicts::with_recheck(recheck);
    for (row, since) in lost {
        let heard_of = heartbeat.get(row).is_some_and(|heartbeat| *heartbeat != ABSENT);
        let message = if heard_of { SILENT } else { NEVER_CONNECTED };
        // No age: nobody looks again while the alarm stands, so the message must stay true by itself.
        let arguments = vec![minutes.to_string(), instant::format(since)];
        verdicts.raise(row, Severity::Error, message, arguments);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use keelson_sdk::testkit::{self, Outcome, Table};

    use super::*;
    use crate::ShippedRules;

    const NOW: i64 = 1_795_251_900_000; // 2026-11-21 09:05 UTC

    fn outcome(connected: u8, heartbeat: i64, enrolled: i64) -> Outcome {
        let table = Table::new(1)
            .flags("connected", [connected])
            .ints("last-heartbeat", [heartbeat])
            .ints("enrolled-at", [enrolled]);
        testkit::evaluate::<ShippedRules>(ID, &json!({}), NOW, table).unwrap()
    }

    #[test]
    fn a_connected_agent_is_well_whatever_its_last_heartbeat() {
        assert_eq!(outcome(1, NOW - 60 * MINUTE, 0), Outcome { raised: vec![], recheck: vec![None] });
    }

    #[test]
    fn a_lost_one_is_given_its_minutes_and_then_is_an_error() {
        assert_eq!(outcome(0, NOW - MINUTE, 0).recheck, [Some(NOW + 4 * MINUTE)]);
        let raised = outcome(0, NOW - 7 * MINUTE, 0).raised;
        assert_eq!(raised[0].severity, Severity::Error);
        assert_eq!(
            raised[0].message,
            "No connection for 5 min or longer: last heard of at 2026-11-21 08:58 UTC"
        );
    }

    #[test]
    fn a_message_does_not_age_while_its_alarm_stands() {
        let message = |now| {
            let verdicts = judge(now, 5, &[0, 0], &[NOW - 7 * MINUTE, ABSENT], &[0, NOW - 6 * MINUTE]);
            verdicts.iter().map(|verdict| verdict.arguments.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(message(NOW), message(NOW + 1_000 * MINUTE));
        assert_eq!(message(NOW).len(), 2);
    }

    #[test]
    fn one_that_never_connected_counts_from_its_enrolment() {
        let raised = outcome(2, ABSENT, NOW - 6 * MINUTE).raised;
        assert_eq!(
            raised[0].message,
            "No connection since it was enrolled at 2026-11-21 08:59 UTC, 5 min ago or longer"
        );
        assert_eq!(outcome(0, ABSENT, ABSENT), Outcome { raised: vec![], recheck: vec![None] });
    }
}
