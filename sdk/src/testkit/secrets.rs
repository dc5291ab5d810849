//! Secrets for tests: that they are there, not what they are.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::Error;
use crate::secrets::About;

thread_local! {
    static SECRETS: RefCell<BTreeMap<String, About>> = const { RefCell::new(BTreeMap::new()) };
}

/// On this thread, the manifest has that secret and an administrator has entered it.
pub fn set(label: &str, kind: &str, expires: Option<i64>) {
    put(label, About { kind: kind.to_owned(), set: true, expires });
}

/// On this thread, the manifest has that secret and nobody has entered it.
pub fn unset(label: &str, kind: &str) {
    put(label, About { kind: kind.to_owned(), set: false, expires: None });
}

fn put(label: &str, about: About) {
    SECRETS.with_borrow_mut(|all| all.insert(label.to_owned(), about));
}

/// As the host would say.
pub(crate) fn about(label: &str) -> Result<About, Error> {
    let unknown =
        || Error::new("unknown-secret", format!("plugin.toml has no [[secrets]] `{label}`; add it"));
    SECRETS.with_borrow(|all| all.get(label).cloned()).ok_or_else(unknown)
}
