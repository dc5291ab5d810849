//! A library: a folder of packages with a signed index. The index is signed, has a serial that only grows and an end, so that
//! nobody who can write to the folder, or stands between, can offer another package, hide a withdrawn one by an old index, or
//! freeze what there is.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::abi::CONTRACT;
use super::error::{LoadError, LoadFault};
use super::grants::asks;
use super::package::{MAX_ARCHIVE, Package, PublicKey, SecretKey, open_envelope, read_capped, seal};
use super::text::nearest;
use crate::clock::DAY;
use crate::instant;

const KIND: &str = "application/vnd.keelson.index.v1+json";
/// The index's name in the folder.
const INDEX: &str = "index.json";
/// The publisher's key of the library that ships with the host, beside its index. Whoever can replace it can replace the host.
const SHIPPED_KEY: &str = "publisher.pub";
/// The largest index.
const MAX_INDEX: usize = 8 << 20;
/// A signature from so far in the future is another clock, not another day.
const SKEW: i64 = DAY;

/// What a library holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Grows with each one.
    pub serial: i64,
    /// When it was signed; RFC 3339.
    pub issued: String,
    /// From then on it is not believed; RFC 3339.
    pub expires: String,
    /// Its plugins.
    pub plugins: Vec<Listed>,
}

/// A plugin of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// `vendor.name`.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub summary: String,
    /// Whose it is: the library vouches for that.
    pub publisher: String,
    /// The publisher's key.
    pub key: PublicKey,
    /// All there are.
    pub versions: Vec<ListedVersion>,
}

/// A version of a plugin of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedVersion {
    /// `1.2.3`
    pub version: Version,
    /// The versions of the contract that it works with.
    pub contract: VersionReq,
    /// Of the file, in hex.
    pub sha256: String,
    /// Of the file, in bytes.
    pub size: u64,
    /// Its name in the folder.
    pub file: String,
    /// What it asks for.
    pub capabilities: Vec<String>,
    /// Whether it is withdrawn: it is not offered any more.
    #[serde(default)]
    pub yanked: bool,
    /// What its users should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
}

/// Where a library is, and what its index must be.
#[derive(Debug, Clone)]
pub struct Library {
    /// As an administrator calls it.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Signs its index.
    pub key: PublicKey,
    /// No older index is believed.
    pub serial: i64,
}

/// A library that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the library {name}: {reason}")]
pub struct LibraryError {
    /// Which.
    pub name: String,
    /// Why, with the way out.
    pub reason: String,
}

impl Library {
    /// The one that ships with the host.
    pub(super) fn shipped(folder: &Path) -> Result<Self, LibraryError> {
        let name = "shipped".to_owned();
        let file = folder.join(SHIPPED_KEY);
        let key = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        match key.and_then(|text| text.trim().parse()) {
            Ok(key) => Ok(Self { name, folder: folder.to_owned(), key, serial: 0 }),
            Err(reason) => {
                let reason =
                    format!("{} holds no key: {reason}; install Keelson's files again", file.display());
                Err(LibraryError { name, reason })
            }
        }
    }

    /// Reads and believes its index, or says why not.
    pub fn index(&self, now: i64) -> Result<Index, LibraryError> {
        let failed = |reason: String| LibraryError { name: self.name.clone(), reason };
        let file = self.folder.join(INDEX);
        let unreadable =
            |error: std::io::Error| failed(format!("{} cannot be read: {error}", file.display()));
        let text =
            std::fs::File::open(&file).and_then(|file| read_capped(file, MAX_INDEX)).map_err(unreadable)?;
        let text = text.ok_or_else(|| failed(format!("{INDEX} is larger than {} MiB", MAX_INDEX >> 20)))?;
        let opened = open_envelope(KIND, &text).map_err(|reason| failed(format!("{INDEX} {reason}")))?;
        if !opened.signers.contains(&self.key) {
            return Err(failed(format!("{INDEX} is not signed by the library's key {}", self.key)));
        }
        let index: Index = serde_json::from_slice(&opened.payload)
            .map_err(|error| failed(format!("{INDEX} holds no index: {error}")))?;
        self.timely(&index, now).map_err(failed)?;
        Ok(index)
    }

