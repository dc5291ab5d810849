//! The console is embedded from `web/dist`. A host can be built without it: then a page says how to build it.

use std::path::Path;
use std::{fs, io};

const DIST: &str = "../web/dist";
const INSTEAD: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>Keelson</title>
<p>The console was not built: run <code>cargo xtask web</code>, then build the host again. The API works: see
<a href=\"/api/docs\">/api/docs</a>.</p></html>
";

fn main() -> io::Result<()> {
    // Printed by hand: cargo reads its instructions from here.
    let mut out = io::stdout();
    io::Write::write_all(&mut out, format!("cargo::rerun-if-changed={DIST}\n").as_bytes())?;
    let index = Path::new(DIST).join("index.html");
    if !index.exists() {
        fs::create_dir_all(DIST)?;
        fs::write(index, INSTEAD)?;
    }
    Ok(())
}
