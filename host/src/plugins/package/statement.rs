//! What a publisher signs of a package: which plugin it is, with which key to check the next one, and every file's digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope;
use super::files::{Files, SIGNATURE};
use super::key::{PublicKey, SecretKey};

const KIND: &str = "application/vnd.keelson.package.v1+json";

/// Signed as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    id: String,
    version: String,
    /// The publisher's key from now on.
    key: PublicKey,
    /// SHA-256 in hex of all files but the one that this stands in.
    files: BTreeMap<String, String>,
}

/// A package's signature that is right for its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Signed {
    /// The publisher's key from now on; it signed.
    pub(in crate::plugins) key: PublicKey,
    /// All that signed. In a rotation of keys, the former one did too.
    pub(in crate::plugins) signers: Vec<PublicKey>,
}

/// Signs a package's files with its publisher's key and, in a rotation, with the `former` one. A signature that was there is
/// replaced.
pub(in crate::plugins) fn sign(
    files: &mut Files,
    (id, version): (&str, &str),
    key: &SecretKey,
    former: Option<&SecretKey>,
) -> Result<(), String> {
    files.take(SIGNATURE);
    let statement = Statement {
        id: id.to_owned(),
        version: version.to_owned(),
        key: key.public(),
        files: files.digests(),
    };
    let payload = serde_json::to_vec(&statement).map_err(|error| error.to_string())?;
    let keys: Vec<&SecretKey> = std::iter::once(key).chain(former).collect();
    files.add(SIGNATURE, envelope::seal(KIND, &payload, &keys)?)
}

/// Holds the files to their signature; none if there is none.
pub(in crate::plugins) fn verify(
    files: &Files,
    (id, version): (&str, &str),
) -> Result<Option<Signed>, String> {
    let Some(text) = files.get(SIGNATURE) else { return Ok(None) };
    let opened = envelope::open(KIND, text).map_err(|reason| format!("{SIGNATURE} {reason}"))?;
    let statement: Statement = serde_json::from_slice(&opened.payload)
        .map_err(|error| format!("{SIGNATURE} holds no statement: {error}"))?;
    if (statement.id.as_str(), statement.version.as_str()) != (id, version) {
        return Err(format!(
            "{SIGNATURE} is for {} {}, but plugin.toml says {id} {version}; it belongs to another package",
            statement.id.escape_default(),
            statement.version.escape_default()
        ));
    }
    if !opened.signers.contains(&statement.key) {
        return Err(format!("{SIGNATURE} names the key {}, which did not sign it", statement.key));
    }
    let mut found = files.digests();
    found.remove(SIGNATURE);
    compare(&statement.files, &found)?;
    Ok(Some(Signed { key: statement.key, signers: opened.signers }))
}

fn compare(signed: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(name) = found.keys().find(|name| !signed.contains_key(*name)) {
        return Err(format!("`{name}` is not among the files that were signed; somebody added it"));
    }
    for (name, digest) in signed {
        match found.get(name) {
            None => {
                let name = name.escape_default();
                return Err(format!(
                    "`{name}` was signed but is not in the package; fetch the package again"
                ));
            }
            Some(other) if other != digest => {
                return Err(format!(
                    "`{name}` is not the file that was signed: sha256 {other}, signed was {digest}"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: (&str, &str) = ("acme.rules", "1.0.0");

    fn package(key: &SecretKey, former: Option<&SecretKey>) -> Files {
        let mut files = Files::default();
        files.add("plugin.toml", b"id".to_vec()).unwrap();
        files.add("plugin.wasm", b"code".to_vec()).unwrap();
        sign(&mut files, NAME, key, former).unwrap();
        files
    }

    fn refusal(files: &Files) -> String {
        verify(files, NAME).unwrap_err()
    }

    #[test]
    fn a_signed_package_says_by_whom() {
        let key = SecretKey::generate();
        let signed = verify(&package(&key, None), NAME).unwrap().unwrap();
        assert_eq!(signed, Signed { key: key.public(), signers: vec![key.public()] });
    }

    #[test]
    fn without_a_signature_nobody_signed() {
        let mut files = package(&SecretKey::generate(), None);
        files.take(SIGNATURE);
        assert_eq!(verify(&files, NAME), Ok(None));
    }

    #[test]
    fn a_changed_added_or_missing_file_is_named() {
        let good = package(&SecretKey::generate(), None);
        let mut changed = good.clone();
        changed.take("plugin.wasm");
        changed.add("plugin.wasm", b"c0de".to_vec()).unwrap();
        assert!(refusal(&changed).contains("`plugin.wasm` is not the file that was signed"));
        let mut added = good.clone();
        added.add("views/a.json", b"{}".to_vec()).unwrap();
        assert!(refusal(&added).contains("`views/a.json` is not among the files"));
        let mut missing = good;
        missing.take("plugin.wasm");
        assert!(refusal(&missing).contains("`plugin.wasm` was signed but is not"));
    }

    #[test]
    fn a_signature_of_another_package_is_refused() {
        let files = package(&SecretKey::generate(), None);
        let error = verify(&files, ("acme.rules", "1.0.1")).unwrap_err();
        assert!(error.contains("is for acme.rules 1.0.0, but plugin.toml says acme.rules 1.0.1"), "{error}");
    }

    #[test]
    fn a_key_that_did_not_sign_cannot_be_named() {
        let (key, other) = (SecretKey::generate(), SecretKey::generate());
        let mut files = package(&key, None);
        let statement = Statement {
            id: NAME.0.to_owned(),
            version: NAME.1.to_owned(),
            key: other.public(),
            files: BTreeMap::new(),
        };
        let text = envelope::seal(KIND, &serde_json::to_vec(&statement).unwrap(), &[&key]).unwrap();
        files.take(SIGNATURE);
        files.add(SIGNATURE, text).unwrap();
        assert!(refusal(&files).contains("which did not sign it"));
    }

    #[test]
    fn in_a_rotation_both_keys_sign_and_the_new_one_is_the_publishers() {
        let (old, new) = (SecretKey::generate(), SecretKey::generate());
        let signed = verify(&package(&new, Some(&old)), NAME).unwrap().unwrap();
        assert_eq!(signed.key, new.public());
        assert!(signed.signers.contains(&old.public()));
    }
}