    fn timely(&self, index: &Index, now: i64) -> Result<(), String> {
        if index.serial < self.serial {
            return Err(format!(
                "its index has the serial {}, but one with {} was read before; somebody put an old one back",
                index.serial, self.serial
            ));
        }
        let read = |what: &str, text: &str| {
            instant::parse(text)
                .ok_or_else(|| format!("`{what}` of its index is no instant: {}", text.escape_default()))
        };
        if read("expires", &index.expires)? <= now {
            return Err(format!(
                "its index ended on {}; fetch a newer one from whoever keeps the library",
                index.expires
            ));
        }
        if read("issued", &index.issued)? > now.saturating_add(SKEW) {
            return Err(format!(
                "its index is from {}, which is yet to come; is this machine's clock right?",
                index.issued
            ));
        }
        Ok(())
    }

    /// The bytes of a version's package, which are those that the index speaks of.
    pub fn package(&self, version: &ListedVersion) -> Result<Vec<u8>, LibraryError> {
        let failed = |reason: String| LibraryError { name: self.name.clone(), reason };
        if !is_plain(&version.file) {
            return Err(failed(format!(
                "`{}` is not the name of a file in its folder",
                version.file.escape_default()
            )));
        }
        let file = self.folder.join(&version.file);
        let unreadable =
            |error: std::io::Error| failed(format!("{} cannot be read: {error}", file.display()));
        let bytes =
            std::fs::File::open(&file).and_then(|file| read_capped(file, MAX_ARCHIVE)).map_err(unreadable)?;
        let bytes = bytes
            .ok_or_else(|| failed(format!("{} is larger than {} MiB", version.file, MAX_ARCHIVE >> 20)))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found == version.sha256 {
            Ok(bytes)
        } else {
            Err(failed(format!(
                "{} is not the file of its index: sha256 {found}, the index says {}; fetch the library again",
                version.file,
                version.sha256.escape_default()
            )))
        }
    }
}

impl Index {
    /// A plugin of it.
    pub fn plugin(&self, id: &str) -> Option<&Listed> {
        self.plugins.iter().find(|plugin| plugin.id == id)
    }
}

impl Listed {
    /// The version that was asked for, or the newest that works with this host and is not withdrawn.
    pub fn choose(&self, asked: Option<&Version>) -> Result<&ListedVersion, String> {
        if let Some(asked) = asked {
            let found = self.versions.iter().find(|listed| listed.version == *asked);
            let listed = found.ok_or_else(|| {
                let known: Vec<String> =
                    self.versions.iter().map(|listed| listed.version.to_string()).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                format!("{} has no version {asked}{}", self.id, nearest(&asked.to_string(), &known))
            })?;
            return if listed.yanked {
                let advisory = listed.advisory.as_deref().unwrap_or("the library gives no reason");
                Err(format!("{} {asked} was withdrawn: {advisory}", self.id))
            } else {
                Ok(listed)
            };
        }
        let fit = self.versions.iter().filter(|listed| !listed.yanked && listed.contract.matches(&CONTRACT));
        fit.max_by(|left, right| left.version.cmp(&right.version)).ok_or_else(|| {
            format!(
                "no version of {} works with this host, which offers the contract {CONTRACT}; use another Keelson",
                self.id
            )
        })
    }
}

