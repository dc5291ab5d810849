//! `plugin.toml`: what a plugin is and what it asks for. An unknown key is an error that names the nearest one, because
//! a misspelt limit that is quietly ignored is a trap.

mod capabilities;
mod extends;

use semver::{Version, VersionReq};
use serde::Deserialize;
use toml::{Table, Value};

use super::error::LoadFault;
use super::limits::{DEFAULT_MEMORY, MAX_MEMORY, mebibytes};
use super::text::nearest;

pub(super) use capabilities::{
    Capabilities, Destination, Kv, Placement, SecretKind, SecretSlot, check_origin,
};
pub(super) use extends::{Extends, Overlap, Task, View};

/// Keys at the top.
const TOP: &[&str] = &[
    "id",
    "name",
    "version",
    "summary",
    "license",
    "homepage",
    "publisher",
    "contract",
    "extends",
    "limits",
    "config",
    "http",
    "secrets",
    "data",
    "kv",
];
/// The longest text for people, in bytes.
const MAX_TEXT: usize = 512;

/// A manifest that passed.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) about: About,
    pub(super) requires: VersionReq,
    pub(super) extends: Extends,
    pub(super) capabilities: Capabilities,
    pub(super) memory: usize,
    /// The file's name inside the package.
    pub(super) config_schema: Option<String>,
}

/// What people read of a plugin before they install it. All of it is the publisher's word.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) summary: Option<String>,
    pub(super) license: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) publisher: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    name: String,
    version: String,
    summary: Option<String>,
    license: Option<String>,
    homepage: Option<String>,
    publisher: Option<String>,
    contract: RawContract,
    #[serde(default)]
    extends: extends::Raw,
    #[serde(default)]
    limits: RawLimits,
    config: Option<RawConfig>,
    #[serde(flatten)]
    capabilities: capabilities::Raw,
}

#[derive(Deserialize)]
struct RawContract {
    requires: String,
}

#[derive(Deserialize, Default)]
struct RawLimits {
    memory: Option<String>,
}

#[derive(Deserialize)]
struct RawConfig {
    schema: String,
}

impl Manifest {
    /// Reads and checks it.
    pub(super) fn parse(text: &str) -> Result<Self, LoadFault> {
        let bad = |reason: String| LoadFault::Manifest(reason);
        let table: Table = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        check_keys(&table).map_err(bad)?;
        extends::check_offered(&table).map_err(LoadFault::Unsupported)?;
        let raw: Raw = toml::from_str(text).map_err(|error| bad(error.message().to_owned()))?;
        Self::check(raw).map_err(bad)
    }

    fn check(raw: Raw) -> Result<Self, String> {
        check_id(&raw.id)?;
        check_text("name", &raw.name)?;
        let version = Version::parse(&raw.version)
            .map_err(|error| format!("version `{}` is not semver (1.2.3): {error}", raw.version))?;
        let requires = VersionReq::parse(&raw.contract.requires).map_err(|error| {
            format!(
                "[contract] requires `{}` is not a range (\">=0.2, <0.3\"): {error}",
                raw.contract.requires
            )
        })?;
        let memory = raw.limits.memory.as_deref().map_or(Ok(DEFAULT_MEMORY), parse_memory)?;
        let config_schema = raw.config.map(|config| check_file_name(config.schema)).transpose()?;
        let about = About {
            summary: raw.summary,
            license: raw.license,
            homepage: raw.homepage,
            publisher: raw.publisher,
        };
        about.check()?;
        Ok(Self {
            id: raw.id,
            name: raw.name,
            version,
            about,
            requires,
            extends: raw.extends.check()?,
            capabilities: raw.capabilities.check()?,
            memory,
            config_schema,
        })
    }
}

impl About {
    fn check(&self) -> Result<(), String> {
        let texts = [
            ("summary", &self.summary),
            ("license", &self.license),
            ("homepage", &self.homepage),
            ("publisher", &self.publisher),
        ];
        texts
            .into_iter()
            .try_for_each(|(key, text)| text.as_deref().map_or(Ok(()), |text| check_text(key, text)))
    }
}

