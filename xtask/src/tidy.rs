//! `cargo xtask tidy`: the repository's own rules as code. Each finding says where, what, and what to do.
//!
//! `layers` keeps what only one part may do, `floors` the direction of imports, `shape` names and sizes of files,
//! `leaks` what must not be published.

mod floors;
mod layers;
mod leaks;
mod shape;
mod source;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::process;
use crate::step;
use crate::workspace::Workspace;
use source::Source;

/// Checks every file that is tracked or about to be.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    step::run("tidy", || {
        let findings = check(&Tree::read(workspace)?);
        for finding in &findings {
            step::complain(finding);
        }
        match findings.len() {
            0 => Ok(()),
            count => bail!("{count} findings"),
        }
    })
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = layers::check(tree);
    findings.extend(floors::check(tree));
    findings.extend(shape::check(tree));
    findings.extend(leaks::check(tree));
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings
}

/// A broken rule.
#[derive(Debug)]
struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The text files of the repository, Rust read by the scanner.
#[derive(Debug, Default)]
struct Tree {
    rust: Vec<Source>,
    texts: Vec<(String, String)>,
}

impl Tree {
    fn read(workspace: &Workspace) -> anyhow::Result<Self> {
        let mut git = workspace.tool("git");
        let list = process::read(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))
            .context("tidy reads the files that git knows")?;
        let mut tree = Self::default();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // A deleted file is still listed; a picture is no text.
            if let Ok(text) = fs::read_to_string(workspace.root.join(path)) {
                tree.add(path, text);
            }
        }
        Ok(tree)
    }

    fn add(&mut self, path: &str, text: String) {
        if has_extension(path, "rs") {
            self.rust.push(Source::scan(path, &text));
        }
        self.texts.push((path.to_owned(), text));
    }

    /// The host's sources, as their path below `host/src/`.
    fn host(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.rust.iter().filter_map(|source| Some((source.path.strip_prefix("host/src/")?, source)))
    }

    #[cfg(test)]
    fn planted(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, (*text).to_owned());
        }
        tree
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// Whether a file of the host belongs to an area: `store.rs` and all below `store/`.
fn in_area(file: &str, area: &str) -> bool {
    file.strip_prefix(area).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_its_file_and_its_folder_and_nothing_that_only_begins_like_it() {
        assert!(in_area("store.rs", "store"));
        assert!(in_area("store/list.rs", "store"));
        assert!(!in_area("stores.rs", "store"));
        assert!(!in_area("api/store.rs", "store"));
    }

    #[test]
    fn a_finding_can_be_clicked() {
        assert_eq!(Finding::new("host/src/a.rs", 7, "no").to_string(), "host/src/a.rs:7: no");
    }

    #[test]
    fn a_clean_tree_has_no_finding() {
        let tree = Tree::planted(&[
            ("host/src/api/alarms.rs", "//! Alarms.\nuse crate::store::Alarms;\n"),
            ("migrations/sqlite/0001_init.sql", ""),
            ("migrations/postgres/0001_init.sql", ""),
        ]);
        assert!(check(&tree).is_empty(), "{:?}", check(&tree));
    }
}
