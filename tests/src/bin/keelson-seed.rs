//! Fills an empty database with a fleet: `keelson-seed URL small|middle|full`. People run it as `cargo xtask seed`.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use keelson::clock::{Clock as _, SystemClock};
use keelson_tests::fleet::{Scale, plant};

const HOUR: i64 = 3_600_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: keelson-seed sqlite:PATH|postgres://… small|middle|full";
    let url = arguments.next().context(usage)?;
    let scale = match arguments.next().as_deref() {
        Some("small") => Scale::SMALL,
        Some("middle") => Scale::MIDDLE,
        Some("full") => Scale::FULL,
        _ => bail!("{usage}"),
    };
    // Within an hour the same fleet comes out.
    let now = SystemClock.now_ms() / HOUR * HOUR;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let planted = runtime.block_on(plant(&url, scale, now))?;
    writeln!(std::io::stdout(), "{} rows", planted.rows)?;
    Ok(())
}
