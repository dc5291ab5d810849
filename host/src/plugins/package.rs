//! A plugin's files: a folder while it is written, one `.kpkg` when it travels. Read whole, with a cap on each file.

mod archive;
mod envelope;
mod files;
mod key;
mod statement;

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::LoadFault;
use super::manifest::Manifest;
use super::schema::Schema;
pub(super) use files::read_capped;
use files::{COMPONENT, Files, MANIFEST, SETTINGS};

pub(super) use archive::MAX_ARCHIVE;
pub(super) use envelope::{open as open_envelope, seal};
pub use key::{PublicKey, SecretKey};
pub(super) use statement::Signed;

/// The largest file of settings.
const MAX_SETTINGS: usize = 1 << 20;

/// What lies in a folder or an archive.
#[derive(Debug)]
pub(super) struct Package {
    /// The folder, or the archive.
    pub(super) place: PathBuf,
    pub(super) digest: String,
    pub(super) manifest: Result<Manifest, LoadFault>,
    files: Files,
    settings: Option<Vec<u8>>,
}

impl Package {
    /// Reads a folder or a `.kpkg`. An error here is about files, not about what they say.
    pub(super) fn read(place: &Path) -> Result<Self, LoadFault> {
        if place.is_dir() {
            let files = Files::of_folder(place).map_err(LoadFault::Read)?;
            let settings = files::read(place, SETTINGS, MAX_SETTINGS).map_err(LoadFault::Read)?;
            return Self::new(place, files, settings);
        }
        let unreadable =
            |error: std::io::Error| LoadFault::Read(format!("{} cannot be read: {error}", place.display()));
        let file = std::fs::File::open(place).map_err(unreadable)?;
        let bytes = files::read_capped(file, archive::MAX_ARCHIVE).map_err(unreadable)?;
        let bytes =
            bytes.ok_or_else(|| LoadFault::Archive(files::too_large("the package", archive::MAX_ARCHIVE)))?;
        Self::unpack(place, &bytes, None)
    }

    /// Reads a `.kpkg` from memory, with settings that an administrator gave.
    pub(super) fn unpack(place: &Path, bytes: &[u8], settings: Option<Vec<u8>>) -> Result<Self, LoadFault> {
        Self::new(place, archive::unpack(bytes).map_err(LoadFault::Archive)?, settings)
    }

    fn new(place: &Path, files: Files, settings: Option<Vec<u8>>) -> Result<Self, LoadFault> {
        for name in [MANIFEST, COMPONENT] {
            if files.get(name).is_none() {
                return Err(LoadFault::Read(format!(
                    "{name} is missing; a plugin has {MANIFEST} and {COMPONENT}"
                )));
            }
        }
        let manifest = std::str::from_utf8(files.get(MANIFEST).unwrap_or_default())
            .map_err(|error| LoadFault::Manifest(error.to_string()))
            .and_then(Manifest::parse);
        let digest = digest(&files, settings.as_deref());
        Ok(Self { place: place.to_path_buf(), digest, manifest, files, settings })
    }

    /// The component, which is needed once.
    pub(super) fn take_component(&mut self) -> Vec<u8> {
        self.files.take(COMPONENT).unwrap_or_default()
    }

    /// Who signed it, if its signature is right for its files.
    pub(super) fn signed(&self) -> Result<Option<Signed>, LoadFault> {
        let manifest = self.manifest.as_ref().map_err(LoadFault::clone)?;
        let version = manifest.version.to_string();
        statement::verify(&self.files, (&manifest.id, &version)).map_err(LoadFault::Signature)
    }

    /// Signs it, with a new signature in place of one that was there.
    pub(super) fn sign(&mut self, key: &SecretKey, former: Option<&SecretKey>) -> Result<(), LoadFault> {
        let manifest = self.manifest.as_ref().map_err(LoadFault::clone)?;
        let version = manifest.version.to_string();
        statement::sign(&mut self.files, (&manifest.id, &version), key, former)
            .map_err(LoadFault::Signature)?;
        self.digest = digest(&self.files, self.settings.as_deref());
        Ok(())
    }

