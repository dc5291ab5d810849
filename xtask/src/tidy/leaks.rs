//! What must not be published: paths of somebody's machine and addresses of package registries. Both come into files
//! by copying a tool's output, and both are wrong on every other machine.

use super::{Finding, Tree, has_extension};

/// Folders whose absolute paths are some machine's own.
const MACHINE_FOLDERS: &[&str] = &["work", "farm", "root"];

/// Second-level names of registries' hosts.
const REGISTRIES: &[&str] = &["crates", "pypi", "npmjs", "debian"];

/// Checks all text but lock files, which name their registry by design.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts.iter().filter(|(path, _)| !has_extension(path, "lock")) {
        for (index, line) in text.lines().enumerate() {
            if has_machine_path(line) {
                let message =
                    "a path of one machine: make it relative to the repository or take it from a setting";
                findings.push(Finding::new(path, index + 1, message));
            }
            if names_registry(line) {
                let message = "the address of a package registry: name the package only";
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    findings
}

fn has_machine_path(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            let opened = line.get(..at).is_some_and(|before| before.ends_with('/'));
            let mut after = line.get(at + folder.len()..).unwrap_or_default().chars();
            let goes_on = |letter: char| letter.is_ascii_lowercase() || letter == '.';
            opened && after.next() == Some('/') && after.next().is_some_and(goes_on)
        })
    })
}

fn names_registry(line: &str) -> bool {
    line.match_indices("://").any(|(at, scheme)| {
        let web = line.get(..at).is_some_and(|before| before.ends_with("http") || before.ends_with("https"));
        let rest = line.get(at + scheme.len()..).unwrap_or_default();
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || ".-".contains(letter)));
        let host = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        // The last label is the country or kind, so a registry's name stands before a dot.
        let mut labels: Vec<&str> = host.split('.').collect();
        labels.pop();
        web && labels.iter().any(|label| REGISTRIES.iter().any(|registry| label.ends_with(registry)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::planted(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_machine_path_is_found_in_any_file() {
        for folder in MACHINE_FOLDERS {
            let text = format!("fine\nsee /{folder}/main/host\n");
            assert_eq!(lines("docs/notes.md", &text), [2], "{folder}");
            assert_eq!(lines("x.sh", &format!("cp a /{folder}/.cache\n")), [1], "{folder}");
        }
    }

    #[test]
    fn a_registry_address_is_found_but_not_in_a_lock_file() {
        for registry in REGISTRIES {
            let text = format!("\"resolved\": \"https://registry.{registry}.org/a.tgz\"\n");
            assert_eq!(lines("web/package-lock.json", &text), [1], "{registry}");
            assert!(lines("Cargo.lock", &text).is_empty());
        }
    }

    #[test]
    fn ordinary_text_passes() {
        let text = "the work/life balance, GET /api/v3/networks/1, http://localhost:1280/root\n";
        assert!(lines("README.md", text).is_empty());
        assert!(lines("README.md", "https://example.com/debian and /root alone\n").is_empty());
    }
}