/// Makes the index of a folder of packages, all of one publisher, and signs it. What an index that is there says of withdrawn
/// versions is kept.
pub fn make_index(
    folder: &Path,
    key: &SecretKey,
    publisher: &str,
    (now, lifetime): (i64, i64),
    withdrawn: Option<(String, String)>,
) -> Result<Index, LoadError> {
    let failed = |fault: LoadFault| LoadError { folder: folder.to_owned(), plugin: None, fault };
    let former = former(folder, key);
    let mut index = Index {
        serial: former.as_ref().map_or(1, |former| former.serial.saturating_add(1)),
        issued: instant::format(now),
        expires: instant::format(now.saturating_add(lifetime)),
        plugins: Vec::new(),
    };
    for file in packages(folder).map_err(|error| failed(LoadFault::Read(error.to_string())))? {
        add(&mut index, folder, &file, publisher)?;
    }
    for plugin in &mut index.plugins {
        let before = former.as_ref().and_then(|former| former.plugin(&plugin.id));
        for listed in &mut plugin.versions {
            let same =
                before.and_then(|before| before.versions.iter().find(|old| old.version == listed.version));
            if let Some(same) = same {
                (listed.yanked, listed.advisory) = (same.yanked, same.advisory.clone());
            }
        }
    }
    if let Some((version, advisory)) = withdrawn {
        withdraw(&mut index, &version, advisory).map_err(|reason| failed(LoadFault::Read(reason)))?;
    }
    write(folder, &index, key).map_err(|reason| failed(LoadFault::Read(reason)))?;
    Ok(index)
}

/// Takes back `vendor.name@1.2.3`.
fn withdraw(index: &mut Index, which: &str, advisory: String) -> Result<(), String> {
    let (id, version) = which.split_once('@').unwrap_or((which, ""));
    let plugin = index.plugins.iter_mut().find(|plugin| plugin.id == id);
    let listed = plugin
        .and_then(|plugin| plugin.versions.iter_mut().find(|listed| listed.version.to_string() == version));
    let listed =
        listed.ok_or_else(|| format!("it has no `{}`; write vendor.name@1.2.3", which.escape_default()))?;
    (listed.yanked, listed.advisory) = (true, Some(advisory));
    Ok(())
}

/// The index that is there, if it is this key's.
fn former(folder: &Path, key: &SecretKey) -> Option<Index> {
    let opened = open_envelope(KIND, &std::fs::read(folder.join(INDEX)).ok()?).ok()?;
    let ours = opened.signers.contains(&key.public());
    serde_json::from_slice(&opened.payload).ok().filter(|_| ours)
}

fn packages(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "kpkg") {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

fn add(index: &mut Index, folder: &Path, file: &str, publisher: &str) -> Result<(), LoadError> {
    let place = folder.join(file);
    let failed = |fault: LoadFault| LoadError { folder: place.clone(), plugin: None, fault };
    let bytes = std::fs::read(&place).map_err(|error| failed(LoadFault::Read(error.to_string())))?;
    let package = Package::unpack(&place, &bytes, None).map_err(failed)?;
    let manifest = package.manifest.clone().map_err(failed)?;
    let signed = package.signed().map_err(failed)?.ok_or_else(|| {
        failed(LoadFault::Signature("nobody signed it; a library holds signed packages only".to_owned()))
    })?;
    let version = ListedVersion {
        version: manifest.version.clone(),
        contract: manifest.requires.clone(),
        sha256: hex::encode(Sha256::digest(&bytes)),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        file: file.to_owned(),
        capabilities: asks(&manifest).into_iter().map(|ask| ask.capability).collect(),
        yanked: false,
        advisory: None,
    };
    match index.plugins.iter_mut().find(|plugin| plugin.id == manifest.id) {
        Some(plugin) => plugin.versions.push(version),
        None => index.plugins.push(Listed {
            id: manifest.id,
            name: manifest.name,
            summary: manifest.about.summary.unwrap_or_default(),
            publisher: publisher.to_owned(),
            key: signed.key,
            versions: vec![version],
        }),
    }
    Ok(())
}

fn write(folder: &Path, index: &Index, key: &SecretKey) -> Result<(), String> {
    let payload = serde_json::to_vec(index).map_err(|error| error.to_string())?;
    let sealed = seal(KIND, &payload, &[key])?;
    let (draft, file) = (folder.join("index.json.new"), folder.join(INDEX));
    std::fs::write(&draft, sealed)
        .and_then(|()| std::fs::rename(&draft, &file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests;