    /// The bytes of its `.kpkg`.
    pub(super) fn pack(&self) -> Result<Vec<u8>, LoadFault> {
        archive::pack(&self.files).map_err(LoadFault::Archive)
    }

    /// Its files: name, size in bytes, SHA-256 in hex.
    pub(super) fn contents(&self) -> Vec<(String, usize, String)> {
        let sizes = self.files.iter().map(|(_, bytes)| bytes.len());
        self.files
            .digests()
            .into_iter()
            .zip(sizes)
            .map(|((name, sha256), size)| (name, size, sha256))
            .collect()
    }

    /// The schema of the settings, if it takes any.
    pub(super) fn settings_schema(&self) -> Result<Option<Value>, LoadFault> {
        let Some(name) = self.manifest.as_ref().map_err(LoadFault::clone)?.config_schema.as_deref() else {
            return Ok(None);
        };
        let schema = self.files.get(name).ok_or_else(|| {
            LoadFault::Read(format!(
                "{name} is missing, but plugin.toml names it as the schema of the settings"
            ))
        })?;
        let schema = serde_json::from_slice(schema)
            .map_err(|error| LoadFault::Schema(format!("the config schema is not JSON: {error}")))?;
        Ok(Some(schema))
    }

    /// The settings under the schema, defaults filled in.
    pub(super) fn settings(&self) -> Result<Value, LoadFault> {
        let Some(schema) = self.settings_schema()? else {
            return match &self.settings {
                None => Ok(Value::Object(serde_json::Map::new())),
                Some(_) => Err(LoadFault::Settings(vec![
                    "the plugin has no [config] schema in plugin.toml, so it takes no settings; remove the file"
                        .to_owned(),
                ])),
            };
        };
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

/// One digest over all files, each with its name and length, so that bytes cannot move from one to the next.
fn digest(files: &Files, settings: Option<&[u8]>) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files.iter().chain(settings.map(|bytes| (SETTINGS, bytes))) {
        for part in [name.as_bytes(), bytes] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
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
        let nowhere = Package::read(Path::new("/nowhere/a.kpkg")).unwrap_err();
        assert!(nowhere.to_string().contains("/nowhere/a.kpkg cannot be read"), "{nowhere}");
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
        std::fs::remove_file(folder.path().join("config.schema.json")).unwrap();
        let without = Package::read(folder.path()).unwrap();
        assert!(without.settings().unwrap_err().to_string().contains("config.schema.json is missing"));
    }

    #[test]
    fn settings_without_a_schema_are_refused() {
        let folder = folder(&[("plugin.toml", TOML), ("plugin.wasm", ""), ("settings.json", "{}")]);
        let error = Package::read(folder.path()).unwrap().settings().unwrap_err();
        assert!(error.to_string().contains("takes no settings"), "{error}");
    }

    #[test]
    fn a_folder_and_the_archive_that_is_made_of_it_are_the_same_package() {
        let folder = folder(&[("plugin.toml", TOML), ("plugin.wasm", "code"), ("LICENSE", "free")]);
        let key = SecretKey::generate();
        let mut package = Package::read(folder.path()).unwrap();
        assert_eq!(package.signed(), Ok(None));
        package.sign(&key, None).unwrap();
        let archive = folder.path().join("a.b-1.0.0.kpkg");
        std::fs::write(&archive, package.pack().unwrap()).unwrap();
        let again = Package::read(&archive).unwrap();
        assert_eq!((&again.digest, again.contents()), (&package.digest, package.contents()));
        assert_eq!(again.signed().unwrap().map(|signed| signed.key), Some(key.public()));
    }

    #[test]
    fn a_file_that_is_no_archive_is_refused_at_that_step() {
        let folder = folder(&[("a.kpkg", "words")]);
        let fault = Package::read(&folder.path().join("a.kpkg")).unwrap_err();
        assert_eq!(fault.step(), "archive");
    }
}
