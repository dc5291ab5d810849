//! A store of keys and values for [`kv`](crate::kv), on this thread. Time does not pass: what has a life stays.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::bindings::base::keelson::plugin::kv::{Entry, Page, Space};
use crate::bindings::base::keelson::plugin::types::PluginError;

#[derive(Default)]
struct Keep {
    revision: u64,
    entries: BTreeMap<(String, String), Entry>,
}

thread_local! {
    static KEEP: RefCell<Keep> = RefCell::default();
}

fn name(space: &Space) -> String {
    match space {
        Space::Plugin => String::new(),
        Space::Company(uid) => uid.clone(),
    }
}

fn expect(found: Option<&Entry>, wanted: Option<u64>) -> Result<(), PluginError> {
    let found = found.map_or(0, |entry| entry.revision);
    match wanted {
        Some(wanted) if wanted != found => Err(PluginError {
            code: "conflict".to_owned(),
            message: format!("the key is at revision {found}, not {wanted}"),
            retryable: false,
        }),
        _ => Ok(()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the host's")]
pub(crate) fn get(space: &Space, key: &str) -> Result<Option<Entry>, PluginError> {
    Ok(KEEP.with_borrow(|keep| keep.entries.get(&(name(space), key.to_owned())).cloned()))
}

pub(crate) fn set(
    space: &Space,
    key: &str,
    value: &[u8],
    if_revision: Option<u64>,
    _ttl_seconds: Option<u32>,
) -> Result<u64, PluginError> {
    KEEP.with_borrow_mut(|keep| {
        let place = (name(space), key.to_owned());
        expect(keep.entries.get(&place), if_revision)?;
        keep.revision += 1;
        let entry = Entry { key: key.to_owned(), value: value.to_vec(), revision: keep.revision };
        keep.entries.insert(place, entry);
        Ok(keep.revision)
    })
}

pub(crate) fn delete(space: &Space, key: &str, if_revision: Option<u64>) -> Result<bool, PluginError> {
    KEEP.with_borrow_mut(|keep| {
        let place = (name(space), key.to_owned());
        expect(keep.entries.get(&place), if_revision)?;
        Ok(keep.entries.remove(&place).is_some())
    })
}

pub(crate) fn scan(
    space: &Space,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page, PluginError> {
    let space = name(space);
    let after = cursor.unwrap_or_default();
    KEEP.with_borrow(|keep| {
        let fits = |(known, key): &(String, String)| {
            *known == space && key.starts_with(prefix) && key.as_str() > after
        };
        let mut found = keep.entries.iter().filter(|(place, _)| fits(place)).map(|(_, entry)| entry.clone());
        let entries: Vec<Entry> = found.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        let next = found.next().and_then(|_| entries.last().map(|last| last.key.clone()));
        Ok(Page { entries, next })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv;

    #[test]
    fn it_keeps_what_the_host_would_keep() {
        let (own, company) = (Space::Plugin, Space::Company("c".to_owned()));
        let first = kv::set(&own, "a/1", b"x", Some(0)).unwrap();
        assert_eq!(kv::set(&own, "a/1", b"y", Some(0)).unwrap_err().code, "conflict");
        assert!(kv::set(&own, "a/1", b"y", Some(first)).unwrap() > first);
        kv::set(&own, "a/2", b"z", None).unwrap();
        kv::set(&company, "a/1", b"theirs", None).unwrap();
        let page = kv::scan(&own, "a/", None, 1).unwrap();
        assert_eq!((page.entries.len(), page.next.as_deref()), (1, Some("a/1")));
        let rest = kv::scan(&own, "a/", page.next.as_deref(), 10).unwrap();
        assert_eq!((rest.entries[0].key.as_str(), rest.next), ("a/2", None));
        assert!(kv::delete(&own, "a/1").unwrap() && kv::get(&own, "a/1").unwrap().is_none());
        assert_eq!(kv::get(&company, "a/1").unwrap().unwrap().value, b"theirs");
    }
}
