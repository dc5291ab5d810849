//! Secrets that stand for somebody: API keys, access and refresh tokens, page sessions. 256 random bits behind a prefix
//! that says what it is and before a checksum that tells a typing error from a wrong key without asking the database.
//! Only the hash is ever stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::id::random;

/// Characters of 256 bits in base64.
const BODY: usize = 43;
/// Characters of the checksum: 36 bits.
const CHECKSUM: usize = 6;
/// Characters by which a key is recognised later, with its prefix.
const SHOWN: usize = 10;

/// What a secret is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Scripts, until it is disabled.
    ApiKey,
    /// Calls, for an hour.
    Access,
    /// One new pair of tokens.
    Refresh,
    /// The page's cookie.
    Page,
    /// A few tries at the second factor.
    Mfa,
    /// One new password.
    Reset,
}

const KINDS: [(SecretKind, &str); 6] = [
    (SecretKind::ApiKey, "kak_"),
    (SecretKind::Access, "kat_"),
    (SecretKind::Refresh, "krt_"),
    (SecretKind::Page, "kps_"),
    (SecretKind::Mfa, "kmt_"),
    (SecretKind::Reset, "krp_"),
];

/// A secret in clear. Its owner sees it once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is stored of a secret. A plain hash is enough: nobody guesses 256 random bits.
pub type SecretHash = [u8; 32];

impl Secret {
    /// A new one.
    pub fn generate(kind: SecretKind) -> Self {
        let prefix = KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, prefix)| *prefix);
        let start = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()));
        let checksum = checksum(&start);
        Self(start + &checksum)
    }

    /// What a caller sent, if it can be a secret at all.
    pub fn parse(text: &str) -> Result<(SecretKind, Self), NoSecret> {
        let (kind, prefix) =
            KINDS.iter().find(|(_, prefix)| text.starts_with(prefix)).ok_or(NoSecret::Unknown)?;
        let cut = prefix.len() + BODY;
        if text.len() != cut + CHECKSUM || !text.is_ascii() {
            return Err(NoSecret::Length { kind: *kind, wanted: cut + CHECKSUM, found: text.len() });
        }
        let (start, end) = text.split_at(cut);
        if checksum(start) == end {
            Ok((*kind, Self(text.to_owned())))
        } else {
            Err(NoSecret::Mistyped { kind: *kind })
        }
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What its owner may see of it later: enough to tell one key from another, nothing to guess the rest from.
    pub fn identifier(&self) -> String {
        self.0.chars().take(SHOWN).collect()
    }

    /// In clear, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Why a text is no secret of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSecret {
    /// It has none of the prefixes.
    #[error("this is no token or API key of Keelson: those begin with kat_ or kak_")]
    Unknown,
    /// Part of it is missing, or something was added.
    #[error("this {} should have {wanted} characters and has {found}: it was not copied whole", .kind.name())]
    Length {
        /// What it would be.
        kind: SecretKind,
        /// Characters it should have.
        wanted: usize,
        /// Characters it has.
        found: usize,
    },
    /// A character is wrong.
    #[error("this {} is mistyped: its checksum does not match", .kind.name())]
    Mistyped {
        /// What it would be.
        kind: SecretKind,
    },
}

impl SecretKind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Access => "access token",
            Self::Refresh => "refresh token",
            Self::Page => "page session",
            Self::Mfa => "MFA token",
            Self::Reset => "code for a new password",
        }
    }
}

fn checksum(start: &str) -> String {
    let mut encoded = URL_SAFE_NO_PAD.encode(Sha256::digest(start.as_bytes()));
    encoded.truncate(CHECKSUM);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_is_recognised_as_what_it_is() {
        for (kind, prefix) in KINDS {
            let secret = Secret::generate(kind);
            assert!(secret.reveal().starts_with(prefix));
            assert_eq!(Secret::parse(secret.reveal()), Ok((kind, secret)));
        }
    }

    #[test]
    fn any_single_wrong_character_is_noticed() {
        let secret = Secret::generate(SecretKind::ApiKey);
        for position in 4..secret.reveal().len() {
            let mut text = secret.reveal().to_owned();
            let wrong = if text.as_bytes()[position] == b'A' { "B" } else { "A" };
            text.replace_range(position..=position, wrong);
            assert!(matches!(Secret::parse(&text), Err(NoSecret::Mistyped { .. })), "{position}");
        }
    }

    #[test]
    fn a_part_of_a_secret_is_told_from_a_foreign_one() {
        let secret = Secret::generate(SecretKind::Access);
        assert!(matches!(Secret::parse(&secret.reveal()[..40]), Err(NoSecret::Length { found: 40, .. })));
        assert!(matches!(Secret::parse("kat_ü"), Err(NoSecret::Length { .. })));
        assert_eq!(Secret::parse("eyJhbGciOi"), Err(NoSecret::Unknown));
        assert_eq!(Secret::parse(""), Err(NoSecret::Unknown));
    }

    #[test]
    fn debugging_output_never_shows_a_secret() {
        let secret = Secret::generate(SecretKind::Page);
        assert!(!format!("{secret:?}").contains(&secret.reveal()[4..]));
    }
}
