//! The alert rules that Keelson ships: one file each, a pure function over columns.

pub mod computer_without_backup;
pub mod management_agent_connection_lost;
pub mod management_agent_misuse;

use keelson_sdk::{AlertRules, Call, Error, Facts, Plugin, Rule, Verdicts};

/// The plugin.
#[derive(Debug)]
pub struct ShippedRules;

impl Plugin for ShippedRules {
    const ID: &'static str = "keelson.alert-rules";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
}

impl AlertRules for ShippedRules {
    fn rules() -> Vec<Rule> {
        vec![
            computer_without_backup::describe(),
            management_agent_connection_lost::describe(),
            management_agent_misuse::describe(),
        ]
    }

    fn evaluate(call: &Call, rule: &str, parameters: &str, facts: &Facts) -> Result<Verdicts, Error> {
        match rule {
            computer_without_backup::ID => computer_without_backup::evaluate(call.now, parameters, facts),
            management_agent_connection_lost::ID => {
                management_agent_connection_lost::evaluate(call.now, parameters, facts)
            }
            management_agent_misuse::ID => management_agent_misuse::evaluate(facts),
            _ => Err(Error::unknown_rule(rule)),
        }
    }
}

keelson_sdk::plugin!(ShippedRules: alert_rules);
