//! What a plugin asks for, and what of that an administrator granted. Both as words, because that is how they are shown,
//! stored and compared: `kv`, `inventory:read`, `http:psa`, `secret:psa-token`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;

/// Something that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The word.
    pub capability: String,
    /// Why, in the publisher's words.
    pub reason: String,
}

/// What a plugin may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grants {
    /// Whatever it asks for: it lies in the developer's folder.
    Everything,
    /// These words.
    Words(BTreeSet<String>),
}

impl Grants {
    /// From the database's list. One that cannot be read grants nothing.
    pub(super) fn parse(json: &str) -> Self {
        Self::Words(serde_json::from_str(json).unwrap_or_default())
    }

    /// As the database has it.
    pub(super) fn list(words: &BTreeSet<String>) -> String {
        serde_json::json!(words).to_string()
    }

    /// Whether it may.
    pub(super) fn allow(&self, word: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Words(words) => words.contains(word),
        }
    }

    /// What of `asks` it may not.
    pub(super) fn lacking(&self, asks: &[Ask]) -> Vec<Ask> {
        asks.iter().filter(|ask| !self.allow(&ask.capability)).cloned().collect()
    }
}

/// All that a manifest asks for beyond computing.
pub(super) fn asks(manifest: &Manifest) -> Vec<Ask> {
    let ask = |capability: String, reason: &str| Ask { capability, reason: reason.to_owned() };
    let declared = &manifest.capabilities;
    let kv = declared.kv.iter().map(|kv| ask("kv".to_owned(), &kv.reason));
    let data = declared.data.iter().map(|(scope, reason)| ask(scope.clone(), reason));
    let http = declared.http.iter().map(|one| ask(format!("http:{}", one.label), &one.reason));
    let secrets = declared.secrets.iter().map(|one| ask(format!("secret:{}", one.label), &one.reason));
    kv.chain(data).chain(http).chain(secrets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_granted_is_lacking() {
        let asks =
            ["kv", "http:psa"].map(|word| Ask { capability: word.to_owned(), reason: "because".to_owned() });
        let granted = Grants::parse(r#"["kv","http:other"]"#);
        assert_eq!(granted.lacking(&asks), [asks[1].clone()]);
        assert_eq!(Grants::Everything.lacking(&asks), []);
        assert_eq!(Grants::parse("not a list").lacking(&asks), asks);
    }
}
