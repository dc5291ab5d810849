//! One call of the host.

use crate::bindings::base::keelson::plugin::types::Context;

/// What one call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Ties log lines together.
    pub id: String,
    /// Unix milliseconds, UTC: what counts as "now".
    pub now: i64,
    /// The UID of the company on whose behalf it is: the call sees that company's data and no other's. None if it is on the
    /// provider's behalf.
    pub company: Option<String>,
    /// 1, or more if it failed before.
    pub attempt: u32,
}

impl Call {
    /// On the provider's behalf, for the first time.
    pub fn new(id: &str, now: i64) -> Self {
        Self { id: id.to_owned(), now, company: None, attempt: 1 }
    }
}

impl From<Context> for Call {
    fn from(context: Context) -> Self {
        let Context { call_id: id, now, company, attempt } = context;
        Self { id, now, company, attempt }
    }
}
