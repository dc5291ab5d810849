//! What an author does with a package: look into it, pack it, sign it. Nothing of it runs the plugin.

use std::path::Path;

use serde::Serialize;

use super::error::{LoadError, LoadFault};
use super::manifest::Manifest;
use super::package::{Package, PublicKey, SecretKey};

/// What a package says of itself, and who stands for it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// `vendor.name`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Its own.
    pub version: String,
    /// The versions of the contract that it works with.
    pub contract: String,
    /// The publisher's key; absent if nobody signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// All that signed. In a rotation of keys, the former one did too.
    pub signers: Vec<PublicKey>,
    /// Each with its digest.
    pub files: Vec<PackedFile>,
}

/// A file of a package.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackedFile {
    /// Inside the package.
    pub name: String,
    /// Bytes.
    pub size: usize,
    /// In hex.
    pub sha256: String,
}

/// A package, ready to be written.
#[derive(Debug, Clone)]
pub struct Packed {
    /// `vendor.name-1.2.3.kpkg`.
    pub file_name: String,
    /// What belongs into it.
    pub bytes: Vec<u8>,
}

/// Looks into a folder or a `.kpkg`. A signature that is not right for the files is an error.
pub fn inspect(place: &Path) -> Result<Inspection, LoadError> {
    about(place, |package, manifest| {
        let signed = package.signed()?;
        let (key, signers) = match signed {
            Some(signed) => (Some(signed.key), signed.signers),
            None => (None, Vec::new()),
        };
        let files = package.contents().into_iter();
        Ok(Inspection {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            contract: manifest.requires.to_string(),
            key,
            signers,
            files: files.map(|(name, size, sha256)| PackedFile { name, size, sha256 }).collect(),
        })
    })
}

/// Makes one `.kpkg` of a folder, as it is; one that is signed must still fit its signature.
pub fn pack(folder: &Path) -> Result<Packed, LoadError> {
    about(folder, |package, manifest| {
        package.signed()?;
        packed(package, manifest)
    })
}

/// Signs a folder's or a package's files with the publisher's key and, when the keys change, with the `former` one; the whole
/// as a `.kpkg`.
pub fn sign(place: &Path, key: &SecretKey, former: Option<&SecretKey>) -> Result<Packed, LoadError> {
    about(place, |package, manifest| {
        package.sign(key, former)?;
        packed(package, manifest)
    })
}

fn packed(package: &Package, manifest: &Manifest) -> Result<Packed, LoadFault> {
    let file_name = format!("{}-{}.kpkg", manifest.id, manifest.version);
    Ok(Packed { file_name, bytes: package.pack()? })
}

/// Reads a package and does something with it; what goes wrong names the place.
fn about<T>(
    place: &Path,
    work: impl FnOnce(&mut Package, &Manifest) -> Result<T, LoadFault>,
) -> Result<T, LoadError> {
    let failed = |plugin: Option<&str>, fault: LoadFault| LoadError {
        folder: place.to_path_buf(),
        plugin: plugin.map(ToOwned::to_owned),
        fault,
    };
    let mut package = Package::read(place).map_err(|fault| failed(None, fault))?;
    let manifest = package.manifest.clone().map_err(|fault| failed(None, fault))?;
    work(&mut package, &manifest).map_err(|fault| failed(Some(&manifest.id), fault))
}
