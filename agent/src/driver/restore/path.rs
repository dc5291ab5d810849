//! Paths inside a backup, as the host names them.

use std::fmt;

use crate::driver::Refused;

/// Longer paths no system has.
const LONGEST: usize = 4_096;

/// Where something lies in a backup: parts between slashes, from the root. Nothing of it is a path of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SourcePath(Vec<String>);

impl SourcePath {
    /// Reads `/folder/file`; empty and `/` are the root. `..` and what no file name can hold are refused.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let refuse = |why: &str| {
            let shown: String = text.chars().take(100).collect();
            Err(Refused(format!("\"{}\" is no path in a backup: {why}", shown.escape_debug())))
        };
        if text.len() > LONGEST {
            return refuse("it is longer than 4096 bytes");
        }
        if text.contains('\0') {
            return refuse("it holds a NUL character");
        }
        if !text.is_empty() && !text.starts_with('/') {
            return refuse("it does not start with a slash");
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| matches!(*part, "." | "..")) {
            return refuse("a part of it is . or ..");
        }
        Ok(Self(parts.into_iter().map(str::to_owned).collect()))
    }

    /// The parts of it.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The folder that it lies in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.to_vec()))
    }

    /// Its last part; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// What lies in it under a name.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.to_owned());
        Self(parts)
    }

    /// Whether it lies in `other`, or is it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|part| write!(f, "/{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written_alike_and_tricks_are_refused() {
        for (text, shown) in [("", "/"), ("/", "/"), ("/a//b/", "/a/b"), ("/C/x: y", "/C/x: y")] {
            assert_eq!(SourcePath::parse(text).unwrap().to_string(), shown);
        }
        let long = format!("/{}", "x".repeat(65_536));
        for bad in ["a/b", "/a/../b", "/..", "/./a", "/a\0b", "C:\\x", &long] {
            assert!(SourcePath::parse(bad).is_err(), "{bad:.20}");
        }
        let path = SourcePath::parse("/a/b").unwrap();
        assert_eq!((path.name(), path.parent().unwrap().to_string()), (Some("b"), "/a".to_owned()));
        assert!(path.is_within(&path.parent().unwrap()) && !path.parent().unwrap().is_within(&path));
    }
}
