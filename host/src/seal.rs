//! Secrets that the host must read again (an SMTP password, a TOTP seed) are never stored in clear: they are sealed with the
//! key in `secrets.key`, which stands in the data folder and not in the database. A copy of the database alone opens nothing.
//!
//! ChaCha20-Poly1305 from `ring`, the provider that TLS uses. A sealed value is bound to its purpose: one that is copied into
//! another row or column does not open there.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::id;

/// The first byte of a sealed value: how the rest is to be read.
const VERSION: u8 = 1;
const KEY_LEN: usize = 32;

/// A failure to seal, or to open what was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key file could not be read or written.
    #[error("cannot {action} {}; check the folder's owner and free space", path.display())]
    File {
        /// "read", "write".
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key file holds no key.
    #[error("{} is damaged; restore it from a backup (without it the stored secrets must be entered again)", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// It was sealed with another key, for another purpose, or it was changed.
    #[error(
        "a stored secret ({purpose}) does not open: restore the secrets.key that belongs to this database, or enter the secret again"
    )]
    Foreign {
        /// What it was to be opened for.
        purpose: String,
    },
    /// The cipher refused; only a value of many gigabytes does that.
    #[error("the secret is too long to be sealed")]
    Refused,
}

/// The key, ready for use. Cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<LessSafeKey>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// The key of this data folder; made when there is none.
    pub fn open(data: &Path) -> Result<Self, SealError> {
        let path = data.join("secrets.key");
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).ok_or(SealError::Damaged { path }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = id::random::<KEY_LEN>();
                write(&path, &hex::encode(key))?;
                Self::with(&key).ok_or(SealError::Damaged { path })
            }
            Err(source) => Err(SealError::File { action: "read", path, source }),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::with(&hex::decode(text.trim()).ok()?)
    }

    fn with(key: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).ok()?;
        Some(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Seals `plain` for `purpose`: what it is and whose, for example `totp:<user uid>`. It opens for the same purpose only.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        // Random nonces of 96 bits under one key do for billions of values; a host seals some thousands.
        let nonce = id::random::<NONCE_LEN>();
        let mut body = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .map_err(|_unspecified| SealError::Refused)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Seal::seal`] gave for the same purpose.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.opened(purpose, sealed).ok_or_else(|| SealError::Foreign { purpose: purpose.to_owned() })
    }

    fn opened(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut body).ok()?.len();
        body.truncate(plain);
        Some(body)
    }
}

/// Whole or not at all, on the disk before it has its name, and never readable by another user.
fn write(path: &Path, text: &str) -> Result<(), SealError> {
    let failed = |source| SealError::File { action: "write", path: path.to_owned(), source };
    let draft = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.create(true).write(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let sealed = Seal::open(data.path()).unwrap().seal("smtp:1", b"secret").unwrap();
        assert_eq!(Seal::open(data.path()).unwrap().unseal("smtp:1", &sealed).unwrap(), b"secret");
    }

    #[test]
    fn a_sealed_value_shows_nothing_and_differs_each_time() {
        let data = tempfile::tempdir().unwrap();
        let seal = Seal::open(data.path()).unwrap();
        let (one, other) = (seal.seal("p", b"secret").unwrap(), seal.seal("p", b"secret").unwrap());
        assert_ne!(one, other);
        assert!(!one.windows(6).any(|bytes| bytes == b"secret"));
    }

    #[test]
    fn it_opens_for_no_other_purpose_and_with_no_other_key() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::open(data.path()).unwrap();
        let sealed = seal.seal("smtp:1", b"secret").unwrap();
        assert!(matches!(seal.unseal("smtp:2", &sealed), Err(SealError::Foreign { .. })));
        let other = Seal::open(other.path()).unwrap();
        assert!(matches!(other.unseal("smtp:1", &sealed), Err(SealError::Foreign { .. })));
    }

    #[test]
    fn a_changed_or_truncated_value_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let seal = Seal::open(data.path()).unwrap();
        let sealed = seal.seal("p", b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.unseal("p", &changed).is_err(), "byte {at}");
            assert!(seal.unseal("p", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_key_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        Seal::open(data.path()).unwrap();
        let mode = data.path().join("secrets.key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_named_and_never_replaced() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("secrets.key"), "short").unwrap();
        assert!(matches!(Seal::open(data.path()), Err(SealError::Damaged { .. })));
        assert_eq!(std::fs::read_to_string(data.path().join("secrets.key")).unwrap(), "short");
    }
}
