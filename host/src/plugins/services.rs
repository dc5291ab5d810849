//! What capabilities reach outside the sandbox. `keelson plugin check` has none of it: a plugin that is only looked at gets
//! errors where it asks.

use crate::seal::Seal;
use crate::store::Store;

/// The host's parts that capabilities work with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Where everything is kept.
    pub store: Store,
    /// For secrets.
    pub seal: Seal,
}
