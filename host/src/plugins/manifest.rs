//! `plugin.toml`: what a plugin is and what it asks for. An unknown key is an error that names the nearest one, because
//! a misspelt limit that is quietly ignored is a trap.

use semver::{Version, VersionReq};
use serde::Deserialize;
use toml::{Table, Value};

use super::error::LoadFault;
use super::limits::{DEFAULT_MEMORY, MAX_MEMORY, mebibytes};
use super::text::nearest;

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
/// Known to the format, not offered by this host.
const CAPABILITIES: &[&str] = &["http", "secrets", "data", "kv"];
/// Known to the format.
const EXTENSION_POINTS: &[&str] =
    &["alert-rules", "licensing", "restore", "usage-export", "events", "tasks", "views", "routes"];
/// Offered by this host.
const OFFERED: &[&str] = &["alert-rules"];

/// A manifest that passed.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) requires: VersionReq,
    pub(super) alert_rules: bool,
    pub(super) memory: usize,
    /// The file's name inside the package.
    pub(super) config_schema: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    name: String,
    version: String,
    contract: RawContract,
    #[serde(default)]
    extends: RawExtends,
    #[serde(default)]
    limits: RawLimits,
    config: Option<RawConfig>,
}

#[derive(Deserialize)]
struct RawContract {
    requires: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct RawExtends {
    #[serde(default)]
    alert_rules: bool,
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
        check_offered(&table).map_err(LoadFault::Unsupported)?;
        let raw: Raw = toml::from_str(text).map_err(|error| bad(error.message().to_owned()))?;
        check_id(&raw.id).map_err(bad)?;
        let version = Version::parse(&raw.version)
            .map_err(|error| bad(format!("version `{}` is not semver (1.2.3): {error}", raw.version)))?;
        let requires = VersionReq::parse(&raw.contract.requires).map_err(|error| {
            bad(format!(
                "[contract] requires `{}` is not a range (\">=0.1, <0.2\"): {error}",
                raw.contract.requires
            ))
        })?;
        let memory = raw.limits.memory.as_deref().map_or(Ok(DEFAULT_MEMORY), parse_memory).map_err(bad)?;
        let config_schema =
            raw.config.map(|config| check_file_name(config.schema)).transpose().map_err(bad)?;
        let alert_rules = raw.extends.alert_rules;
        Ok(Self { id: raw.id, name: raw.name, version, requires, alert_rules, memory, config_schema })
    }
}

fn check_keys(table: &Table) -> Result<(), String> {
    check_section(table, "", TOP)?;
    for (section, keys) in [
        ("contract", &["requires"][..]),
        ("extends", EXTENSION_POINTS),
        ("limits", &["memory"]),
        ("config", &["schema"]),
    ] {
        match table.get(section) {
            Some(Value::Table(inner)) => check_section(inner, section, keys)?,
            Some(_) => return Err(format!("`{section}` must be a table: [{section}]")),
            None => {}
        }
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

/// A plugin that needs what is not there must not run half.
fn check_offered(table: &Table) -> Result<(), String> {
    for capability in CAPABILITIES {
        if table.contains_key(*capability) {
            return Err(format!(
                "it declares the capability `{capability}`, which this host does not offer; use a newer Keelson or \
                 a version of the plugin without it"
            ));
        }
    }
    let extends = table.get("extends").and_then(Value::as_table);
    for (point, value) in extends.into_iter().flatten() {
        if value.as_bool() != Some(false) && !OFFERED.contains(&point.as_str()) {
            return Err(format!(
                "it extends `{point}`, which this host does not offer (it offers {}); use a newer Keelson",
                OFFERED.join(", ")
            ));
        }
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), String> {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if id.len() <= 128 && id.contains('.') && id.split('.').all(word) {
        Ok(())
    } else {
        Err(format!("id `{id}` must be `vendor.name`: lower-case letters, digits and hyphens"))
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
    let number = text.strip_suffix("MiB").map(str::trim).and_then(|number| number.parse::<usize>().ok());
    match number.and_then(|number| number.checked_mul(1 << 20)) {
        Some(bytes) if (1 << 20..=MAX_MEMORY).contains(&bytes) => Ok(bytes),
        Some(_) => Err(format!("[limits] memory `{text}`: from 1 MiB to {}", mebibytes(MAX_MEMORY))),
        None => Err(format!("[limits] memory `{text}` must be written as \"64 MiB\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        id = "keelson.alert-rules"
        name = "Alert rules"
        version = "0.1.0"
        [contract]
        requires = ">=0.1, <0.2"
        [extends]
        alert-rules = true
        [config]
        schema = "config.schema.json"
    "#;

    fn refusal(text: &str) -> String {
        Manifest::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).unwrap();
        assert_eq!((manifest.id.as_str(), manifest.memory), ("keelson.alert-rules", DEFAULT_MEMORY));
        assert!(manifest.alert_rules && manifest.requires.matches(&Version::new(0, 1, 7)));
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        assert!(refusal(&GOOD.replace("requires", "require")).contains("did you mean `requires`"));
        assert!(refusal(&GOOD.replace("name =", "names =")).contains("did you mean `name`"));
        assert!(refusal(&GOOD.replace("alert-rules = true", "alert-rule = true")).contains("`alert-rules`"));
    }

    #[test]
    fn what_this_host_does_not_offer_is_refused_by_name() {
        let http = refusal(&format!("{GOOD}\n[[http]]\nlabel = \"psa\""));
        assert!(http.contains("capability `http`") && http.contains("newer Keelson"), "{http}");
        let restore = refusal(&GOOD.replace("alert-rules = true", "restore = true"));
        assert!(restore.contains("`restore`") && restore.contains("alert-rules"), "{restore}");
    }

    #[test]
    fn bad_values_are_named() {
        assert!(refusal(&GOOD.replace("keelson.alert-rules", "Alert Rules")).contains("vendor.name"));
        assert!(refusal(&GOOD.replace("\"0.1.0\"", "\"one\"")).contains("not semver"));
        assert!(refusal(&GOOD.replace(">=0.1, <0.2", "sometimes")).contains("not a range"));
        assert!(
            refusal(&GOOD.replace("config.schema.json", "../../etc/passwd")).contains("beside plugin.toml")
        );
        assert!(refusal(&GOOD.replace("[contract]", "")).contains("requires"));
    }

    #[test]
    fn memory_is_asked_for_in_mebibytes_and_has_a_ceiling() {
        assert_eq!(parse_memory("64 MiB"), Ok(64 << 20));
        assert!(parse_memory("1 TiB").unwrap_err().contains("64 MiB"));
        assert!(parse_memory("512 MiB").unwrap_err().contains("256 MiB"));
    }
}
