//! The host's domain error: what went wrong, in words for the caller, knowing nothing of HTTP. Only `api/error.rs` turns
//! it into a status. What must not reach a caller is a `source`, logged once at the boundary.

/// A failure as a caller may see it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such thing, or not in the caller's scope: the two look the same.
    #[error("{kind} {id} does not exist")]
    NotFound {
        /// "company", "alarm template", …
        kind: &'static str,
        /// As the caller gave it.
        id: String,
    },
    /// It clashes with what is there.
    #[error("{message}")]
    Conflict {
        /// What clashes, and the way out.
        message: String,
    },
    /// A property of the input does not do.
    #[error("{message}")]
    Invalid {
        /// Dotted, as in the request.
        property: String,
        /// What is wrong with it, and what would do.
        message: String,
    },
    /// The caller is known but may not do this.
    #[error("{message}")]
    Forbidden {
        /// Which role or right is missing.
        message: String,
    },
    /// Something the host needs is away or busy; the same request may do later.
    #[error("{message}")]
    Unavailable {
        /// What is away.
        message: String,
        /// For the log.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// It took longer than it may.
    #[error("{message}")]
    Slow {
        /// What took so long, and the way out.
        message: String,
    },
    /// There is no room to store it.
    #[error("the database has no room left; free some on its disk, then try again")]
    StorageFull(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The host's own fault.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An error and all its causes on one line, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
