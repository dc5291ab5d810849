//! The floors of the host: imports only go down, and areas of one floor do not know each other.
//!
//! A new module at the root of `host/src` must be given its floor here, on purpose.

use std::collections::BTreeMap;

use super::source::{Source, is_word};
use super::{Finding, Tree};

/// From the top down. What stands on the last floor is used by all and may use its neighbours.
const FLOORS: &[(&str, &[&str])] = &[
    ("main", &["main", "cli"]),
    ("app", &["app"]),
    ("api", &["api"]),
    ("areas", &["alarms", "licensing", "mail", "notify", "onboarding", "restore", "usage"]),
    ("machinery", &["agents", "events", "jobs", "plugins"]),
    ("store", &["store"]),
    ("model", &["model", "net"]),
    ("ground", &["clock", "config", "error", "id", "instant", "lifecycle", "pki", "seal"]),
];

/// Checks every `crate::…` in the host.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.host() {
        let area = area_of(file);
        if area == "lib" {
            continue;
        }
        let Some(from) = floor(area) else {
            findings.push(Finding::new(&source.path, 1, unknown(area)));
            continue;
        };
        for (line, to) in imports(source) {
            findings.extend(judge(area, from, &to).map(|message| Finding::new(&source.path, line, message)));
        }
    }
    findings
}

fn judge(area: &str, from: usize, to: &str) -> Option<String> {
    // A type that lib.rs shows under the crate's own name has no floor; its module is checked where it stands.
    if to == area || to.starts_with(char::is_uppercase) {
        return None;
    }
    let Some(floor) = floor(to) else { return Some(unknown(to)) };
    let last = FLOORS.len() - 1;
    let entry = area == "main" && to == "cli";
    if floor > from || (floor == from && from == last) || entry {
        return None;
    }
    let (above, below) = (name(from), name(floor));
    Some(if floor == from {
        format!(
            "`{area}` and `{to}` share the floor \"{above}\" and must not import each other: meet in a row or below"
        )
    } else {
        format!(
            "imports only go down: `{area}` ({above}) must not use `{to}` ({below}); let a row in the store carry it"
        )
    })
}

fn unknown(area: &str) -> String {
    format!("`{area}` has no floor: add it to FLOORS in xtask/src/tidy/floors.rs")
}

fn area_of(file: &str) -> &str {
    let end = file.find(['/', '.']).unwrap_or(file.len());
    file.get(..end).unwrap_or(file)
}

fn floor(area: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, areas)| areas.contains(&area))
}

fn name(floor: usize) -> &'static str {
    FLOORS.get(floor).map_or("", |(name, _)| *name)
}

/// The areas that a file names, each with the first line it does so; unit tests may reach anywhere.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let production: Vec<&str> = source.lines().map(|(_, line)| line).collect();
    let code = production.join("\n");
    let mut found = BTreeMap::new();
    for (at, prefix) in code.match_indices("crate::") {
        if code.get(..at).and_then(|before| before.chars().next_back()).is_some_and(is_word) {
            continue;
        }
        let line = 1 + code.get(..at).unwrap_or_default().matches('\n').count();
        for area in heads(code.get(at + prefix.len()..).unwrap_or_default()) {
            found.entry(area).or_insert(line);
        }
    }
    found.into_iter().map(|(area, line)| (line, area)).collect()
}

/// `a::b` gives `a`; `{a::{b, c}, d}` gives `a` and `d`.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return word_at(path).into_iter().collect() };
    let (mut depth, mut expects, mut heads) = (1_usize, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => expects = true,
            letter if depth == 1 && expects && is_word(letter) => {
                expects = false;
                heads.extend(word_at(group.get(at..).unwrap_or_default()));
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn word_at(text: &str) -> Option<String> {
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    text.get(..end).filter(|word| !word.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(&Tree::planted(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_upwards_is_found_with_its_line() {
        let found = messages("host/src/store/list.rs", "use crate::error::Error;\nuse crate::api::Page;\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("host/src/store/list.rs:2: imports only go down"), "{found:?}");
    }

    #[test]
    fn areas_of_one_floor_do_not_know_each_other() {
        let found = messages("host/src/agents/session.rs", "fn f() { crate::plugins::call(); }\n");
        assert!(found[0].contains("share the floor \"machinery\""), "{found:?}");
    }

    #[test]
    fn a_group_is_read_over_several_lines() {
        let text =
            "use crate::{\n    clock::{Clock, SharedClock},\n    alarms,\n    model::{id, other},\n};\n";
        let found = messages("host/src/plugins/call.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`alarms`"), "{found:?}");
    }

    #[test]
    fn downwards_within_and_on_the_ground_is_fine_and_so_are_tests() {
        for (path, text) in [
            ("host/src/api/alarms.rs", "use crate::{alarms, store::Tx, model::Alarm, api::error};\n"),
            ("host/src/clock.rs", "use crate::error::Error;\n"),
            ("host/src/store.rs", "f();\n#[cfg(test)]\nmod tests {\n    use crate::api;\n}\n"),
            ("host/src/main.rs", "use crate::cli;\n"),
            ("host/src/jobs.rs", "other_crate::alarms();\n"),
        ] {
            assert!(messages(path, text).is_empty(), "{path}: {:?}", messages(path, text));
        }
    }

    #[test]
    fn a_module_without_a_floor_is_asked_for_one() {
        assert!(messages("host/src/telemetry.rs", "//! T\n")[0].contains("`telemetry` has no floor"));
        assert!(
            messages("host/src/app.rs", "use crate::telemetry;\n")[0].contains("`telemetry` has no floor")
        );
    }
}
