//! The console in a real browser on a real host.

pub(crate) mod browser;
