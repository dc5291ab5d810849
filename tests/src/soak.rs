//! How long seeded fault cycles go on: a bounded number of times with each change, longer in `cargo xtask soak`.

/// So many times as is usual, times what `KEELSON_CYCLES` says.
pub fn cycles(usual: u32) -> u32 {
    let factor = std::env::var("KEELSON_CYCLES").ok().and_then(|text| text.parse().ok());
    usual * factor.unwrap_or(1)
}
