//! Keys of publishers: Ed25519. A secret one is a PEM file (PKCS#8), a public one a word: `ed25519:` and 32 bytes in base64.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::id;

const PREFIX: &str = "ed25519:";

/// Who signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// What only a publisher has.
pub struct SecretKey(SigningKey);

impl PublicKey {
    /// Whether `signature` over `message` is by this key. Strict: a key or a signature that more than one message fits is
    /// none.
    pub(in crate::plugins) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!("`{}` is no public key; one is written `{PREFIX}` and 44 letters", text.escape_default())
        };
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64.decode(text).ok()).ok_or_else(bad)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| bad())?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad())?;
        if key.is_weak() {
            return Err(format!("the key `{text}` is weak: anybody can sign for it"));
        }
        Ok(Self(key))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", BASE64.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl SecretKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(SigningKey::from_bytes(&id::random()))
    }

    /// Reads a PEM file's text.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| {
            format!("it is no Ed25519 key in PEM ({error}); `keelson plugin key FILE` makes one")
        })
    }

    /// The text of its file.
    pub fn to_pem(&self) -> Result<String, String> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string())?;
        Ok(pem.as_str().to_owned())
    }

    /// Its other half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(in crate::plugins) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_come_back_from_their_texts() {
        let secret = SecretKey::generate();
        let again = SecretKey::from_pem(&secret.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), secret.public());
        assert_eq!(secret.public().to_string().parse(), Ok(secret.public()));
        assert!(secret.public().signed(b"word", &again.sign(b"word")));
        assert!(!secret.public().signed(b"words", &again.sign(b"word")));
    }

    #[test]
    fn what_is_no_key_says_how_one_looks() {
        for text in ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA"] {
            assert!(text.parse::<PublicKey>().unwrap_err().contains("44 letters"), "{text}");
        }
        let zero = format!("{PREFIX}{}", BASE64.encode([0; 32]));
        assert!(zero.parse::<PublicKey>().unwrap_err().contains("weak"));
        assert!(SecretKey::from_pem("secret").unwrap_err().contains("keelson plugin key"));
    }

    #[test]
    fn a_secret_key_does_not_show_itself() {
        let secret = SecretKey::generate();
        assert_eq!(format!("{secret:?}"), format!("SecretKey({})", secret.public()));
    }
}
