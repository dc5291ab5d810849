//! What a client of an older API version is shown: a word of an enum that its version does not have yet becomes
//! `Unknown`, which every such enum has, because generated clients die on a word that they do not know.
//!
//! `versions.tsv` says since when a word is there; `xtask/scripts/versions.py` writes it, by hand, from the OpenAPI files
//! that were published for each version. A word that is not in it is as old as its enum.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::api::contract;
use crate::store::list::{Kind, Resource, Shown};

const TABLE: &str = include_str!("versions.tsv");

/// The words of each enum that are younger than it, the older ones first, and since when each is there.
static YOUNGER: LazyLock<HashMap<&str, Younger>> = LazyLock::new(|| {
    let mut rows: Vec<_> = TABLE.lines().skip(1).filter_map(row).collect();
    rows.sort_by_key(|(_, _, since)| *since);
    let mut younger: HashMap<&str, Younger> = HashMap::new();
    for (name, word, since) in rows {
        let of_enum = younger.entry(name).or_default();
        of_enum.words.push(word);
        of_enum.since.push(since);
    }
    younger
});

#[derive(Debug, Default)]
struct Younger {
    words: Vec<&'static str>,
    since: Vec<ClientVersion>,
}

fn row(line: &'static str) -> Option<(&'static str, &'static str, ClientVersion)> {
    let mut cells = line.split('\t');
    Some((cells.next()?, cells.next()?, ClientVersion::parse(cells.next()?)?))
}

/// The version of the API that a client says it speaks in `X-Client-Version`; one that says nothing speaks the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientVersion {
    minor: u32,
    patch: u32,
}

impl ClientVersion {
    /// The one that this host speaks.
    pub(crate) const NEWEST: Self = Self { minor: 7, patch: 0 };
    const OLDEST: Self = Self { minor: 4, patch: 0 };

    /// `3.4` to `3.7`, and their patch releases: a patch release of ours or of theirs changes no contract.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.').map(|part| part.parse::<u32>().ok());
        if parts.next() != Some(Some(3)) {
            return None;
        }
        let minor = parts.next()??;
        let patches: Vec<_> = parts.collect::<Option<_>>()?;
        let version = Self { minor, patch: patches.first().copied().unwrap_or_default() };
        let known = (Self::OLDEST.minor..=Self::NEWEST.minor).contains(&minor);
        (known && patches.len() <= 2).then_some(version)
    }
}

impl Default for ClientVersion {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl<S: Sync> FromRequestParts<S> for ClientVersion {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }
}

/// The words of an enum that a client of that version does not know. An enum is named by its schema (`UserRole`); one that
/// stands inside a schema by schema and property (`Company.status`).
pub(crate) fn unknown(enum_name: &str, version: ClientVersion) -> &'static [&'static str] {
    // Nearly all clients: not even a look into the table.
    if version >= ClientVersion::NEWEST {
        return &[];
    }
    let Some(younger) = YOUNGER.get(enum_name) else { return &[] };
    let known = younger.since.partition_point(|since| *since <= version);
    younger.words.get(known..).unwrap_or_default()
}

/// What an answer shows, as a client of that version reads it.
pub(crate) fn for_client(mut shown: Vec<Shown>, resource: &Resource, version: ClientVersion) -> Vec<Shown> {
    if version < ClientVersion::NEWEST {
        for shown in shown.iter_mut().filter(|shown| shown.property.kind == Kind::Code) {
            let name = contract::enum_name(resource.name, shown.property.name);
            shown.unknown = name.map_or(&[], |name| unknown(&name, version));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ClientVersion {
        ClientVersion::parse(text).unwrap()
    }

    #[test]
    fn clients_of_3_4_to_3_7_are_served_and_others_are_not() {
        for good in ["3.4", "3.5", "3.5.1", "3.6", "3.6.1", "3.6.2", "3.7", "3.7.0.1"] {
            assert!(ClientVersion::parse(good).is_some(), "{good}");
        }
        for bad in ["", "3", "3.3", "3.8", "4.0", "2.5", "v3.6", "3.x", "3.6.x", "3.6.1.2.3"] {
            assert!(ClientVersion::parse(bad).is_none(), "{bad}");
        }
        assert!(version("3.6") < version("3.6.1") && version("3.6.2") < version("3.7"));
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let words: usize = YOUNGER.values().map(|younger| younger.words.len()).sum();
        assert_eq!(words, TABLE.lines().count() - 1);
    }

    #[test]
    fn a_resource_shows_an_older_client_only_what_it_knows() {
        let role = |client| {
            let shown = for_client(crate::store::USERS.shown(), &crate::store::USERS, version(client));
            shown.into_iter().find(|shown| shown.property.name == "role").unwrap().unknown
        };
        assert_eq!((role("3.5.1"), role("3.6")), (&["CompanyTenant"][..], &[][..]));
    }

    #[test]
    fn a_word_that_is_newer_than_the_client_is_unknown_to_it() {
        for (client, is_unknown) in [("3.5.1", true), ("3.6.1", true), ("3.6.2", false), ("3.7", false)] {
            let unknown = unknown("ActivityLogType", version(client));
            assert_eq!(unknown.contains(&"VdcTenantCreated"), is_unknown, "{client}");
        }
        assert!(unknown("No.such", version("3.4")).is_empty());
    }
}
