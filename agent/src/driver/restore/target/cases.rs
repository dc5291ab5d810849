//! Names that differ only in case, where a file system may take them for one.
//!
//! What is written comes folder by folder, so the names of a folder are remembered until another one is gone into beside it: the
//! memory grows with the widest folder and the depth, not with the number of files.

use std::collections::HashMap;
use std::ffi::OsString;

/// The names of the folders on the way to what was written last.
#[derive(Debug, Default)]
pub(super) struct Cases {
    path: Vec<OsString>,
    /// By depth: each name as it was written first, by what it is without its case.
    names: Vec<HashMap<String, OsString>>,
}

impl Cases {
    /// Goes to a file or folder. If a part of its path is another spelling of what was written, and `is_same` says that both
    /// lead to one thing: the path that was written.
    pub(super) fn enter(
        &mut self,
        parts: &[OsString],
        mut is_same: impl FnMut(&[OsString], &[OsString]) -> bool,
    ) -> Option<Vec<OsString>> {
        let known = self.path.iter().zip(parts).take_while(|(one, other)| one == other).count();
        self.path.truncate(known);
        self.names.truncate(known + 1);
        for (depth, part) in parts.iter().enumerate().skip(known) {
            if self.names.len() <= depth {
                self.names.push(HashMap::new());
            }
            let names = self.names.get_mut(depth)?;
            let first = names.entry(part.to_string_lossy().to_lowercase()).or_insert_with(|| part.clone());
            if first != part {
                let other: Vec<_> = self.path.iter().chain([&*first]).cloned().collect();
                if is_same(&other, parts.get(..=depth).unwrap_or_default()) {
                    return Some(other);
                }
            }
            self.path.push(part.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Vec<OsString> {
        path.split('/').map(OsString::from).collect()
    }

    /// On a file system that knows no case.
    fn enter(cases: &mut Cases, path: &str) -> Option<Vec<OsString>> {
        cases.enter(&parts(path), |_, _| true)
    }

    #[test]
    fn another_spelling_is_found_wherever_on_the_path_it_is() {
        let mut cases = Cases::default();
        for path in ["a", "a/x", "a/B/y", "a/b2", "a/c/z"] {
            assert_eq!(enter(&mut cases, path), None, "{path}");
        }
        assert_eq!(enter(&mut cases, "a/X"), Some(parts("a/x")));
        assert_eq!(enter(&mut cases, "a/b/other"), Some(parts("a/B")));
        assert_eq!(enter(&mut cases, "a/b/other"), Some(parts("a/B")), "it is not taken for known");
        assert_eq!(enter(&mut cases, "A"), Some(parts("a")));
        assert_eq!(enter(&mut cases, "a/c/z"), None);
    }

    #[test]
    fn where_case_counts_nothing_clashes() {
        let mut cases = Cases::default();
        for path in ["a/x", "A/x", "a/X"] {
            assert_eq!(cases.enter(&parts(path), |_, _| false), None);
        }
    }

    #[test]
    fn a_hundred_thousand_files_are_remembered_a_folder_at_a_time() {
        let mut cases = Cases::default();
        let mut most = 0;
        for folder in 0..1_000 {
            for file in 0..100 {
                assert_eq!(enter(&mut cases, &format!("top/{folder}/{file}")), None);
                most = most.max(cases.names.iter().map(HashMap::len).sum());
            }
        }
        assert_eq!(most, 1 + 1_000 + 100, "the folders of the top and the files of one");
    }
}
