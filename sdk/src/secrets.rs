//! What may be known of the secrets that the manifest names (`[[secrets]]`): never what they are. A request of
//! [`http`](crate::http) names one, and the host puts it in. Outside a component they are what
//! [`testkit::secrets`](crate::testkit::secrets) set.
//!
//! ```
//! use keelson_sdk::{secrets, testkit};
//!
//! testkit::secrets::set("psa-token", "token", Some(1_795_251_900_000));
//! let about = secrets::info("psa-token").unwrap();
//! assert!(about.set && about.expires_within(1_795_251_900_000 - 60_000, 86_400_000));
//! assert_eq!(secrets::info("no-such").unwrap_err().code, "unknown-secret");
//! ```

use crate::Error;

/// What may be known of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `token`, `password`, `oauth2-client`.
    pub kind: String,
    /// Whether an administrator has entered it.
    pub set: bool,
    /// Unix milliseconds, where that can be read from it (a JWT).
    pub expires: Option<i64>,
}

impl About {
    /// Whether it expires within so many milliseconds of `now`, or has.
    pub fn expires_within(&self, now: i64, milliseconds: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now.saturating_add(milliseconds))
    }
}

/// About the secret with that label.
#[cfg(target_arch = "wasm32")]
pub fn info(label: &str) -> Result<About, Error> {
    use crate::bindings::base::keelson::plugin::secrets;
    let secrets::About { kind, set, expires } = secrets::info(label)?;
    Ok(About { kind, set, expires })
}

/// About the secret with that label.
#[cfg(not(target_arch = "wasm32"))]
pub fn info(label: &str) -> Result<About, Error> {
    crate::testkit::secrets::about(label)
}
