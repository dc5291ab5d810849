//! All tests that need more than one crate's own parts, in one binary: linking is what costs.

mod store;
