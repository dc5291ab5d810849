//! A plugin's folder, read whole and with a cap on each file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::LoadFault;
use super::limits::mebibytes;
use super::manifest::Manifest;
use super::schema::Schema;

/// The largest component.
const MAX_COMPONENT: usize = 32 << 20;
/// The largest of the other files.
const MAX_TEXT: usize = 1 << 20;
/// The files that every package has.
const MANIFEST: &str = "plugin.toml";
const COMPONENT: &str = "plugin.wasm";
/// What an administrator set, if anything.
const SETTINGS: &str = "settings.json";

/// What lies in the folder.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) folder: PathBuf,
    pub(super) digest: String,
    pub(super) manifest: Result<Manifest, LoadFault>,
    pub(super) component: Vec<u8>,
    schema: Option<Vec<u8>>,
    settings: Option<Vec<u8>>,
}

impl Package {
    /// Reads it. An error here is about files, not about what they say.
    pub(super) fn read(folder: &Path) -> Result<Self, LoadFault> {
        let manifest_text = required(folder, MANIFEST, MAX_TEXT)?;
        let component = required(folder, COMPONENT, MAX_COMPONENT)?;
        let manifest = std::str::from_utf8(&manifest_text)
            .map_err(|error| LoadFault::Manifest(error.to_string()))
            .and_then(Manifest::parse);
        let schema_name = manifest.as_ref().ok().and_then(|manifest| manifest.config_schema.as_deref());
        let schema = schema_name.map(|name| required(folder, name, MAX_TEXT)).transpose()?;
        let settings = optional(folder, SETTINGS, MAX_TEXT)?;
        let digest = digest(&[Some(&manifest_text), Some(&component), schema.as_ref(), settings.as_ref()]);
        Ok(Self { folder: folder.to_path_buf(), digest, manifest, component, schema, settings })
    }

    /// The settings under the schema, defaults filled in.
    pub(super) fn settings(&self) -> Result<Value, LoadFault> {
        let Some(schema) = &self.schema else {
            return match &self.settings {
                None => Ok(Value::Object(serde_json::Map::new())),
                Some(_) => Err(LoadFault::Settings(vec![
                    "the plugin has no [config] schema in plugin.toml, so it takes no settings; remove the file"
                        .to_owned(),
                ])),
            };
        };
        let schema: Value = serde_json::from_slice(schema)
            .map_err(|error| LoadFault::Schema(format!("the config schema is not JSON: {error}")))?;
        let schema = Schema::compile(&schema)
            .map_err(|error| LoadFault::Schema(format!("the config schema is {error}")))?;
        let given = match &self.settings {
            None => Value::Object(serde_json::Map::new()),
            Some(text) => serde_json::from_slice(text)
                .map_err(|error| LoadFault::Settings(vec![format!("not JSON: {error}")]))?,
        };
        schema.fill(&given).map_err(LoadFault::Settings)
    }
}

fn required(folder: &Path, name: &str, cap: usize) -> Result<Vec<u8>, LoadFault> {
    optional(folder, name, cap)?.ok_or_else(|| {
        LoadFault::Read(format!("{name} is missing; a plugin's folder has {MANIFEST} and {COMPONENT}"))
    })
}

fn optional(folder: &Path, name: &str, cap: usize) -> Result<Option<Vec<u8>>, LoadFault> {
    let unreadable = |error: std::io::Error| LoadFault::Read(format!("{name} cannot be read: {error}"));
    let file = match std::fs::File::open(folder.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > cap {
        return Err(LoadFault::Read(format!("{name} is larger than {}", mebibytes(cap))));
    }
    Ok(Some(bytes))
}

/// One digest over all files, each with its length, so that bytes cannot move from one to the next.
fn digest(files: &[Option<&Vec<u8>>]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        let length = file.map_or(u64::MAX, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        hash.update(length.to_le_bytes());
        hash.update(file.map_or(&[][..], Vec::as_slice));
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "id = \"a.b\"\nname = \"A\"\nversion = \"1.0.0\"\n[contract]\nrequires = \"0.1\"\n";
    const SCHEMA: &str = r#"{"type":"object","properties":{"days":{"type":"integer","default":7}}}"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Package::read(folder(&[("plugin.toml", TOML)]).path()).unwrap_err();
        assert!(error.to_string().contains("plugin.wasm is missing"), "{error}");
    }

    #[test]
    fn settings_get_defaults_and_are_held_to_the_schema() {
        let toml = format!("{TOML}[config]\nschema = \"config.schema.json\"\n");
        let files = [("plugin.toml", toml.as_str()), ("plugin.wasm", ""), ("config.schema.json", SCHEMA)];
        let folder = folder(&files);
        let plain = Package::read(folder.path()).unwrap();
        assert_eq!(plain.settings(), Ok(serde_json::json!({"days": 7})));
        std::fs::write(folder.path().join("settings.json"), r#"{"days":"many"}"#).unwrap();
        let bad = Package::read(folder.path()).unwrap();
        assert_ne!(plain.digest, bad.digest);
        assert!(bad.settings().unwrap_err().to_string().contains("/days"));
    }

    #[test]
    fn settings_without_a_schema_are_refused() {
        let folder = folder(&[("plugin.toml", TOML), ("plugin.wasm", ""), ("settings.json", "{}")]);
        let error = Package::read(folder.path()).unwrap().settings().unwrap_err();
        assert!(error.to_string().contains("takes no settings"), "{error}");
    }
}
