//! The files of a package: which names there may be, how large each may be, and which are read from a folder.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::super::limits::mebibytes;
use super::super::text::cut;

pub(in crate::plugins) const MANIFEST: &str = "plugin.toml";
pub(in crate::plugins) const COMPONENT: &str = "plugin.wasm";
pub(in crate::plugins) const SIGNATURE: &str = "signature.json";
/// What an administrator set. It lies beside a plugin's files and is none of them.
pub(in crate::plugins) const SETTINGS: &str = "settings.json";

/// The largest component.
const MAX_COMPONENT: usize = 32 << 20;
/// The largest of the other files.
const MAX_TEXT: usize = 1 << 20;
/// All that a package may hold when it is unpacked.
pub(in crate::plugins) const MAX_ALL: usize = 48 << 20;
/// How many files a package may have.
pub(in crate::plugins) const MAX_FILES: usize = 64;
/// The longest name.
const MAX_NAME: usize = 100;

/// Files by their names: only names that a package may have, each once and within its cap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::plugins) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Adds a file. What is wrong with it is a sentence.
    pub(in crate::plugins) fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let cap = cap(name)?;
        if bytes.len() > cap {
            return Err(too_large(name, cap));
        }
        if self.0.len() >= MAX_FILES {
            return Err(format!("it has more than {MAX_FILES} files"));
        }
        if self.0.values().map(Vec::len).sum::<usize>() + bytes.len() > MAX_ALL {
            return Err(format!("its files are larger than {} together", mebibytes(MAX_ALL)));
        }
        match self.0.insert(name.to_owned(), bytes) {
            None => Ok(()),
            Some(_) => Err(format!("it has `{name}` twice; which of the two counts?")),
        }
    }

    /// One of them.
    pub(in crate::plugins) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Takes one out.
    pub(in crate::plugins) fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        self.0.remove(name)
    }

    /// All of them, by name.
    pub(in crate::plugins) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The SHA-256 of each of them, in hex.
    pub(in crate::plugins) fn digests(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, bytes)| (name.to_owned(), hex::encode(Sha256::digest(bytes)))).collect()
    }

    /// What of a folder belongs into a package: everything there whose name a package may have. What an author keeps beside
    /// it (sources, settings) stays out.
    pub(in crate::plugins) fn of_folder(folder: &Path) -> Result<Self, String> {
        let mut files = Self::default();
        for (place, prefix) in [(folder.to_path_buf(), ""), (folder.join("views"), "views/")] {
            for name in names(&place)? {
                let name = format!("{prefix}{name}");
                if let Ok(cap) = cap(&name)
                    && let Some(bytes) = read(folder, &name, cap)?
                {
                    files.add(&name, bytes)?;
                }
            }
        }
        Ok(files)
    }
}

/// The plain files of a folder, sorted; none if it is not there.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A file of a folder, never more of it than its cap; none if it is not there.
pub(in crate::plugins) fn read(folder: &Path, name: &str, cap: usize) -> Result<Option<Vec<u8>>, String> {
    let unreadable = |error: std::io::Error| format!("{name} cannot be read: {error}");
    let file = match std::fs::File::open(folder.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    read_capped(file, cap).map_err(unreadable)?.ok_or_else(|| too_large(name, cap)).map(Some)
}

/// All bytes, or none if there are more than `cap`.
pub(in crate::plugins) fn read_capped(
    reader: impl std::io::Read,
    cap: usize,
) -> std::io::Result<Option<Vec<u8>>> {
    let limit = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= cap).then_some(bytes))
}

pub(in crate::plugins) fn too_large(name: &str, cap: usize) -> String {
    format!("{name} is larger than {}", mebibytes(cap))
}

/// How large a file of that name may be, or why there may be none.
pub(in crate::plugins) fn cap(name: &str) -> Result<usize, String> {
    let plain = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !name.starts_with('.') && name.len() <= MAX_NAME && name.bytes().all(allowed)
    };
    let json = |name: &str| plain(name) && name.strip_suffix(".json").is_some_and(|name| !name.is_empty());
    match name {
        COMPONENT => Ok(MAX_COMPONENT),
        MANIFEST | SIGNATURE | "README.md" | "LICENSE" => Ok(MAX_TEXT),
        SETTINGS => {
            Err(format!("it has `{SETTINGS}`, which is the administrator's and not part of a package"))
        }
        name if json(name.strip_prefix("views/").unwrap_or(name)) => Ok(MAX_TEXT),
        name => {
            let mut shown = name.escape_default().to_string();
            cut(&mut shown, MAX_NAME);
            Err(format!(
                "it has a file `{shown}`; a package has {MANIFEST}, {COMPONENT}, NAME.json, views/NAME.json, README.md, \
                 LICENSE and {SIGNATURE}, and nothing else"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_have_no_place() {
        for name in [
            "../plugin.toml",
            "/etc/passwd",
            "views/../plugin.json",
            "views/deep/er.json",
            "C:\\x.json",
            ".json",
            "views/.json",
            "..json",
            "plugin.toml/",
            "plugin.TOML",
            "a\0.json",
            "plügin.json",
            "",
        ] {
            let error = cap(name).expect_err(name);
            assert!(error.contains("nothing else"), "{name:?}: {error}");
        }
        assert!(cap("settings.json").expect_err("not in a package").contains("administrator"));
        for name in ["plugin.toml", "config.schema.json", "views/overview.json", "LICENSE"] {
            assert_eq!(cap(name), Ok(MAX_TEXT), "{name}");
        }
    }

    #[test]
    fn a_file_twice_or_too_large_is_refused_by_name() {
        let mut files = Files::default();
        files.add("LICENSE", Vec::new()).unwrap();
        assert!(files.add("LICENSE", Vec::new()).unwrap_err().contains("`LICENSE` twice"));
        let error = files.add("README.md", vec![0; MAX_TEXT + 1]).unwrap_err();
        assert_eq!(error, "README.md is larger than 1 MiB");
    }

    #[test]
    fn a_package_has_so_many_files_and_so_many_bytes_and_no_more() {
        let mut files = Files::default();
        for number in 0..MAX_FILES {
            files.add(&format!("views/{number}.json"), Vec::new()).unwrap();
        }
        assert!(files.add("LICENSE", Vec::new()).unwrap_err().contains("64 files"));
        let mut files = Files::default();
        files.add(COMPONENT, vec![0; MAX_COMPONENT]).unwrap();
        for number in 0..16 {
            files.add(&format!("{number}.json"), vec![0; MAX_TEXT]).unwrap();
        }
        assert!(files.add("LICENSE", vec![0]).unwrap_err().contains("48 MiB together"));
    }

    #[test]
    fn of_a_folder_only_what_belongs_to_a_package_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("views/more")).unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        for name in
            ["plugin.toml", "settings.json", "Cargo.toml", "views/a.json", "views/a.txt", "src/b.json"]
        {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let files = Files::of_folder(folder.path()).unwrap();
        assert_eq!(files.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["plugin.toml", "views/a.json"]);
    }
}
