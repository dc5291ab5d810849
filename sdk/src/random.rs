//! Randomness that nobody can guess. A rule gets none; outside a component it is the same each time.

use crate::Error;

/// So many bytes, 64 KiB at most.
#[cfg(target_arch = "wasm32")]
pub fn bytes(length: u32) -> Result<Vec<u8>, Error> {
    Ok(crate::bindings::base::keelson::plugin::random::bytes(length)?)
}

/// So many bytes, 64 KiB at most.
#[cfg(not(target_arch = "wasm32"))]
pub fn bytes(length: u32) -> Result<Vec<u8>, Error> {
    Ok((0..length).map(|place| u8::try_from(place % 251).unwrap_or_default()).collect())
}
