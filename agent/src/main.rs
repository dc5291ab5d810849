//! The `keelson-agent` program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    keelson_agent::cli::main()
}
