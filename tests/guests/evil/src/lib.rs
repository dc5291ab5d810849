//! Misbehaves on demand: in a rule as the parameter `mode` says, at load as the setting `at-load` says.
//! The package around it is written by the test, so that its manifest can lie too.

use keelson_sdk::{AlertRules, Call, Error, Facts, Plugin, Rule, Severity, Verdicts};
use serde_json::{Value, json};

struct Evil;

impl Plugin for Evil {
    const ID: &'static str = "evil.guest";
    const VERSION: &'static str = "6.6.6";

    fn start(_host: &str) -> Result<(), Error> {
        Self::misbehaves("at-load")
    }

    fn migrate(_from: &str, _to: &str) -> Result<(), Error> {
        Self::misbehaves("migrate")
    }

    fn health() -> Result<(), Error> {
        Self::misbehaves("health")
    }
}

impl Evil {
    fn misbehaves(key: &str) -> Result<(), Error> {
        match word(&keelson_sdk::config::json(), key).as_str() {
            "spin" => spin(),
            "trap" => trap(),
            "grow" => grow(),
            "refuse" => Err(Error::new("bad-settings", "the moon is in the wrong phase")),
            _ => Ok(()),
        }
    }
}

impl AlertRules for Evil {
    fn rules() -> Vec<Rule> {
        let rule = Rule {
            id: "misbehave",
            name: "Misbehave",
            subject: "computer",
            columns: &["first-seen"],
            parameters: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": { "mode": { "type": "string", "default": "behave" } },
            }),
            messages: &["{0}"],
            ..Rule::default()
        };
        match word(&keelson_sdk::config::json(), "rules").as_str() {
            "unknown-subject" => vec![Rule { subject: "moon", ..rule }],
            "unknown-column" => vec![Rule { columns: &["first-see"], ..rule }],
            "bad-schema" => vec![Rule { parameters: json!({ "type": 7 }), ..rule }],
            "twice" => vec![rule.clone(), rule],
            "nul" => vec![Rule { summary: "half\0a text", ..rule }],
            "named" => vec![Rule { columns: &["first-seen", "name"], ..rule }],
            "spin" => spin(),
            _ => vec![rule],
        }
    }

    fn evaluate(_call: &Call, _rule: &str, parameters: &str, facts: &Facts) -> Result<Verdicts, Error> {
        match word(parameters, "mode").as_str() {
            "spin" => spin(),
            "grow" => grow(),
            "trap" => trap(),
            "recurse" => Ok(one(0, 3, &recurse(1).to_string())),
            "row-out-of-range" => Ok(one(facts.rows(), 0, "beyond")),
            "rows-descending" => Ok(two(1, 0)),
            "row-twice" => Ok(two(0, 0)),
            "bad-message" => Ok(one(0, 9, "no such message")),
            "bad-recheck" => Ok(Verdicts::with_recheck(vec![0; facts.rows() + 1])),
            "long-message" => Ok(one(0, 0, &"x".repeat(100 << 10))),
            "huge-message" => Ok(one(0, 0, &"x".repeat(10 << 20))),
            "huge-list" => Ok(Verdicts::with_recheck(vec![0; 2 << 20])),
            "log-flood" => {
                (0..2_000).for_each(|_| keelson_sdk::log::info(&"flood ".repeat(2_000)));
                Ok(Verdicts::default())
            }
            "say-no" => Err(Error::new("no", "not today").retryable()),
            "refuse" => Err(Error::new("bad-parameters", "no such mode under this moon")),
            "nul" => Ok(one(0, 0, "half\0a text")),
            "longest-name" => {
                let longest = facts.strings("name")?.iter().map(String::len).max();
                Ok(one(0, 0, &longest.unwrap_or_default().to_string()))
            }
            // What a pure function does not get; the error is what is shown.
            "http" => keelson_sdk::http::get("psa", "/").send().map(|_| one(0, 0, "sent")),
            "secrets" => keelson_sdk::secrets::info("token").map(|_| one(0, 0, "told")),
            "settings" => Ok(one(0, 0, &keelson_sdk::config::json())),
            _ => Ok(Verdicts::default()),
        }
    }
}

fn word(json: &str, key: &str) -> String {
    let value = serde_json::from_str::<Value>(json).unwrap_or_default();
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn one(row: usize, message: usize, argument: &str) -> Verdicts {
    let mut verdicts = Verdicts::default();
    verdicts.raise(row, Severity::Error, message, vec![argument.to_owned()]);
    verdicts
}

fn two(first: usize, second: usize) -> Verdicts {
    let mut verdicts = one(first, 0, "first");
    verdicts.raise(second, Severity::Error, 0, vec!["second".to_owned()]);
    verdicts
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn grow() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

#[expect(clippy::panic, reason = "that is the point")]
fn trap() -> ! {
    panic!("evil on purpose")
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + std::hint::black_box(frame)[0]
}

keelson_sdk::plugin!(Evil: alert_rules);
