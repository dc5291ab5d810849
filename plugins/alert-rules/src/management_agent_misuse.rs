//! A management agent that reached for what is another agent's.

use keelson_sdk::{ABSENT, Error, Facts, NEVER, Rule, Severity, Verdicts, instant};
use serde_json::json;

/// The rule's id.
pub const ID: &str = "management-agent-misuse";

/// Position in the rule's messages.
const REACHED: usize = 0;

pub(crate) fn describe() -> Rule {
    Rule {
        id: ID,
        name: "Management agent misuse",
        subject: "management-agent",
        columns: &["misuse-seen-at"],
        parameters: json!({ "type": "object", "additionalProperties": false, "properties": {} }),
        internal_id: 0,
        summary: "Somebody who has this management agent's certificate named what belongs to another agent. It was refused.",
        cause: "The agent's machine, its key or a copy of it is in the hands of somebody who tries what it opens.",
        resolution: "Look at the activity log for the address that it came from. Remove the agent, look at its machine, and \
                     enrol it again. The alarm ends when nothing was seen for seven days.",
        messages: &["It reached for what is another agent's and was refused, the last time at {0}"],
    }
}

pub(crate) fn evaluate(facts: &Facts) -> Result<Verdicts, Error> {
    Ok(judge(facts.ints("misuse-seen-at")?))
}

/// The rule itself, over its column. The host forgets what was not seen again, which is a new fact.
pub fn judge(seen: &[i64]) -> Verdicts {
    let mut verdicts = Verdicts::with_recheck(vec![NEVER; seen.len()]);
    for (row, at) in seen.iter().enumerate().filter(|(_, at)| **at != ABSENT) {
        verdicts.raise(row, Severity::Error, REACHED, vec![instant::format(*at)]);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use keelson_sdk::testkit::{self, Table};

    use super::*;
    use crate::ShippedRules;

    const NOW: i64 = 1_795_251_900_000; // 2026-11-21 09:05 UTC

    #[test]
    fn only_an_agent_that_was_seen_at_it_is_raised() {
        let table = Table::new(2).ints("misuse-seen-at", [ABSENT, NOW]);
        let outcome = testkit::evaluate::<ShippedRules>(ID, &json!({}), NOW, table).unwrap();
        assert_eq!(outcome.raised.len(), 1);
        assert_eq!((outcome.raised[0].row, outcome.raised[0].severity), (1, Severity::Error));
        assert!(outcome.raised[0].message.ends_with("the last time at 2026-11-21 09:05 UTC"));
        assert_eq!(outcome.recheck, [None, None]);
    }
}
