//! What only one part of the host may do: SQL in `store/`, wasmtime in `plugins/`, generated bindings in
//! `plugins/abi.rs`, listening in `agents/` and `api/`, failure statuses in `api/error.rs`.

use super::source::{Source, has_word, is_word};
use super::{Finding, Tree, in_area};

const FAILURE_STATUSES: &[&str] = &[
    "BAD_REQUEST",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "REQUEST_TIMEOUT",
    "CONFLICT",
    "GONE",
    "PRECONDITION_FAILED",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNPROCESSABLE_ENTITY",
    "LOCKED",
    "TOO_MANY_REQUESTS",
    "INTERNAL_SERVER_ERROR",
    "NOT_IMPLEMENTED",
    "BAD_GATEWAY",
    "SERVICE_UNAVAILABLE",
    "GATEWAY_TIMEOUT",
    "INSUFFICIENT_STORAGE",
];

/// Besides the one mapping: OAuth2 has an error shape of its own, the page's files are no API, and health answers a
/// load balancer.
const ANSWERS_WITH_STATUS: &[&str] = &["api/error.rs", "api/token.rs", "api/ui.rs", "api/health.rs"];

/// Checks every file of the host against what its area may do.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.host() {
        if !in_area(file, "store") {
            findings.extend(sql(source));
        }
        if !in_area(file, "plugins") {
            let message = "only host/src/plugins/ may name wasmtime: ask the plugin host for what you need";
            findings.extend(word(source, "wasmtime", message));
        }
        if file != "plugins/abi.rs" {
            let message =
                "generated bindings belong in host/src/plugins/abi.rs; convert them to our types there";
            findings.extend(word(source, "bindgen!", message));
        }
        // A test may have a server of its own to talk to.
        let opens = ["agents", "api", "health"].iter().any(|area| in_area(file, area));
        if !opens && !file.contains("/tests/") {
            let message = "only agents, api and health open sockets: hand the address to one of them";
            findings.extend(word(source, "TcpListener", message));
        }
        if !ANSWERS_WITH_STATUS.contains(&file) {
            findings.extend(statuses(source));
        }
    }
    findings
}

fn word(source: &Source, word: &str, message: &str) -> Vec<Finding> {
    let hits = source.all_lines().filter(|(_, line)| has_word(line, word));
    hits.map(|(number, _)| Finding::new(&source.path, number, message)).collect()
}

fn sql(source: &Source) -> Vec<Finding> {
    let hits = source.literals.iter().filter(|(_, text)| is_sql(text));
    hits.map(|(line, _)| {
        Finding::new(&source.path, *line, "SQL outside host/src/store/: add a method to a repository there")
    })
    .collect()
}

fn is_sql(text: &str) -> bool {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let verb = |verb: &str, then: &str| {
        flat.match_indices(verb).any(|(at, _)| {
            let starts =
                flat.get(..at).is_none_or(|before| before.is_empty() || before.ends_with([' ', '(']));
            starts && flat.get(at + verb.len()..).is_some_and(|after| then.is_empty() || after.contains(then))
        })
    };
    verb("SELECT ", "") || verb("INSERT INTO ", "") || verb("DELETE FROM ", "") || verb("UPDATE ", " SET ")
}

/// Answering with a failure's status is how a second mapping of domain errors begins. Comparing with one is no answer,
/// and tests may name what they expect.
fn statuses(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.lines() {
        let answers = line.match_indices("StatusCode::").any(|(at, prefix)| {
            let before = line.get(..at).unwrap_or_default().trim_end();
            let name = line.get(at + prefix.len()..).unwrap_or_default();
            let name = name.split(|letter| !is_word(letter)).next().unwrap_or_default();
            !before.ends_with("==") && !before.ends_with("!=") && FAILURE_STATUSES.contains(&name)
        });
        if answers {
            let message = "only host/src/api/error.rs turns an error into a status: return the domain error";
            findings.push(Finding::new(&source.path, number, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::planted(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn sql_is_found_outside_the_store_and_left_alone_inside() {
        let text = "fn f() {\n    q(\"SELECT id FROM a\");\n    q(r\"UPDATE a\n      SET b = 1\");\n    q(\"INSERT INTO a\");\n}\n";
        assert_eq!(lines("host/src/api/companies.rs", text), [2, 3, 5]);
        assert_eq!(lines("host/src/api/companies.rs", "q(\"INSERT INTO a (b) VALUES ($1)\");\n"), [1]);
        assert_eq!(lines("host/src/api/companies.rs", "q(\"DELETE FROM a WHERE b\");\n"), [1]);
        assert!(lines("host/src/store/companies.rs", text).is_empty());
        assert!(lines("host/src/store.rs", text).is_empty());
    }

    #[test]
    fn prose_is_no_sql() {
        let text = "e(\"select a company\"); e(\"UPDATE available\"); // SELECT x\n";
        assert!(lines("host/src/api/companies.rs", text).is_empty());
    }

    #[test]
    fn wasmtime_is_found_outside_the_plugin_host() {
        let text = "use wasmtime::Engine;\n// wasmtime is fine here\n";
        assert_eq!(lines("host/src/app.rs", text), [1]);
        assert!(lines("host/src/plugins/engine.rs", text).is_empty());
        assert!(lines("host/src/plugins.rs", text).is_empty());
    }

    #[test]
    fn bindings_are_found_outside_abi() {
        let text = "wasmtime::component::bindgen!({ path: \"wit\" });\n";
        assert_eq!(lines("host/src/plugins/call.rs", text), [1]);
        assert!(lines("host/src/plugins/abi.rs", text).is_empty());
    }

    #[test]
    fn a_listener_is_found_where_nobody_should_listen() {
        let text = "use tokio::net::TcpListener;\n";
        assert_eq!(lines("host/src/jobs.rs", text), [1]);
        for file in ["agents/listener.rs", "api.rs", "health.rs"] {
            assert!(lines(&format!("host/src/{file}"), text).is_empty(), "{file}");
        }
    }

    #[test]
    fn a_failure_status_is_found_outside_the_one_mapping() {
        let text = "fn f() {\n    StatusCode::NOT_FOUND;\n    StatusCode::CREATED;\n    x == StatusCode::GONE;\n}\n\n#[cfg(test)]\nmod tests {\n    fn t() { StatusCode::CONFLICT; }\n}\n";
        assert_eq!(lines("host/src/api/companies.rs", text), [2]);
        assert!(lines("host/src/api/error.rs", text).is_empty());
    }
}
