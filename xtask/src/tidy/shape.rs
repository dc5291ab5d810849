//! Names and sizes: no `mod.rs`, every Rust file opens with what it is for, none grows past what one can hold in
//! mind, and both databases have the same migrations.

use std::collections::BTreeSet;

use super::source::Source;
use super::{Finding, Tree};

/// Lines of code in a file, comments, blank lines and the unit tests at the end not counted.
const LONGEST_FILE: usize = 400;

/// Checks every Rust file and the migrations.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.rust.iter().flat_map(file).collect();
    findings.extend(migrations(tree));
    findings
}

fn file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if source.path.ends_with("/mod.rs") {
        findings.push(Finding::new(&source.path, 1, "modules are foo.rs beside foo/, never foo/mod.rs"));
    }
    // Documentation may stand in a file of its own.
    if !source.first_line.starts_with("//!") && !source.first_line.starts_with("#![doc = ") {
        findings.push(Finding::new(
            &source.path,
            1,
            "begin the file with a `//!` line that says what it is for",
        ));
    }
    let length = source.lines().filter(|(_, line)| !line.trim().is_empty()).count();
    if length > LONGEST_FILE {
        let message =
            format!("{length} lines of code, {LONGEST_FILE} at most: split it by what changes together");
        findings.push(Finding::new(&source.path, 1, message));
    }
    findings
}

fn migrations(tree: &Tree) -> Vec<Finding> {
    let names = |folder: &str| -> BTreeSet<&str> {
        tree.texts.iter().filter_map(|(path, _)| path.strip_prefix(folder)).collect()
    };
    let (sqlite, postgres) = (names("migrations/sqlite/"), names("migrations/postgres/"));
    let lacks = |have: &str, lack: &str, name: &str| {
        let message = format!("missing in migrations/{lack}/: both databases have the same migrations");
        Finding::new(&format!("migrations/{have}/{name}"), 1, message)
    };
    let only_sqlite = sqlite.difference(&postgres).map(|name| lacks("sqlite", "postgres", name));
    let only_postgres = postgres.difference(&sqlite).map(|name| lacks("postgres", "sqlite", name));
    only_sqlite.chain(only_postgres).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::planted(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_mod_file_and_a_file_without_a_purpose_are_found() {
        assert!(messages(&[("host/src/api/mod.rs", "//! A\n")])[0].contains("never foo/mod.rs"));
        assert!(messages(&[("sdk/src/lib.rs", "use a;\n")])[0].contains("`//!`"));
    }

    #[test]
    fn only_code_counts_towards_the_length() {
        let code = "f();\n".repeat(LONGEST_FILE);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        let fine = format!("//! A\n\n// why\n/* more */\n{code}{tests}");
        assert!(messages(&[("sdk/src/lib.rs", &fine)]).is_empty());
        let long = format!("//! A\n{code}f();\n");
        assert!(messages(&[("sdk/src/lib.rs", &long)])[0].contains("401 lines of code"));
    }

    #[test]
    fn a_migration_for_one_database_only_is_found() {
        let found = messages(&[
            ("migrations/sqlite/0001_init.sql", ""),
            ("migrations/postgres/0001_init.sql", ""),
            ("migrations/postgres/0002_more.sql", ""),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("migrations/postgres/0002_more.sql:1: missing in migrations/sqlite/"),
            "{found:?}"
        );
    }
}
