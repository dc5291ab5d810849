//! A computer whose newest restore point is older than the RPO, or that never had one.

use keelson_sdk::{ABSENT, Error, Facts, NEVER, Rule, Severity, Verdicts, instant};
use serde::Deserialize;
use serde_json::json;

/// The rule's id.
pub const ID: &str = "computer-without-backup";

const HOUR: i64 = 3_600_000;
/// Position in the rule's messages.
const TOO_OLD: usize = 0;
const NEVER_BACKED_UP: usize = 1;

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "rpoHours")]
    rpo_hours: i64,
}

pub(crate) fn describe() -> Rule {
    Rule {
        id: ID,
        name: "Computer without backup",
        subject: "computer",
        columns: &["newest-restore-point", "first-seen"],
        parameters: json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "rpoHours": {
                    "type": "integer",
                    "title": "RPO, hours",
                    "description": "How old the newest restore point may be",
                    "minimum": 1,
                    "maximum": 8760,
                    "default": 24,
                },
            },
        }),
        internal_id: 0,
        summary: "The computer has no restore point that is younger than its recovery point objective (RPO).",
        cause: "The backup job failed, was disabled or never ran, or the computer was switched off or out of reach at \
                the time of its backup.",
        resolution: "Look at the last sessions of the job that protects the computer and run it again. If the computer \
                     is retired, remove it from the console; if it is backed up less often on purpose, give it an alarm \
                     with a longer RPO.",
        messages: &[
            "No restore point within the RPO of {0} h: the newest is from {1}",
            "No restore point at all within the RPO of {0} h: the computer was first seen at {1}",
        ],
    }
}

pub(crate) fn evaluate(now: i64, parameters: &str, facts: &Facts) -> Result<Verdicts, Error> {
    let Parameters { rpo_hours } = keelson_sdk::parameters(parameters)?;
    Ok(judge(now, rpo_hours, facts.ints("newest-restore-point")?, facts.ints("first-seen")?))
}

/// The rule itself, over columns of one length. A row without any instant is well: there is nothing to count from.
pub fn judge(now: i64, rpo_hours: i64, newest: &[i64], first_seen: &[i64]) -> Verdicts {
    let rpo = rpo_hours.saturating_mul(HOUR);
    // `since + rpo <= now`, turned round so that it takes one comparison and cannot overflow.
    let latest = now.saturating_sub(rpo);
    let mut overdue = Vec::new();
    let mut recheck = Vec::with_capacity(newest.len());
    recheck.extend(newest.iter().zip(first_seen).enumerate().map(|(row, (newest, first_seen))| {
        let since = if *newest == ABSENT { *first_seen } else { *newest };
        if since > latest {
            return since.saturating_add(rpo);
        }
        if since != ABSENT {
            overdue.push((row, since));
        }
        NEVER
    }));
    let mut verdicts = Verdicts::with_recheck(recheck);
    for (row, since) in overdue {
        let backed_up = newest.get(row).is_some_and(|newest| *newest != ABSENT);
        let message = if backed_up { TOO_OLD } else { NEVER_BACKED_UP };
        // No age: nobody looks again while the alarm stands, so the message must stay true by itself.
        let arguments = vec![rpo_hours.to_string(), instant::format(since)];
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

    fn outcome(parameters: &serde_json::Value, newest: i64, first_seen: i64) -> Outcome {
        let table = Table::new(1).ints("newest-restore-point", [newest]).ints("first-seen", [first_seen]);
        testkit::evaluate::<ShippedRules>(ID, parameters, NOW, table).unwrap()
    }

    #[test]
    fn an_old_restore_point_is_an_error_that_says_from_when_it_is() {
        let outcome = outcome(&json!({}), NOW - 26 * HOUR, 0);
        assert_eq!(outcome.raised[0].severity, Severity::Error);
        assert_eq!(
            outcome.raised[0].message,
            "No restore point within the RPO of 24 h: the newest is from 2026-11-20 07:05 UTC"
        );
        assert_eq!(outcome.recheck, [None], "only a new fact mends it");
    }

    #[test]
    fn a_young_one_is_well_until_the_rpo_is_over() {
        let outcome = outcome(&json!({}), NOW - HOUR, 0);
        assert!(outcome.raised.is_empty());
        assert_eq!(outcome.recheck, [Some(NOW + 23 * HOUR)]);
    }

    #[test]
    fn the_very_instant_counts_as_overdue_so_that_a_recheck_finds_something() {
        assert_eq!(outcome(&json!({}), NOW - 24 * HOUR, 0).raised.len(), 1);
        assert_eq!(outcome(&json!({}), NOW - 24 * HOUR + 1, 0).recheck, [Some(NOW + 1)]);
    }

    #[test]
    fn a_computer_that_was_never_backed_up_counts_from_when_it_was_first_seen() {
        assert_eq!(outcome(&json!({}), ABSENT, NOW - HOUR).recheck, [Some(NOW + 23 * HOUR)]);
        let message = &outcome(&json!({}), ABSENT, NOW - 30 * HOUR).raised[0].message;
        assert_eq!(
            message,
            "No restore point at all within the RPO of 24 h: the computer was first seen at 2026-11-20 03:05 UTC"
        );
        assert_eq!(outcome(&json!({}), ABSENT, ABSENT), Outcome { raised: vec![], recheck: vec![None] });
    }

    #[test]
    fn a_message_does_not_age_while_its_alarm_stands() {
        let message = |now| {
            let verdicts = judge(now, 24, &[NOW - 26 * HOUR, ABSENT], &[0, NOW - 30 * HOUR]);
            verdicts.iter().map(|verdict| verdict.arguments.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(message(NOW), message(NOW + 1_000 * HOUR));
        assert_eq!(message(NOW).len(), 2);
    }

    #[test]
    fn the_parameter_decides() {
        assert_eq!(outcome(&json!({"rpoHours": 48}), NOW - 26 * HOUR, 0).raised, vec![]);
        assert_eq!(outcome(&json!({"rpoHours": 1}), NOW - 2 * HOUR, 0).raised.len(), 1);
    }

    #[test]
    fn instants_at_the_edge_of_time_do_not_overflow() {
        assert_eq!(outcome(&json!({}), i64::MAX, 0).recheck, [Some(i64::MAX)]);
        assert_eq!(outcome(&json!({}), ABSENT + 1, 0).raised.len(), 1);
    }
}
