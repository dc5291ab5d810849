//! The `keelson` program.

use std::process::ExitCode;

use clap::Parser;
use keelson::cli::{self, Cli};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("KEELSON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            // With nobody at standard error there is nobody to tell.
            drop(writeln!(std::io::stderr(), "keelson: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
