//! The time. In a rule it stands still; outside a component it is what [`testkit::clock`](crate::testkit::clock) set.

/// Unix milliseconds, UTC.
#[cfg(target_arch = "wasm32")]
pub fn now() -> i64 {
    crate::bindings::base::keelson::plugin::clock::now()
}

/// Unix milliseconds, UTC.
#[cfg(not(target_arch = "wasm32"))]
pub fn now() -> i64 {
    crate::testkit::current_instant()
}
