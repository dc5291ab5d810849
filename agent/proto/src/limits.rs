//! How much of something host and agent give each other.

/// Bytes of a text for people. Longer ones are cut.
pub const TEXT_BYTES: usize = 4_096;
/// Bytes of a command's result, as JSON.
pub const RESULT_BYTES: usize = 256 * 1024;
