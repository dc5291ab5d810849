//! What the plugin keeps between its calls: `[kv]` in the manifest. Outside a component it is a map of this thread.
//!
//! ```
//! use keelson_sdk::{Error, kv};
//!
//! fn count() -> Result<u64, Error> {
//!     let known: Option<u64> = kv::read(&kv::Space::Plugin, "count")?;
//!     let next = known.unwrap_or_default() + 1;
//!     kv::write(&kv::Space::Plugin, "count", &next)?;
//!     Ok(next)
//! }
//!
//! assert_eq!((count().unwrap(), count().unwrap()), (1, 2));
//! ```

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
pub use crate::bindings::base::keelson::plugin::kv::{Entry, Page, Space};

/// The value of a key.
pub fn get(space: &Space, key: &str) -> Result<Option<Entry>, Error> {
    Ok(host::get(space, key)?)
}

/// Writes one and gives its revision. With `if_revision` only over that one, 0 for a key that must not be there: else the error's
/// code is `conflict`.
pub fn set(space: &Space, key: &str, value: &[u8], if_revision: Option<u64>) -> Result<u64, Error> {
    Ok(host::set(space, key, value, if_revision, None)?)
}

/// Writes one that is gone after a while, in whole seconds.
pub fn set_for(space: &Space, key: &str, value: &[u8], life: Duration) -> Result<u64, Error> {
    let seconds = u32::try_from(life.as_secs()).unwrap_or(u32::MAX);
    Ok(host::set(space, key, value, None, Some(seconds))?)
}

/// Removes one; whether it was there.
pub fn delete(space: &Space, key: &str) -> Result<bool, Error> {
    Ok(host::delete(space, key, None)?)
}

/// Entries whose keys begin with `prefix`, ascending; `limit` is from 1 to 1,000.
pub fn scan(space: &Space, prefix: &str, cursor: Option<&str>, limit: u32) -> Result<Page, Error> {
    Ok(host::scan(space, prefix, cursor, limit)?)
}

/// A value that was written as JSON.
pub fn read<T: DeserializeOwned>(space: &Space, key: &str) -> Result<Option<T>, Error> {
    let Some(entry) = get(space, key)? else { return Ok(None) };
    let bad =
        |error: serde_json::Error| Error::new("bad-entry", format!("the value of {key} is another: {error}"));
    serde_json::from_slice(&entry.value).map(Some).map_err(bad)
}

/// Writes a value as JSON.
pub fn write(space: &Space, key: &str, value: &impl Serialize) -> Result<u64, Error> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::new("bad-entry", error.to_string()))?;
    set(space, key, &bytes, None)
}

#[cfg(target_arch = "wasm32")]
use crate::bindings::base::keelson::plugin::kv as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testkit::kv as host;