fn check_keys(table: &Table) -> Result<(), String> {
    check_section(table, "", TOP)?;
    for (section, keys) in [
        ("contract", &["requires"][..]),
        ("extends", extends::POINTS),
        ("limits", &["memory"]),
        ("config", &["schema"]),
        ("kv", capabilities::KV),
    ] {
        match table.get(section) {
            Some(Value::Table(inner)) => check_section(inner, section, keys)?,
            Some(_) => return Err(format!("`{section}` must be a table: [{section}]")),
            None => {}
        }
    }
    for (section, keys) in
        [("http", capabilities::HTTP), ("secrets", capabilities::SECRETS), ("data", capabilities::DATA)]
    {
        check_list(table.get(section), section, keys)?;
    }
    let extends = table.get("extends").and_then(Value::as_table);
    for (section, keys) in [("tasks", extends::TASK), ("views", extends::VIEW)] {
        check_list(extends.and_then(|extends| extends.get(section)), &format!("extends.{section}"), keys)?;
    }
    Ok(())
}

fn check_section(table: &Table, section: &str, known: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) if section.is_empty() => Err(format!("unknown key `{key}`{}", nearest(key, known))),
        Some(key) => Err(format!("unknown key `{key}` in [{section}]{}", nearest(key, known))),
    }
}

/// A list of tables, each with known keys.
fn check_list(value: Option<&Value>, section: &str, known: &[&str]) -> Result<(), String> {
    let Some(value) = value else { return Ok(()) };
    let shape = || format!("`{section}` must be a list of tables: [[{section}]]");
    for entry in value.as_array().ok_or_else(shape)? {
        check_section(entry.as_table().ok_or_else(shape)?, &format!("[{section}]"), known)?;
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), String> {
    if id.len() <= 128 && id.contains('.') && id.split('.').all(is_word) {
        Ok(())
    } else {
        Err(format!("id `{id}` must be `vendor.name`: lower-case letters, digits and hyphens"))
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A word that names one of several things of one plugin.
fn check_label(what: &str, label: &str) -> Result<(), String> {
    if label.len() <= 64 && is_word(label) {
        Ok(())
    } else {
        Err(format!(
            "{what} `{}` must be lower-case letters, digits and hyphens, 64 at most",
            label.escape_default()
        ))
    }
}

/// Each name once.
fn check_once<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(format!("{what} `{name}` is there twice; give each a name of its own")),
        None => Ok(()),
    }
}

/// A text that people read.
fn check_text(key: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        Err(format!("`{key}` is empty"))
    } else if text.len() > MAX_TEXT {
        Err(format!("`{key}` has {} bytes; {MAX_TEXT} at most", text.len()))
    } else if text.chars().any(char::is_control) {
        Err(format!("`{key}` has a control character"))
    } else {
        Ok(())
    }
}

fn check_file_name(name: String) -> Result<String, String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if plain {
        Ok(name)
    } else {
        Err(format!("[config] schema `{name}` must be the name of a file beside plugin.toml"))
    }
}

fn parse_memory(text: &str) -> Result<usize, String> {
    match parse_mebibytes(text) {
        Some(bytes) if (1 << 20..=MAX_MEMORY).contains(&bytes) => Ok(bytes),
        Some(_) => Err(format!("[limits] memory `{text}`: from 1 MiB to {}", mebibytes(MAX_MEMORY))),
        None => Err(format!("[limits] memory `{text}` must be written as \"64 MiB\"")),
    }
}

/// `64 MiB` in bytes.
fn parse_mebibytes(text: &str) -> Option<usize> {
    let number = text.strip_suffix("MiB")?.trim().parse::<usize>().ok()?;
    number.checked_mul(1 << 20)
}

#[cfg(test)]
mod tests;
