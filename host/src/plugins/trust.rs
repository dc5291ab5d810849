//! Whom to believe: what a package's signature is worth to this provider.

use super::package::{PublicKey, Signed};

/// How far a package is to be trusted, as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// It came with this host.
    Shipped,
    /// By a publisher for whom a library vouches.
    VerifiedPublisher {
        /// As the library names it.
        publisher: String,
    },
    /// Signed with a key of this provider's own.
    OwnKey,
    /// By nobody, and let in by the developer mode.
    Unsigned,
}

impl Trust {
    /// As the database has it.
    pub(super) fn tier_name(&self) -> &'static str {
        match self {
            Self::Shipped => "Shipped",
            Self::VerifiedPublisher { .. } => "VerifiedPublisher",
            Self::OwnKey => "OwnKey",
            Self::Unsigned => "Unsigned",
        }
    }

    /// Whose it is, by the name that somebody vouches for.
    pub(super) fn publisher(&self) -> Option<&str> {
        match self {
            Self::VerifiedPublisher { publisher } => Some(publisher),
            _ => None,
        }
    }
}

/// The keys that count.
#[derive(Debug, Clone, Default)]
pub(super) struct Keyring {
    /// Of what ships with the host.
    pub(super) shipped: Vec<PublicKey>,
    /// Of publishers, with their names.
    pub(super) verified: Vec<(String, PublicKey)>,
    /// This provider's.
    pub(super) own: Vec<PublicKey>,
    /// Whether what nobody signed may run.
    pub(super) developer: bool,
}

impl Keyring {
    /// How far to trust a package of a plugin whose key is `pinned` since its first install. A refusal is a sentence with the
    /// way out.
    pub(super) fn judge(&self, signed: Option<&Signed>, pinned: Option<&PublicKey>) -> Result<Trust, String> {
        let Some(signed) = signed else {
            return match pinned {
                Some(key) => Err(format!(
                    "it is not signed, but the plugin that is installed is, by {key}; get the package from its publisher"
                )),
                None if self.developer => Ok(Trust::Unsigned),
                None => Err("it is not signed; sign it with `keelson plugin sign`, or allow unsigned plugins on this host \
                     with the developer mode"
                    .to_owned()),
            };
        };
        if let Some(pinned) = pinned
            && !signed.signers.contains(pinned)
        {
            return Err(format!(
                "it is signed by {}, but the plugin that is installed by {pinned}; a publisher who changes keys signs with both \
                 (`keelson plugin sign --former`). If the old key is lost, remove the plugin with `--purge`, which erases what it stored, and install this one anew",
                signed.key
            ));
        }
        self.tier(signed, pinned.is_some())
    }

    /// The pin is enough for one who is known, so that a publisher may change keys without every library knowing of it.
    fn tier(&self, signed: &Signed, pinned: bool) -> Result<Trust, String> {
        let by = |key: &PublicKey| *key == signed.key || (pinned && signed.signers.contains(key));
        if self.shipped.iter().any(by) {
            return Ok(Trust::Shipped);
        }
        if let Some((publisher, _)) = self.verified.iter().find(|(_, key)| by(key)) {
            return Ok(Trust::VerifiedPublisher { publisher: publisher.clone() });
        }
        if self.own.iter().any(by) {
            return Ok(Trust::OwnKey);
        }
        Err(format!(
            "it is signed by {}, a key that this host does not know; if you know whose it is, add it with `keelson plugin trust \
             {}`",
            signed.key, signed.key
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::SecretKey;
    use super::*;

    fn key() -> PublicKey {
        SecretKey::generate().public()
    }

    fn by(key: PublicKey) -> Signed {
        Signed { key, signers: vec![key] }
    }

    #[test]
    fn each_key_has_its_tier() {
        let [ours, theirs, own] = [key(), key(), key()];
        let ring = Keyring {
            shipped: vec![ours],
            verified: vec![("Acme".to_owned(), theirs)],
            own: vec![own],
            developer: false,
        };
        assert_eq!(ring.judge(Some(&by(ours)), None), Ok(Trust::Shipped));
        let verified = Trust::VerifiedPublisher { publisher: "Acme".to_owned() };
        assert_eq!(ring.judge(Some(&by(theirs)), None), Ok(verified));
        assert_eq!(ring.judge(Some(&by(own)), None), Ok(Trust::OwnKey));
        let stranger = ring.judge(Some(&by(key())), None).unwrap_err();
        assert!(stranger.contains("keelson plugin trust ed25519:"), "{stranger}");
    }

    #[test]
    fn what_nobody_signed_runs_in_the_developer_mode_only() {
        let ring = Keyring::default();
        assert!(ring.judge(None, None).unwrap_err().contains("developer mode"));
        let ring = Keyring { developer: true, ..ring };
        assert_eq!(ring.judge(None, None), Ok(Trust::Unsigned));
        assert!(ring.judge(None, Some(&key())).unwrap_err().contains("the plugin that is installed is"));
    }

    #[test]
    fn another_key_than_the_pinned_one_is_refused_though_it_is_trusted() {
        let (old, new) = (key(), key());
        let ring = Keyring { own: vec![old, new], ..Keyring::default() };
        let error = ring.judge(Some(&by(new)), Some(&old)).unwrap_err();
        assert!(error.contains("signs with both"), "{error}");
    }

    #[test]
    fn a_rotation_that_the_old_key_signed_is_believed() {
        let (old, new) = (key(), key());
        let ring = Keyring { own: vec![old], ..Keyring::default() };
        let both = Signed { key: new, signers: vec![new, old] };
        assert_eq!(ring.judge(Some(&both), Some(&old)), Ok(Trust::OwnKey));
        // Without a pin the old signature is worth nothing: it may be another plugin's.
        assert!(ring.judge(Some(&both), None).is_err());
    }
}
